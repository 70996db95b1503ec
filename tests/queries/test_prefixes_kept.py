"""Prefixes that a schedule wants kept: warmed before their calls, counted, let go in the end."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

import heliumql
from heliumql.connection import Connection
from heliumql.engines.engine import CallSpec, Told, Warmup
from heliumql.engines.simulated import ScriptedAnswer, SimulatedEngine
from heliumql.errors import EngineError, HeliumQLError
from heliumql.physical import scheduler
from heliumql.physical.kept import KeptPrefixes
from heliumql.scheduling.policies.fcfs import fcfs
from heliumql.scheduling.schedule import Pin, Schedule
from heliumql.scheduling.workload import Worker, Workload

INSTRUCTION = "instruct " + "be careful. " * 107  # 320 tokens and some
ROUNDS = 6


def chain() -> str:
    """A chain of calls in which an instruction returns when two long reports have been read."""
    call = "'start'"
    for number in range(ROUNDS):
        call = f"LLM_GENERATE('{INSTRUCTION}' || {call}, max_tokens => 16)"
        for report in (f"a{number}", f"b{number}"):
            text = f"report {report} " * 360
            call = f"LLM_GENERATE('{text}' || {call}, max_tokens => 16)"
    return f"SELECT {call}"


def said(messages: Sequence[tuple[str, str]], spec: CallSpec) -> ScriptedAnswer:
    """Every text is answered by another word of four tokens."""
    return ScriptedAnswer(hashlib.md5(repr(messages).encode()).hexdigest()[:16])


class Watched(SimulatedEngine):
    """Notes which prefixes it was to warm and to let go, and how many calls had come by then."""

    def __init__(self, **options: object) -> None:
        super().__init__({"max_num_seqs": 1, "kv_cache_tokens": 1600, **options}, said)
        self.warmed: list[tuple[int, Warmup]] = []
        self.released: list[bytes] = []

    def warm(self, warmups: Sequence[Warmup], told: Told) -> None:
        self.warmed += [(len(self.log), warmup) for warmup in warmups]
        super().warm(warmups, told)

    def release(self, keys: Sequence[bytes]) -> None:
        self.released += keys
        super().release(keys)

    @property
    def keys(self) -> list[bytes]:
        return [warmup.key for _, warmup in self.warmed]

    @property
    def pinned(self) -> int:
        """Blocks that are kept."""
        return sum(len(model._pinned) for model in self._models.models)

    def hits(self) -> list[int]:
        """Cached tokens of the calls with the instruction."""
        own = [c for c in self.log if c.prompt.startswith("instruct")]
        return [c.answer.cached_tokens for c in own if c.answer is not None]


@pytest.fixture
def connection() -> Iterator[Connection]:
    with heliumql.connect() as con:
        yield con


def test_a_prefix_that_would_be_computed_again_and_again_is_kept(connection: Connection) -> None:
    engine = Watched()
    connection.register_model("m", engine)
    relation = connection.sql(chain())
    assert relation is not None
    assert len(relation.fetchall()) == 1
    assert [calls for calls, _ in engine.warmed] == [0]
    assert engine.warmed[0][1].first[-1][1] == INSTRUCTION
    assert engine.warmed[0][1].keep
    assert engine.hits() == [320] * ROUNDS
    # What does not fit the share of the cache that is for nobody is let go.
    assert engine.released == engine.keys
    assert engine.pinned == 0
    stats = relation.stats
    assert stats is not None
    assert stats.calls_run == stats.calls_asked == len(engine.log) == 3 * ROUNDS
    prompts = sum(c.answer.prompt_tokens for c in engine.log if c.answer)
    assert 320 <= stats.prompt_tokens - prompts < 340
    assert stats.prefix_hit_tokens == 320 * ROUNDS


def test_nothing_is_warmed_where_that_is_off(connection: Connection) -> None:
    engine = Watched()
    connection.register_model("m", engine)
    connection.set("llm_disabled_rules", "keep_prefixes")
    relation = connection.sql(chain())
    assert relation is not None
    assert len(relation.fetchall()) == 1
    assert engine.warmed == engine.released == []


def test_nothing_is_kept_in_the_order_of_arrival(connection: Connection) -> None:
    engine = Watched()
    connection.register_model("m", engine)
    connection.set("llm_scheduler", "fcfs")
    connection.sql(chain()).fetchall()
    assert engine.warmed == []
    assert engine.hits() == [0] * ROUNDS


def pinning(workload: Workload, workers: Sequence[Worker]) -> Schedule:
    """Calls in turn on the workers; on each the first node of its calls is kept."""
    place = [call % len(workers) for call in range(len(workload))]
    pins = []
    for worker in set(place):
        calls = [call for call, own in enumerate(place) if own == worker]
        node = workload.tree.path(calls[0])[0]
        calls = [call for call in calls if node in workload.tree.path(call)]
        pins.append(Pin(node, worker, workload.tree.end[node], calls))
    return replace(fcfs(workload, workers), worker=place, pins=pins)


@pytest.fixture
def pins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler, "POLICIES", {"cache_aware": pinning})


ROWS = f"SELECT LLM_GENERATE('{INSTRUCTION}{{i}}', max_tokens => 16) FROM range(%d, %d) r(i)"


@pytest.mark.usefixtures("pins")
def test_each_worker_keeps_the_prefix_under_a_name_of_its_own(connection: Connection) -> None:
    engine = Watched(workers=2, kv_cache_tokens=2000)
    connection.register_model("m", engine)
    connection.sql(ROWS % (0, 8)).fetchall()
    assert [warmup.worker for _, warmup in engine.warmed] == [0, 1]
    assert len(set(engine.keys)) == 2
    assert engine.hits() == [320] * 8
    assert sorted(engine.released) == sorted(engine.keys)
    assert engine.pinned == 0


@pytest.mark.usefixtures("pins")
def test_what_is_worth_it_stays_for_the_next_statement(connection: Connection) -> None:
    engine = Watched(kv_cache_tokens=4000)
    connection.register_model("m", engine)
    connection.sql(ROWS % (0, 8)).fetchall()
    assert (len(engine.warmed), engine.released) == (1, [])
    assert engine.pinned == 20
    connection.sql(ROWS % (8, 12)).fetchall()
    assert len(engine.warmed) == 1
    assert engine.hits() == [320] * 12
    # Another one is worth more: it stays, the first one goes.
    other = (ROWS % (0, 40)).replace("careful", "certain")
    connection.sql(other).fetchall()
    assert len(engine.warmed) == 2
    assert engine.released == [engine.keys[0]]
    assert engine.pinned == 20
    connection.close()
    assert engine.pinned == 0


@pytest.mark.usefixtures("pins")
@pytest.mark.parametrize("how", ["interrupted", "failed", "not read"])
def test_a_statement_that_ends_early_lets_go_too(how: str, connection: Connection) -> None:
    engine = Watched()

    def ends(messages: Sequence[tuple[str, str]], spec: CallSpec) -> ScriptedAnswer:
        if messages[-1][1].endswith("5") and how == "interrupted":
            connection.interrupt()
        bad = messages[-1][1].endswith("5") and how == "failed"
        return ScriptedAnswer(error="no") if bad else said(messages, spec)

    engine._script = ends
    connection.register_model("m", engine)
    connection.set("llm_on_error", "fail")
    if how == "not read":
        relation = connection.sql(ROWS % (0, 20))
        assert relation is not None
        next(iter(relation.batches()))
        del relation
        connection.sql("SELECT LLM_GENERATE('x')").fetchall()
    else:
        with pytest.raises(HeliumQLError):
            connection.sql(ROWS % (0, 20)).fetchall()
    assert engine.keys
    assert set(engine.released) >= {engine.keys[0]}
    assert engine.pinned == 0


@pytest.mark.usefixtures("pins")
def test_an_engine_that_cannot_warm_is_left_alone(connection: Connection) -> None:
    inner = Watched()

    class Shown:
        """Has workers, but keeps nothing."""

        slots, workers = 1, inner.workers
        start, submit, advance = inner.start, inner.submit, inner.advance
        cancel, close = inner.cancel, inner.close

    connection.register_model("m", Shown())
    assert len(connection.sql(ROWS % (0, 8)).fetchall()) == 8
    assert inner.warmed == []


@pytest.mark.usefixtures("pins")
@pytest.mark.parametrize("method", ["warm", "release"])
@pytest.mark.parametrize("rows", [1, 8])  # all that there are may have been taken by then
def test_an_engine_that_raises_when_it_is_to_keep_prefixes_ends_the_statement(
    method: str, rows: int, connection: Connection
) -> None:
    class Raising(Watched):
        def warm(self, warmups: Sequence[Warmup], told: Told) -> None:
            if method == "warm":
                raise RuntimeError("out of order")
            super().warm(warmups, told)

        def release(self, keys: Sequence[bytes]) -> None:
            if method == "release":
                raise RuntimeError("out of order")
            super().release(keys)

    connection.register_model("m", Raising())
    if method == "warm":
        with pytest.raises(EngineError, match="failed: RuntimeError: out of order"):
            connection.sql(ROWS % (0, rows)).fetchall()
    else:  # all calls are answered by then
        assert len(connection.sql(ROWS % (0, rows)).fetchall()) == rows


def warmup(name: bytes, worker: int = 0) -> Warmup:
    return Warmup(name, worker, (("user", "a"),), (("user", "b"),), keep=True)


def test_prefixes_that_several_statements_use_are_warmed_once_and_kept_to_the_last() -> None:
    kept = KeptPrefixes()
    assert [w.key for w in kept.missing(1, [(warmup(b"a"), 500, 4)])] == [b"a"]
    assert kept.missing(1, [(warmup(b"a"), 500, 2)]) == []
    assert [w.key for w in kept.missing(2, [(warmup(b"a"), 500, 2)])] == [b"a"]
    assert kept.unused(1, [b"a"], [1000]) == []
    assert kept.unused(1, [b"a"], [1000]) == [b"a"]
    assert [w.key for w in kept.missing(1, [(warmup(b"a"), 500, 4)])] == [b"a"]


def test_the_most_valuable_prefixes_stay_within_the_share_of_their_worker() -> None:
    kept = KeptPrefixes()
    wanted = [(b"a", 0, 60, 2), (b"b", 0, 60, 9), (b"c", 0, 40, 3), (b"d", 1, 100, 2)]
    kept.missing(1, [(warmup(name, worker), n, uses) for name, worker, n, uses in wanted])
    assert kept.unused(1, [b"a", b"b", b"c", b"d", b"unknown"], [1000, 1000]) == [b"a"]
    assert kept.missing(1, [(warmup(b"b"), 60, 1), (warmup(b"c"), 40, 1)]) == []
    # In use they do not count against the share.
    assert kept.missing(1, [(warmup(b"e"), 100, 2)])
    assert kept.unused(1, [b"e"], [1000, 1000]) == []
    # b has saved 480 tokens, e 100, c 80; beside b only c fits.
    assert kept.unused(1, [b"b"], [1000, 1000]) == [b"e"]
