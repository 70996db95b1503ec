"""`heliumql bench scale` at tiny sizes: counts, and figures that belong together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest
from started_program import heliumql

if TYPE_CHECKING:
    from scale.row import Row

WORKFLOWS = ("map_reduce", "debate", "reflection", "table")


@pytest.fixture(scope="module")
def rows() -> dict[tuple[str, str], Row]:
    from scale.point import run

    return {
        (workflow, policy): run(workflow, 80, policy)
        for workflow in WORKFLOWS
        for policy in ("cache_aware", "random")
    }


def test_so_many_calls_are_run_as_were_asked_for(rows: dict[tuple[str, str], Row]) -> None:
    from scale import workflows

    assert set(workflows.WORKFLOWS) == set(WORKFLOWS)
    assert {row.calls for row in rows.values()} == {80}
    for row in rows.values():
        work = workflows.WORKFLOWS[row.workflow]
        assert row.output_tokens == 80 * workflows.OUTPUT_TOKENS  # of every call
        assert row.rows == 80 // work.calls * work.rows
        assert 0 < row.hit_tokens < row.prompt_tokens


def test_figures_of_a_run_belong_together(rows: dict[tuple[str, str], Row]) -> None:
    for row in rows.values():
        planning = row.compiling_seconds + row.scheduling_seconds
        assert row.planning_seconds == pytest.approx(planning)
        assert row.planning_seconds <= row.seconds
        assert 0 < row.scheduling_cpu <= row.planning_cpu
        assert row.planning_cpu + row.naming_cpu <= row.cpu
        assert row.engine_cpu > 0
        assert 0 < row.before_bytes <= row.peak_bytes
        assert row.cpu_per_call * row.calls == pytest.approx(row.cpu)


def test_the_order_changes_no_answer_and_a_text_does(rows: dict[tuple[str, str], Row]) -> None:
    from scale.table import differing

    for workflow in WORKFLOWS:
        assert rows[workflow, "cache_aware"].answers == rows[workflow, "random"].answers
    assert len({row.answers for row in rows.values()}) == len(WORKFLOWS)
    assert differing(list(rows.values())) == []
    other = replace(rows["table", "random"], answers="0" * 32)
    assert differing([*rows.values(), other]) == ["table, 80 calls, random"]


def test_the_clock_leaves_the_stages_as_they_were() -> None:
    from stages import STAGES, Clock

    from heliumql.physical.passes import Passes

    before = Passes.rewrite
    clock = Clock()
    with clock.running():
        assert Passes.rewrite is not before
        with clock.inside("bind"), clock.inside("rules"):
            pass
    assert Passes.rewrite is before
    assert set(clock.seconds) == {"bind", "rules", "rest"} <= set(STAGES)


def test_makespans_of_others_are_ratios(rows: dict[tuple[str, str], Row]) -> None:
    from scale.table import table

    mine, other = rows["table", "cache_aware"], rows["table", "random"]
    lines = table([replace(mine, makespan=2.0), replace(other, makespan=5.0)], ["random"])
    head, _, line = (
        [cell.strip() for cell in text.strip("|").split("|")] for text in lines.splitlines()
    )
    cells = dict(zip(head, line, strict=True))
    assert cells["random, makespan"] == "2.50x"
    assert cells["answers"] == "equal"
    assert cells["calls"] == "80"
    alone = table([mine], ["random"]).splitlines()[-1]
    assert alone.endswith("|  |  |")  # nothing to compare with


def test_every_run_is_a_row_of_the_files(tmp_path: Path) -> None:
    from scale.row import Row

    sizes: Sequence[str] = ("--calls", "8,40", "--compare-up-to", "8", "--policies", "op_wise")
    done = heliumql("bench", "scale", "--workflows", "map_reduce", *sizes, "--output", tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 2 + 2
    with duckdb.connect() as con:
        con.execute(f"CREATE VIEW measured AS FROM '{tmp_path}/scale-*.parquet'")
        found = con.execute("SELECT calls, policy, count(cores) FROM measured GROUP BY ALL")
        assert set(found.fetchall()) == {
            (8, "cache_aware", 1),
            (8, "op_wise", 1),
            (40, "cache_aware", 1),
        }
        columns = [name for name, *_ in con.execute("DESCRIBE measured").fetchall()]
        assert {field.name for field in fields(Row)} < set(columns)
        [(csv,)] = con.execute(f"SELECT count(*) FROM '{tmp_path}/scale-*.csv'").fetchall()
        assert csv == 3


@pytest.mark.parametrize(
    ("arguments", "told", "hint"),
    [
        ("--calls 1001", "debate makes a multiple of 8 calls, not 1001", "--calls 1008"),
        ("--calls 8,many", "--calls: 'many' is not a whole number above zero", ""),
        ("--workflows tabel", "no workflow 'tabel'", "did you mean table?"),
        ("--policies rando", "no policy 'rando'", "did you mean random?"),
        ("--policies cache_aware", "cache_aware is what others are compared with", ""),
        ("--compare-up-to 0", "--compare-up-to: '0' is not a whole number above zero", ""),
    ],
)
def test_wrong_options_are_told(arguments: str, told: str, hint: str) -> None:
    from scale.chosen import chosen

    from heliumql.cli.bench.scale import scale_parser
    from heliumql.cli.parser import UsageError

    given = ["--workflows", "debate,table", *arguments.split()]
    with pytest.raises(UsageError) as error:
        chosen(scale_parser().parse_args(given))
    assert told in str(error.value)
    assert hint in (error.value.hint or "")


def test_a_run_that_fails_is_told_and_the_others_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    import scale
    from scale.chosen import Chosen

    def failing(workflow: str, calls: int, policy: str) -> Row:
        raise RuntimeError("the process was ended by signal 9")

    monkeypatch.setattr(scale, "measured", failing)
    chosen = Chosen((8,), ("map_reduce",), ("random",), 8)
    assert scale._measure(chosen, None) == 1


def test_a_process_that_fails_says_why() -> None:
    from scale.point import measured

    with pytest.raises(RuntimeError, match="Error: 'nothing'"):
        measured("nothing", 8, "cache_aware")
