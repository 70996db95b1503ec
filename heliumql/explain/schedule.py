"""The schedule of the calls that are known before any answer comes, as EXPLAIN shows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from heliumql.explain.words import worker_name
from heliumql.physical.scheduler import PlannedCalls
from heliumql.scheduling.groups import Groups, prefix_groups
from heliumql.scheduling.policies import POLICIES
from heliumql.scheduling.schedule import ANY, Schedule
from heliumql.scheduling.workload import Workload

_MOST_GROUPS = 8  # that are kept to be shown, the heaviest


@dataclass(frozen=True)
class WorkerShown:
    """A worker and its part of the calls; the engine bears the names of its models.

    `worker` None: any worker of the engine. Repeated tokens are prompt tokens that come again on
    this worker: as many would be prefix hits if nothing were ever dropped.
    """

    engine: str
    worker: int | None
    calls: int
    groups: int  # of two or more calls that begin alike
    prompt_tokens: int
    repeated_tokens: int

    @property
    def name(self) -> str:
        return worker_name(self.engine, self.worker)


@dataclass(frozen=True)
class GroupShown:
    """Calls that begin with the same tokens; `workers` are those that the calls go to."""

    tokens: int  # that they have in common
    calls: int
    operators: tuple[str, ...]
    workers: tuple[str, ...]


@dataclass(frozen=True)
class ScheduleShown:
    """Where calls will run and in what order. Tokens are estimates, seconds the event model's."""

    policy: str
    order: str  # that was chosen, in words
    calls: int  # that it covers
    prompt_tokens: int
    hit_tokens: int | None  # prompt tokens expected in prefix caches
    seconds: float | None  # expected until the last answer
    others: tuple[tuple[str, float], ...]  # that were looked at, too, and their seconds
    workers: tuple[WorkerShown, ...]
    groups: tuple[GroupShown, ...]  # the heaviest first
    more_groups: int  # that are not in it
    kept: tuple[GroupShown, ...]  # prefixes that are computed first and kept while they are used


def schedule_shown(
    planned: PlannedCalls, names: Mapping[int, str], engines: Mapping[int, str]
) -> ScheduleShown:
    """`names` has the operators by site, `engines` what engines are called, by id."""
    workload, schedule = planned.workload, planned.schedule
    groups = prefix_groups(workload, max(w.constants.block_size for w in planned.workers))
    operators = [names[site] for site in planned.sites]
    places = [worker_name(engines[key], number) for key, number in planned.places]
    engine_names = {
        w.engine: engines[key]
        for w, (key, _) in zip(planned.workers, planned.places, strict=True)
    }  # fmt: skip
    where = [
        places[w] if w != ANY else worker_name(engine_names[workload.engine[call]], None)
        for call, w in enumerate(schedule.worker)
    ]

    def group(tokens: int, calls: Sequence[int], workers: Sequence[str]) -> GroupShown:
        first = sorted(calls, key=workload.operator.__getitem__)
        called = dict.fromkeys(operators[call] for call in first)
        return GroupShown(tokens, len(calls), tuple(called), tuple(dict.fromkeys(workers)))

    shared: dict[int, list[int]] = {}
    for call, number in enumerate(groups.group):
        if groups.node[number]:
            shared.setdefault(number, []).append(call)
    heaviest = sorted(
        ((workload.tree.end[groups.node[n]], calls) for n, calls in shared.items()),
        key=lambda found: -found[0] * (len(found[1]) - 1),
    )
    return ScheduleShown(
        schedule.policy,
        _in_words(schedule),
        len(workload),
        sum(workload.prompt),
        schedule.hit_tokens,
        schedule.seconds,
        tuple(seen for seen in schedule.looked_at if seen[0] != schedule.order),
        tuple(_workers(planned, engines, engine_names, groups)),
        tuple(group(tokens, c, [where[i] for i in c]) for tokens, c in heaviest[:_MOST_GROUPS]),
        max(0, len(heaviest) - _MOST_GROUPS),
        tuple(group(pin.tokens, pin.calls, [places[pin.worker]]) for pin in schedule.pins),
    )


def _in_words(schedule: Schedule) -> str:
    """The order of the calls: as it was chosen, else what the policy is."""
    described = (POLICIES[schedule.policy].__doc__ or "").partition("\n")[0]
    return schedule.order or described[:1].lower() + described[1:].removesuffix(".")


def _workers(
    planned: PlannedCalls,
    engines: Mapping[int, str],
    engine_names: Mapping[int, str],
    groups: Groups,
) -> Iterator[WorkerShown]:
    """All workers in their order, those without calls too, then what may run on any of them."""
    workload = planned.workload
    members: dict[tuple[str, int | None], list[int]] = {
        (engines[key], number): [] for key, number in planned.places
    }
    places = list(members)
    block = max(w.constants.block_size for w in planned.workers)
    for call, worker in enumerate(planned.schedule.worker):
        key = places[worker] if worker != ANY else (engine_names[workload.engine[call]], None)
        members.setdefault(key, []).append(call)
    anywhere = {engine for engine, number in members if number is None}
    for (engine, number), calls in members.items():
        if not calls and engine in anywhere:
            continue
        sizes = Counter(groups.group[call] for call in calls if groups.node[groups.group[call]])
        prompt = sum(workload.prompt[call] for call in calls)
        yield WorkerShown(
            engine,
            number,
            len(calls),
            sum(1 for size in sizes.values() if size > 1),
            prompt,
            _repeated_tokens(workload, calls, block),
        )


def _repeated_tokens(workload: Workload, calls: Sequence[int], block: int) -> int:
    """Prompt tokens of these calls that others of them, or their answers, begin with, too.

    In whole blocks, as engines find them; the last token of a prompt is computed in any case.
    """
    seen: set[int] = set()
    found = 0
    for call in sorted(calls, key=workload.level.__getitem__):
        keys = workload.keys(call, block)
        prompt = keys[: (workload.prompt[call] - 1) // block]
        found += sum(key in seen for key in prompt)
        seen.update(keys)
    return found * block
