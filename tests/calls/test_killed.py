"""What was paid for survives the death of the process, at any moment."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from statement_runs import Started, finished

_CALLS = 2000
_IN_FLIGHT = 16 + 16 // 4
_SQL = f"SELECT i, LLM_GENERATE('number {{i}}') AS answer FROM range({_CALLS}) t(i)"


def intact(store: Path) -> int:
    """How many answers there are, in a file that is whole and counts them right."""
    connection = sqlite3.connect(store)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        counted = connection.execute("SELECT count(*) FROM answers").fetchone()[0]
        assert connection.execute("SELECT count(*) FROM texts").fetchone()[0] == counted
        assert connection.execute("SELECT total(answers) FROM operators").fetchone()[0] == counted
        return int(counted)
    finally:
        connection.close()


@pytest.mark.parametrize("beside_the_database", [True, False])
def test_a_run_that_was_killed_goes_on_where_it_was(
    started: Started, tmp_path: Path, beside_the_database: bool
) -> None:
    database, store = ":memory:", tmp_path / "shared.answers"
    if beside_the_database:
        database, store = str(tmp_path / "my.duckdb"), tmp_path / "my.duckdb.answers"
    where = {"database": database, "store": "" if beside_the_database else store}
    shown: set[str] = set()
    before = 0
    for kill_after in (1, 130, 333):  # rows that are shown of those not shown before
        program = started(_SQL, **where)
        assert program.stdout is not None
        fresh = 0
        for line in program.stdout:
            answer = json.loads(line)["answer"]
            fresh += answer not in shown
            shown.add(answer)
            if fresh >= kill_after:
                break
        program.kill()
        program.wait()
        answered = intact(store)
        assert answered >= max(len(shown), before + 1)
        before = answered
    rows, stats = finished(started(_SQL, **where))
    assert [row["answer"] for row in rows] == [f"re: number {i}" for i in range(_CALLS)]
    assert stats == {"run": _CALLS - before, "cached": before}
    asked = (tmp_path / "asked").read_text().splitlines()
    assert set(asked) == {f"number {i}" for i in range(_CALLS)}
    assert len(asked) <= _CALLS + 3 * _IN_FLIGHT
    again = {f"re: {p}" for p in asked[-(_CALLS - before) :]}
    assert not again & shown, "a row that was shown was asked for once more"
    assert finished(started(_SQL, **where))[1] == {"run": 0, "cached": _CALLS}
    assert intact(store) == _CALLS
