"""The workers of the vLLM engine, run for real: placement, times, speeds, kept prefixes, deaths."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from test_vllm import ask, eventually, needs_vllm, submit, wait

from heliumql.cost.event_model import EventModel
from heliumql.cost.speeds import Observed, Step
from heliumql.engines.engine import Warmup
from heliumql.engines.vllm import _GONE, VllmEngine

pytestmark = needs_vllm

SYSTEM = "You judge reviews of films, fairly and in few words. " * 6


@pytest.fixture(scope="module")
def engine(checkpoint: Path) -> Iterator[VllmEngine]:
    """Its KV cache holds no more than the longest prompt, so nothing stays in it for long."""
    engine = VllmEngine({"model": str(checkpoint), "kv_cache_tokens": 4096, "concurrency": 8})
    engine.start()
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def fading(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the model that may be broken."""
    return Path(shutil.copytree(checkpoint, tmp_path_factory.mktemp("fading") / "model"))


@pytest.fixture(scope="module")
def pair(fading: Path) -> Iterator[VllmEngine]:
    options = {"model": str(fading), "kv_cache_tokens": 8192, "workers": 2, "concurrency": 8}
    engine = VllmEngine(options)
    engine.start()
    yield engine
    engine.close()


def texts(count: int, length: int, seed: int = 0) -> list[str]:
    """Texts of up to so many letters that have nothing in common."""
    draw = random.Random(seed)
    return ["".join(draw.choices("abcdefgh ", k=draw.randrange(20, length))) for _ in range(count)]


def flood(engine: VllmEngine) -> None:
    """Fill the KV cache several times over."""
    ask(engine, ["".join(random.Random(n).choices("abcd", k=700)) for n in range(24)], max_tokens=1)


def warm(engine: VllmEngine, key: bytes, system: str, *, keep: bool, worker: int = 0) -> list[int]:
    """Its prompt tokens and those that were there already."""
    told: list[tuple[bytes, int, int]] = []
    done = threading.Event()

    def tell(*what: object) -> None:
        told.append(what)  # type: ignore[arg-type]
        done.set()

    first, second = ((("system", system), ("user", text)) for text in ("one", "two"))
    engine.warm([Warmup(key, worker, first, second, keep)], tell)
    assert done.wait(60)
    assert told[0][0] == key
    return [*told[0][1:]]


class TestPrefixes:
    def test_a_kept_prefix_outlives_a_flood_until_it_is_released(self, engine: VllmEngine) -> None:
        prompt, cached = warm(engine, b"kept", SYSTEM, keep=True)
        assert prompt % engine.workers[0].block_size == 0
        assert prompt > 256
        assert cached == 0
        flood(engine)
        [answer] = ask(engine, ["good?"], system=SYSTEM, max_tokens=1)
        assert answer["cached_tokens"] == prompt
        engine.release([b"kept", b"never heard of"])
        flood(engine)
        [answer] = ask(engine, ["bad?"], system=SYSTEM, max_tokens=1)
        assert answer["cached_tokens"] == 0

    def test_one_that_is_not_kept_does_not(self, engine: VllmEngine) -> None:
        system = SYSTEM.upper()
        prompt, _ = warm(engine, b"not kept", system, keep=False)
        [answer] = ask(engine, ["good?"], system=system, max_tokens=1)
        assert answer["cached_tokens"] == prompt
        flood(engine)
        [answer] = ask(engine, ["bad?"], system=system, max_tokens=1)
        assert answer["cached_tokens"] == 0

    def test_a_call_that_kept_prefixes_leave_no_room_for_runs(self, engine: VllmEngine) -> None:
        prompt, _ = warm(engine, b"in the way", SYSTEM, keep=True)
        long = 4096 - prompt // 2
        [answer] = ask(engine, ["x" * (long - 100)], max_tokens=1)
        assert answer["error"] is None
        assert answer["prompt_tokens"] + prompt > 4096
        [answer] = ask(engine, ["good?"], system=SYSTEM, max_tokens=1)
        assert answer["cached_tokens"] < prompt

    def test_prefixes_beyond_a_quarter_of_the_cache_are_computed_and_not_kept(
        self, engine: VllmEngine
    ) -> None:
        keys = [b"%d" % n for n in range(6)]
        systems = [f"{n}{SYSTEM}" for n in range(6)]
        for key, system in zip(keys, systems, strict=True):
            prompt, _ = warm(engine, key, system, keep=True)
        flood(engine)
        hits = [
            ask(engine, ["good?"], system=system, max_tokens=1)[0]["cached_tokens"]
            for system in systems
        ]
        engine.release(keys)
        kept = 4096 // 4 // prompt
        assert hits == [prompt] * kept + [0] * (6 - kept)

    def test_nothing_in_common_is_passed_over(self, engine: VllmEngine) -> None:
        told: list[bytes] = []
        warmup = Warmup(b"short", 0, (("user", "a"),), (("user", "b"),), keep=True)
        engine.warm([warmup], lambda key, prompt, cached: told.append(key))
        ask(engine, ["after it"], max_tokens=1)
        assert not told


