"""`heliumql bench ablation`: each technique is really off, and nothing else changes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest

from heliumql.cli.main import main
from heliumql.engines.engine import Told, Warmup
from heliumql.engines.simulated import SimulatedEngine
from heliumql.physical import scheduler

SUITES = ("map_reduce_questions", "tables")
SIZE = ("--engine", "simulated", "--rows", "1", "--scale", "0.05")
ROUNDS = 4


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("results")
    assert (
        main(["bench", "ablation", *SUITES, *SIZE, "--repeat", "1", "--output", str(folder)]) == 0
    )
    return folder


def calls(folder: Path, suite: str) -> dict[str, int]:
    """Calls that each system ran."""
    query = f"SELECT system, calls_run FROM '{folder}/*.parquet' WHERE suite = ?"
    return dict(duckdb.execute(query, [suite]).fetchall())


def variants(suite: Any, kv_tokens: int, slots: int, *systems: str) -> dict[str, Any]:
    """The runs of these systems in one turn."""
    from ablation.variant import VARIANTS
    from ablation.variants import Variants
    from bench.chosen import Chosen
    from bench.in_process import InProcess
    from suites import engines

    chosen = Chosen((), (), "simulated", repeat=1, slots=slots, rows=2, scale=0.2)
    on = InProcess(suite, chosen, engines.simulated(kv_tokens, 1, slots), kv_tokens)
    some = [v for v in VARIANTS if v.system in systems]
    return {v.system: found for _, v, found in Variants(on, some).runs()}


def named(name: str) -> Any:
    from suites.suite import SUITES

    return SUITES[name]


def test_every_variant_is_a_row_with_equal_answers(results: Path) -> None:
    from ablation.variant import VARIANTS

    found = duckdb.execute(
        f"SELECT suite, list(system), bool_and(equal) FROM '{results}/*.parquet' GROUP BY suite"
    ).fetchall()
    assert [(suite, set(systems), equal) for suite, systems, equal in sorted(found)] == [
        (suite, {v.system for v in VARIANTS}, True) for suite in SUITES
    ]


def test_the_table_has_every_variant_and_its_ratio(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "ablation", "tables", *SIZE, "--repeat", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    cells = [[c.strip() for c in line.strip("|").split("|")] for line in lines if "| " in line]
    ratio = cells[0].index("ratio")
    ratios = {row[0]: float(row[ratio]) for row in cells[1:]}
    assert ratios["heliumql"] == ratios["heliumql twice"] == 1.0
    assert ratios["heliumql twice without store"] > 1.1  # prefixes are there the second time
    assert ratios["heliumql without merge"] > 1.0


def test_without_merge_equal_calls_are_run_again(results: Path) -> None:
    found = calls(results, "map_reduce_questions")
    assert found["heliumql"] == 7 + 1  # fourteen experts, seven roles
    assert found["heliumql without merge"] == 14 + 1
    for other in ("deferral", "prefix order", "warm-up", "search"):
        assert found[f"heliumql without {other}"] == 7 + 1


def test_without_store_the_second_run_asks_again(results: Path) -> None:
    found = calls(results, "map_reduce_questions")
    assert found["heliumql twice"] == 7 + 1
    assert found["heliumql twice without store"] == 2 * (7 + 1)


def test_a_day_later_the_store_has_what_did_not_change() -> None:
    names = ("heliumql twice", "heliumql twice without store")
    kept, asked = (
        found.calls for found in variants(named("trading_next_day"), 1 << 16, 8, *names).values()
    )
    assert asked == 2 * 2 * 56
    # Of each of two stocks the notes and the report on the fundamentals, and some of the posts.
    assert asked - 2 * 8 <= kept <= asked - 2 * 5


def test_without_deferral_no_agent_hears_others_before_all_have_spoken() -> None:
    def is_early(found: Any) -> bool:
        heard = [asked.messages[-1][1].startswith("The others said") for asked in found.record]
        return heard != sorted(heard)

    found = variants(named("debate"), 1088, 8, "heliumql", "heliumql without deferral")
    assert is_early(found["heliumql"])
    assert not is_early(found["heliumql without deferral"])
    assert found["heliumql"].seconds < found["heliumql without deferral"].seconds


def test_without_prefix_order_more_tokens_are_computed() -> None:
    found = variants(named("mixed"), 320, 8, "heliumql", "heliumql without prefix order")
    assert found["heliumql without prefix order"].policy == "fcfs"
    assert found["heliumql"].computed * 1.3 < found["heliumql without prefix order"].computed


def test_without_search_one_order_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[int] = []
    planned = scheduler.planned

    def watched(*arguments: Any) -> Any:
        plan = planned(*arguments)
        looked_at.append(len(plan.schedule.looked_at))
        return plan

    monkeypatch.setattr(scheduler, "planned", watched)
    variants(named("debate"), 2048, 8, "heliumql")
    assert max(looked_at) > 1
    looked_at.clear()
    variants(named("debate"), 2048, 8, "heliumql without search")
    assert set(looked_at) == {1}


def test_without_warm_up_no_prefix_is_computed_ahead(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    warmed: list[Warmup] = []
    warm = SimulatedEngine.warm

    def watched(self: SimulatedEngine, warmups: Sequence[Warmup], told: Told) -> None:
        warmed.extend(warmups)
        warm(self, warmups, told)

    monkeypatch.setattr(SimulatedEngine, "warm", watched)
    suite = chain(tmp_path)
    variants(suite, 1600, 1, "heliumql")
    assert len(warmed) == 1
    warmed.clear()
    variants(suite, 1600, 1, "heliumql without warm-up")
    assert warmed == []


def chain(folder: Path) -> Any:
    """A chain of calls in which an instruction returns when two long reports have been read."""
    from suites.suite import Suite

    call = "'start'"
    for number in range(ROUNDS):
        call = f"LLM_GENERATE('instruct {'be careful. ' * 107}' || {call})"
        for report in (f"a{number}", f"b{number}"):
            call = f"LLM_GENERATE('{f'report {report} ' * 360}' || {call})"
    query = folder / "chain.hql"
    query.write_text(f"SELECT {call}")
    return Suite("chain", query, lambda rows, scale, seed: {}, 1, 1.0, 80)


def test_other_answers_are_told() -> None:
    from ablation.command import Answers

    answers = Answers()
    assert answers.are_equal([("a",)], twice=False)
    assert answers.are_equal([("b",), ("a",)], twice=True)
    assert not answers.are_equal([("c",), ("a",)], twice=True)  # the first run has another one
    assert not answers.are_equal([("b",)], twice=False)
    assert not answers.are_equal([("b",), ("b",)], twice=True)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("debat --engine simulated", "did you mean debate?"),
        ("debate qqq --engine simulated", "no suite 'qqq'"),
        ("debate --engine server", "--engine: invalid choice: 'server'"),
        (
            "debate --kv-tokens half --engine simulated",
            "--kv-tokens is quarter, tight, all, free or a number of tokens",
        ),
        ("debate --repeat 0 --engine simulated", "--repeat: '0' is not a whole number above zero"),
    ],
)
def test_wrong_usage_is_told(arguments: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "ablation", *arguments.split()]) == 2
    assert told in capsys.readouterr().err
