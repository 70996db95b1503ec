"""What the options of `heliumql bench SUITE` choose is what is run."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest


def runs(suite: str, *systems: str, kv_tokens: int = 1 << 16, **more: Any) -> list[Any]:
    """Turn, system and run, of two rows on the simulated engine."""
    from bench.chosen import Chosen
    from bench.in_process import InProcess
    from suites import engines
    from suites.suite import SUITES

    size: dict[str, Any] = {"repeat": 1, "rows": 2, "scale": 0.2}
    chosen = Chosen((suite,), systems, "simulated", **size | more)
    engine = engines.simulated(kv_tokens, chosen.workers, chosen.slots)
    return list(InProcess(SUITES[suite], chosen, engine, kv_tokens).runs())


def test_every_option_is_chosen() -> None:
    from bench.chosen import Chosen, chosen

    from heliumql.cli.bench.suite import suite_parser

    given = (
        "--engine simulated --systems random,heliumql --repeat 4 --kv-tokens tight --workers 2"
        " --slots 3 --scale 0.5 --rows 7 --seed 9 --apart --kept"
    )
    assert chosen(suite_parser("debate").parse_args(given.split())) == Chosen(
        ("debate",), ("heliumql:random", "heliumql"), "simulated", repeat=4, kv_tokens="tight",
        workers=2, slots=3, scale=0.5, rows=7, seed=9, apart=True, kept=True,
    )  # fmt: skip


def test_a_kv_cache_is_a_part_of_what_calls_hold_together() -> None:
    from bench.size import Size

    size = Size(calls=100, working_set=64_000, at_once=4_800, longest=960)
    of = {name: size.kv_cache_tokens(name) for name in ("quarter", "tight", "all", "free", "6401")}
    assert of == {"quarter": 16_000, "tight": 4_000, "all": 128_000, "free": None, "6401": 6432}
    assert size.part(Fraction(1, 8)) == 8_000
    assert size.part(Fraction(2)) == 128_000


def test_a_kv_cache_holds_the_calls_that_are_computed_together() -> None:
    from bench.size import Size

    small = Size(calls=10, working_set=6_400, at_once=4_800, longest=960)
    of = {name: small.kv_cache_tokens(name) for name in ("quarter", "tight", "32")}
    assert of == {"quarter": 4_800, "tight": 2 * 960, "32": 960}
    assert small.part(Fraction(1, 16)) == 2 * 960


def test_a_kv_cache_is_no_greater_than_the_hardware_has_unless_its_tokens_are_given() -> None:
    from bench.size import Size
    from suites.engines import HARDWARE

    most = HARDWARE["gpu"].kv_tokens
    size = Size(calls=100, working_set=10 * most, at_once=4_800, longest=960)
    assert size.on("gpu", "quarter") == most
    assert size.on("gpu", "960000") == 960_000 > most


def test_a_size_is_that_of_the_calls_that_are_run() -> None:
    from bench.chosen import Chosen
    from bench.size import measure
    from suites.suite import SUITES

    def calls(**more: Any) -> int:
        chosen = Chosen((), (), "simulated", rows=2, scale=0.2, **more)
        return measure(SUITES["map_reduce_questions"], chosen).calls

    assert calls() == 2 * (7 + 1)
    assert calls(apart=True) == 2 * (14 + 1)


def test_a_seed_gives_other_texts() -> None:
    asked = []
    for seed in (0, 1):
        [(_, _, found)] = runs("debate", "heliumql", seed=seed)
        asked.append({one.messages for one in found.record})
    assert asked[0].isdisjoint(asked[1])


def test_every_turn_begins_with_empty_caches() -> None:
    found = runs("debate", "heliumql", "heliumql:random", "oracle", "one_row", repeat=2)
    turns: list[dict[str, Any]] = [{}, {}]
    for turn, system, run in found:
        turns[turn][system] = (run.seconds, run.hit_tokens)
    assert turns[0] == turns[1]
    assert [system for _, system, _ in found] == [
        "heliumql", "heliumql:random", "oracle", "one_row",
        "heliumql:random", "heliumql", "oracle", "one_row",
    ]  # fmt: skip


def test_one_row_is_a_batch_of_one() -> None:
    calls = {system: run.calls for _, system, run in runs("trading", "heliumql", "one_row")}
    assert calls == {"heliumql": 2 * 56, "one_row": 56}


def test_seconds_are_foretold_where_lengths_of_answers_are_known() -> None:
    [(_, _, known)] = runs("debate", "heliumql", kept=True)
    assert known.foretold == pytest.approx(known.seconds, rel=0.1)
    [(_, _, guessed)] = runs("debate", "heliumql")
    assert guessed.foretold < 0.5 * guessed.seconds


def test_calls_run_on_as_many_workers_and_slots_as_are_chosen() -> None:
    def seconds(**more: Any) -> float:
        [(_, _, found)] = runs("mixed", "heliumql", rows=8, **more)
        return float(found.seconds)

    assert seconds(workers=2) < 0.75 * seconds()
    assert seconds(slots=1) > 1.5 * seconds()


def test_a_session_that_is_kept_merges_equal_calls_again() -> None:
    found = runs("map_reduce_questions", "heliumql:unmerged", "heliumql", kept=True, repeat=2)
    calls = [(system, run.calls) for _, system, run in found]
    unmerged, merged = ("heliumql:unmerged", 2 * (14 + 1)), ("heliumql", 2 * (7 + 1))
    assert calls == [unmerged, merged, merged, unmerged]


def test_the_oracle_asks_for_answers_of_every_length(tmp_path: Path) -> None:
    from suites import engines, runs
    from suites.suite import Suite

    query = tmp_path / "lengths.hql"
    query.write_text("SELECT LLM_GENERATE('a', max_tokens => 3), LLM_GENERATE('b' || 'c')")
    suite = Suite("lengths", query, lambda rows, scale, seed: {}, 1, 1.0, 5)
    engine = engines.simulated(1 << 16, 1)
    with runs.session(suite, engine, 1, 1.0) as con:
        record = runs.run(con, suite.text(), engine, "fcfs").record
        again = runs.replay(con, engine, record, "fcfs").record
    assert {asked.max_tokens for asked in record} == {3, 5}
    assert set(again) == set(record)


def test_the_oracle_asks_in_depth_first_order_of_prompts() -> None:
    from suites import engines, runs
    from suites.suite import SUITES

    suite, engine = SUITES["debate"], engines.simulated(1 << 16, 1)
    with runs.session(suite, engine, 2, 0.2) as con:
        record = runs.run(con, suite.text(), engine, "random").record
        again = runs.replay(con, engine, record, "fcfs").record
    assert [asked.messages for asked in again] == sorted(asked.messages for asked in record)


def test_other_answers_of_the_oracle_are_an_error() -> None:
    from dataclasses import replace

    from suites import engines, runs
    from suites.suite import SUITES

    suite, engine = SUITES["debate"], engines.simulated(1 << 16, 1)
    with runs.session(suite, engine, 1, 0.1) as con:
        first, *others = runs.run(con, suite.text(), engine, "fcfs").record
        with pytest.raises(RuntimeError, match="the replayed calls have other answers"):
            runs.replay(con, engine, [replace(first, text="another"), *others], "fcfs")
