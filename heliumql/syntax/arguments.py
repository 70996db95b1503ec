"""The arguments of an LLM call, read and checked; `desugar.py` writes them as SQL."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from heliumql.errors import BindError, ParseError
from heliumql.source import Span
from heliumql.syntax.literals import LITERAL_TYPES, decode
from heliumql.syntax.mistakes import suggestion
from heliumql.syntax.statements import Value
from heliumql.syntax.template import Placeholder, parse_template
from heliumql.syntax.tokens import QUERY_STARTS, Token
from heliumql.syntax.tree import Argument, Call, Constant, Element, Group, number_value
from heliumql.types import BOOLEAN, TEXT, SqlType, parse_type

_VERBS = ("LLM_GENERATE", "LLM_FILTER")
_MOST_SAMPLES = 256  # of one prompt; each is a call in the SQL of a statement
_EXPRESSIONS = ("prompt", "system", "history")


@dataclass(frozen=True)
class Template:
    """Parts of a template; the spans of its placeholders point into the source."""

    parts: tuple[str | Placeholder, ...]
    text: str
    span: Span


@dataclass(frozen=True)
class Expression:
    """Any SQL expression."""

    items: tuple[Element, ...]

    @property
    def span(self) -> Span:
        return Span(self.items[0].start, self.items[-1].end)


Message = Template | Expression


@dataclass(frozen=True)
class CallParts:
    """A call with its arguments in their places."""

    prompt: Message
    system: Message | None
    history: Expression | None
    values: tuple[Expression, ...]
    table: tuple[Element, ...] | None  # of the form table in, table out
    returns: SqlType
    options: Mapping[str, Any]  # fields of CallSite


def read_call(call: Call, source: str, *, as_table: bool) -> CallParts:
    """The parts of the call; `as_table` says that it stands where a table may stand."""
    verb = call.verb.text.upper()
    if verb not in _VERBS:
        raise BindError(
            f"{verb} is not available yet",
            span=call.verb.span,
            hint=f"{' and '.join(_VERBS)} are",
        )
    if verb == "LLM_FILTER" and as_table:
        raise BindError(
            "LLM_FILTER is a condition, not a table",
            span=call.span,
            hint="it stands in WHERE or ON; LLM_GENERATE stands in FROM",
        )
    positional, named = _arguments(call, verb)
    table = _table(positional, named, verb) if as_table else None
    if table is not None:
        positional = positional[1:]
    prompt = named.pop("prompt", None)
    if prompt is None:
        if not positional:
            raise _no_prompt(call, verb, table is not None)
        prompt, positional = positional[0], positional[1:]
    _no_bare_query([prompt, *positional], verb)
    _no_name_for_a_text(prompt, verb)
    message = read_message(prompt.items)
    values = tuple(Expression(argument.items) for argument in positional)
    _check_values(message, values, verb)
    returns = _returns(call, named, source, verb)
    system = named.pop("system", None)
    history = named.pop("history", None)
    options = read_options(
        {name: (_constant(name, argument), argument.span) for name, argument in named.items()}
    )
    if options.get("n", 1) > 1 and not as_table:
        raise BindError(
            "n > 1 gives several rows, and here stands one value",
            span=named["n"].span,
            hint="FROM .., LATERAL LLM_GENERATE(.., n => 5) AS g: rows numbered by g.sample",
        )
    system_message = read_message(system.items) if system and not _is_null(system.items) else None
    if system_message is not None:
        _check_values(system_message, values, verb, unused=False)
    _check_all_used(values, message, system_message)
    return CallParts(
        prompt=message,
        system=system_message,
        history=Expression(history.items) if history and not _is_null(history.items) else None,
        values=values,
        table=table,
        returns=returns,
        options=options,
    )


def read_message(items: tuple[Element, ...]) -> Message:
    """A template where the whole argument is one string literal, else an expression."""
    if len(items) == 1 and isinstance(items[0], Token) and items[0].type in LITERAL_TYPES:
        return read_template(items[0])
    return Expression(items)


def read_template(token: Token) -> Template:
    """The template that the string literal holds."""
    literal = decode(token)
    try:
        parts = parse_template(literal.text)
    except ParseError as error:
        stray = error.span or Span(0, 1)
        place = literal.span(stray.start, stray.end)
        raise ParseError(error.message, span=place, hint=error.hint) from None
    placed = tuple(
        part
        if isinstance(part, str)
        else Placeholder(part.path, part.value, literal.span(part.span.start, part.span.end))
        for part in parts
    )
    return Template(placed, literal.text, token.span)


def read_options(options: Mapping[str, tuple[Value, Span]]) -> dict[str, Any]:
    """Options checked and named as the fields of CallSite; those that are NULL are left out."""
    checked: dict[str, Any] = {}
    for name, (value, span) in options.items():
        if name not in OPTIONS:
            hint = suggestion(name, OPTIONS, "options")
            raise BindError(f"unknown option {name}", span=span, hint=hint)
        if value is None:
            continue
        expected, check = OPTIONS[name]
        accepted = check(value)
        if accepted is None:
            raise BindError(f"{name} must be {expected}", span=span)
        checked[name] = accepted
        if name == "model":
            checked["model_span"] = span
    return checked


def _arguments(call: Call, verb: str) -> tuple[list[Argument], dict[str, Argument]]:
    positional: list[Argument] = []
    named: dict[str, Argument] = {}
    for argument in call.arguments:
        if argument.name is None:
            if named:
                raise BindError(
                    "an argument without a name stands after one with a name",
                    span=argument.span,
                    hint="the prompt and its values come first",
                )
            positional.append(argument)
            continue
        name = argument.name.text.lower()
        known = {*_EXPRESSIONS, *OPTIONS} | ({"returns"} if verb == "LLM_GENERATE" else set())
        if name not in known:
            raise BindError(
                f"{verb} has no argument {argument.name.text}",
                span=argument.name.span,
                hint=suggestion(name, known, "arguments"),
            )
        if name in named:
            raise BindError(f"{name} is there twice", span=argument.name.span)
        named[name] = argument
    return positional, named


def _table(
    positional: list[Argument], named: Mapping[str, Argument], verb: str
) -> tuple[Element, ...] | None:
    """The query that comes first in the form table in, table out."""
    if not positional or ("prompt" not in named and len(positional) < 2):
        return None
    items = positional[0].items
    first = items[0]
    if isinstance(first, Token) and first.word == "TABLE":
        return items
    if len(items) == 1 and isinstance(first, Group) and starts_query(first):
        return first.items
    _no_bare_query(positional[:1], verb)
    return None


def starts_query(group: Group) -> bool:
    """Whether a query stands in the parentheses."""
    if group.open.type != "LPAR" or not group.items:
        return False
    match group.items[0]:
        case Token() as token:
            return token.word in QUERY_STARTS
        case Group() as inner:
            return starts_query(inner)
        case _:
            return False


def _no_bare_query(arguments: list[Argument], verb: str) -> None:
    for argument in arguments:
        first = argument.items[0]
        if isinstance(first, Token) and first.word in ("SELECT", "FROM", "WITH"):
            raise ParseError(
                "a query as an argument stands in its own parentheses",
                span=first.span,
                hint=f"{verb}((SELECT ..), prompt => '..')",
            )


def _no_name_for_a_text(prompt: Argument, verb: str) -> None:
    """`"About {x}"` is a name in SQL; nobody means a column of that name."""
    match prompt.items:
        case (Token(type="QUOTED_NAME") as name,) if "{" in name.text:
            raise BindError(
                "double quotes are for names, not for texts",
                span=name.span,
                hint=f"{verb}('..'); inside, '' is an apostrophe",
            )


def _no_prompt(call: Call, verb: str, has_table: bool) -> BindError:
    example = f"{verb}((SELECT ..), prompt => '..')" if has_table else f"{verb}('About {{column}}')"
    return BindError(f"{verb} needs a prompt", span=call.span, hint=example)


def _check_values(
    message: Message, values: tuple[Expression, ...], verb: str, *, unused: bool = True
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
        if isinstance(part, Placeholder) and part.value is not None and part.value >= len(values):
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
                hint="other arguments have names, e.g. system => '..', returns => 'INTEGER'",
            )


def _returns(call: Call, named: dict[str, Argument], source: str, verb: str) -> SqlType:
    """The answer type: of `returns =>`, or after RETURNS."""
    found = [argument for argument in call.arguments if argument.returns is not None]
    if verb == "LLM_FILTER":
        if found:
            raise BindError("LLM_FILTER is always BOOLEAN", span=found[0].returns)
        return BOOLEAN
    given = named.pop("returns", None)
    if len(found) + (given is not None) > 1:
        raise BindError("the answer type is there twice", span=found[-1].returns)
    if found:
        span = found[0].returns
        assert span is not None
        return _type(source[span.start : span.end], span, lambda s: s.shifted(span.start))
    if given is None:
        return TEXT
    token = given.items[0]
    if len(given.items) > 1 or not isinstance(token, Token) or token.type not in LITERAL_TYPES:
        raise BindError(
            "returns is an SQL type as a string",
            span=given.span,
            hint="returns => 'STRUCT(score INTEGER)', or: RETURNS STRUCT(score INTEGER)",
        )
    literal = decode(token)
    return _type(literal.text, token.span, lambda s: literal.span(s.start, s.end))


def _type(text: str, whole: Span, place: Callable[[Span], Span]) -> SqlType:
    try:
        return parse_type(text)
    except BindError as error:
        inside = error.span is not None and error.span.start < len(text)
        span = place(error.span) if inside and error.span else whole
        raise BindError(error.message, span=span, hint=error.hint) from None


def _is_null(items: tuple[Element, ...]) -> bool:
    return len(items) == 1 and isinstance(items[0], Token) and items[0].word == "NULL"


def _constant(name: str, argument: Argument) -> Value:
    found = constant(argument.items)
    if found is None:
        raise BindError(
            f"{name} must be a constant",
            span=argument.span,
            hint="prompt, system and history may be expressions; options may not",
        )
    return found.value


def constant(items: tuple[Element, ...]) -> Constant | None:
    """The value of a literal, a signed number, or a list of them; None where it is neither."""
    span = Span(items[0].start, items[-1].end)
    match items:
        case (Token(type=kind) as token,) if kind in LITERAL_TYPES:
            return Constant(decode(token).text, span)
        case (Token(type="NUMBER") as token,):
            return Constant(number_value(token.text), span)
        case (Token(type="OPERATOR", text="-" | "+") as sign, Token(type="NUMBER") as token):
            value = number_value(token.text)
            return Constant(-value if sign.text == "-" else value, span)
        case (Token(type="NAME") as token,) if token.word in ("TRUE", "FALSE", "NULL"):
            return Constant({"TRUE": True, "FALSE": False, "NULL": None}[token.word], span)
        case (Group() as group,) if group.open.type == "LSQB":
            values: list[Value] = []
            for part in _by_comma(group.items):
                one = constant(part) if part else None
                if one is None:
                    return None
                values.append(one.value)
            return Constant(values, span)
        case _:
            return None


def _by_comma(items: tuple[Element, ...]) -> list[tuple[Element, ...]]:
    parts: list[list[Element]] = [[]]
    for item in items:
        if isinstance(item, Token) and item.type == "COMMA":
            parts.append([])
        else:
            parts[-1].append(item)
    return [tuple(part) for part in parts] if items else []


def whole(minimum: int) -> Callable[[Value], int | None]:
    """A check: whole numbers from the minimum."""

    def check(value: Value) -> int | None:
        is_int = isinstance(value, int) and not isinstance(value, bool)
        return value if is_int and isinstance(value, int) and value >= minimum else None

    return check


def number(low: float, high: float) -> Callable[[Value], float | None]:
    """A check: numbers from low to high."""

    def check(value: Value) -> float | None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return float(value) if low <= value <= high else None

    return check


def _one_of(*choices: str) -> Callable[[Value], str | None]:
    def check(value: Value) -> str | None:
        lower = value.lower() if isinstance(value, str) else None
        return lower if lower in choices else None

    return check


def _stop(value: Value) -> tuple[str, ...] | None:
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list):
        texts = [item for item in value if isinstance(item, str)]
        return tuple(texts) if len(texts) == len(value) else None
    return None


def _seed(value: Value) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _samples(value: Value) -> int | None:
    checked = whole(1)(value)
    return checked if checked is not None and checked <= _MOST_SAMPLES else None


# What each option must be, in words, and the check that gives its value or None.
OPTIONS: dict[str, tuple[str, Callable[[Value], Any]]] = {
    "model": ("the name of a model, as a string", lambda v: v if isinstance(v, str) else None),
    "max_tokens": ("a whole number from 1", whole(1)),
    "temperature": ("a number from 0", number(0, sys.float_info.max)),
    "top_p": ("a number from 0 to 1", number(0, 1)),
    "seed": ("a whole number", _seed),
    "stop": ("a string or a list of strings", _stop),
    "n": (f"a whole number from 1 to {_MOST_SAMPLES}", _samples),
    "retries": ("a whole number from 0", whole(0)),
    "on_error": ("'null' or 'fail'", _one_of("null", "fail")),
    "cache": ("'use', 'refresh' or 'off'", _one_of("use", "refresh", "off")),
}
