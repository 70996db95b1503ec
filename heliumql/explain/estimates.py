"""Estimates: rows, calls, tokens, time and price of the LLM operators of a plan.

What the survey counted is exact. What stands behind a cut is estimated: rows by the shares that
conditions let through, tokens by what earlier runs learnt, else by assumptions that are said.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Protocol

from heliumql.binder.cuts import Carried
from heliumql.cost.event_model import Constants
from heliumql.engines.engine import CallSpec
from heliumql.explain.explanation import Figure
from heliumql.logical import Dag, Fetch, Generate, Node, Query, Recurse
from heliumql.physical.site import assumed_output_tokens
from heliumql.physical.survey import Seen, Surveyed

TOKENS_PER_BYTE = 0.25
PLACEHOLDER_BYTES = 100.0  # of a column that nobody has looked at
_DEFAULT_ROWS = 1000.0
_STEPS = 3.0  # of a loop


class Stats(Protocol):
    """What is learnt of an operator, as far as estimates read it."""

    @property
    def tokens_per_byte(self) -> float | None: ...
    @property
    def mean_output_tokens(self) -> float: ...
    @property
    def mean_seconds(self) -> float: ...


@dataclass(frozen=True)
class PerCall:
    """What one call of an operator takes. `assumed`: nothing was learnt of it yet."""

    tokens_per_byte: float
    output_tokens: float
    seconds: float | None
    assumed: bool


def per_call(learnt: Stats | None, spec: CallSpec, options: Mapping[str, object]) -> PerCall:
    """What is learnt of the operator, else what its type and its model's options say."""
    if learnt is not None:
        ratio = learnt.tokens_per_byte or TOKENS_PER_BYTE
        output, seconds = learnt.mean_output_tokens, learnt.mean_seconds
        return PerCall(ratio, output, _simulated_seconds(options, output) or seconds, False)
    output = assumed_output_tokens(spec)
    assumed = spec.task == "generate"  # the length of an answer, which an embedding has not
    return PerCall(TOKENS_PER_BYTE, output, _simulated_seconds(options, output), assumed)


def _simulated_seconds(options: Mapping[str, object], output_tokens: float) -> float | None:
    """The simulated engine's time for a call, in virtual seconds; other engines: None."""
    if options.get("engine") != "simulated":
        return None
    if options.get("instant"):
        return 0.0
    known = {f.name for f in fields(Constants)}
    given = {k: float(str(v)) for k, v in options.items() if k in known}
    step = given.get("step_seconds", Constants.step_seconds)
    return (output_tokens + 1) * step + float(str(options.get("latency_seconds", 0)))


def waits_before(plan: Dag, number: int) -> bool:
    """Do rows wait for other answers before those of this operator are asked for?

    That is below it, or above it before anything waits for it, or wherever nothing does.
    """
    node = plan.nodes[number]
    assert isinstance(node, Generate | Fetch)
    below = plan.below(number)
    if number in _in_loops(plan):
        return True
    for place, other in enumerate(plan.nodes):
        if place in below and (isinstance(other, Recurse) or _holds_back(other)):
            return True
        if number in plan.below(place) and isinstance(other, Query) and other.waits:
            first = other.waits[0]
            # Of several answers in one place, the first is waited for first.
            return node.site not in first.sites or first.answers > 1
    return True


def _holds_back(node: Node) -> bool:
    return isinstance(node, Query) and (bool(node.waits) or node.grows)


def rows_of(plan: Dag, surveyed: Surveyed | None) -> dict[int, Figure]:
    """For every site how many rows ask it."""
    asked: dict[int, Figure] = {}
    for node, flow in zip(plan.nodes, flows_of(plan, surveyed), strict=True):
        if isinstance(node, Generate | Fetch):
            asked[node.site] = max(asked.get(node.site, flow), flow, key=lambda f: f.value)
    return asked


