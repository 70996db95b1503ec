"""The SQL of one call, as a value and as a table; `desugaring.py` says where it stands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from heliumql.source import Span
from heliumql.syntax.arguments import CallParts
from heliumql.syntax.core import CALL_FUNCTION, HISTORY_TYPE, INFO_FUNCTION, INFO_TYPE
from heliumql.syntax.literals import quoted, quoted_name
from heliumql.syntax.message import Expression, Gathered, Message, Part, Template
from heliumql.syntax.template import Placeholder
from heliumql.syntax.tree import Call, Element, Group
from heliumql.syntax.writer import Writer
from heliumql.types import SqlType

# What typeof says of vectors: lists and arrays of numbers.
_VECTOR = r"^(FLOAT|DOUBLE|DECIMAL\(.*\)|U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?)\[\d*\]$"


@dataclass(frozen=True)
class Site:
    """A call that is being written."""

    numbers: tuple[int, ...]  # one for each sample
    parts: CallParts
    span: Span

    @property
    def number(self) -> int:
        return self.numbers[0]


class CallSql:
    """Writes calls. `expression` writes an expression of the user, `column` gives the SQL of a
    placeholder."""

    def __init__(
        self,
        writer: Writer,
        expression: Callable[[Expression], None],
        column: Callable[[Placeholder], str],
    ) -> None:
        self._writer = writer
        self._expression = expression
        self._column = column

    def value(self, site: Site) -> None:
        """The call as a value of its type."""
        before, after = _casts(site.parts.value or site.parts.returns)
        self._writer.put(before, site.span)
        self._call(site, CALL_FUNCTION)
        self._writer.put(after, site.span)

    def similarity(self, one: Site, other: Site) -> None:
        """The cosine of the angle between two vectors, computed in DOUBLE."""
        put, span = self._writer.put, one.span
        put("list_cosine_similarity(", span)
        self._vector(one)
        put(", ", span)
        self._vector(other)
        put(")", span)

    def _vector(self, site: Site) -> None:
        """The vector of a text, or the argument itself where it is one.

        Its type is known when DuckDB binds it: what is not meant is gone then, also the call.
        """
        put, span, given = self._writer.put, site.span, site.parts.prompt
        either = isinstance(given, Expression) and not _holds_call(given.items)
        if isinstance(given, Expression) and either:
            put("CASE WHEN regexp_matches(typeof(", span)
            self._expression(given)
            put(f"), {quoted(_VECTOR)}) THEN CAST(", span)
            self._expression(given)
            put(" AS DOUBLE[]) ELSE ", span)
        put("CAST(", span)
        self.value(site)
        put(" AS DOUBLE[])" + (" END" if either else ""), span)

    def _call(self, site: Site, function: str, number: int | None = None) -> None:
        put, span = self._writer.put, site.span
        put(f"{function}({number or site.number}, ", span)
        self._prompt(site)
        put(", ", span)
        self._system(site)
        put(", ", span)
        self._history(site)
        put(")", span)

    def _prompt(self, site: Site) -> None:
        self._message(site.parts.prompt, site.parts.values)

    def _system(self, site: Site) -> None:
        if site.parts.system is None:
            self._writer.put("NULL", site.span)
        else:
            self._message(site.parts.system, site.parts.values)

    def _history(self, site: Site) -> None:
        if site.parts.history is None:
            self._writer.put("NULL", site.span)
            return
        span = site.parts.history.span
        self._writer.put("CAST(", span)
        self._expression(site.parts.history)
        self._writer.put(f" AS {HISTORY_TYPE})", span)

    def _message(self, message: Message, values: Sequence[Expression]) -> None:
        """A prompt or system message as VARCHAR."""
        put, span = self._writer.put, message.span
        parts: Sequence[Part] = message.parts if isinstance(message, Template) else (message,)
        parts = parts or ("",)
        put("(" if len(parts) > 1 else "", span)
        for index, part in enumerate(parts):
            put(" || " if index else "", span)
            self._part(part, values, span)
        put(")" if len(parts) > 1 else "", span)

    def _part(self, part: Part, values: Sequence[Expression], span: Span) -> None:
        put = self._writer.put
        match part:
            case str():
                put(quoted(part), span)
            case Placeholder(value=None):
                put(f"CAST({self._column(part)} AS VARCHAR)", part.span)
            case Placeholder(value=int(number)):
                put("CAST(", part.span)
                self._expression(values[number])
                put(" AS VARCHAR)", part.span)
            case Expression():
                put("CAST(", part.span)
                self._expression(part)
                put(" AS VARCHAR)", part.span)
            case Gathered():
                self._gathered(part)

    def _gathered(self, part: Gathered) -> None:
        put, span = self._writer.put, part.span
        put("string_agg(DISTINCT " if part.distinct else "string_agg(", span)
        self._message(part.text, ())
        put(f", {quoted(part.separator)}", span)
        for number, key in enumerate(part.order):
            put(", " if number else " ORDER BY ", span)
            self._expression(key)
        if part.distinct and not part.order and not _is_constant(part.text):
            put(" ORDER BY ", span)
            self._message(part.text, ())
        put(")", span)
        if part.filter is not None:
            put(" FILTER (", span)
            self._expression(part.filter)
            put(")", span)

    # --- SQL of a call as a table -----------------------------------------------------------

    def select(self, site: Site, *, outer: bool, messages: bool, info: bool, sample: bool) -> None:
        """The SELECT whose columns are those of the call.

        It has two levels: a template that reads an outer column `text` would be taken to mean the
        answer if that had its name beside the call. UNNEST stands right above the call: there
        DuckDB needs no join to follow the outer columns, and keeps the order of the list.
        Where the text is read twice, or is one of several samples, there is a third level: a call
        that is drawn at random is to be written once.
        """
        returns, span, put = site.parts.returns, site.span, self._writer.put
        many = len(site.numbers) > 1
        below = many or messages
        more = ", __sample AS sample" if sample or many else ""
        more += ", __messages AS messages" if messages else ""
        more += ", __llm AS llm" if info else ""
        put(f"SELECT {_columns(returns)}{more} FROM (SELECT ", span)
        before, after = _value(returns, outer)
        put(before, span)
        if below:
            put("__text", span)
        else:
            self._call(site, CALL_FUNCTION)
        put(f"{after} AS __value", span)
        if sample or many:
            put(", __sample" if many else ", 1 AS __sample", span)
        if messages:
            put(", ", span)
            self._messages(site)
            put(" AS __messages", span)
        if info:
            put(", CAST(CAST(", span)
            if below:
                put("__info", span)
            else:
                self._call(site, INFO_FUNCTION)
            put(f" AS JSON) AS {INFO_TYPE}) AS __llm", span)
        if below:
            put(" FROM (SELECT ", span)
            self._texts(site, CALL_FUNCTION, "__text")
            if info:
                put(", ", span)
                self._texts(site, INFO_FUNCTION, "__info")
            if many:
                put(f", unnest(range(1, {len(site.numbers) + 1})) AS __sample", span)
            put(")", span)
        put(")", span)

    def _texts(self, site: Site, function: str, name: str) -> None:
        """The bare text of the call; of several samples, a row each.

        A list is carried where its items are text, and so is what is unnested of it.
        """
        many = len(site.numbers) > 1
        self._writer.put("unnest([" if many else "", site.span)
        for place, number in enumerate(site.numbers):
            self._writer.put(", " if place else "", site.span)
            self._call(site, function, number)
        self._writer.put(f"{'])' if many else ''} AS {name}", site.span)

    def _messages(self, site: Site) -> None:
        """The conversation: what was sent, and the reply."""
        parts, span, put = site.parts, site.span, self._writer.put
        before = parts.system is not None or parts.history is not None
        put("list_concat(" if before else "", span)
        if parts.system is None and before:
            self._earlier(site)
        elif parts.system is not None:
            put("CASE WHEN ", span)
            self._system(site)
            put(" IS NULL THEN ", span)
            self._earlier(site)
            put(" ELSE list_concat([{'role': 'system', 'content': ", span)
            self._system(site)
            put("}], list_filter(" if parts.history else "}], ", span)
            self._earlier(site)
            others = ", lambda message: message.role <> 'system')" if parts.history else ""
            put(others + ") END", span)
        put(", " if before else "", span)
        put("[{'role': 'user', 'content': ", span)
        self._prompt(site)
        put("}, {'role': 'assistant', 'content': ", span)
        put("__text}]" + (")" if before else ""), span)

    def _earlier(self, site: Site) -> None:
        """The history, empty where there is none."""
        nothing = f"CAST([] AS {HISTORY_TYPE})"
        if site.parts.history is None:
            self._writer.put(nothing, site.span)
            return
        self._writer.put("coalesce(", site.span)
        self._history(site)
        self._writer.put(f", {nothing})", site.span)


def _is_constant(message: Message) -> bool:
    """One text for all rows; DuckDB takes no ORDER BY of it."""
    return isinstance(message, Template) and all(isinstance(part, str) for part in message.parts)


def _casts(returns: SqlType) -> tuple[str, str]:
    """What stands before and after a call to make its text a value of the type."""
    if returns.is_text:
        return "", ""
    if returns.name == "JSON":
        return "CAST(", " AS JSON)"
    if returns.is_nested:
        return "CAST(CAST(", f" AS JSON) AS {returns.sql()})"
    return "CAST(", f" AS {returns.sql()})"


def _value(returns: SqlType, outer: bool) -> tuple[str, str]:
    """What stands before and after a text to make it the value of a row; of a list the rows.

    `outer`: an empty list gives a row too.
    """
    before, after = _casts(returns)
    if returns.name != "LIST":
        return before, after
    if outer:  # answers are compact JSON; NULLIF would name the call twice
        before, after = before + "regexp_replace(", r", '^\[\]$', 'null')" + after
    return "unnest(coalesce(" + before, after + ", [NULL]))"


def _columns(returns: SqlType) -> str:
    """The columns that a value gives as a table."""
    row = returns.item if returns.name == "LIST" else returns
    if row is not None and row.name == "STRUCT":
        return ", ".join(
            f"__value.{quoted_name(name)} AS {quoted_name(name)}" for name, _ in row.fields
        )
    return "__value AS text"


def column(placeholder: Placeholder) -> str:
    """A placeholder as the column that it names."""
    return ".".join(quoted_name(name) for name in placeholder.path)


def _holds_call(elements: Iterable[Element]) -> bool:
    """A call is written once: each place of it would be another one."""
    return any(
        isinstance(item, Call) or (isinstance(item, Group) and _holds_call(item.items))
        for item in elements
    )
