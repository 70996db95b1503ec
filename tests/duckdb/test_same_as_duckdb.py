"""Every statement that DuckDB accepts gives the same result here, and its mistakes are DuckDB's.

The statements are in the `.sql` files beside this one: headings (`---- ..`) begin a script whose
statements share a connection, blank lines separate statements, `-- fails` marks those that must.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

import heliumql
from heliumql.errors import HeliumQLError


@dataclass(frozen=True)
class Script:
    name: str
    statements: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """What a statement gave: columns, types and rows, or an error."""

    columns: tuple[tuple[str, str], ...] = ()
    rows: tuple[str, ...] = ()
    error: str | None = None


def scripts() -> Iterator[Script]:
    for path in sorted(Path(__file__).parent.glob("*.sql")):
        for part in re.split(r"(?m)^---- ", path.read_text())[1:]:
            title, _, text = part.partition("\n")
            statements = tuple(s for s in text.split("\n\n") if s.strip())
            yield Script(f"{path.stem}: {title}", statements)


SCRIPTS = list(scripts())


def executed(connection: duckdb.DuckDBPyConnection | heliumql.Connection, text: str) -> Outcome:
    """As a cursor gives it."""
    result = connection.execute(text)
    columns = tuple((c[0], str(c[1])) for c in result.description or ())
    return Outcome(columns, shown(result.fetchall()))


def related(connection: duckdb.DuckDBPyConnection | heliumql.Connection, text: str) -> Outcome:
    """As a relation gives it; the type of a column is that of its values."""
    relation = connection.sql(text)
    if relation is None:
        return Outcome()
    return Outcome(tuple((name, "") for name in relation.columns), shown(relation.fetchall()))


def shown(rows: list[tuple[object, ...]]) -> tuple[str, ...]:
    # repr tells 1 from 1.0 and Decimal('1.0') from Decimal('1.00'), and NaN equals itself.
    return tuple(map(repr, rows))


def attempted(way: Way, connection: duckdb.DuckDBPyConnection, text: str) -> Outcome:
    try:
        return way(connection, text)
    except (duckdb.Error, HeliumQLError) as error:
        return Outcome(error=str(error))


Way = Callable[[duckdb.DuckDBPyConnection, str], Outcome]


@pytest.mark.parametrize("way", [executed, related])
@pytest.mark.parametrize("script", SCRIPTS, ids=[s.name for s in SCRIPTS])
def test_statements_without_calls_give_what_duckdb_gives(
    script: Script, way: Way, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "duckdb").mkdir()
    (tmp_path / "heliumql").mkdir()
    with duckdb.connect() as plain, heliumql.connect() as ours:
        for statement in script.statements:
            monkeypatch.chdir(tmp_path / "duckdb")
            expected = attempted(way, plain, statement)
            assert (expected.error is not None) == statement.startswith("-- fails"), expected
            monkeypatch.chdir(tmp_path / "heliumql")
            actual = attempted(way, ours, statement)
            if expected.error is None:
                assert actual == expected, statement
            else:
                message = expected.error.partition("\n\nLINE ")[0]
                assert message in (actual.error or "no error"), statement


def test_the_suite_holds_at_least_three_hundred_statements() -> None:
    assert sum(len(script.statements) for script in SCRIPTS) >= 300