class TestTimes:
    def test_a_call_starts_before_its_first_token_and_that_before_its_end(
        self, engine: VllmEngine
    ) -> None:
        before = time.monotonic()
        answers = ask(engine, texts(20, 200), max_tokens=8)
        after = time.monotonic()
        for answer in answers:
            assert answer["worker"] == 0
            times = [answer[name] for name in ("started", "first_token", "finished")]
            assert [before, *times, after] == sorted([before, *times, after])
        # eight at once: the others start when these have ended
        starts = sorted(answer["started"] for answer in answers)
        ends = sorted(answer["finished"] for answer in answers)
        assert starts[8] >= ends[0] - 0.001 > starts[7]

    def test_a_call_that_never_ran_has_none(self, engine: VllmEngine) -> None:
        [answer] = ask(engine, ["x" * 5000], max_tokens=1)
        assert answer["error"] is not None
        assert [answer[name] for name in ("started", "first_token", "finished")] == [None] * 3


class TestSpeeds:
    def test_limits_are_those_of_the_worker(self, engine: VllmEngine) -> None:
        [worker] = engine.workers
        assert worker.block_size == 32
        assert worker.max_num_seqs == 8
        assert 4096 <= worker.kv_cache_tokens <= 4096 + 32
        assert worker.max_num_batched_tokens >= 512

    def test_limits_are_expected_before_the_start(self) -> None:
        [first, second] = VllmEngine({"model": "m", "workers": 2, "kv_cache_tokens": 999}).workers
        assert first == second
        assert first.kv_cache_tokens == 999

    def test_steps_are_observed(self, engine: VllmEngine) -> None:
        time.sleep(1.5)  # idle workers tell what they have seen within a second
        engine.take_observed()
        ask(engine, texts(8, 100), max_tokens=10)
        fresh: list[Observed] = []

        def all_is_seen() -> bool:
            fresh.append(engine.take_observed())
            return sum(part.steps for part in fresh) >= 10

        assert eventually(all_is_seen)
        assert sum(part.sums[1] for part in fresh) == 8
        assert sum(part.steps for part in fresh) <= 22

    def test_calibrated_constants_foretell_a_batch(self, engine: VllmEngine) -> None:
        foretold = engine.calibrate()
        assert engine.workers == [foretold]
        for name in ("step_seconds", "prefill_seconds_per_token", "call_seconds"):
            assert getattr(foretold, name) > 0
        ratios = []
        for seed in range(3):  # what else runs on the machine disturbs some
            began = time.monotonic()
            answers = ask(engine, texts(48, 500, seed), max_tokens=12)
            took = time.monotonic() - began
            model: EventModel[int] = EventModel(foretold)
            for number, answer in enumerate(answers):
                assert answer["cached_tokens"] == 0
                tokens = answer["prompt_tokens"], (), answer["output_tokens"]
                model.add(number, *tokens, number)
            while model.busy:
                model.step()
            ratios.append(model.now / took)
        print("foretold / measured:", *(f"{ratio:.2f}" for ratio in ratios))
        assert min(abs(ratio - 1) for ratio in ratios) < 0.3

    def test_what_was_learnt_is_the_speed_at_first(self) -> None:
        engine = VllmEngine({"model": "m"})
        learnt = Observed().add([Step(0.5, 100, 0, 5000.0, 0.0)] * 50)
        engine.start_from(learnt)
        assert engine.workers == [learnt.fit(VllmEngine({"model": "m"}).workers[0])]
        assert engine.observed() == Observed()  # this is not to be learnt twice

    def test_the_key_tells_what_the_speed_depends_on(self, tmp_path: Path) -> None:
        def key(**options: object) -> str:
            return VllmEngine({"model": "m", **options}).speed_key

        assert key() == key() == key(concurrency=3)
        assert len({key(), key(workers=2), key(dtype="bfloat16"), key(model="n")}) == 4
        assert key(engine_args={"attention_backend": "TRITON_ATTN"}) != key() == key(engine_args={})


