"""How fast a vLLM server is, learnt from what it counts while it has calls of ours."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from receiver import Receiver, calls, spec
from stub_server import Reply, StubServer

import heliumql
from heliumql.cost.event_model import Constants
from heliumql.cost.speeds import Step
from heliumql.engines import watch
from heliumql.engines.openai import OpenAIEngine
from heliumql.engines.server_counts import Cache, Counts, read_cache, read_counts
from heliumql.engines.speed_notes import SpeedNotes
from heliumql.engines.watch import Watch


def metrics(steps: float, prefill: float, drawn: float, engine: int = 0) -> str:
    """As vLLM writes them: of the prompts as much again was found."""
    labels = f'{{engine="{engine}",model_name="m"}}'
    return "\n".join(
        [
            "# HELP vllm:prompt_tokens_total Number of prefill tokens processed.",
            "# TYPE vllm:prompt_tokens_total counter",
            f"vllm:prompt_tokens_total{labels} {2 * prefill}",
            f"vllm:prompt_tokens_created{labels} 1.7e+09",
            f"vllm:prefix_cache_hits_total{labels} {prefill}",
            f"vllm:generation_tokens_total{labels} {drawn}",
            f'vllm:iteration_tokens_total_bucket{{engine="{engine}",le="8.0"}} {steps}',
            f"vllm:iteration_tokens_total_count{labels} {steps}",
            f"vllm:iteration_tokens_total_sum{labels} {prefill + drawn}",
            f'vllm:cache_config_info{{block_size="32",cache_dtype="auto",engine="{engine}",'
            'num_gpu_blocks="201"} 1.0',
        ]
    )


# what it counts ---------------------------------------------------------------------------


def test_counts_are_read() -> None:
    assert read_counts(metrics(12, 300, 48)) == Counts(12, 300, 48)
    assert read_cache(metrics(12, 300, 48)) == Cache(200 * 32, 32)


def test_no_counts_where_something_is_missing_or_engines_are_several() -> None:
    text = metrics(12, 300, 48)
    lines = text.splitlines()
    assert read_counts("\n".join(lines[:4] + lines[6:])) is None
    assert read_counts(f"{text}\n{metrics(1, 2, 3, engine=1)}") is None
    assert read_counts(text.replace("_count{", "_count{x ").replace(" 12", " many")) is None
    assert read_counts("<html>no metrics</html>") is None


def test_the_smallest_cache_counts_and_odd_ones_do_not() -> None:
    text = metrics(1, 2, 3)
    smaller = text.replace('"201"', '"101"')
    assert read_cache(f"{text}\n{smaller}") == Cache(100 * 32, 32)
    assert read_cache(text.replace('"201"', '"None"')) is None
    assert read_cache(text.replace("num_gpu_blocks", "blocks")) is None
    assert read_cache("") is None


def test_steps_between_two_moments_are_their_mean() -> None:
    before, after = Counts(10, 100, 40), Counts(30, 500, 120)
    assert after.step_since(before, 0.5) == Step(0.025, 20, 4, 0, 0, 20)
    assert before.step_since(before, 0.5) is None  # none were made
    assert before.step_since(after, 0.5) is None  # it has begun anew
    assert after.step_since(before, 0.0) is None


# when it is looked at ---------------------------------------------------------------------


class FakeLine:
    """A server that makes a hundred steps a second, of 20 tokens of prompts and 4 of answers."""

    def __init__(self) -> None:
        self.tells = True
        self.looks = 0
        self.during: Callable[[], None] = lambda: None

    async def metrics(self) -> str | None:
        self.looks += 1
        self.during()
        steps = 100 * asyncio.get_running_loop().time()
        return metrics(steps, 20 * steps, 4 * steps) if self.tells else None

    async def until(self, looks: int) -> None:
        async with asyncio.timeout(20):
            while self.looks < looks:
                await asyncio.sleep(0.001)


def watched(run: Callable[[Watch, FakeLine, SpeedNotes], Any]) -> SpeedNotes:
    """What is noted while `run` goes on."""
    line, notes = FakeLine(), SpeedNotes()

    async def go() -> None:
        looked = Watch(line, notes)  # type: ignore[arg-type]
        await looked.ask()
        line.looks = 0
        await run(looked, line, notes)

    asyncio.run(go())
    return notes


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "_PAUSE", 0.01)
    monkeypatch.setattr(watch, "_KNOWN_PAUSE", 0.01)


def test_steps_are_noted_while_calls_are_in_flight() -> None:
    async def run(looked: Watch, line: FakeLine, notes: SpeedNotes) -> None:
        assert looked.cache == Cache(6400, 32)
        looked.begin()
        looked.begin()
        await line.until(5)
        looked.idle()
        await asyncio.sleep(0.1)
        last = line.looks
        assert last <= 6
        await asyncio.sleep(0.1)
        assert line.looks == last  # nobody looks at a server that has nothing to do
        looked.begin()
        await line.until(last + 3)
        looked.idle()

    noted = watched(run).observed
    [fitted] = [noted.fit(Constants())]
    assert noted.steps > 0
    step = fitted.step_seconds + 20 * fitted.prefill_seconds_per_token
    assert step + 4 * fitted.decode_seconds_per_sequence == pytest.approx(0.01, rel=0.05)


@pytest.mark.parametrize("when", ["between two looks", "during a look"])
def test_time_in_which_nothing_was_in_flight_is_not_noted(when: str) -> None:
    async def run(looked: Watch, line: FakeLine, notes: SpeedNotes) -> None:
        def pause() -> None:
            looked.idle()
            looked.begin()

        looked.begin()
        if when == "during a look":
            line.during = pause
            await line.until(8)
        else:
            for look in range(1, 8):
                await line.until(look)
                pause()
        looked.stop()

    assert watched(run).observed.steps == 0


def test_a_server_that_tells_no_more_is_left_alone() -> None:
    async def run(looked: Watch, line: FakeLine, notes: SpeedNotes) -> None:
        looked.begin()
        await line.until(2)
        line.tells = False
        await line.until(3)
        await asyncio.sleep(0.05)
        looked.begin()
        await asyncio.sleep(0.05)
        assert line.looks == 3

    watched(run)


def test_a_server_that_is_known_is_looked_at_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run(looked: Watch, line: FakeLine, notes: SpeedNotes) -> None:
        notes.add([Step(0.01, 20, 4, 0, 0, times=2000)])
        looked.begin()
        await line.until(1)
        await asyncio.sleep(0.2)
        assert line.looks == 1
        looked.stop()

    monkeypatch.setattr(watch, "_KNOWN_PAUSE", 60.0)
    watched(run)


# the engine -------------------------------------------------------------------------------


class Counting(StubServer):
    """It counts two hundred steps, of a fiftieth of a second each if looks are, at every look."""

    def __init__(self) -> None:
        super().__init__(models=["m"])
        self.owner = "vllm"
        self.metrics = lambda: metrics(200 * self.looks, 900 * self.looks, 800 * self.looks)


@pytest.fixture
def server() -> Iterator[Counting]:
    with Counting() as running:
        yield running


def engine_of(server: StubServer, **options: Any) -> OpenAIEngine:
    return OpenAIEngine({"base_url": server.url, "model": "m", **options})


def ask(engine: OpenAIEngine) -> None:
    receiver = Receiver()
    engine.submit(spec(), calls(["a", "b"]), receiver)
    receiver.wait(2)


def test_what_a_server_can_hold_is_what_it_says(server: Counting) -> None:
    engine = engine_of(server)
    try:
        assert engine.workers[0].kv_cache_tokens == Constants.kv_cache_tokens
        engine.start()
        assert engine.workers[0].kv_cache_tokens == 6400
        assert engine.workers[0].block_size == 32
    finally:
        engine.close()
    engine = engine_of(server, kv_cache_tokens=640)
    try:
        engine.start()
        assert engine.workers[0].kv_cache_tokens == 640
        assert engine.workers[0].block_size == 32
    finally:
        engine.close()


@pytest.mark.parametrize("owner", [None, "openai"])
def test_only_vllm_is_asked(server: Counting, owner: str | None) -> None:
    server.owner = owner
    engine = engine_of(server)
    try:
        engine.start()
        ask(engine)
        assert server.looks == 0
        assert engine.workers[0] == engine_of(server).workers[0]
        assert engine.take_observed().steps == 0
    finally:
        engine.close()


def test_a_server_without_metrics_is_one_like_others(server: Counting) -> None:
    server.metrics = None
    engine = engine_of(server)
    try:
        engine.start()
        ask(engine)
        assert server.looks == 1
        assert engine.workers[0].kv_cache_tokens == Constants.kv_cache_tokens
    finally:
        engine.close()


def test_speeds_are_kept_for_the_next_session(server: Counting, tmp_path: Path) -> None:
    def answered() -> Reply:
        return Reply("x", looks=4)

    server.reply = lambda seen: answered()
    options = {"base_url": server.url, "model": "m"}
    path = str(tmp_path / "x.duckdb")
    with heliumql.connect(path) as con:
        engine = OpenAIEngine(options)
        con.register_model("m", engine)
        relation = con.sql("SELECT LLM_GENERATE('hello')")
        assert relation is not None
        assert relation.fetchall() == [("x",)]
        assert engine.workers[0].step_seconds != Constants.step_seconds
        seen = engine.workers[0]
    with heliumql.connect(path) as con:
        engine = OpenAIEngine(options)
        con.register_model("m", engine)
        con.sql("SELECT LLM_GENERATE('hello')").fetchall()
        assert engine.workers[0].step_seconds == pytest.approx(seen.step_seconds, rel=0.01)
    assert json.loads(engine.speed_key) == {"model": "m", "servers": [server.url]}
