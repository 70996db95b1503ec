"""How fast a vLLM server is, learnt from what it counts while it has calls of ours."""

from __future__ import annotations

import asyncio
import gc
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from receiver import Receiver, calls, name, spec
from stub_server import Reply, StubServer

import heliumql
from heliumql.cost.event_model import Constants
from heliumql.cost.speeds import Step
from heliumql.engines import server_watch
from heliumql.engines.openai import OpenAIEngine
from heliumql.engines.server import read_servers
from heliumql.engines.server_counts import Cache, Counts, read_cache, read_counts
from heliumql.engines.server_watch import ServerWatch
from heliumql.engines.speed_notes import SpeedNotes


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
    assert read_counts(metrics(12, 300, 48)) == Counts(12, 300, 48, 1.7e9)
    assert read_cache(metrics(12, 300, 48)) == Cache(200 * 32, 32)


def test_no_counts_where_something_is_missing_or_engines_are_several() -> None:
    text = metrics(12, 300, 48)
    for left_out in (
        "prompt_tokens_total",
        "cache_hits_total",
        "generation_tokens",
        "tokens_total_cou",
    ):
        assert read_counts("\n".join(x for x in text.splitlines() if left_out not in x)) is None
    assert read_counts(f"{text}\n{metrics(1, 2, 3, engine=1)}") is None
    for odd in ("many", "NaN", "+Inf", ""):
        assert read_counts(text.replace("} 12", f"}} {odd}")) is None
    assert read_counts(f'{text}\nvllm:spec_decode_num_drafts_total{{engine="0"}} 3.0') is None
    assert read_counts("<html>no metrics</html>") is None


def test_a_time_behind_a_value_is_none() -> None:
    timed = "\n".join(f"{line} 1700000000000" for line in metrics(12, 300, 48).splitlines())
    assert read_counts(timed) == Counts(12, 300, 48, 1.7e9)


def test_what_is_counted_together_with_the_prompts_goes_before_what_is_not() -> None:
    text = metrics(12, 300, 48) + '\nvllm:prompt_tokens_cached_total{engine="0"} 250.0'
    assert read_counts(text) == Counts(12, 2 * 300 - 250, 48, 1.7e9)


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
    assert after.step_since(before, 0.0001) is None  # no server is that fast
    assert Counts(11, 9000, 41).step_since(before, 5.0) is None  # parts of prompts are not counted


# when it is looked at ---------------------------------------------------------------------


class FakeLine:
    """A server that makes a hundred steps a second, of 20 tokens of prompts and 4 of answers."""

    def __init__(self) -> None:
        self.clock = 1000.0
        self.looks = 0
        self.takes = 0.0  # seconds that a look takes
        self.part = 0.5  # of them, that pass before the counts are taken
        self.made = 0.0  # steps
        self.says: Callable[[], str | None] = self.counted

    async def metrics(self) -> str | None:
        self.looks += 1
        takes = self.takes
        self.pass_time(takes * self.part)
        said = self.says()
        self.pass_time(takes * (1 - self.part))
        return said

    def counted(self) -> str:
        return metrics(self.made, 20 * self.made, 4 * self.made)

    def pass_time(self, seconds: float, at_work: float = 1.0) -> None:
        """At work for a part of it."""
        self.clock += seconds
        self.made += 100 * seconds * at_work


