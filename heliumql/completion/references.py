"""The tables that a statement names, read from its tokens; it may be half written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from heliumql.syntax import Token, identifier
from heliumql.syntax.literals import LITERAL_TYPES, decode

NAMES = ("NAME", "QUOTED_NAME")
OPEN = ("LPAR", "LSQB", "LBRACE")
CLOSE = ("RPAR", "RSQB", "RBRACE")
_QUERY = {"SELECT", "FROM", "WITH", "VALUES", "TABLE"}
ENDS_FROM = {
    "SELECT", "WHERE", "GROUP", "ORDER", "HAVING", "LIMIT", "QUALIFY", "WINDOW", "UNION", "EXCEPT",
    "INTERSECT", "SET", "VALUES", "OFFSET", "RETURNING",
}  # fmt: skip
_NO_ALIAS = ENDS_FROM | {
    "ON", "USING", "JOIN", "LEFT", "RIGHT", "FULL", "INNER", "OUTER", "CROSS", "NATURAL", "ASOF",
    "POSITIONAL", "SEMI", "ANTI", "LATERAL", "AS", "FROM", "PIVOT", "UNPIVOT", "TABLESAMPLE",
    "WITH", "DEFAULT", "BY", "TO", "AND", "OR", "WHEN", "THEN", "DO",
}  # fmt: skip
_FROM_IN_CALLS = {"EXTRACT", "TRIM", "SUBSTRING", "OVERLAY", "POSITION"}
_CURSOR = "\0"  # the name of a table that stands at the cursor


@dataclass(frozen=True)
class Reference:
    """A table in FROM: `path` is its name in parts, `inside` what its parentheses hold."""

    path: tuple[str, ...]
    alias: str
    names: tuple[str, ...]  # of columns, as written after the alias
    block: tuple[int, ...]  # the open parentheses around it
    inside: tuple[Token, ...] | None = None
    verb: str = ""
    file: str = ""
    is_changed: bool = False  # the statement writes to it

    @property
    def called(self) -> str:
        """What stands before the dot."""
        return self.alias or (self.path[-1] if self.path else "")


@dataclass(frozen=True)
class CommonTable:
    """A WITH clause."""

    name: str
    names: tuple[str, ...]
    body: tuple[Token, ...]


def open_block(tokens: Sequence[Token]) -> tuple[int, ...]:
    """The parentheses that are open at the end of the tokens, by their positions in the text."""
    stack: list[int] = []
    for token in tokens:
        if token.type in OPEN:
            stack.append(token.start)
        elif token.type in CLOSE and stack:
            stack.pop()
    return tuple(stack)


def expects_table(tokens: Sequence[Token]) -> bool:
    """A table stands next, after these tokens."""
    end = tokens[-1].end if tokens else 0
    cursor = Token("NAME", _CURSOR, end + 1, end + 2)
    return any(r.path[-1:] == (_CURSOR,) for r in references((*tokens, cursor)))


def references(tokens: Sequence[Token]) -> Iterator[Reference]:
    """The tables that a statement names, where they stand in it."""
    stack: list[tuple[int, str]] = []  # of what is open: its position, the word before it
    in_from = [False]
    expected = False
    i = 0
    while i < len(tokens):
        token = tokens[i]
        word = token.word
        if expected and word not in ("LATERAL", "ONLY", "IF", "EXISTS", "NOT"):
            expected = False
            found = _reference(tokens, i, tuple(start for start, _ in stack))
            if found is not None:
                before = [t.word for t in tokens[max(0, i - 2) : i]]
                yield replace(found, is_changed=bool(before) and _is_changed(before))
            elif token.type == "LPAR":  # (a JOIN b)
                expected = True
        if token.type in OPEN:
            stack.append((token.start, tokens[i - 1].word if i else ""))
            in_from.append(expected)
        elif token.type in CLOSE:
            if stack:
                stack.pop()
                in_from.pop()
        elif token.type == "COMMA":
            expected = in_from[-1]
        elif word == "FROM":
            in_call = bool(stack) and stack[-1][1] in _FROM_IN_CALLS
            distinct = (
                i > 1 and tokens[i - 1].word == "DISTINCT" and tokens[i - 2].word in {"IS", "NOT"}
            )
            if not in_call and not distinct:
                in_from[-1] = expected = True
        elif word == "JOIN":
            in_from[-1] = expected = True
        elif word == "INTO" or (word in ("UPDATE", "DESCRIBE", "SUMMARIZE", "TABLE") and not stack):
            expected = word != "TABLE" or i == 0 or tokens[i - 1].word == "ALTER"
        elif word == "TABLE" and tokens[i - 1].type == "LPAR":  # LLM_GENERATE(TABLE reviews, ..)
            expected = True
        elif word in ENDS_FROM:
            in_from[-1] = False
        i += 1


def _is_changed(before: list[str]) -> bool:
    """The statement writes to the table behind these words."""
    return before[-1] in ("INTO", "UPDATE") or before in (["DELETE", "FROM"], ["ALTER", "TABLE"])


def _reference(tokens: Sequence[Token], i: int, block: tuple[int, ...]) -> Reference | None:
    """The reference that begins at a token; None where none does."""
    token = tokens[i]
    path: list[str] = []
    inside: tuple[Token, ...] | None = None
    end, verb, file = i, "", ""
    if token.type == "LPAR":
        close = _closing(tokens, i)
        inside = tuple(tokens[i + 1 : close])
        if not inside or inside[0].word not in _QUERY:
            return None
        end = close + 1
    elif token.type in LITERAL_TYPES:
        inside, end, file = (), i + 1, decode(token).text
    elif token.type == "VERB" or (token.type in NAMES and token.word not in _NO_ALIAS):
        path.append(identifier(token))
        verb = token.word if token.type == "VERB" else ""
        end = i + 1
        while end + 1 < len(tokens) and tokens[end].text == "." and tokens[end + 1].type in NAMES:
            path.append(identifier(tokens[end + 1]))
            end += 2
        if end < len(tokens) and tokens[end].type == "LPAR" and _touches(tokens, end):
            close = _closing(tokens, end)
            inside = tuple(tokens[end + 1 : close])
            end = close + 1
            if path[-1].lower().startswith("read_") and inside and inside[0].type in LITERAL_TYPES:
                file = decode(inside[0]).text
    else:
        return None
    alias, names = _alias(tokens, end)
    return Reference(tuple(path), alias, names, block, inside, verb, file)


def _touches(tokens: Sequence[Token], i: int) -> bool:
    """INSERT INTO t (a, b) names columns; f(a, b) calls."""
    return tokens[i - 1].end == tokens[i].start or tokens[i - 1].type == "VERB"


def _alias(tokens: Sequence[Token], i: int) -> tuple[str, tuple[str, ...]]:
    if i < len(tokens) and tokens[i].word == "AS":
        i += 1
    if i >= len(tokens) or tokens[i].type not in NAMES or tokens[i].word in _NO_ALIAS:
        return "", ()
    return identifier(tokens[i]), _column_names(tokens, i + 1)


def _column_names(tokens: Sequence[Token], i: int) -> tuple[str, ...]:
    """The names in `(a, b)` at a token."""
    if i >= len(tokens) or tokens[i].type != "LPAR":
        return ()
    inside = tokens[i + 1 : _closing(tokens, i)]
    return tuple(identifier(t) for t in inside if t.type in NAMES)


def _closing(tokens: Sequence[Token], i: int) -> int:
    """Where the parenthesis at a token is closed; the end where it is not."""
    depth = 0
    for j in range(i, len(tokens)):
        if tokens[j].type in OPEN:
            depth += 1
        elif tokens[j].type in CLOSE:
            depth -= 1
            if depth == 0:
                return j
    return len(tokens)


def common_tables(tokens: Sequence[Token]) -> Iterator[CommonTable]:
    """Its WITH clauses."""
    for i, token in enumerate(tokens):
        if token.type not in NAMES or i == 0:
            continue
        if tokens[i - 1].word not in ("WITH", "RECURSIVE") and tokens[i - 1].type != "COMMA":
            continue
        names: tuple[str, ...] = ()
        j = i + 1
        if j < len(tokens) and tokens[j].type == "LPAR":
            names, j = _column_names(tokens, j), _closing(tokens, j) + 1
        words = [t.word for t in tokens[j : j + 3]]
        if not words or words[0] != "AS":
            continue
        j += 1
        while j < len(tokens) and tokens[j].word in ("NOT", "MATERIALIZED"):
            j += 1
        if j + 1 < len(tokens) and tokens[j].type == "LPAR" and tokens[j + 1].word in _QUERY:
            body = tuple(tokens[j + 1 : _closing(tokens, j)])
            yield CommonTable(identifier(token), names, body)
