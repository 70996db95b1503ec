"""Which columns a statement can name at the cursor: those of the tables around it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from heliumql.completion.references import (
    CLOSE,
    ENDS_FROM,
    NAMES,
    OPEN,
    Reference,
    common_tables,
    references,
)
from heliumql.completion.snapshot import Column, Snapshot, Table
from heliumql.errors import HeliumQLError
from heliumql.syntax import Token, identifier
from heliumql.syntax.literals import LITERAL_TYPES, decode
from heliumql.types import parse_type

_DEEPEST = 6  # queries inside queries whose columns are looked for

CALL_COLUMNS = (
    Column("messages", "STRUCT(role VARCHAR, content VARCHAR)[]"),
    Column("llm", "STRUCT(status, error, ..)"),
    Column("sample", "INTEGER"),
)
"""What every call in FROM has, and `*` leaves out."""


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
        elif last.type not in NAMES or last.word == "END":
            return
        elif before is not None and before.text != ".":  # .. AS name, or .. name
            path = [t for t in item[:-1] if t.word != "AS"]
            yield Column(identifier(last), self._type(path))
        else:
            yield Column(identifier(last), self._type(item))

    def _type(self, item: list[Token]) -> str:
        """The type of a column named by `name` or `table.name`; '' of anything else."""
        names = [identifier(t) for t in item if t.type in NAMES]
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


def _select_items(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """The items of the first SELECT outside parentheses."""
    depth, item, inside = 0, list[Token](), False
    for token in tokens:
        if depth == 0 and token.word == "SELECT" and not inside:
            inside = True
            continue
        if not inside:
            depth += (token.type in OPEN) - (token.type in CLOSE)
            continue
        if depth == 0 and token.word in ("DISTINCT", "ALL") and not item:
            continue
        if depth == 0 and (token.type == "COMMA" or token.word in ENDS_FROM | {"FROM"}):
            if item:
                yield item
            item = []
            if token.type != "COMMA":
                return
            continue
        depth += (token.type in OPEN) - (token.type in CLOSE)
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