def placed(engine: VllmEngine, wishes: Sequence[int | None]) -> list[int]:
    receiver = submit(engine, texts(len(wishes), 60), workers=wishes, max_tokens=2)
    answers = wait(receiver, len(wishes))
    assert all(answer["error"] is None for answer in answers.values())
    return [answers[number]["worker"] for number in range(len(wishes))]


class TestPlacement:
    def test_calls_go_where_they_are_to(self, pair: VllmEngine) -> None:
        wishes = [1, 0, 1, 1, 1, 0]
        assert placed(pair, wishes) == wishes

    def test_others_are_spread(self, pair: VllmEngine) -> None:
        assert set(placed(pair, [None] * 12)) == {0, 1}
        assert set(placed(pair, [2, -1] * 6)) <= {0, 1}

    def test_a_prefix_is_warm_on_its_worker_alone(self, pair: VllmEngine) -> None:
        prompt, _ = warm(pair, b"w", SYSTEM, keep=False, worker=1)
        receiver = submit(pair, ["a", "b"], system=SYSTEM, workers=[0, 1], max_tokens=1)
        hits = {a["worker"]: a["cached_tokens"] for a in wait(receiver, 2).values()}
        assert hits == {0: 0, 1: prompt}

    @pytest.mark.skipif(
        len(os.sched_getaffinity(0)) < 2 or Path("/proc/driver/nvidia/gpus").is_dir(),
        reason="needs two cores that no GPU does without",
    )
    def test_each_worker_has_a_core_of_its_own(self, pair: VllmEngine) -> None:
        cores = [os.sched_getaffinity(pid) for pid in pair.pids]
        assert [len(c) for c in cores] == [1, 1]
        assert cores[0] != cores[1]

    def test_one_worker_may_use_them_all(self, engine: VllmEngine) -> None:
        assert os.sched_getaffinity(engine.pids[0]) == os.sched_getaffinity(0)


class TestForgetting:
    def test_what_was_cached_is_computed_again(self, engine: VllmEngine) -> None:
        prompt = texts(1, 300)
        for cached in (False, True):
            (answer,) = wait(submit(engine, prompt, max_tokens=2), 1).values()
            assert (answer["cached_tokens"] > 0) == cached
        engine.reset_prefix_cache()
        (answer,) = wait(submit(engine, prompt, max_tokens=2), 1).values()
        assert answer["cached_tokens"] == 0


class TestDeathOfOne:
    def test_its_calls_go_to_the_other_at_once(self, pair: VllmEngine) -> None:
        first, second = pair.pids
        wishes = [n % 2 for n in range(60)]
        pair.take_incidents()
        receiver = submit(pair, texts(60, 80), workers=wishes, max_tokens=60)
        wait(receiver, 1)
        os.kill(first, signal.SIGKILL)
        assert eventually(lambda: pair.pids[0] != first)
        answers = wait(receiver, 60)
        assert all(answer["error"] is None for answer in answers.values())
        again = [n for n, answer in answers.items() if answer["requests"] == 2]
        assert again
        assert all(wishes[n] == 0 and answers[n]["worker"] == 1 for n in again)
        (incident,) = pair.take_incidents()
        assert re.match(
            r"vLLM worker 0 of .* died \(signal 9\) with \d+ calls in flight$", incident
        )
        assert pair.take_incidents() == []
        # nothing was lost on the worker that lives, and the other comes back
        assert pair.pids[1] == second
        assert eventually(lambda: placed(pair, [0]) == [0])
        assert placed(pair, [0, 1]) == [0, 1]

    def test_calibration_does_not_wait_for_the_dead(self, pair: VllmEngine) -> None:
        thread = threading.Thread(target=pair.calibrate)
        thread.start()
        os.kill(pair.pids[0], signal.SIGKILL)
        thread.join(60)
        assert not thread.is_alive()
        assert eventually(lambda: placed(pair, [0]) == [0])

    def test_one_that_cannot_be_started_again_is_left_out(
        self, pair: VllmEngine, fading: Path
    ) -> None:
        receiver = submit(pair, texts(40, 80), max_tokens=60)
        (fading / "model.safetensors").unlink()
        os.kill(pair.pids[0], signal.SIGKILL)
        answers = wait(receiver, 40)
        assert all(answer["error"] is None for answer in answers.values())
        assert eventually(lambda: _GONE in pair._absent)
        assert placed(pair, [0, 1, None]) == [1, 1, 1]
        os.kill(pair.pids[1], signal.SIGKILL)
        receiver = submit(pair, ["too late"], max_tokens=2)
        assert eventually(lambda: bool(receiver.errors))
        assert "could not be started again" in receiver.errors[0].message
