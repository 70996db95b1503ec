"""Tiny workflows whose best order can be found: the shapes of the paper, lengths from a seed.

Prompts are segments with names; prompts that begin with equal names share their prefix. Lengths
span the paper's prefix mixes (system and context of 128 to 2048 tokens, answers of 64 to 512),
and every call fits the cache of 8192 tokens.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from heliumql.scheduling.prefix_tree import tree_of_segments
from heliumql.scheduling.workload import Workload


@dataclass(frozen=True)
class Instance:
    """A workflow over so many agents and queries (rows)."""

    shape: str
    agents: int
    queries: int
    workload: Workload

    @property
    def name(self) -> str:
        return f"{self.shape} {self.agents} x {self.queries}"


@dataclass
class _Builder:
    """Collects calls; a call is known by its number."""

    random: random.Random
    query: list[int] = field(default_factory=list)
    operator: list[int] = field(default_factory=list)
    output: list[int] = field(default_factory=list)
    needs: list[list[int]] = field(default_factory=list)
    prompts: list[list[tuple[str, int]]] = field(default_factory=list)
    lengths: dict[str, int] = field(default_factory=dict)

    def text(self, name: str, low: int, high: int) -> tuple[str, int]:
        """A segment of 32 x `low` to 32 x `high` tokens; the same name is the same text."""
        length = self.lengths.get(name)
        if length is None:
            length = self.lengths[name] = 32 * self.random.randint(low, high)
        return name, length

    def answer(self, call: int) -> tuple[str, int]:
        """The answer of the call as a segment."""
        return f"answer {call}", self.output[call]

    def call(
        self, query: int, operator: int, prompt: list[tuple[str, int]], needs: list[int]
    ) -> int:
        number = len(self.output)
        self.query.append(query)
        self.operator.append(operator)
        self.output.append(self.text(f"output of {operator}", 2, 8)[1])
        self.needs.append(needs)
        self.prompts.append(prompt)
        return number

    def workload(self) -> Workload:
        conversations = [[*prompt, self.answer(call)] for call, prompt in enumerate(self.prompts)]
        return Workload(
            query=self.query,
            operator=self.operator,
            prompt=[sum(tokens for _, tokens in prompt) for prompt in self.prompts],
            output=self.output,
            needs=self.needs,
            tree=tree_of_segments(conversations),
            engine=[0] * len(self.output),
        )


def _map_reduce(b: _Builder, agents: int, queries: int) -> None:
    """Experts look at the same question, one summarizer reads their answers."""
    context_first = b.random.random() < 0.5
    for query in range(queries):
        experts = []
        for agent in range(agents):
            role, context = b.text(f"role {agent}", 4, 32), b.text(f"context {query}", 4, 32)
            prompt = [context, role] if context_first else [role, context]
            experts.append(b.call(query, agent, [b.text("system", 4, 16), *prompt], []))
        answers = [b.answer(expert) for expert in experts]
        b.call(query, agents, [b.text("summarize", 4, 32), *answers], experts)


def _debate(b: _Builder, agents: int, queries: int) -> None:
    """Two rounds; in the second each agent goes on from its answer with those of the others."""
    for query in range(queries):
        prompts = [
            [b.text(f"role {agent}", 4, 32), b.text(f"context {query}", 4, 32)]
            for agent in range(agents)
        ]
        first = [b.call(query, agent, prompt, []) for agent, prompt in enumerate(prompts)]
        for agent, prompt in enumerate(prompts):
            others = [b.answer(call) for call in first if call != first[agent]]
            history = [*prompt, b.answer(first[agent])]
            b.call(query, agents + agent, [*history, b.text("revise", 1, 4), *others], first)


def _iterative(b: _Builder, agents: int, queries: int) -> None:
    """A summary refined piece by piece: as many pieces as agents, one chain a query."""
    for query in range(queries):
        before: int | None = None
        for step in range(agents):
            prompt = [b.text("instruction", 4, 32)]
            if before is not None:
                prompt.append(b.answer(before))
            prompt.append(b.text(f"piece {query} {step}", 16, 48))
            before = b.call(query, step, prompt, [] if before is None else [before])


def _trading(b: _Builder, agents: int, queries: int) -> None:
    """Analysts read documents of a stock, a manager sums up, a bold and a careful trader decide."""
    for query in range(queries):
        analysts = []
        for agent in range(agents):
            role, document = b.text(f"analyst {agent}", 4, 16), b.text(f"report {query}", 32, 64)
            own = b.text(f"document {query} {agent}", 4, 32)
            prompt = [document, role] if agent % 2 else [role, document, own]
            analysts.append(b.call(query, agent, prompt, []))
        reports = [b.answer(call) for call in analysts]
        manager = b.call(query, agents, [b.text("manager", 4, 32), *reports], analysts)
        for trader in range(2):
            prompt = [b.text("trader", 8, 32), *reports, b.answer(manager)]
            prompt.append(b.text(f"trader {trader}", 1, 8))
            b.call(query, agents + 1 + trader, prompt, [*analysts, manager])


SHAPES: dict[str, Callable[[_Builder, int, int], None]] = {
    "map_reduce": _map_reduce,
    "debate": _debate,
    "iterative": _iterative,
    "trading": _trading,
}


def instance(shape: str, agents: int, queries: int, seed: int = 0) -> Instance:
    """The same arguments give the same instance."""
    builder = _Builder(random.Random(f"{shape} {agents} {queries} {seed}"))
    SHAPES[shape](builder, agents, queries)
    return Instance(shape, agents, queries, builder.workload())


def instances(most: int = 4, seed: int = 0) -> Iterator[Instance]:
    """Every shape with 2 to `most` agents and 2 to `most` queries."""
    for shape in SHAPES:
        for agents in range(2, most + 1):
            for queries in range(2, most + 1):
                yield instance(shape, agents, queries, seed)
