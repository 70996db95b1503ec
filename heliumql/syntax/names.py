"""Names of LLM operators that tell them apart: `g`, or `round1.g` where several are called g."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from heliumql.source import Span
from heliumql.syntax import tokens as lexer


def operator_names(sites: Mapping[int, tuple[str, Span | None]], text: str) -> dict[int, str]:
    """The name of every site, given its own name and its place in the text of the query."""
    often = Counter(name for name, _ in sites.values())
    ctes = common_tables(text) if any(n > 1 for n in often.values()) else ()
    result: dict[int, str] = {}
    for number, (name, span) in sorted(sites.items()):
        shown = name
        if often[name] > 1 and span is not None:
            around = [c for c in ctes if c.start <= span.start and span.end <= c.end]
            if around:
                shown = f"{around[-1].name}.{name}"
        again, number_again = shown, 2  # of a view, a macro, or further on in the query
        while again in result.values():
            again = f"{shown} ({number_again})" if "#" in shown else f"{shown}#{number_again}"
            number_again += 1
        shown = again
        result[number] = shown
    return result


@dataclass(frozen=True)
class CommonTable:
    """A WITH clause: its name, the columns written behind it, where its query stands."""

    name: str
    columns: tuple[str, ...]
    start: int
    end: int
    of_values: bool  # its query is VALUES


def common_tables(text: str) -> Sequence[CommonTable]:
    """The WITH clauses of a query; outer ones first."""
    tokens = [t for t in lexer.tokenize(text) if t.type != "ERROR"]
    found: list[CommonTable] = []
    for index, token in enumerate(tokens):
        if token.word != "AS" or index == 0:
            continue
        opens = index + 1
        while opens < len(tokens) and tokens[opens].word in ("NOT", "MATERIALIZED"):
            opens += 1
        if opens >= len(tokens) or tokens[opens].type != "LPAR":
            continue
        name = _name_before(tokens, index)
        close = _closing(tokens, opens)
        if name is not None and close is not None:
            listed = tokens[name + 2 : index - 1]
            columns = tuple(_unquoted(t) for t in listed if t.type != "COMMA")
            of_values = tokens[opens + 1].word == "VALUES"
            start, end = tokens[opens].start, tokens[close].end
            found.append(CommonTable(_unquoted(tokens[name]), columns, start, end, of_values))
    return found


def values_tables(text: str) -> Sequence[tuple[str, tuple[str, ...]]]:
    """The names and columns of VALUES: `(VALUES ..) AS name(columns)`, and of WITH clauses."""
    found = [(c.name, c.columns) for c in common_tables(text) if c.of_values and c.columns]
    tokens = [t for t in lexer.tokenize(text) if t.type != "ERROR"]
    for index, token in enumerate(tokens[:-1]):
        if token.type != "LPAR" or tokens[index + 1].word != "VALUES":
            continue
        behind = (_closing(tokens, index) or len(tokens)) + 1
        if behind < len(tokens) and tokens[behind].word == "AS":
            behind += 1
        rest = tokens[behind : behind + 2]
        if [t.type for t in rest] not in (["NAME", "LPAR"], ["QUOTED_NAME", "LPAR"]):
            continue
        close = _closing(tokens, behind + 1)
        listed = tokens[behind + 2 : close]
        columns = tuple(_unquoted(t) for t in listed if t.type != "COMMA")
        found.append((_unquoted(rest[0]), columns))
    return found


def _name_before(tokens: Sequence[lexer.Token], index: int) -> int | None:
    """Where the name stands in `name AS` and `name (columns) AS`."""
    last = index - 1
    if tokens[last].type == "RPAR":
        depth = 0
        while last >= 0:
            depth += {"RPAR": 1, "LPAR": -1}.get(tokens[last].type, 0)
            last -= 1
            if depth == 0:
                break
    if last < 1 or tokens[last].type not in ("NAME", "VERB", "QUOTED_NAME"):
        return None
    before = tokens[last - 1]
    return last if before.word in ("WITH", "RECURSIVE") or before.type == "COMMA" else None


def _unquoted(token: lexer.Token) -> str:
    return token.text.strip('"') if token.type == "QUOTED_NAME" else token.text


def _closing(tokens: Sequence[lexer.Token], opens: int) -> int | None:
    depth = 0
    for index in range(opens, len(tokens)):
        depth += {"LPAR": 1, "RPAR": -1}.get(tokens[index].type, 0)
        if depth == 0:
            return index
    return None
