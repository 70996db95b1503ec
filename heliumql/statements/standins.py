"""Stand-ins: what EXPLAIN of a file, or a dry run, puts where a statement would make a table.

`Statements.stand_in` calls it. The statement has calls and is not run. A stand-in is a temporary
table of the same name, with the columns and types of what would be made and, as far as they can be
had without asking a model, its rows: a value that no remembered answer gives is NULL, and every row
passes an LLM_FILTER. So statements after it can be explained, and calls that hang on plain columns
are counted.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence, Set
from contextlib import closing, suppress
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from heliumql import syntax
from heliumql.binder.parameters import Parameters
from heliumql.calls.identity import without_broken
from heliumql.calls.references import INFO_PATH, field_text
from heliumql.errors import HeliumQLError
from heliumql.physical import functions
from heliumql.physical.dispatch import Interrupted
from heliumql.physical.each import Asked, EachCall
from heliumql.physical.late import interrupted_after
from heliumql.session import Session
from heliumql.syntax.literals import quoted_name

_MOST_ROWS = 100_000
_MOST_SECONDS = 5.0
_ROWS = "__hql_stand_in"


@dataclass(frozen=True)
class StandIn:
    """A temporary table that was made; `rows` None: it is empty, as its rows cannot be had.

    `complete`: it has as many rows as there are without answers; else looking took too long.
    """

    name: str  # without quotes
    rows: int | None
    complete: bool


@dataclass(frozen=True)
class Target:
    """The table of a CREATE TABLE AS; `rest` is what stands between its name and the query."""

    name: str  # without quotes
    rest: str
    temporary: bool
    replaces: bool


def stand_in(
    session: Session, outer: syntax.Shell, parameters: Parameters, offset: int
) -> StandIn | None:
    """Makes one for a CREATE TABLE AS with calls; None where none is needed, or can be made.

    None is needed where the table is there and stays. Temporary tables are in no schema, so none
    can be made where one is named.
    """
    target = target_of(outer)
    if target is None or outer.query is None or outer.span is None:
        return None
    if not target.replaces and _is_there(session.duckdb, target):
        return None
    at = offset + outer.span.start
    core = syntax.desugar(outer.query, syntax.DesugarContext(functions.next_site, at))
    planned = session.call_by_call(core, parameters, "it stands for what is not run")
    table: pa.Table | None = None
    complete = False
    evaluation = session.evaluation(planned, parameters)
    if isinstance(evaluation, EachCall):
        evaluation.close()
        known = {**session.sites, **{site.number: site for site in core.sites}}
        filters = {number for number, site in known.items() if site.verb == "LLM_FILTER"}
        table, complete = _rows(_Unasked(evaluation, filters))
    try:
        _make(session.duckdb, target, outer.after, planned.names, planned.types, table)
    except duckdb.Error:
        return None
    return StandIn(target.name, None if table is None else table.num_rows, complete)


class _Unasked(EachCall):
    """A query that is evaluated with the answers that there are; it asks for none."""

    def __init__(self, evaluation: EachCall, filters: Set[int]) -> None:
        super().__init__(
            evaluation.context,
            evaluation.core,
            evaluation.parameters,
            evaluation.names,
            reference=False,
        )
        self._filters = filters

    def batches(self) -> Generator[pa.RecordBatch, None, None]:
        """The rows, until it is closed."""
        yield from super().batches()

    def _calls(self, asked: Sequence[Asked]) -> list[pa.Array]:
        return [self._remembered(a) for a in asked]

    def _remembered(self, asked: Asked) -> pa.Array:
        site, contents = self.context.sites[asked.site], asked.histories.to_pylist()
        texts = without_broken(asked.prompts.to_pylist(), contents)
        namer = self.graph.namers[asked.site]
        identities = namer.names(texts, asked.systems.to_pylist(), contents)
        wanted = [i for i in dict.fromkeys(identities) if i is not None]
        known = {}
        if site.cache == "use" and not site.sampled and not asked.path.startswith(INFO_PATH):
            known = self.context.store.get(wanted, noted=False)
        otherwise = "true" if asked.site in self._filters else None
        values = [
            field_text(known[i].text, asked.path) if i in known else i and otherwise
            for i in identities
        ]
        return pa.array(values, pa.string())


def _rows(evaluation: _Unasked) -> tuple[pa.Table | None, bool]:
    """The rows, and whether they are all; None where they cannot be had, or not in time."""
    batches, rows, latest = list[pa.RecordBatch](), 0, time.monotonic() + _MOST_SECONDS
    try:
        with (
            interrupted_after(2 * _MOST_SECONDS, evaluation.context.connection),
            closing(evaluation.batches()) as reading,
        ):
            for batch in reading:
                batches.append(batch)
                rows += batch.num_rows
                if rows >= _MOST_ROWS or time.monotonic() > latest:
                    return pa.Table.from_batches(batches), False
        return pa.Table.from_batches(batches), True
    except Interrupted:
        raise
    except (HeliumQLError, duckdb.Error):
        return None, False


def _make(
    connection: duckdb.DuckDBPyConnection,
    target: Target,
    after: str,
    names: Sequence[str],
    types: Sequence[str],
    table: pa.Table | None,
) -> None:
    """The temporary table, with these rows or empty."""
    columns = [
        f"CAST({'NULL' if table is None else f'c{i}'} AS {t}) AS {quoted_name(n)}"
        for i, (n, t) in enumerate(zip(names, types, strict=True))
    ]
    source = "range(0)"
    if table is not None:
        table = table.rename_columns([f"c{i}" for i in range(table.num_columns)])
        connection.register(_ROWS, table)
        source = _ROWS
    try:
        query = f"(SELECT {', '.join(columns)} FROM {source})"
        head = f"CREATE OR REPLACE TEMP TABLE {quoted_name(target.name)}{target.rest}"
        connection.execute(f"{head} {query} {after}")
    finally:
        with suppress(duckdb.Error):
            connection.unregister(_ROWS)


def target_of(outer: syntax.Shell) -> Target | None:
    """What CREATE TABLE AS makes; None of other statements, and where a schema is named."""
    if outer.kind != "create_table_as" or not outer.query:
        return None
    tokens = syntax.tokenize(outer.before)
    words = [token.word for token in tokens]
    at = words.index("TABLE") + 1
    if words[at : at + 3] == ["IF", "NOT", "EXISTS"]:
        at += 3
    if [t.text for t in tokens[at + 1 : at + 2]] == ["."]:
        if words[at] != "TEMP":
            return None
        at += 2
    if at >= len(tokens):
        return None
    name, rest = syntax.identifier(tokens[at]), outer.before[tokens[at].end :]
    temporary = bool({"TEMP", "TEMPORARY"} & set(words))
    return Target(name, rest, temporary, "REPLACE" in words)


def _is_there(connection: duckdb.DuckDBPyConnection, target: Target) -> bool:
    """A table of that name, where this one would be made."""
    place = "temporary"
    if not target.temporary:
        place = "database_name = current_database() AND schema_name = current_schema()"
    query = f"SELECT 1 FROM duckdb_tables() WHERE lower(table_name) = lower(?) AND {place}"
    return bool(connection.execute(query, [target.name]).fetchall())
