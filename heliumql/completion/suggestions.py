"""Suggestions: names that may be meant, gathered by their places and ordered by fit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from heliumql.completion.candidate import Candidate, Kind
from heliumql.completion.matching import rank
from heliumql.completion.place import Place
from heliumql.completion.scope import find_table
from heliumql.completion.snapshot import Column, Function, Table
from heliumql.completion.words import TABLE_VERBS, VERBS

_HIDDEN = ("__hql", "heliumql")


@dataclass(frozen=True)
class Suggestion:
    """`name` is what typed letters are compared with; of equal fit, lower `order` goes first."""

    name: str
    replacement: str
    kind: Kind
    meta: str = ""
    order: int = 5


def ranked(suggestions: Iterable[Suggestion], typed: str, start: int, most: int) -> list[Candidate]:
    """The candidates that fit what was typed, the best first, each once."""
    fitting: dict[str, tuple[int, int, int, Suggestion]] = {}
    for number, suggestion in enumerate(suggestions):
        fit = rank(suggestion.name, typed)
        if fit is None:
            continue
        found = (fit, suggestion.order, number, suggestion)
        known = fitting.get(suggestion.replacement)
        if known is None or found[:3] < known[:3]:
            fitting[suggestion.replacement] = found
    ordered = sorted(fitting.values(), key=lambda f: f[:3])[:most]
    return [Candidate(s.replacement, start, s.kind, s.meta) for _, _, _, s in ordered]


def columns(place: Place, order: int = 0) -> Iterator[Suggestion]:
    """Columns of the tables in scope; with the table before the dot where two have the name."""
    for column in place.parameters:
        yield Suggestion(
            column.name, place.name(column.name), Kind.COLUMN, column.type or "parameter", order
        )
    found = place.scope.columns()
    tables: dict[str, set[str]] = {}
    for each in found:
        tables.setdefault(each.column.name.lower(), set()).add(each.table)
    for each in found:
        name = place.name(each.column.name)
        if len(tables[each.column.name.lower()]) > 1 and each.table:
            name = f"{place.name(each.table)}.{place.name(each.column.name, after_dot=True)}"
        meta = " · ".join(filter(None, (each.column.type, each.table)))
        yield Suggestion(each.column.name, name, Kind.COLUMN, meta, order)


def tables_in_scope(place: Place, order: int = 1) -> Iterator[Suggestion]:
    """What may stand before the dot."""
    for reference in place.scope.references:
        if reference.called:
            count = len(place.scope.columns_of(reference))
            meta = f"{count} columns" if count else ""
            yield Suggestion(
                reference.called, place.name(reference.called), Kind.TABLE, meta, order
            )


def all_columns(place: Place, order: int = 7) -> Iterator[Suggestion]:
    """Columns of every table, where none is named yet."""
    for table in shown_tables(place):
        for column in table.columns:
            meta = " · ".join(filter(None, (column.type, table.name)))
            yield Suggestion(column.name, place.name(column.name), Kind.COLUMN, meta, order)


def members(place: Place, path: tuple[str, ...]) -> Iterator[Suggestion]:
    """What stands after `path.`: columns of a table, tables of a schema, schemas."""
    snapshot = place.snapshot
    if len(path) == 1:
        for found in place.scope.of_table(path[0]):
            name = place.name(found.column.name, after_dot=True)
            yield Suggestion(found.column.name, name, Kind.COLUMN, found.column.type, 0)
    table = find_table(snapshot, path)
    if table is not None and not place.expects_table:
        for column in table.columns:
            name = place.name(column.name, after_dot=True)
            yield Suggestion(column.name, name, Kind.COLUMN, column.type, 1)
    lowered = [part.lower() for part in path]
    for table in snapshot.tables:
        at = [table.database.lower(), table.schema.lower()]
        in_database = lowered == at[:1] and table.schema in ("main", "public")
        if lowered in (at, at[1:]) or in_database:
            yield _table(place, table, 2, after_dot=True)
    if lowered[0] in (d.lower() for d in snapshot.databases) and len(path) == 1:
        yield from (
            Suggestion(schema, place.name(schema, after_dot=True), Kind.SCHEMA, "schema", 3)
            for schema in dict.fromkeys(
                t.schema for t in snapshot.tables if t.database.lower() == lowered[0]
            )
        )


def shown_tables(place: Place) -> Iterator[Table]:
    """Tables, those of the current schema first; what is ours is left out."""
    current = (place.snapshot.current_database, place.snapshot.current_schema)
    here = [t for t in place.snapshot.tables if _is_here(t, current)]
    elsewhere = [t for t in place.snapshot.tables if not _is_here(t, current)]
    for table in (*here, *elsewhere):
        if table.schema != "heliumql" and not table.name.startswith(_HIDDEN):
            yield table


def tables(place: Place, order: int = 1) -> Iterator[Suggestion]:
    """Tables and views, WITH clauses of the statement, schemas and databases."""
    for common in place.scope.common_tables:
        yield Suggestion(common.name, place.name(common.name), Kind.TABLE, "WITH", order - 1)
    current = (place.snapshot.current_database, place.snapshot.current_schema)
    for table in shown_tables(place):
        if _is_here(table, current):
            yield _table(place, table, order)
        else:
            yield _elsewhere(place, table, order + 3)
    yield from schemas(place, order + 2)


def schemas(place: Place, order: int = 1) -> Iterator[Suggestion]:
    for schema in place.snapshot.schemas:
        if schema not in ("heliumql", "information_schema", "pg_catalog"):
            yield Suggestion(schema, place.name(schema), Kind.SCHEMA, "schema", order)
    for database in place.snapshot.databases:
        if database not in ("system", "temp"):
            yield Suggestion(database, place.name(database), Kind.SCHEMA, "database", order)


def verbs(place: Place, order: int, *, as_table: bool = False) -> Iterator[Suggestion]:
    parenthesis = "" if place.follows("(") else "("
    for verb, signature in VERBS.items():
        if not as_table or verb in TABLE_VERBS:
            replacement = place.keyword(verb) + parenthesis
            yield Suggestion(verb, replacement, Kind.VERB, signature, order)
    for prompt in place.snapshot.prompts:
        replacement = place.name(prompt.name) + parenthesis
        yield Suggestion(prompt.name, replacement, Kind.PROMPT, prompt.signature, order)


def functions(place: Place, order: int, *, as_table: bool = False) -> Iterator[Suggestion]:
    parenthesis = "" if place.follows("(") else "("
    typed = place.cursor.typed
    for function in place.snapshot.functions:
        if function.is_table == as_table:
            yield _function(
                function, parenthesis, order, capitals=len(typed) > 1 and typed.isupper()
            )


def models(place: Place, *, quoted: bool) -> Iterator[Suggestion]:
    """Models as names, or as the strings that arguments take."""
    for name, what in place.snapshot.models.items():
        text = "'" + name.replace("'", "''") + "'" if quoted else place.name(name)
        yield Suggestion(name, text, Kind.MODEL, what, 0)


def prompts(place: Place) -> Iterator[Suggestion]:
    for prompt in place.snapshot.prompts:
        yield Suggestion(prompt.name, place.name(prompt.name), Kind.PROMPT, prompt.signature, 0)


def keywords(place: Place, phrases: Iterable[str], order: int) -> Iterator[Suggestion]:
    for phrase in phrases:
        text = phrase if phrase.startswith("llm_") else place.keyword(phrase)
        yield Suggestion(phrase, text, Kind.KEYWORD, "", order)


def listed(
    names: Iterable[str], kind: Kind, meta: str = "", order: int = 0
) -> Iterator[Suggestion]:
    """Names that are written as they are; quotes are not typed to find them."""
    for name in names:
        yield Suggestion(name.strip("'"), name, kind, meta, order)


def column_names(place: Place, found: Iterable[Column]) -> Iterator[Suggestion]:
    for column in found:
        yield Suggestion(column.name, place.name(column.name), Kind.COLUMN, column.type, 0)


def _is_here(table: Table, current: tuple[str, str]) -> bool:
    return (table.database, table.schema) == current or table.database == "temp"


def _table(place: Place, table: Table, order: int, *, after_dot: bool = False) -> Suggestion:
    return Suggestion(
        table.name,
        place.name(table.name, after_dot=after_dot),
        Kind.TABLE,
        _described(table),
        order,
    )


def _elsewhere(place: Place, table: Table, order: int) -> Suggestion:
    parts = [table.schema, table.name]
    if table.database != place.snapshot.current_database:
        parts.insert(0, table.database)
    written = ".".join(place.name(part, after_dot=i > 0) for i, part in enumerate(parts))
    return Suggestion(table.name, written, Kind.TABLE, _described(table), order)


def _described(table: Table) -> str:
    what = "view" if table.is_view else "table"
    return f"{what}, {len(table.columns)} columns" if table.columns else what


def _function(function: Function, parenthesis: str, order: int, *, capitals: bool) -> Suggestion:
    name = function.name.upper() if capitals else function.name
    return Suggestion(function.name, name + parenthesis, Kind.FUNCTION, function.signature, order)
