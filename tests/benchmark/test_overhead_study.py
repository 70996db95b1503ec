"""`heliumql bench overhead` at tiny sizes: counts, and figures that belong together."""

from __future__ import annotations

import sys
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest
from started_program import heliumql

if TYPE_CHECKING:
    from overhead.rows import Planning

CALLS = {"trading_4": 224, "mixed": 256, "texts": 300}


@pytest.fixture(scope="module")
def planned() -> dict[str, Planning]:
    from overhead.planning import planning

    return {query: planning(query, 0, CALLS["texts"]) for query in CALLS}


def test_all_calls_are_named_and_planned(planned: dict[str, Planning]) -> None:
    for query, row in planned.items():
        assert row.calls == CALLS[query]
        assert 0 < row.planned <= row.calls
    assert planned["trading_4"].operators == 12
    assert planned["mixed"].operators == 16
    assert planned["texts"].operators == 1


def test_stages_sum_to_no_more_than_the_whole(planned: dict[str, Planning]) -> None:
    from overhead.tables import STAGES

    for row in planned.values():
        stages = [getattr(row, stage) for stage in STAGES]
        assert min(stages) >= 0
        assert sum(stages) == pytest.approx(row.cpu)
        # of a query with calls none of these is free
        assert min(row.bind, row.rules, row.carry, row.take_sql, row.tree, row.schedule) > 0
        assert row.survey > 0


def test_every_stage_of_the_clock_is_shown() -> None:
    import stages
    from overhead.tables import STAGES

    assert {s.strip("_").replace("_", " ") for s in STAGES} == {
        "grammar", *(s.lower() for s in stages.STAGES),
    }  # fmt: skip


def test_trees_have_a_size_that_grows_with_what_is_in_them(planned: dict[str, Planning]) -> None:
    from overhead.metadata import deep_size

    trading = planned["trading_4"]
    assert 0 < planned["texts"].operator_tree_bytes < trading.operator_tree_bytes < 552 * 1024
    assert trading.data_tree_bytes > 0
    text = "a text"
    assert deep_size([text]) == sys.getsizeof([text]) + sys.getsizeof(text)
    assert deep_size([text, text]) == sys.getsizeof([text, text]) + sys.getsizeof(text)
    endless: list[object] = []
    endless.append(endless)
    assert deep_size(endless) == sys.getsizeof(endless)


@pytest.mark.parametrize("number", range(3))
def test_all_open_calls_are_scheduled_together(number: int) -> None:
    from overhead.scheduling import scheduling, workflows

    row = scheduling(workflows(80)[number], runs=2)
    assert row.calls == (896, 80, 1000)[number]
    assert row.cpu > 0
    assert row.seconds > 0


@pytest.mark.parametrize("optimizer", [True, False])
def test_calls_are_run_and_the_engine_is_counted_apart(optimizer: bool) -> None:
    from overhead.calls import calls

    row = calls(200, optimizer=optimizer)
    assert (row.calls, row.optimizer) == (200, optimizer)
    assert row.cpu > 0
    assert row.engine_cpu > 0
    assert 0 < row.first_row_seconds <= row.seconds


def test_calls_are_named() -> None:
    from overhead.naming import WINDOWS, naming

    for window in WINDOWS:
        row = naming(300, window)
        assert (row.calls, row.window_bytes) == (300, window)
        assert row.text_bytes == sum(len("some words ") * 10 + len(str(i)) for i in range(300))


def test_tables_show_medians_and_sizes(planned: dict[str, Planning]) -> None:
    from overhead.tables import metadata_table, planning_table

    row = planned["mixed"]
    runs = [replace(row, bind=seconds, survey=0.5) for seconds in (0.009, 0.002, 0.003)]
    head, _, line = (
        [cell.strip() for cell in text.strip("|").split("|")]
        for text in planning_table(runs).splitlines()
    )
    cells = dict(zip(head, line, strict=True))
    assert (cells["query"], cells["calls"], cells["bind"]) == ("mixed", "256", "3.0")
    assert cells["survey"] == "500.0"
    sizes = metadata_table([replace(row, operator_tree_bytes=10 * 1024)]).splitlines()[-1]
    assert sizes.startswith(f"| mixed | 16 | 10.0 | {row.planned} | ")


def test_every_measurement_is_a_row_of_the_files(tmp_path: Path) -> None:
    from overhead.rows import Planning

    arguments = ("--parts", "planning,calls", "--queries", "mixed", "--calls", "40", "--runs", "1")
    done = heliumql("bench", "overhead", *arguments, "--output", tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n### ") == 3
    with duckdb.connect() as con:
        con.execute(f"CREATE VIEW planned AS FROM '{tmp_path}/overhead-planning-*.parquet'")
        columns = [name for name, *_ in con.execute("DESCRIBE planned").fetchall()]
        assert {field.name for field in fields(Planning)} < set(columns)
        found = con.execute('SELECT "query", turn, length(run), cores > 0 FROM planned')
        assert found.fetchall() == [("mixed", 0, 12, True)]
        ran = con.execute(f"FROM '{tmp_path}/overhead-calls-*.parquet' SELECT optimizer, calls")
        assert ran.fetchall() == [(True, 40), (False, 40)]


@pytest.mark.parametrize(
    ("arguments", "told", "hint"),
    [
        ("--parts plannin", "--parts: no part 'plannin'", "did you mean planning?"),
        ("--queries trading_5", "--queries: no query 'trading_5'", "did you mean trading_4?"),
        ("--calls 0", "--calls: '0' is not a whole number above zero", ""),
        ("--runs x", "--runs: 'x' is not a whole number above zero", ""),
    ],
)
def test_wrong_options_are_told(arguments: str, told: str, hint: str) -> None:
    from overhead.chosen import chosen

    from heliumql.cli.bench.overhead import overhead_parser
    from heliumql.cli.parser import UsageError

    with pytest.raises(UsageError) as error:
        chosen(overhead_parser().parse_args(arguments.split()))
    assert told in str(error.value)
    assert hint in (error.value.hint or "")


def test_a_measurement_that_fails_is_told() -> None:
    from fresh_process import fresh

    with pytest.raises(RuntimeError, match="no measurement everything"):
        fresh("overhead", "everything")
