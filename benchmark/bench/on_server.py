"""HeliumQL and other systems on one server, by turns, each with empty prefix caches at first.

Calls, tokens and CPU are what the server counts of itself. Answers are compared call by call: for
each conversation, made anew of the workload and the answers that came, what was answered. What was
really sent shows in the counts, which must fit. Answers to prompts of a system's own are not
compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from suites.recording import RecordingEngine
from suites.runs import Run, replay, run, session
from suites.suite import Suite
from systems.system import SYSTEMS, Answered
from systems.system import run as run_system
from vllm_server.counters import Counters
from vllm_server.server import Server
from workloads import workload
from workloads.workload import Workload

from bench.chosen import DEFAULT_POLICY, LIMITS, Chosen, policy_of, unmerged
from bench.in_process import rotated
from bench.named import named
from heliumql.catalog.techniques import SHARE
from heliumql.engines.openai import OpenAIEngine
from heliumql.errors import EngineError


def engine_for(server: Server, slots: int) -> OpenAIEngine:
    """HeliumQL's own way to the server; to be closed. Raises EngineError where it is not there."""
    engine = OpenAIEngine(
        {
            "base_url": list(server.base_urls),
            "model": server.model,
            "max_num_seqs": slots,
            "priorities": True,
        }
    )
    try:
        engine.start()
    except EngineError:
        engine.close()
        raise
    return engine


@dataclass(frozen=True)
class OnServer:
    """A suite on a server. HeliumQL's engine is one for all runs, each in a session of its own: so
    it knows how fast the server is, not how long its answers are."""

    suite: Suite
    chosen: Chosen
    server: Server
    engine: RecordingEngine

    def runs(self) -> Iterator[tuple[int, str, Run]]:
        """Turn, system and run; a different system is first in each turn, the limits are last."""
        chosen = self.chosen
        rows, scale = chosen.rows_of(self.suite), chosen.scale_of(self.suite)
        work = workload(self.suite.name, rows, scale, chosen.seed)
        systems = [s for s in chosen.systems_of(self.suite) if s not in LIMITS]
        limits = [s for s in chosen.systems if s in LIMITS]
        self._heliumql(DEFAULT_POLICY, rows=1)  # the first calls of a process take longer
        for turn in range(chosen.repeat):
            for system in rotated(systems, turn):
                policy = policy_of(system)
                if policy is None:
                    yield turn, system, self._other(system, work)
                else:
                    yield turn, system, self._heliumql(policy, merged=not unmerged(system))
            for limit in limits:
                yield turn, limit, self._oracle() if limit == "oracle" else self._heliumql(rows=1)

    def _heliumql(
        self,
        policy: str = DEFAULT_POLICY,
        *,
        rows: int | None = None,
        replayed: bool = False,
        merged: bool = True,
    ) -> Run:
        chosen, suite, engine = self.chosen, self.suite, self.engine
        rows, scale = rows or chosen.rows_of(suite), chosen.scale_of(suite)
        with session(suite, engine, rows, scale, chosen.seed) as con:
            if replayed:
                record = run(con, suite.text(), engine, policy).record
            self.server.reset()
            before = self.server.counters()
            if replayed:
                found = replay(con, engine, record, policy)
            else:
                found = run(con, suite.text(), engine, policy, "" if merged else SHARE)
            counted = self.server.counters() - before
        asked = tuple(sorted({(one.messages, one.text) for one in found.record}))
        return replace(
            found,
            calls=counted.requests,
            cpu=counted.cpu_seconds,
            prompt_tokens=counted.prompt_tokens,
            hit_tokens=counted.hit_tokens,
            output_tokens=counted.output_tokens,
            steps=counted.steps,
            rows=asked,
        )

    def _oracle(self) -> Run:
        return self._heliumql(replayed=True)

    def _other(self, system: str, work: Workload) -> Run:
        who = named(system)
        url, model = self.server.base_urls[0], self.server.model
        before = Counters()

        def ready() -> None:
            nonlocal before
            self.server.reset()
            before = self.server.counters()

        answered = run_system(
            SYSTEMS[who.system], url, model, work.as_json(), who.setting, ready=ready
        )
        counted = self.server.counters() - before
        if not who.own_prompts and counted.requests != answered.calls:
            raise RuntimeError(f"{system} asked {counted.requests} times, not {answered.calls}")
        if counted.output_tokens != counted.requests * work.max_tokens:
            raise RuntimeError(
                f"{system}: {counted.requests} answers have {counted.output_tokens} tokens, "
                f"not {work.max_tokens} each"
            )
        return Run(
            system,
            answered.seconds,
            counted.cpu_seconds,
            answered.client_cpu,
            None,
            answered.calls,
            counted.requests,
            counted.prompt_tokens,
            counted.hit_tokens,
            counted.output_tokens,
            None,
            asked_and_answered(work, answered),
            (),
            answered.cold_seconds,
            counted.steps,
        )


def asked_and_answered(
    work: Workload, answered: Answered
) -> tuple[tuple[tuple[tuple[str, str], ...], str], ...]:
    """The distinct conversations of a system with their answers, in the order of their texts."""
    found = set()
    for item in work.items:
        answers = answered.answers[item.name]
        for call in item.calls:
            found.add((tuple(item.messages(call, answers)), answers[call.name]))
    return tuple(sorted(found))