class Watched:
    """A watch on a fake server, and what it notes; its clock stands still but for `pass_time`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.line, self.notes = FakeLine(), SpeedNotes()
        monkeypatch.setattr(server_watch, "_now", lambda: self.line.clock)
        self.watch = ServerWatch(self.line, self.notes)
        self.in_flight = 0

    async def sent(self) -> None:
        self.in_flight += 1
        self.watch.sent()
        await asyncio.sleep(0)  # for the look, if there is one

    async def answered(self) -> None:
        self.in_flight -= 1
        self.watch.answered(left=self.in_flight)
        await asyncio.sleep(0)

    async def chain(self, calls: int, between: float, at_work: float) -> None:
        """Each call is sent a while after the one before was answered."""
        for _ in range(calls):
            await self.sent()
            self.line.pass_time(0.1)
            await self.answered()
            self.line.pass_time(between, at_work)

    async def work(self, calls: int, seconds: float = 0.1) -> None:
        """Calls one after the other, one of them always in flight."""
        await self.sent()
        for _ in range(calls):
            await self.sent()
            self.line.pass_time(seconds)
            await self.answered()
        await self.answered()

    def seconds(self) -> float:
        """Of a step, as they are noted."""
        fitted = self.notes.observed.fit(Constants())
        prompts = 20 * fitted.prefill_seconds_per_token
        return fitted.step_seconds + prompts + 4 * fitted.decode_seconds_per_sequence


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Watched:
    return Watched(monkeypatch)


def test_steps_are_noted_while_calls_are_in_flight(watched: Watched) -> None:
    async def run() -> None:
        await watched.watch.ask()
        assert watched.watch.cache == Cache(6400, 32)
        await watched.work(20)
        watched.line.pass_time(60, at_work=0)
        await watched.work(20)

    asyncio.run(run())
    assert watched.line.looks == pytest.approx(1 + 2 * (2.0 / 0.5), abs=2)
    assert watched.notes.observed.steps == pytest.approx(300, abs=110)  # of 400
    assert watched.seconds() == pytest.approx(0.01, rel=0.01)


def test_moments_in_which_nothing_is_in_flight_do_not_count(watched: Watched) -> None:
    async def run() -> None:
        await watched.watch.ask()
        await watched.chain(40, 0.005, at_work=0)

    asyncio.run(run())
    assert watched.notes.observed.steps > 200
    assert watched.seconds() == pytest.approx(0.01, rel=0.01)


def test_what_others_did_while_nothing_of_ours_was_in_flight_is_not_noted(watched: Watched) -> None:
    async def run() -> None:
        await watched.watch.ask()
        await watched.chain(40, 0.1, at_work=1)  # of others

    asyncio.run(run())
    assert watched.line.looks > 5
    assert watched.notes.observed.steps == 0


def test_a_look_that_takes_long_waits_for_a_longer_time(watched: Watched) -> None:
    looks: list[float] = []

    async def run() -> None:
        await watched.watch.ask()
        watched.line.takes = 0.2
        await watched.work(100)
        looks.append(watched.line.looks)

    asyncio.run(run())
    assert looks[0] > 8
    # A fifth of a second is more than a tenth of anything shorter than two.
    assert 200 <= watched.notes.observed.steps <= 1500
    assert watched.seconds() == pytest.approx(0.01, rel=0.05)


@pytest.mark.parametrize(("part", "within"), [(0.5, 0.001), (0.0, 0.06), (1.0, 0.06)])
def test_looks_that_take_now_more_now_less_time_tell_the_same(
    watched: Watched, monkeypatch: pytest.MonkeyPatch, part: float, within: float
) -> None:
    """Counts are taken at some time of a look, nobody knows when; about its middle, most likely."""
    noted: list[Step] = []
    monkeypatch.setattr(watched.notes, "add", noted.extend)
    watched.line.part = part

    def counted() -> str:
        watched.line.takes = 0.4 if watched.line.looks % 2 else 0.0  # the next one
        return watched.line.counted()

    async def run() -> None:
        await watched.watch.ask()
        watched.line.says = counted
        await watched.work(200)

    asyncio.run(run())
    assert len(noted) > 2
    assert [step.seconds for step in noted] == pytest.approx([0.01] * len(noted), rel=within)


def test_a_server_that_is_known_is_looked_at_seldom_but_early_in_new_work(watched: Watched) -> None:
    looks: list[int] = []

    async def run() -> None:
        await watched.watch.ask()
        await watched.work(1000)
        looks.append(watched.line.looks)
        await watched.work(4)
        await watched.work(8)
        looks.append(watched.line.looks)

    asyncio.run(run())
    assert looks[0] == pytest.approx(1 + 10 / 0.5 + 90 / 5, abs=4)
    assert 2 <= looks[1] - looks[0] <= 4


@pytest.mark.parametrize(
    ("says", "looks"),
    [
        (lambda: None, 12),  # it may be there again
        (lambda: "<html>no metrics</html>", 1),
    ],
)
def test_a_server_that_tells_no_more_is_left_alone(
    watched: Watched, says: Callable[[], str | None], looks: int
) -> None:
    async def run() -> None:
        await watched.watch.ask()
        watched.line.says, before = says, watched.line.looks
        await watched.work(60)
        assert watched.line.looks - before == pytest.approx(looks, abs=1 if looks > 1 else 0)

    asyncio.run(run())
    assert watched.notes.observed.steps == 0


def test_after_a_failure_it_is_learnt_again(watched: Watched) -> None:
    async def run() -> None:
        await watched.watch.ask()
        watched.line.says = lambda: None
        await watched.work(20)
        watched.line.says = watched.line.counted
        await watched.work(20)

    asyncio.run(run())
    assert watched.seconds() == pytest.approx(0.01, rel=0.01)


def test_the_time_of_a_failure_is_not_noted(watched: Watched) -> None:
    """It may have been started anew meanwhile, and not tell when."""

    def counted() -> str:
        return re.sub(".*_created.*\n", "", watched.line.counted())

    async def run() -> None:
        watched.line.says = counted
        await watched.watch.ask()
        await watched.work(6)
        watched.line.says = lambda: None
        await watched.work(6)
        watched.line.made += 1000
        watched.line.says = counted
        await watched.work(20)

    asyncio.run(run())
    assert watched.seconds() == pytest.approx(0.01, rel=0.01)


def test_a_server_that_was_started_anew_is_another_one(watched: Watched) -> None:
    async def run() -> None:
        await watched.watch.ask()
        await watched.work(10)
        noted = watched.notes.observed.steps
        # More of everything, and younger: what lies between tells nothing.
        watched.line.made += 1e6
        watched.line.says = lambda: (
            watched.line.counted().replace("1.7e+09", "1.8e+09").replace('"201"', '"101"')
        )
        await watched.sent()
        watched.line.pass_time(0.6)
        await watched.answered()
        assert watched.notes.observed.steps == noted
        assert watched.watch.cache == Cache(3200, 32)
        await watched.work(20)
        assert watched.notes.observed.steps > noted

    asyncio.run(run())
    assert watched.seconds() == pytest.approx(0.01, rel=0.01)


def test_prompts_that_are_found_but_not_counted_yet_wait_for_their_count(watched: Watched) -> None:
    """Older versions count what they find when a prompt is begun, the prompt when it is done."""
    ahead = False

    def counted() -> str:
        text = metrics(watched.line.made, 20 * watched.line.made, 4 * watched.line.made)
        hits = 20 * watched.line.made + (400 * 5 if ahead else 0)
        return re.sub(r"(hits_total\S+) \S+", rf"\1 {hits}", text)

    async def run() -> None:
        nonlocal ahead
        watched.line.says = counted
        await watched.watch.ask()
        await watched.sent()
        for _ in range(40):
            await watched.sent()
            watched.line.pass_time(0.5)
            ahead = not ahead
            await watched.answered()

    asyncio.run(run())
    assert watched.notes.observed.steps > 1000
    assert watched.seconds() == pytest.approx(0.01, rel=0.1)


def test_a_watch_that_was_stopped_looks_no_more(watched: Watched) -> None:
    async def run() -> None:
        await watched.watch.ask()
        watched.watch.stop()
        await watched.work(20)
        assert watched.line.looks == 1

    asyncio.run(run())


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


@pytest.mark.parametrize("says", ["nothing", "far too much"])
def test_what_cannot_be_read_is_not_looked_at_again(server: Counting, says: str) -> None:
    counted = server.metrics
    assert counted is not None
    engine = engine_of(server)
    try:
        engine.start()  # it tells then, and later no more
        much = counted() + "\n# " + "x" * 4_000_000
        server.metrics = None if says == "nothing" else lambda: much
        server.looks = 0
        server.reply = lambda seen: Reply("x", seconds=0.6)
        for _ in range(3):
            ask(engine)
        assert server.looks == 1
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


def test_calls_that_are_cancelled_are_in_flight_no_more(
    server: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    left: list[int] = []
    answered = ServerWatch.answered

    def noted(watch: ServerWatch, **told: int) -> None:
        left.append(told["left"])
        answered(watch, **told)

    monkeypatch.setattr(ServerWatch, "answered", noted)
    server.reply = lambda seen: Reply("x", seconds=60)
    engine = engine_of(server)
    try:
        engine.start()
        receiver = Receiver()
        engine.submit(spec(), calls(["a", "b"]), receiver)
        deadline = time.monotonic() + 60
        while server.in_flight < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        engine.cancel([name(0), name(1)])
        receiver.wait(2)
        assert left == [1, 0]
    finally:
        engine.close()


def test_an_engine_is_closed_while_the_server_is_looked_at(server: Counting) -> None:
    counted, looked = server.metrics, threading.Event()

    def slowly() -> str:
        looked.set()
        time.sleep(0.3)
        assert counted is not None
        return counted()

    engine = engine_of(server)
    engine.start()
    server.metrics = slowly
    server.reply = lambda seen: Reply("x", seconds=60)
    engine.submit(spec(), calls(["a"]), Receiver())
    assert looked.wait(60)
    engine.close()  # a warning of a task that is still there would be an error
    gc.collect()


def test_the_key_is_for_the_api_alone(server: Counting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINE", "secret")
    engine = engine_of(server, api_key_env="MINE")
    try:
        engine.start()
        ask(engine)
    finally:
        engine.close()
    assert server.seen[0].headers["Authorization"] == "Bearer secret"
    assert server.looked_with
    assert "Authorization" not in server.looked_with[0]


@pytest.mark.parametrize(
    ("base", "metrics_at"),
    [
        ("http://h:8000/v1", "http://h:8000/metrics"),
        ("http://h/tenant/v1", "http://h/tenant/metrics"),
        ("http://h:8000", "http://h:8000/metrics"),
    ],
)
def test_metrics_lie_beside_the_api(base: str, metrics_at: str) -> None:
    [server] = read_servers({"base_url": base, "model": "m"}, 0.1)
    assert str(server.metrics) == metrics_at


def test_speeds_are_kept_for_the_next_session(server: Counting, tmp_path: Path) -> None:
    server.reply = lambda seen: Reply("x", seconds=0.3 if seen.prompt == "0" else 0.6)
    options = {"base_url": server.url, "model": "m"}
    path = str(tmp_path / "x.duckdb")
    with heliumql.connect(path) as con:
        engine = OpenAIEngine(options)
        con.register_model("m", engine)
        con.sql("SELECT LLM_GENERATE(i) FROM range(3) t(i)").fetchall()
        assert engine.workers[0].step_seconds != Constants.step_seconds
        seen = engine.workers[0]
    with heliumql.connect(path) as con:
        engine = OpenAIEngine(options)
        con.register_model("m", engine)
        con.sql("SELECT LLM_GENERATE('hello')").fetchall()
        assert engine.workers[0].step_seconds == pytest.approx(seen.step_seconds, rel=0.01)
    assert json.loads(engine.speed_key) == {"model": "m", "servers": [server.url]}
