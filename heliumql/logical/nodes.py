"""The nodes of a logical plan. A node names its inputs by number; equal nodes are one node.

`binder/logical.py` makes the graph of a bound query, `explain/` shows it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import assert_never

from heliumql.prompts import Parts


@dataclass(frozen=True)
class Wait:
    """A place where rows wait for answers: the clause, what is looked at, whose answers."""

    clause: str
    text: str
    sites: frozenset[int]
    answers: int = 1  # how many are looked at
    drops: bool = False  # rows may end here


@dataclass(frozen=True)
class Query:
    """Relational work, DuckDB's: what is done, in words, and what becomes of the number of rows.

    `keeps` is the share of rows that is expected to go on, `rows` those of a table.
    """

    work: tuple[str, ...]
    inputs: tuple[int, ...] = ()
    waits: tuple[Wait, ...] = ()
    rows: int | None = None
    keeps: float = 1.0
    at_most: int | None = None
    pairs: bool = False  # every row of one input with every row of the other
    gathers: bool = False  # several rows become one
    grows: bool = False  # how many rows it gives turns out when answers come


@dataclass(frozen=True)
class Generate:
    """An LLM operator: one call for every row of its input."""

    site: int
    name: str
    template: Parts
    inputs: tuple[int, ...] = ()


@dataclass(frozen=True)
class Fetch:
    """An LLM operator whose answers may be in the answer store: those are fetched first."""

    site: int
    name: str
    template: Parts
    inputs: tuple[int, ...] = ()


@dataclass(frozen=True)
class Recurse:
    """A loop: its first input gives the rows to begin with, its second is repeated."""

    name: str
    inputs: tuple[int, ...] = ()


@dataclass(frozen=True)
class Output:
    """The rows of the statement."""

    columns: tuple[str, ...]
    inputs: tuple[int, ...] = ()


Node = Query | Generate | Fetch | Recurse | Output


@dataclass(frozen=True)
class Dag:
    """A plan: inputs stand before the nodes that read them, the last one is the Output."""

    nodes: tuple[Node, ...]

    def below(self, number: int) -> frozenset[int]:
        """The node and all that it reads, directly or not."""
        found = {number}
        stack = [number]
        while stack:
            for before in self.nodes[stack.pop()].inputs:
                if before not in found:
                    found.add(before)
                    stack.append(before)
        return frozenset(found)


@dataclass
class DagBuilder:
    """Collects nodes; one that is there already keeps its number."""

    nodes: list[Node] = field(default_factory=list)
    _known: dict[Node, int] = field(default_factory=dict)

    def add(self, node: Node) -> int:
        if node not in self._known:
            self._known[node] = len(self.nodes)
            self.nodes.append(node)
        return self._known[node]

    def finished(self, output: int) -> Dag:
        """What the output needs, relational work that follows on itself as one node."""
        needed = sorted(Dag(tuple(self.nodes)).below(output))
        readers: dict[int, int] = {}
        for number in needed:
            for before in self.nodes[number].inputs:
                readers[before] = readers.get(before, 0) + 1
        places: dict[int, int] = {}
        nodes: list[Node] = []
        for number in needed:
            node = self.nodes[number]
            moved = replace(node, inputs=tuple(places[i] for i in node.inputs))
            if isinstance(moved, Query) and len(moved.inputs) == 1:
                first = nodes[moved.inputs[0]]
                if isinstance(first, Query) and readers[node.inputs[0]] == 1:
                    places[number] = moved.inputs[0]
                    nodes[moved.inputs[0]] = _both(first, moved)
                    continue
            places[number] = len(nodes)
            nodes.append(moved)
        return Dag(tuple(nodes))


def _both(first: Query, then: Query) -> Query:
    """The work of two nodes in one."""
    limits = [n for n in (first.at_most, then.at_most) if n is not None]
    return replace(
        first,
        work=first.work + then.work,
        waits=first.waits + then.waits,
        keeps=first.keeps * then.keeps,
        at_most=min(limits, default=None),
        gathers=first.gathers or then.gathers,
        grows=first.grows or then.grows,
    )


def described(node: Node) -> str:
    """What a node does, on one line."""
    match node:
        case Query(work):
            return "; ".join(work)
        case Generate(_, name):
            return f"generate {name}"
        case Fetch(_, name):
            return f"fetch {name} from the answer store, generate what is not there"
        case Recurse(name):
            return f"repeat {name} until a step gives no rows"
        case Output(columns):
            return f"result: {', '.join(columns)}"
        case _:
            assert_never(node)
