"""HQL to core SQL; the binder and the session call these functions.

The walk copies the user's text and writes SQL of its own only where a call stands:

    value     LLM_GENERATE('On {x}')              __hql_llm(1, ('On ' || CAST("x" AS VARCHAR)), ..)
    lateral   t, LATERAL LLM_GENERATE(..) AS g    t, LATERAL (SELECT .. FROM (SELECT ..)) AS g
    table     LLM_GENERATE((SELECT ..), ..)       (SELECT __t.*, __g.* FROM (..) AS __t, LATERAL ..)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from heliumql.errors import BindError, HeliumQLError
from heliumql.source import Span
from heliumql.syntax.arguments import (
    OPTIONS,
    CallParts,
    Expression,
    Message,
    Template,
    read_call,
    read_options,
    read_template,
)
from heliumql.syntax.core import (
    CALL_FUNCTION,
    HISTORY_TYPE,
    INFO_FUNCTION,
    INFO_TYPE,
    CallSite,
    Core,
    DesugarContext,
    PromptCore,
)
from heliumql.syntax.literals import LITERAL_TYPES, quoted, quoted_name
from heliumql.syntax.mistakes import suggestion
from heliumql.syntax.position import Level, Position
from heliumql.syntax.statements import CreateMacro, CreatePrompt, CreateView
from heliumql.syntax.template import Placeholder
from heliumql.syntax.tokens import Token, identifier, tokenize
from heliumql.syntax.tree import Call, Element, Group, parse_soup
from heliumql.syntax.uses import Uses
from heliumql.syntax.writer import Writer
from heliumql.types import TEXT, SqlType

_NO_ALIAS = {
    *("ON", "USING", "JOIN", "LEFT", "RIGHT", "FULL", "INNER", "CROSS", "NATURAL", "ASOF", "SEMI"),
    *("ANTI", "POSITIONAL", "WHERE", "GROUP", "HAVING", "QUALIFY", "WINDOW", "ORDER", "LIMIT"),
    *("OFFSET", "UNION", "INTERSECT", "EXCEPT", "SELECT", "FROM", "SET", "RETURNING", "LATERAL"),
    *("TABLESAMPLE", "WHEN", "WITH", "PIVOT", "UNPIVOT", "FETCH", "VALUES"),
}
_NO_CALLS = {"CHECK", "DEFAULT", "GENERATED", "AS", "USING"}


def desugar(text: str, context: DesugarContext) -> Core:
    """Core SQL of a statement, or of a query inside one."""
    with _placed(context.offset):
        walk = _Desugar(text, context)
        walk.statement()
        return walk.core()


def desugar_view(create: CreateView, context: DesugarContext) -> Core:
    """The view as `CREATE OR REPLACE TEMP VIEW`."""
    recursive = "RECURSIVE " if "RECURSIVE" in create.header.upper().split() else ""
    head = f"CREATE OR REPLACE TEMP {recursive}VIEW {quoted_name(create.name)}{create.columns} AS "
    return _named_body(create, head, context)


def desugar_macro(create: CreateMacro, context: DesugarContext) -> Core:
    """The macro as `CREATE OR REPLACE TEMP MACRO`."""
    table = "TABLE " if create.kind == "table" else ""
    name = quoted_name(create.name)
    head = f"CREATE OR REPLACE TEMP MACRO {name}{create.parameters} AS {table}"
    return _named_body(create, head, context)


def desugar_prompt(create: CreatePrompt, context: DesugarContext) -> PromptCore:
    """The prompt as `CREATE OR REPLACE TEMP MACRO`, once as a value and once as a table."""
    offset = create.span.start
    with _placed(offset):
        context = replace(context, offset=offset)
        parts = _prompt_parts(create)
        number = context.next_site()
        # The parameters have no types: DuckDB does not bind a table macro with typed parameters
        # to columns. The types are casts in the template instead.
        parameters = ", ".join(quoted_name(name) for name, _ in create.parameters)
        head = f"CREATE OR REPLACE TEMP MACRO {quoted_name(create.name)}({parameters}) AS "
        types = {name.lower(): type_text for name, type_text in create.parameters}

        def made(as_table: bool) -> _Desugar:
            walk = _Desugar(create.text, context, column=lambda p: _parameter(p, types))
            span = _relative(create.body_span, offset)
            walk.writer.put(head + ("TABLE " if as_table else ""), span)
            walk.prompt(parts, span, number, create.name, as_table=as_table)
            return walk

        scalar, table = made(False).core(), made(True).core()
        return PromptCore(scalar.text, table.text, scalar.sites, scalar.source_map)


def _named_body(create: CreateView | CreateMacro, head: str, context: DesugarContext) -> Core:
    with _placed(create.body_span.start):
        walk = _Desugar(create.body, replace(context, offset=create.body_span.start))
        name = _relative(create.name_span, create.body_span.start)
        walk.writer.put(head, name)
        walk.statement()
        return walk.core()


@dataclass(frozen=True)
class _Site:
    """A call that is being written."""

    number: int
    parts: CallParts
    span: Span


class _Desugar:
    """One walk over a text; spans count from the beginning of the text until the core is made."""

    def __init__(
        self,
        text: str,
        context: DesugarContext,
        column: Callable[[Placeholder], str] | None = None,
    ) -> None:
        self.writer = Writer(text, context.offset)
        self._text = text
        self._context = context
        self._column = column or _column
        self._sites: dict[int, CallSite] = {}
        self._known: dict[int, _Site] = {}  # by where the call begins
        self._outer: set[int] = set()  # calls that were LEFT JOINed ON TRUE
        self._uses = Uses(())

    def core(self) -> Core:
        sites = tuple(self._sites[number] for number in sorted(self._sites))
        return Core(self.writer.text(), sites, self.writer.source_map())

    def statement(self) -> None:
        tokens = tokenize(self._text)
        if all(token.type != "VERB" for token in tokens):
            self.writer.copy(0, len(self._text))
            return
        elements = parse_soup(tokens)
        _refuse_definitions(elements)
        self._uses = Uses(elements)
        self._elements(elements, 0, len(self._text), "query")

    def prompt(
        self, parts: CallParts, span: Span, number: int, name: str, *, as_table: bool
    ) -> None:
        """The body of the macro that a prompt is."""
        site = _Site(number, parts, span)
        self._add_site(site, "LLM_GENERATE", name, diagnostics=False)
        if as_table:
            self._select(site, outer=False, messages=False, info=False)
        else:
            self._value(site)

    # --- The walk ---------------------------------------------------------------------------

    def _elements(self, elements: Sequence[Element], start: int, end: int, level: Level) -> None:
        """Copy the text from `start` to `end`, which holds the elements, with calls written."""
        position = Position(level)
        block = Span(start, end)
        for index, element in enumerate(elements):
            match element:
                case Group():
                    self.writer.copy(start, element.open.end)
                    inner = position.inside(element)
                    self._elements(element.items, element.open.end, element.close.start, inner)
                    start = element.close.start
                case Call():
                    self.writer.copy(start, element.start)
                    if position.expects_table:
                        self._table(element, elements[index + 1 :], position, block)
                    else:
                        self._scalar(element)
                    start = element.end
                case Token() if element.word == "LEFT" and level != "values":
                    join = self._without_left(elements, index)
                    if join is not None:
                        self.writer.copy(start, element.start)
                        start = elements[join].start
                case Token():
                    pass
            position.take(element)
        self.writer.copy(start, end)

    def _expression(self, expression: Expression) -> None:
        span = expression.span
        self._elements(expression.items, span.start, span.end, "values")

    def _scalar(self, call: Call) -> None:
        site = self._site_of(call, as_table=False)
        self._add_site(site, call.verb.text.upper(), None, diagnostics=False)
        self._value(site)

    def _table(self, call: Call, after: Sequence[Element], position: Position, block: Span) -> None:
        alias, _ = _alias(after)
        site = self._site_of(call, as_table=True)
        hidden = Span(position.from_start, call.end)
        messages = self._uses.named("messages", alias, block, hidden)
        info = self._uses.named("llm", alias, block, hidden)
        self._add_site(site, call.verb.text.upper(), alias, diagnostics=info)
        span = site.span

        def lateral() -> None:
            outer = call.start in self._outer
            self.writer.put("(", span)
            self._select(site, outer=outer, messages=messages, info=info)
            self.writer.put(")", span)

        if site.parts.table is None:
            if not position.lateral and not position.begins:
                self.writer.put("LATERAL ", span)
            lateral()
            return
        items = site.parts.table
        self.writer.put("(SELECT __t.*, __g.* FROM (", span)
        self._elements(items, items[0].start, items[-1].end, "query")
        self.writer.put(") AS __t, LATERAL ", span)
        lateral()
        self.writer.put(" AS __g)", span)

    def _without_left(self, elements: Sequence[Element], index: int) -> int | None:
        """Where JOIN stands, if at `index` is `LEFT JOIN call ON TRUE`.

        A call gives at least one row once an empty list gives one too, so LEFT changes nothing; and
        without it DuckDB need not join the calls back to their rows.
        """
        join = index + (2 if _words(elements[index + 1 : index + 2]) == ["OUTER"] else 1)
        if _words(elements[join : join + 1]) != ["JOIN"]:
            return None
        at = join + (2 if _words(elements[join + 1 : join + 2]) == ["LATERAL"] else 1)
        call = elements[at] if at < len(elements) else None
        if not isinstance(call, Call) or not _on_true(elements[at + 1 :]):
            return None
        if self._site_of(call, as_table=True).parts.table is not None:
            return None
        self._outer.add(call.start)
        return join

    # --- Sites ------------------------------------------------------------------------------

    def _site_of(self, call: Call, *, as_table: bool) -> _Site:
        """The site of the call: one, also where its SQL is written more than once."""
        if call.start not in self._known:
            parts = read_call(call, self._text, as_table=as_table)
            self._known[call.start] = _Site(self._context.next_site(), parts, call.span)
        return self._known[call.start]

    def _add_site(self, site: _Site, verb: str, name: str | None, *, diagnostics: bool) -> None:
        offset = self._context.offset
        options = dict(site.parts.options)
        if "model_span" in options:
            options["model_span"] = options["model_span"].shifted(offset)
        prompt = site.parts.prompt
        self._sites.setdefault(
            site.number,
            CallSite(
                number=site.number,
                verb=verb,
                returns=site.parts.returns,
                span=site.span.shifted(offset),
                name=name or f"{verb}#{len(self._sites) + 1}",
                template=prompt.text if isinstance(prompt, Template) else None,
                diagnostics=diagnostics,
                **options,
            ),
        )

    # --- SQL of a call ----------------------------------------------------------------------

    def _value(self, site: _Site, *, null_if_empty: bool = False) -> None:
        """The call as a value of its type, an empty list as NULL if asked for."""
        before, after = _casts(site.parts.returns)
        if null_if_empty:  # answers are compact JSON; NULLIF would name the call twice
            before, after = before + "regexp_replace(", r", '^\[\]$', 'null')" + after
        self.writer.put(before, site.span)
        self._call(site, CALL_FUNCTION)
        self.writer.put(after, site.span)

    def _call(self, site: _Site, function: str) -> None:
        put, span = self.writer.put, site.span
        put(f"{function}({site.number}, ", span)
        self._prompt(site)
        put(", ", span)
        self._system(site)
        put(", ", span)
        self._history(site)
        put(")", span)

    def _prompt(self, site: _Site) -> None:
        hint = site.parts.returns.hint()
        self._message(site.parts.prompt, site.parts.values, "\n" + hint if hint else "")

    def _system(self, site: _Site) -> None:
        if site.parts.system is None:
            self.writer.put("NULL", site.span)
        else:
            self._message(site.parts.system, site.parts.values, "")

    def _history(self, site: _Site) -> None:
        if site.parts.history is None:
            self.writer.put("NULL", site.span)
            return
        span = site.parts.history.span
        self.writer.put("CAST(", span)
        self._expression(site.parts.history)
        self.writer.put(f" AS {HISTORY_TYPE})", span)

    def _message(self, message: Message, values: Sequence[Expression], suffix: str) -> None:
        """A prompt or system message as VARCHAR, with the suffix appended."""
        if isinstance(message, Template):
            self._template(message, values, suffix)
            return
        span = message.span
        self.writer.put("(CAST(" if suffix else "CAST(", span)
        self._expression(message)
        self.writer.put(" AS VARCHAR)", span)
        if suffix:
            self.writer.put(f" || {quoted(suffix)})", span)

    def _template(self, template: Template, values: Sequence[Expression], suffix: str) -> None:
        put = self.writer.put
        parts = list(template.parts)
        if suffix and parts and isinstance(parts[-1], str):
            parts[-1] += suffix
        elif suffix:
            parts.append(suffix)
        parts = parts or [""]
        put("(" if len(parts) > 1 else "", template.span)
        for index, part in enumerate(parts):
            if index:
                put(" || ", template.span)
            if isinstance(part, str):
                put(quoted(part), template.span)
            elif part.value is not None:
                put("CAST(", part.span)
                self._expression(values[part.value])
                put(" AS VARCHAR)", part.span)
            else:
                put(f"CAST({self._column(part)} AS VARCHAR)", part.span)
        put(")" if len(parts) > 1 else "", template.span)

    # --- SQL of a call as a table -----------------------------------------------------------

    def _select(self, site: _Site, *, outer: bool, messages: bool, info: bool) -> None:
        """The SELECT whose columns are those of the call.

        It has two levels: a template that reads an outer column `text` would be taken to mean the
        answer if that had its name beside the call. UNNEST stands right above the call: there
        DuckDB needs no join to follow the outer columns, and keeps the order of the list.
        """
        returns, span, put = site.parts.returns, site.span, self.writer.put
        more = ", __messages AS messages" if messages else ""
        more += ", __llm AS llm" if info else ""
        put(f"SELECT {_columns(returns)}{more} FROM (SELECT ", span)
        if returns.name == "LIST":
            put("unnest(coalesce(", span)
            self._value(site, null_if_empty=outer)
            put(", [NULL]))", span)
        else:
            self._value(site)
        put(" AS __value", span)
        if messages:
            put(", ", span)
            self._messages(site)
            put(" AS __messages", span)
        if info:
            put(", CAST(CAST(", span)
            self._call(site, INFO_FUNCTION)
            put(f" AS JSON) AS {INFO_TYPE}) AS __llm", span)
        put(")", span)

    def _messages(self, site: _Site) -> None:
        """The conversation: what was sent, and the reply."""
        parts, span, put = site.parts, site.span, self.writer.put
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
        self._call(site, CALL_FUNCTION)
        put("}]" + (")" if before else ""), span)

    def _earlier(self, site: _Site) -> None:
        """The history, empty where there is none."""
        nothing = f"CAST([] AS {HISTORY_TYPE})"
        if site.parts.history is None:
            self.writer.put(nothing, site.span)
            return
        self.writer.put("coalesce(", site.span)
        self._history(site)
        self.writer.put(f", {nothing})", site.span)


def _casts(returns: SqlType) -> tuple[str, str]:
    """What stands before and after a call to make its text a value of the type."""
    if returns.is_text:
        return "", ""
    if returns.name == "JSON":
        return "CAST(", " AS JSON)"
    if returns.is_nested:
        return "CAST(CAST(", f" AS JSON) AS {returns.sql()})"
    return "CAST(", f" AS {returns.sql()})"


def _columns(returns: SqlType) -> str:
    """The columns that a value gives as a table."""
    row = returns.item if returns.name == "LIST" else returns
    if row is not None and row.name == "STRUCT":
        return ", ".join(
            f"__value.{quoted_name(name)} AS {quoted_name(name)}" for name, _ in row.fields
        )
    return "__value AS text"


def _column(placeholder: Placeholder) -> str:
    return ".".join(quoted_name(name) for name in placeholder.path)


def _parameter(placeholder: Placeholder, types: dict[str, str]) -> str:
    """A placeholder in a prompt: a parameter, or a field of one."""
    name, *fields = placeholder.path
    sql = quoted_name(name)
    if types[name.lower()].upper() not in ("", "VARCHAR", "TEXT"):
        sql = f"CAST({sql} AS {types[name.lower()]})"
    for field in fields:
        sql = f"struct_extract({sql}, {quoted(field)})"
    return sql


def _words(elements: Sequence[Element]) -> list[str]:
    return [element.word if isinstance(element, Token) else "" for element in elements]


def _alias(after: Sequence[Element]) -> tuple[str | None, int]:
    """The alias that follows a call in FROM, and how many elements it takes."""
    taken = 1 if _words(after[:1]) == ["AS"] else 0
    name = after[taken] if taken < len(after) else None
    if not isinstance(name, Token) or name.type not in ("NAME", "QUOTED_NAME"):
        return None, 0
    if name.word in _NO_ALIAS:
        return None, 0
    columns = after[taken + 1] if taken + 1 < len(after) else None
    return identifier(name), taken + (2 if isinstance(columns, Group) else 1)


def _on_true(after: Sequence[Element]) -> bool:
    """Whether `[alias] ON TRUE` follows, and nothing more of a condition."""
    _, taken = _alias(after)
    if _words(after[taken : taken + 2]) != ["ON", "TRUE"]:
        return False
    end = after[taken + 2] if taken + 2 < len(after) else None
    if end is None:
        return True
    return isinstance(end, Token) and (end.type == "COMMA" or end.word in _NO_ALIAS)


def _prompt_parts(create: CreatePrompt) -> CallParts:
    """The call that a prompt stands for; spans relative to the statement."""
    offset = create.span.start
    options = {
        key: (value, _relative(create.value_spans[key], offset))
        for key, value in create.options.items()
        if key != "system"
    }
    for key in options:
        _known_prompt_option(key, _relative(create.option_spans[key], offset))
    body = _literal(create, create.body_span)
    template = read_template(body)
    system: Template | None = None
    if create.options.get("system") is not None:
        token = _literal(create, create.value_spans["system"])
        if token.type not in LITERAL_TYPES:
            raise BindError("system is a template: one string", span=token.span)
        system = read_template(token)
    known = [name for name, _ in create.parameters]
    _check_parameters(template, known)
    if system is not None:
        _check_parameters(system, known)
    return CallParts(
        prompt=template,
        system=system,
        history=None,
        values=(),
        table=None,
        returns=create.returns or TEXT,
        options=read_options(options),
    )


def _known_prompt_option(key: str, span: Span) -> None:
    if key not in OPTIONS:
        hint = suggestion(key, [*OPTIONS, "system"], "options of a prompt")
        raise BindError(f"unknown option {key}", span=span, hint=hint)


def _check_parameters(template: Template, known: Sequence[str]) -> None:
    for part in template.parts:
        if isinstance(part, str):
            continue
        name = part.path[0] if part.path else str(part.value)
        if name.lower() not in [parameter.lower() for parameter in known]:
            hint = suggestion(name, known, "parameters")
            raise BindError(f"the prompt has no parameter {name}", span=part.span, hint=hint)


def _literal(create: CreatePrompt, span: Span) -> Token:
    start = span.start - create.span.start
    return tokenize(create.text, start, span.end - create.span.start)[0]


def _relative(span: Span, offset: int) -> Span:
    return span.shifted(-offset)


def _refuse_definitions(elements: Sequence[Element]) -> None:
    """A call cannot stand in the definition of a table or index: DuckDB would have to keep it."""
    words = _words(elements)
    match [word for word in words[:6] if word]:
        case ["CREATE", *rest] if "INDEX" in rest[:2]:
            place, defined = "an index", elements
        case ["CREATE", *rest] if "TABLE" in rest[:4]:
            end = words.index("AS") if "AS" in words else len(words)
            place, defined = "the definition of a table", elements[:end]
        case ["ALTER", *_]:
            place, defined = "the definition of a table", elements
        case _:
            return
    found = _first_call(defined, "")
    if found is not None:
        call, word = found
        where = {"CHECK": "CHECK", "DEFAULT": "DEFAULT", "AS": "a generated column"}.get(
            word, place
        )
        raise BindError(
            f"an LLM call cannot stand in {where}",
            span=call.span,
            hint="compute it in a query: CREATE TABLE .. AS SELECT, INSERT or UPDATE",
        )


def _first_call(elements: Sequence[Element], word: str) -> tuple[Call, str] | None:
    """The first call, and the word of the definition that it belongs to."""
    for element in elements:
        match element:
            case Call():
                return element, word
            case Group():
                found = _first_call(element.items, word)
                if found is not None:
                    return found
            case Token(type="COMMA"):
                word = ""
            case Token():
                word = element.word if element.word in _NO_CALLS else word
    return None


@contextmanager
def _placed(offset: int) -> Iterator[None]:
    """Errors raised inside point into the file, not into the statement."""
    try:
        yield
    except HeliumQLError as error:
        if error.span is not None:
            error.span = error.span.shifted(offset)
        raise
