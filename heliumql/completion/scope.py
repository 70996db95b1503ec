"""Which columns a statement can name at the cursor: those of the tables around it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from heliumql.completion.snapshot import Column, Snapshot, Table
from heliumql.errors import HeliumQLError
from heliumql.syntax import Token, identifier
from heliumql.syntax.literals import LITERAL_TYPES, decode
from heliumql.types import parse_type

_NAMES = ("NAME", "QUOTED_NAME")
_OPEN = ("LPAR", "LSQB", "LBRACE")
_CLOSE = ("RPAR", "RSQB", "RBRACE")
_QUERY = {"SELECT", "FROM", "WITH", "VALUES", "TABLE"}
_ENDS_FROM = {
    "SELECT", "WHERE", "GROUP", "ORDER", "HAVING", "LIMIT", "QUALIFY", "WINDOW", "UNION", "EXCEPT",
    "INTERSECT", "SET", "VALUES", "OFFSET", "RETURNING",
}  # fmt: skip
_NO_ALIAS = _ENDS_FROM | {
    "ON", "USING", "JOIN", "LEFT", "RIGHT", "FULL", "INNER", "OUTER", "CROSS", "NATURAL", "ASOF",
    "POSITIONAL", "SEMI", "ANTI", "LATERAL", "AS", "FROM", "PIVOT", "UNPIVOT", "TABLESAMPLE",
    "WITH", "DEFAULT", "BY", "TO", "AND", "OR", "WHEN", "THEN", "DO",
}  # fmt: skip
_FROM_IN_CALLS = {"EXTRACT", "TRIM", "SUBSTRING", "OVERLAY", "POSITION"}
_CURSOR = "\0"  # the name of a table that stands at the cursor
_DEEPEST = 6  # queries inside queries whose columns are looked for

CALL_COLUMNS = (
    Column("messages", "STRUCT(role VARCHAR, content VARCHAR)[]"),
    Column("llm", "STRUCT(status, error, ..)"),
    Column("sample", "INTEGER"),
)
"""What every call in FROM has, and `*` leaves out."""


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


@dataclass(frozen=True)
class InScope:
    """A column and the table that it is of."""

    column: Column
    table: str


class Scope:
    """What one statement names; `block` are the parentheses open at the cursor."""

    def __init__(
        self, tokens: Sequence[Token], block: tuple[int, ...], snapshot: Snapshot, depth: int = 0
    ) -> None:
        self._snapshot = snapshot
        self._depth = depth
        self.common_tables = tuple(common_tables(tokens))
        every = tuple(references(tokens))
        around = tuple(r for r in every if block[: len(r.block)] == r.block)
        # The innermost first: its names hide those further out.
        self.references = tuple(sorted(around or every, key=lambda r: -len(r.block)))

    def columns(self) -> list[InScope]:
        """All columns of the tables in scope, in their order."""
        return [
            InScope(column, reference.called)
            for reference in self.references
            for column in self.columns_of(reference)
        ]

    def of_table(self, called: str) -> list[InScope]:
        """The columns of the table of that name or alias."""
        for reference in self.references:
            if reference.called.lower() == called.lower():
                shown = self.columns_of(reference)
                hidden = CALL_COLUMNS if self._is_call(reference) else ()
                return [InScope(c, reference.called) for c in (*shown, *hidden)]
        return []

    def columns_of(self, reference: Reference) -> tuple[Column, ...]:
        """The columns that `*` stands for."""
        known = self._known(reference)
        return _renamed(known, reference.names)

    def _known(self, reference: Reference) -> tuple[Column, ...]:
        if reference.verb:
            return _of_call(reference.inside or ())
        if reference.file:
            return self._snapshot.file_columns(reference.file)
        name = reference.path[-1].lower() if reference.path else ""
        if len(reference.path) == 1 and reference.inside is None:
            for common in self.common_tables:
                if common.name.lower() == name:
                    return _renamed(self._of_query(common.body, name), common.names)
        if not reference.path:
            return self._of_query(reference.inside or ())
        if reference.inside is not None:
            calls = (*self._snapshot.prompts, *self._snapshot.functions)
            return next((f.columns for f in calls if f.name.lower() == name), ())
        table = find_table(self._snapshot, reference.path)
        return table.columns if table else ()

    def _is_call(self, reference: Reference) -> bool:
        prompts = {p.name.lower() for p in self._snapshot.prompts}
        called = reference.path[-1].lower() if reference.path else ""
        return bool(reference.verb) or (reference.inside is not None and called in prompts)

    def _of_query(self, tokens: tuple[Token, ...], itself: str = "") -> tuple[Column, ...]:
        """What a query gives; `itself` is the WITH clause it is the body of."""
        if self._depth >= _DEEPEST:
            return ()
        inner = Scope(tokens, (), self._snapshot, self._depth + 1)
        inner.common_tables += tuple(c for c in self.common_tables if c.name.lower() != itself)
        inner.references = tuple(r for r in inner.references if r.block == ())
        return tuple(inner._selected(tokens))

    def _selected(self, tokens: Sequence[Token]) -> Iterator[Column]:
        items = list(_select_items(tokens))
        if not items:
            words = [t.word for t in tokens[:1]]
            if words == ["FROM"]:
                yield from (found.column for found in self.columns())
            return
        for item in items:
            yield from self._of_item(item)

    def _of_item(self, item: list[Token]) -> Iterator[Column]:
        last = item[-1]
        before = item[-2] if len(item) > 1 else None
        stars = [i for i, t in enumerate(item[:3]) if t.text == "*"]
        if stars and (stars[0] == 0 or item[stars[0] - 1].text == "."):
            found = self.columns() if stars[0] == 0 else self.of_table(identifier(item[0]))
            hidden = {c.name for c in CALL_COLUMNS} if stars[0] else set()
            yield from (f.column for f in found if f.column.name not in hidden)
        elif last.type not in _NAMES or last.word == "END":
            return
        elif before is not None and before.text != ".":  # .. AS name, or .. name
            path = [t for t in item[:-1] if t.word != "AS"]
            yield Column(identifier(last), self._type(path))
        else:
            yield Column(identifier(last), self._type(item))

    def _type(self, item: list[Token]) -> str:
        """The type of a column named by `name` or `table.name`; '' of anything else."""
        names = [identifier(t) for t in item if t.type in _NAMES]
        if not names or len(names) > 2 or len(item) != 2 * len(names) - 1:
            return ""
        found = self.columns() if len(names) == 1 else self.of_table(names[0])
        wanted = names[-1].lower()
        return next((f.column.type for f in found if f.column.name.lower() == wanted), "")


def find_table(snapshot: Snapshot, path: Sequence[str]) -> Table | None:
    """The table of a name of one to three parts; one of the current schema goes first."""
    *place, name = (part.lower() for part in path)
    found = [t for t in snapshot.tables if t.name.lower() == name]
    match place:
        case []:
            current = (snapshot.current_database, snapshot.current_schema)
            found.sort(key=lambda t: (t.database != "temp", (t.database, t.schema) != current))
        case [one]:
            found = [t for t in found if one in (t.schema.lower(), t.database.lower())]
        case [database, schema]:
            found = [
                t for t in found if [t.database.lower(), t.schema.lower()] == [database, schema]
            ]
        case _:
            found = []
    return found[0] if found else None


def open_block(tokens: Sequence[Token]) -> tuple[int, ...]:
    """The parentheses that are open at the end of the tokens, by their positions in the text."""
    stack: list[int] = []
    for token in tokens:
        if token.type in _OPEN:
            stack.append(token.start)
        elif token.type in _CLOSE and stack:
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
                yield found
            elif token.type == "LPAR":  # (a JOIN b)
                expected = True
        if token.type in _OPEN:
            stack.append((token.start, tokens[i - 1].word if i else ""))
            in_from.append(expected)
        elif token.type in _CLOSE:
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
        elif word in _ENDS_FROM:
            in_from[-1] = False
        i += 1


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
    elif token.type == "VERB" or (token.type in _NAMES and token.word not in _NO_ALIAS):
        path.append(identifier(token))
        verb = token.word if token.type == "VERB" else ""
        end = i + 1
        while end + 1 < len(tokens) and tokens[end].text == "." and tokens[end + 1].type in _NAMES:
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
    if i >= len(tokens) or tokens[i].type not in _NAMES or tokens[i].word in _NO_ALIAS:
        return "", ()
    return identifier(tokens[i]), _column_names(tokens, i + 1)


def _column_names(tokens: Sequence[Token], i: int) -> tuple[str, ...]:
    """The names in `(a, b)` at a token."""
    if i >= len(tokens) or tokens[i].type != "LPAR":
        return ()
    inside = tokens[i + 1 : _closing(tokens, i)]
    return tuple(identifier(t) for t in inside if t.type in _NAMES)


def _closing(tokens: Sequence[Token], i: int) -> int:
    """Where the parenthesis at a token is closed; the end where it is not."""
    depth = 0
    for j in range(i, len(tokens)):
        if tokens[j].type in _OPEN:
            depth += 1
        elif tokens[j].type in _CLOSE:
            depth -= 1
            if depth == 0:
                return j
    return len(tokens)


def common_tables(tokens: Sequence[Token]) -> Iterator[CommonTable]:
    """Its WITH clauses."""
    for i, token in enumerate(tokens):
        if token.type not in _NAMES or i == 0:
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


def _select_items(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """The items of the first SELECT outside parentheses."""
    depth, item, inside = 0, list[Token](), False
    for token in tokens:
        if depth == 0 and token.word == "SELECT" and not inside:
            inside = True
            continue
        if not inside:
            depth += (token.type in _OPEN) - (token.type in _CLOSE)
            continue
        if depth == 0 and token.word in ("DISTINCT", "ALL") and not item:
            continue
        if depth == 0 and (token.type == "COMMA" or token.word in _ENDS_FROM | {"FROM"}):
            if item:
                yield item
            item = []
            if token.type != "COMMA":
                return
            continue
        depth += (token.type in _OPEN) - (token.type in _CLOSE)
        item.append(token)
    if item:
        yield item


def _of_call(arguments: Sequence[Token]) -> tuple[Column, ...]:
    """The columns of an LLM call in FROM, as `returns` says."""
    for i, token in enumerate(arguments[:-2]):
        is_type = token.word == "RETURNS" and arguments[i + 1].type == "ARROW"
        if is_type and arguments[i + 2].type in LITERAL_TYPES:
            return columns_of_type(decode(arguments[i + 2]).text)
    return (Column("text", "VARCHAR"),)


def columns_of_type(text: str) -> tuple[Column, ...]:
    """The columns that an answer of this type has in FROM."""
    try:
        found = parse_type(text)
    except HeliumQLError:  # still being written
        return (Column("text"),)
    while found.item is not None:
        found = found.item
    if not found.fields:
        return (Column("text", found.hql()),)
    return tuple(Column(name, type_.hql()) for name, type_ in found.fields)


def _renamed(columns: tuple[Column, ...], names: tuple[str, ...]) -> tuple[Column, ...]:
    types = [c.type for c in columns] + [""] * len(names)
    renamed = tuple(Column(n, t) for n, t in zip(names, types, strict=False))
    return renamed + columns[len(names) :]
