"""The arguments of an LLM call, as its verb takes them one after the other.

`verbs/` has a file for each verb; `call_sql.py` writes what they make of a call as SQL.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from heliumql.errors import BindError, ParseError
from heliumql.source import Span
from heliumql.syntax.constants import constant
from heliumql.syntax.literals import LITERAL_TYPES, decode
from heliumql.syntax.message import Expression, Message, Template, read_message
from heliumql.syntax.mistakes import suggestion
from heliumql.syntax.options import OPTIONS, read_options
from heliumql.syntax.statements import Value
from heliumql.syntax.template import Placeholder
from heliumql.syntax.tokens import Token
from heliumql.syntax.tree import Argument, Call, Element
from heliumql.types import SqlType, parse_type

_CLAUSES = {
    "ORDER BY": "LLM_AGG(column, 'Summarize these texts.' ORDER BY other)",
    "RETURNS": "LLM_GENERATE('About {column}' RETURNS INTEGER)",
}
_OTHERS = ("system", "history", *OPTIONS)


@dataclass(frozen=True)
class CallParts:
    """A call with its arguments in their places."""

    prompt: Message  # all of it, the form of the answer included
    system: Message | None
    history: Expression | None
    values: tuple[Expression, ...]
    table: tuple[Element, ...] | None  # of the form table in, table out
    returns: SqlType  # of the answer
    options: Mapping[str, Any]  # fields of CallSite
    template: str | None  # the prompt as one text, for display and statistics; None: none
    value: SqlType | None = None  # of the call in SQL, where that is not the answer's type
    version: int = 1  # of the verb's prompt
    task: Literal["generate", "embed"] = "generate"


class Arguments:
    """What is left of the arguments of a call.

    `names` are those of its own arguments, `others` those that it has like other verbs. Raises
    BindError where an argument has no place.
    """

    def __init__(
        self, call: Call, source: str, names: Collection[str], others: Collection[str] = _OTHERS
    ) -> None:
        self.call = call
        self.verb = call.verb.text.upper()
        self.source = source
        self.positional: list[Argument] = []
        self.named: dict[str, Argument] = {}
        known = {*names, *others}
        for argument in call.arguments:
            _no_clause(argument)
        for argument in (*call.arguments, *(key for key in call.order if key.name)):
            if argument.name is not None:
                self._take_named(argument, argument.name, known)
            elif self.named:
                raise BindError(
                    "an argument without a name stands after one with a name",
                    span=argument.span,
                    hint="arguments without names come first",
                )
            else:
                self.positional.append(argument)

    def _take_named(self, argument: Argument, given: Token, known: Collection[str]) -> None:
        name = given.text.lower()
        if name not in known:
            typed = "its answers have a type of their own; LLM_GENERATE takes returns"
            raise BindError(
                f"{self.verb} has no argument {given.text}",
                span=given.span,
                hint=typed if name == "returns" else suggestion(name, known, "arguments"),
            )
        if name in self.named:
            raise BindError(f"{name} is there twice", span=given.span)
        self.named[name] = argument

    def take(self, name: str) -> Argument | None:
        """The argument of that name, else the next one without a name."""
        found = self.named.pop(name, None)
        if found is None and self.positional:
            found = self.positional.pop(0)
        if found is not None:
            self.no_bare_query(found)
        return found

    def message(self, name: str, missing: str, example: str) -> Message:
        """The argument as a template or expression."""
        argument = self.take(name)
        if argument is None:
            raise BindError(f"{self.verb} needs {missing}", span=self.call.span, hint=example)
        self._no_name_for_a_text(argument)
        return read_message(argument.items)

    def values(self) -> tuple[Expression, ...]:
        """The arguments without a name that are left."""
        for argument in self.positional:
            self.no_bare_query(argument)
        values = tuple(Expression(argument.items) for argument in self.positional)
        self.positional.clear()
        return values

    def constant_text(self, name: str) -> str:
        """The argument as a text that is the same for all rows; '' where there is none."""
        argument = self.take(name)
        if argument is None or _is_null(argument.items):
            return ""
        message = read_message(argument.items)
        if isinstance(message, Expression):
            raise BindError(
                f"{name} must be a constant text", span=argument.span, hint=_meant(message)
            )
        for part in message.parts:
            if not isinstance(part, str):
                raise BindError(
                    f"the {name} of {self.verb} is the same for all rows",
                    span=part.span,
                    hint=f"columns go into the text: {self.verb}('{{title}}: {{body}}', ..)",
                )
        return "".join(part for part in message.parts if isinstance(part, str))

    def flag(self, name: str) -> bool:
        """The named argument as true or false; false where there is none."""
        argument = self.named.pop(name, None)
        if argument is None:
            return False
        value = self._constant(name, argument)
        if not isinstance(value, bool | None):
            raise BindError(f"{name} must be true or false", span=argument.span)
        return bool(value)

    def nothing_more(self, takes: str) -> None:
        """Raise BindError where an argument without a name is left."""
        if self.positional:
            raise BindError(
                f"{self.verb} takes {takes}",
                span=self.positional[0].span,
                hint="other arguments have names, e.g. system => '..'",
            )

    def finished(
        self,
        prompt: Message,
        returns: SqlType,
        *messages: Message,
        template: str | None,
        values: tuple[Expression, ...] | None = None,
        table: tuple[Element, ...] | None = None,
        value: SqlType | None = None,
        version: int = 1,
    ) -> CallParts:
        """The call, with the system message, the history and the options that are left.

        `messages` are those arguments of the prompt that may be templates; `values` what `{0}`
        names in them, None where the verb takes none.
        """
        system, history = self.named.pop("system", None), self.named.pop("history", None)
        options = read_options(
            {name: (self._constant(name, a), a.span) for name, a in self.named.items()}
        )
        spoken = read_message(system.items) if system and not _is_null(system.items) else None
        for message in messages:
            _check_values(message, values, self.verb)
        if spoken is not None:
            _check_values(spoken, values, self.verb, unused=False)
        _check_all_used(values or (), *messages, spoken)
        before = Expression(history.items) if history and not _is_null(history.items) else None
        return CallParts(
            prompt, spoken, before, values or (), table, returns, options, template, value, version
        )

    def returns(self) -> tuple[SqlType | None, Span | None]:
        """The answer type that `returns =>` or RETURNS names, and where."""
        written = (*self.call.arguments, *self.call.order)
        after = [a.returns for a in written if a.returns is not None]
        given = self.named.pop("returns", None)
        if len(after) + (given is not None) > 1:
            raise BindError("the answer type is there twice", span=after[-1])
        if after:
            span = after[0]
            return _type(
                self.source[span.start : span.end], span, lambda s: s.shifted(span.start)
            ), span
        if given is None:
            return None, None
        token = given.items[0]
        if len(given.items) > 1 or not isinstance(token, Token) or token.type not in LITERAL_TYPES:
            raise BindError(
                "returns is an SQL type as a string",
                span=given.span,
                hint="returns => 'STRUCT(score INTEGER)', or: RETURNS STRUCT(score INTEGER)",
            )
        literal = decode(token)
        return _type(literal.text, token.span, lambda s: literal.span(s.start, s.end)), token.span

    def no_returns(self, always: str) -> None:
        """Raise BindError where a type stands after RETURNS: the verb has its own."""
        for argument in self.call.arguments:
            if argument.returns is not None:
                raise BindError(f"{self.verb} is always {always}", span=argument.returns)

    def no_bare_query(self, argument: Argument) -> None:
        first = argument.items[0]
        if isinstance(first, Token) and first.word in ("SELECT", "FROM", "WITH"):
            raise ParseError(
                "a query as an argument stands in its own parentheses",
                span=first.span,
                hint=f"{self.verb}((SELECT ..), ..)",
            )

    def _no_name_for_a_text(self, prompt: Argument) -> None:
        """`"About {x}"` is a name in SQL; nobody means a column of that name."""
        match prompt.items:
            case (Token(type="QUOTED_NAME") as name,) if "{" in name.text:
                raise BindError(
                    "double quotes are for names, not for texts",
                    span=name.span,
                    hint=f"{self.verb}('..'); inside, '' is an apostrophe",
                )

    def _constant(self, name: str, argument: Argument) -> Value:
        found = constant(argument.items)
        if found is None:
            raise BindError(
                f"{name} must be a constant",
                span=argument.span,
                hint="prompt, system and history may be expressions; options may not",
            )
        return found.value


def _no_clause(argument: Argument) -> None:
    """RETURNS and ORDER BY belong to the argument before them, so no comma parts them."""
    words = [item.word if isinstance(item, Token) else "" for item in argument.items[:2]]
    clause = " ".join(words) if words == ["ORDER", "BY"] else words[0]
    if argument.name is None and clause in _CLAUSES and len(argument.items) > 1:
        raise ParseError(
            f"no comma stands before {clause}",
            span=argument.items[0].span,
            hint=_CLAUSES[clause],
        )


def _check_values(
    message: Message, values: tuple[Expression, ...] | None, verb: str, *, unused: bool = True
) -> None:
    """Every `{0}` has its value, and values are given only where a template can take them."""
    if isinstance(message, Expression):
        if values and unused:
            raise BindError(
                f"{verb} takes values after the prompt only where the prompt is a template",
                span=values[0].span,
                hint="other arguments have names, e.g. system => '..'",
            )
        return
    for part in message.parts:
        if not isinstance(part, Placeholder) or part.value is None:
            continue
        if values is None:
            raise BindError(
                f"{verb} takes no values, so there is no {{{part.value}}}",
                span=part.span,
                hint="placeholders name columns: {name}, {t.name}",
            )
        if part.value >= len(values):
            given = f"{len(values)} given" if values else "none is given"
            raise BindError(
                f"there is no value {{{part.value}}} for the template ({given})",
                span=part.span,
                hint="values follow the prompt and are counted from {0}",
            )


def _check_all_used(values: tuple[Expression, ...], *messages: Message | None) -> None:
    """A value that no template takes was meant to be something else."""
    used = {
        part.value
        for message in messages
        if isinstance(message, Template)
        for part in message.parts
        if isinstance(part, Placeholder)
    }
    for number, value in enumerate(values):
        if number not in used:
            raise BindError(
                f"the template has no {{{number}}} for this value",
                span=value.span,
                hint=_meant(value)
                or "other arguments have names, e.g. system => '..', returns => 'INTEGER'",
            )


def _meant(value: Expression) -> str | None:
    """What `model = 'm'` was meant to be: in SQL it is a comparison."""
    match value.items:
        case (Token() as name, Token(text="="), Token() as given, *more):
            if name.word.lower() in {"returns", "instruction", "multi", *_OTHERS}:
                return f"{name.text} => {given.text}{' ..' if more else ''}"
    return None


def _type(text: str, whole: Span, place: Callable[[Span], Span]) -> SqlType:
    try:
        return parse_type(text)
    except BindError as error:
        inside = error.span is not None and error.span.start < len(text)
        span = place(error.span) if inside and error.span else whole
        raise BindError(error.message, span=span, hint=error.hint) from None


def _is_null(items: tuple[Element, ...]) -> bool:
    return len(items) == 1 and isinstance(items[0], Token) and items[0].word == "NULL"
