"""Helium's cache-aware scheduling: the paper's algorithm 1 over a tree of operators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from heliumql.scheduling.prefix_tree import PrefixTree
from heliumql.scheduling.schedule import Schedule
from heliumql.scheduling.workload import Worker, Workload

_ROOT = 0


def helium(workload: Workload, workers: Sequence[Worker]) -> Schedule:
    """A soft order for each worker, as published (Helium paper, section 5).

    Every worker gets an equal range of the queries. The operators of a worker are visited depth
    first in the tree of their templates. What one visit of a topmost node with a placeholder emits
    is an inner sequence: it runs row by row, so that what its operators share of a row is hot.
    """
    chosen = _ranges(workload, workers)
    calls: list[list[int]] = [[] for _ in workers]
    for call, worker in enumerate(chosen):
        calls[worker].append(call)
    rank = [0] * len(workload)
    place = 0
    for worker, own in enumerate(calls):
        templates = _templates(workload, own)
        capacity = workers[worker].constants.kv_cache_tokens
        for sequence in _Visit(workload, templates, capacity).sequences():
            for call in _row_by_row(workload, templates, sequence):
                rank[call] = place
                place += 1
    return Schedule("helium", rank, chosen)


@dataclass(frozen=True)
class _Template:
    """An operator of one worker: its place in the tree of templates and what it costs."""

    operator: int
    calls: Sequence[int]  # in the order of rows
    path: Sequence[int]  # nodes below the root, of the row that stands for all
    static: int  # how many of these nodes the calls of all rows share
    prompt: float  # tokens of a call, on average
    output: float
    needs: frozenset[int]  # operators of this worker


def _ranges(workload: Workload, workers: Sequence[Worker]) -> list[int]:
    """The worker of each call: of each engine's queries, equal ranges go to its workers."""
    chosen = [0] * len(workload)
    for engine in set(workload.engine):
        own = [n for n, worker in enumerate(workers) if worker.engine == engine]
        if not own:
            raise ValueError(f"no worker for engine {engine}")
        calls = [c for c in range(len(workload)) if workload.engine[c] == engine]
        queries = sorted({workload.query[c] for c in calls})
        worker = {q: own[n * len(own) // len(queries)] for n, q in enumerate(queries)}
        for call in calls:
            chosen[call] = worker[workload.query[call]]
    return chosen


def _templates(workload: Workload, calls: Sequence[int]) -> dict[int, _Template]:
    """The operators of these calls. The first row of an operator stands for its template.

    Operators share a node where their rows of the same query share it; a node that all rows of an
    operator share is static text, one that they do not share has a placeholder in it.
    """
    members: dict[int, list[int]] = {}
    for call in calls:
        members.setdefault(workload.operator[call], []).append(call)
    here = set(calls)
    result = {}
    for operator, own in sorted(members.items()):
        first = workload.query[own[0]]
        rows = [c for c in own if workload.query[c] == first]
        path = _common(workload.tree, rows)
        result[operator] = _Template(
            operator,
            sorted(own, key=lambda c: (workload.query[c], c)),
            path,
            len(_common(workload.tree, own)) if len(own) > len(rows) else len(path) - 1,
            sum(workload.prompt[c] for c in own) / len(own),
            sum(workload.output[c] for c in own) / len(own),
            frozenset(
                workload.operator[n] for c in own for n in workload.needs[c] if n in here
            ) - {operator},
        )  # fmt: skip
    return result


def _common(tree: PrefixTree, calls: Sequence[int]) -> list[int]:
    """The nodes that the paths of all these calls begin with."""
    common = tree.path(calls[0])
    for call in calls[1:]:
        path = tree.path(call)
        length = 0
        for one, other in zip(common, path, strict=False):
            if one != other:
                break
            length += 1
        common = common[:length]
    return common


class _Visit:
    """The recursive visit of the tree. Time is token usage: steps of a worker with a full cache."""

    def __init__(
        self, workload: Workload, templates: Mapping[int, _Template], capacity: int
    ) -> None:
        self._tree = workload.tree
        self._templates = templates
        self._alpha = 1 / capacity
        self._now = 0.0
        self._start = {o: 0.0 for o, t in templates.items() if not t.needs}
        self._missing = {o: len(t.needs) for o, t in templates.items()}
        self._dependents: dict[int, list[int]] = {o: [] for o in templates}
        for operator, template in templates.items():
            for need in template.needs:
                self._dependents[need].append(operator)
        # Operators on the longest way to an end of the graph; those above have greater numbers.
        self._depth: dict[int, int] = {}
        for operator in sorted(templates, reverse=True):
            above = self._dependents[operator]
            self._depth[operator] = 1 + max((self._depth[d] for d in above), default=0)
        self._static = {n for t in templates.values() for n in t.path[: t.static]}
        self._below: dict[int, list[int]] = {_ROOT: []}  # children, first seen first
        self._ends: dict[int, list[int]] = {}  # operators whose template ends at the node
        self._operators: dict[int, set[int]] = {_ROOT: set()}  # not emitted, in the subtree
        for operator, template in templates.items():
            node = _ROOT
            self._operators.setdefault(node, set()).add(operator)
            for child in template.path:
                if child not in self._below:
                    self._below[child] = []
                    self._below[node].append(child)
                node = child
                self._operators.setdefault(node, set()).add(operator)
            self._ends.setdefault(node, []).append(operator)
        self._ready: dict[int, float] = {}  # of emitted operators: when their answers are there
        self._last: _Template | None = None
        self._sequences: list[list[int]] = []

    def sequences(self) -> list[list[int]]:
        """The inner sequences, operators each, in their order."""
        while self._operators[_ROOT]:
            if not self._startable(_ROOT):
                if not self._start:
                    raise ValueError("operators that wait for each other")
                # Nothing may start anywhere: the one that could start first is forced.
                self._now = min(self._start.values())
            self._visit(_ROOT, None)
        return self._sequences

    def _startable(self, node: int) -> list[int]:
        return [o for o in self._operators[node] if self._start.get(o, self._now + 1) <= self._now]

    def _visit(self, node: int, sequence: list[int] | None) -> None:
        """Emit what may start below the node, until nothing there may."""
        if sequence is None and node != _ROOT and node not in self._static:
            sequence = []
            self._sequences.append(sequence)
        while True:
            for operator in sorted(self._ends.get(node, ())):
                if operator in self._operators[node] and operator in self._startable(node):
                    self._emit(operator, sequence)
            best: tuple[int, float, int] | None = None
            child = _ROOT
            for below in self._below[node]:
                startable = self._startable(below)
                if startable:
                    depth = max(self._depth[o] for o in startable)
                    found = (-depth, min(self._start[o] for o in startable), min(startable))
                    if best is None or found < best:
                        best, child = found, below
            if best is None:
                return
            self._visit(child, sequence)

    def _emit(self, operator: int, sequence: list[int] | None) -> None:
        if sequence is None:
            self._sequences.append([operator])
        else:
            sequence.append(operator)
        template = self._templates[operator]
        for node in (_ROOT, *template.path):
            self._operators[node].remove(operator)
        del self._start[operator]
        self._now += self._usage(template)
        self._last = template
        # An answer needs a step a token, the rows of an operator draw theirs side by side.
        self._ready[operator] = self._now + template.output
        for dependent in self._dependents[operator]:
            self._missing[dependent] -= 1
            if not self._missing[dependent]:
                needs = self._templates[dependent].needs
                self._start[dependent] = max(self._ready[n] for n in needs)

    def _usage(self, template: _Template) -> float:
        """alpha (out * u_p + u_d) of the operator's rows: the paper's token usage, section 5."""
        out = template.output
        prefill = max(0.0, template.prompt - self._shared(template))
        return len(template.calls) * self._alpha * (out * prefill + out * (out + 1) / 2)

    def _shared(self, template: _Template) -> int:
        """Tokens that the template shares with the one emitted before."""
        shared = 0
        if self._last is not None:
            for one, other in zip(self._last.path, template.path, strict=False):
                if one != other:
                    break
                shared = self._tree.end[one]
        return shared


def _row_by_row(
    workload: Workload, templates: Mapping[int, _Template], sequence: Sequence[int]
) -> list[int]:
    """The calls of an inner sequence: one query after the other, its operators in their order."""
    rows: dict[int, list[int]] = {}
    for operator in sequence:
        for call in templates[operator].calls:
            rows.setdefault(workload.query[call], []).append(call)
    return [call for query in sorted(rows) for call in rows[query]]
