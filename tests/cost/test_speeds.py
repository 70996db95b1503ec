"""Speeds are learnt from steps: constants of the event model are found again."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from heliumql.cost.event_model import Constants, EventModel
from heliumql.cost.speeds import Observed, Step

SPEEDS = (
    "step_seconds",
    "prefill_seconds_per_token",
    "decode_seconds_per_sequence",
    "attention_seconds_per_pair",
    "kv_read_seconds_per_token",
)
SLOW = Constants(
    block_size=32,
    kv_cache_tokens=20_000,
    max_num_seqs=16,
    max_num_batched_tokens=512,
    step_seconds=0.003,
    prefill_seconds_per_token=0.0004,
    decode_seconds_per_sequence=0.0007,
    attention_seconds_per_pair=0.0000003,
    kv_read_seconds_per_token=0.0000007,
)


def steps(
    constants: Constants, calls: list[tuple[int, int]], noise: Callable[[], float] = lambda: 1.0
) -> Iterator[Step]:
    """The steps of an event model that runs calls of so many prompt and output tokens."""
    model: EventModel[int] = EventModel(constants)
    for call, (prompt, output) in enumerate(calls):
        model.add(call, prompt, (), output, 0)
    while model.busy:
        began, prefilled = model.now, model.prefill_tokens
        decoding, looked_back = model._decoding, model._looked_back
        model.step(until=model.now)  # one step alone
        yield Step(
            (model.now - began) * noise(),
            model.prefill_tokens - prefilled,
            decoding,
            model._pairs + looked_back,
            looked_back,
        )


def some_calls(count: int = 40) -> list[tuple[int, int]]:
    draw = random.Random(1)
    return [(draw.randrange(20, 900), draw.randrange(1, 150)) for _ in range(count)]


def speeds(constants: Constants) -> list[float]:
    return [getattr(constants, name) for name in SPEEDS]


def test_constants_are_found_again() -> None:
    fitted = Observed().add(steps(SLOW, some_calls(500))).fit(Constants(block_size=32))
    assert speeds(fitted) == pytest.approx(speeds(SLOW), rel=0.1)
    assert fitted.block_size == 32


def test_a_noisy_machine_is_seen_through() -> None:
    draw = random.Random(2)

    def noise() -> float:
        return draw.uniform(0.9, 1.1) * (5 if draw.random() < 0.01 else 1)

    fitted = Observed().add(steps(SLOW, some_calls(200), noise)).fit(Constants())
    for seconds, *computed, _ in steps(SLOW, some_calls()):
        expected = sum(s * x for s, x in zip(speeds(fitted), (1, *computed), strict=True))
        assert expected == pytest.approx(seconds, rel=0.1)


def test_nothing_seen_leaves_the_constants() -> None:
    assert Observed().fit(SLOW) == SLOW


def test_what_no_step_shows_keeps_its_proportion() -> None:
    default = Constants()
    slowly = [Step(20 * (0.008 + 0.00004 * n), n, 0, 0.0, 0.0) for n in (10, 500, 3000) * 20]
    fitted = Observed().add(slowly).fit(default)
    assert fitted.decode_seconds_per_sequence == pytest.approx(
        20 * default.decode_seconds_per_sequence, rel=0.05
    )


def test_no_speed_is_below_zero() -> None:
    odd = [Step(0.01 / (1 + n), n, n % 3, n * 100.0, n * 3.0) for n in range(50)]
    assert min(speeds(Observed().add(odd).fit(Constants()))) >= 0


def test_time_of_a_call_is_the_mean() -> None:
    observed = Observed().add((), calls=4, call_seconds=0.2)
    assert observed.fit(SLOW).call_seconds == pytest.approx(0.05)
    assert speeds(observed.fit(SLOW)) == speeds(SLOW)


def test_parts_add_up() -> None:
    rows = list(steps(SLOW, some_calls(10)))
    apart = Observed().add(rows[::2], 3, 0.1).add(rows[1::2])
    assert apart.sums == pytest.approx(Observed().add(rows, 3, 0.1).sums)


def test_a_mean_is_one_observation_and_ages_others_as_its_steps_do() -> None:
    one = Step(0.01, 30, 4, 500.0, 90.0)
    plain, mean = Observed().add([one]), Observed().add([one._replace(times=5000)])
    assert mean.sums[1:] == plain.sums[1:]
    assert (plain.steps, mean.steps) == (1, 5000)
    assert mean.kept == pytest.approx(0.5)


def test_means_of_many_steps_tell_what_the_steps_do() -> None:
    """As a server tells them, which counts no pairs."""
    plain = replace(SLOW, attention_seconds_per_pair=0.0, kv_read_seconds_per_token=0.0)
    rows = list(steps(plain, some_calls(500)))
    means = []
    for start in range(0, len(rows), 50):
        part = rows[start : start + 50]
        mean = [sum(values) / len(part) for values in zip(*(row[:3] for row in part), strict=True)]
        means.append(Step(*mean, 0.0, 0.0, len(part)))
    fitted = Observed().add(means).fit(Constants())
    prefill = plain.prefill_seconds_per_token
    assert fitted.prefill_seconds_per_token == pytest.approx(prefill, rel=0.1)
    for seconds, *computed, _ in means:
        expected = sum(s * x for s, x in zip(speeds(fitted), (1, *computed), strict=True))
        assert expected == pytest.approx(seconds, rel=0.15)


def test_newer_steps_count_most() -> None:
    fast = [Step(0.001, 1, 1, 50.0, 50.0)] * 20_000
    before = Observed().add([Step(0.1, 1, 1, 50.0, 50.0)] * 20_000)
    after = before.merge(Observed().add(fast)).fit(Constants())
    took = after.step_seconds + after.prefill_seconds_per_token + after.decode_seconds_per_sequence
    assert took + 50 * (after.attention_seconds_per_pair + after.kv_read_seconds_per_token) < 0.005


def test_sums_of_another_kind_are_refused() -> None:
    with pytest.raises(ValueError, match="23 sums, not 3"):
        Observed((1.0, 2.0, 3.0))
