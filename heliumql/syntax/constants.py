"""Constants among the tokens of a call: literals, numbers, lists and structs of them."""

from __future__ import annotations

from collections.abc import Sequence

from heliumql.source import Span
from heliumql.syntax.literals import LITERAL_TYPES, decode
from heliumql.syntax.statements import Value
from heliumql.syntax.tokens import Token, identifier
from heliumql.syntax.tree import Constant, Element, Group, number_value

_WORDS = {"TRUE": True, "FALSE": False, "NULL": None}


def constant(items: Sequence[Element]) -> Constant | None:
    """The value of a literal, a signed number, a list or a struct of them; else None."""
    if not items:
        return None
    span = Span(items[0].start, items[-1].end)
    match items:
        case (Token(type=kind) as token,) if kind in LITERAL_TYPES:
            return Constant(decode(token).text, span)
        case (Token(type="NUMBER") as token,):
            return Constant(number_value(token.text), span)
        case (Token(type="OPERATOR", text="-" | "+") as sign, Token(type="NUMBER") as token):
            value = number_value(token.text)
            return Constant(-value if sign.text == "-" else value, span)
        case (Token(type="NAME") as token,) if token.word in _WORDS:
            return Constant(_WORDS[token.word], span)
        case (Group() as group,) if (listed := elements(group)) is not None:
            return Constant([element.value for element in listed], span)
        case (Group() as group,) if (named := fields(group)) is not None:
            value_by_name: dict[str, Value] = {}
            for name, field in named:  # of two fields of one name the first counts
                value_by_name.setdefault(str(name.value), field.value)
            return Constant(value_by_name, span)
        case _:
            return None


def elements(group: Group) -> list[Constant] | None:
    """The elements of `[..]`, each with its place; None where it is no list of constants."""
    if group.open.type != "LSQB":
        return None
    found = [constant(part) for part in by_comma(group.items)]
    known = [element for element in found if element is not None]
    return known if len(known) == len(found) else None


def fields(group: Group) -> list[tuple[Constant, Constant]] | None:
    """Names and values of `{'a': 1, b: 2}` as written; None where it is no struct of constants."""
    if group.open.type != "LBRACE":
        return None
    found: list[tuple[Constant, Constant]] = []
    for part in by_comma(group.items):
        match part:
            case [Token() as name, Token(type="OPERATOR", text=":"), *items]:
                value = constant(items)
                if value is None or (key := _key(name)) is None:
                    return None
                found.append((key, value))
            case _:
                return None
    return found


def by_comma(items: Sequence[Element]) -> list[tuple[Element, ...]]:
    """What stands between the commas; nothing where there are no items."""
    parts: list[list[Element]] = [[]]
    for item in items:
        if isinstance(item, Token) and item.type == "COMMA":
            parts.append([])
        else:
            parts[-1].append(item)
    return [tuple(part) for part in parts] if items else []


def _key(token: Token) -> Constant | None:
    if token.type in LITERAL_TYPES:
        return Constant(decode(token).text, token.span)
    if token.type in ("NAME", "QUOTED_NAME"):
        return Constant(identifier(token), token.span)
    return None