def flows_of(plan: Dag, surveyed: Surveyed | None) -> tuple[Figure, ...]:
    """How many rows every node gives; an LLM operator as many as ask it."""
    flows: list[Figure] = []
    looping = _in_loops(plan)
    for number, node in enumerate(plan.nodes):
        inputs = [flows[i] for i in node.inputs]
        flow = _flow(node, inputs) if isinstance(node, Query) else (inputs or [Figure(1)])[-1]
        if isinstance(node, Recurse):
            flow = Figure(max(f.value for f in inputs) * _STEPS, exact=False)
        if isinstance(node, Generate | Fetch):
            seen = surveyed.sites.get(node.site) if surveyed else None
            if (
                seen is not None
                and surveyed is not None
                and _is_exact(plan, number, seen, surveyed)
            ):
                flow = Figure(seen.rows)
            elif seen is not None and surveyed is not None and surveyed.complete:
                flow = Figure(seen.rows, exact=False)  # unless answers that are NULL change it
            else:
                least = seen.rows if seen is not None else 0
                times = _STEPS if number in looping else 1.0
                flow = Figure(max(flow.value * times, least), exact=False)
        flows.append(flow)
    return tuple(flows)


def _is_exact(plan: Dag, number: int, seen: Seen, surveyed: Surveyed) -> bool:
    if surveyed.stopped or surveyed.failure is not None:
        return False
    if not seen.sure:
        return False
    return surveyed.complete or (seen.asked and not waits_before(plan, number))


def _in_loops(plan: Dag) -> frozenset[int]:
    loops = [n for n in plan.nodes if isinstance(n, Recurse)]
    return frozenset(i for loop in loops for i in plan.below(loop.inputs[-1]))


def _flow(node: Query, inputs: Sequence[Figure]) -> Figure:
    """The rows that a node gives."""
    if not inputs:
        rows = _DEFAULT_ROWS if node.rows is None else float(node.rows)
    elif node.pairs:
        rows = inputs[0].value * inputs[1].value
    elif len(inputs) > 1 and node.work[0].startswith("union"):
        rows = sum(i.value for i in inputs)
    else:
        rows = max(i.value for i in inputs)
    rows *= node.keeps
    if node.gathers:
        rows = rows**0.5
    if node.at_most is not None:
        rows = min(rows, node.at_most)
    return Figure(math.ceil(rows), exact=False)


def calls_of(rows: Figure, seen: Seen | None) -> tuple[Figure, Figure]:
    """Calls to run and calls that are remembered, for these rows.

    Calls that are made of answers may turn out to say the same; they are then fewer.
    """
    if seen is not None and seen.rows and rows.exact:
        certain = not seen.calls or not seen.references
        return Figure(seen.calls, certain), Figure(seen.fetched, certain)
    if seen is not None and seen.rows:
        scale = max(1.0, rows.value / seen.rows)
        calls, fetched = math.ceil(seen.calls * scale), math.floor(seen.fetched * scale)
        return Figure(calls, exact=False), Figure(fetched, exact=False)
    return rows, Figure(0, rows.exact)


def expected_seconds(
    plan: Dag,
    calls: Mapping[int, Figure],
    seconds: Mapping[int, float | None],
    engines: Mapping[int, tuple[int, int]],
) -> float | None:
    """Time until the last answer: the longest chain of calls, or what the engines can do at once.

    `engines` tells for every site its engine and how many calls that has room for.
    """
    if any(s is None for s in seconds.values()):
        return None
    busy: dict[int, float] = {}
    for site, (engine, slots) in engines.items():
        busy[engine] = busy.get(engine, 0.0) + calls[site].value * (seconds[site] or 0.0) / slots
    chain: list[float] = []
    for node in plan.nodes:
        before = max((chain[i] for i in node.inputs), default=0.0)
        own = 0.0
        if isinstance(node, Generate | Fetch) and calls[node.site].value > 0:
            own = seconds[node.site] or 0.0
        chain.append(before + own)
    return max([*chain, *busy.values()], default=0.0)


def passes_of(plan: Dag, surveyed: Surveyed | None, carried: Carried) -> Figure:
    """How often the relational part is evaluated: once more for every wait on the longest way."""
    if surveyed is not None and surveyed.complete:
        return Figure(surveyed.passes, surveyed.sure)
    if not carried.cuts and not carried.limits:
        return Figure(1)
    depth: list[int] = []
    for node in plan.nodes:
        before = max((depth[i] for i in node.inputs), default=0)
        if isinstance(node, Query):
            before += len({wait.sites for wait in node.waits})
        elif isinstance(node, Recurse):
            before += round(_STEPS)
        depth.append(before)
    return Figure(max(2, depth[-1] + 1), exact=False)
