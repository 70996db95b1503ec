"""A call site ready to run: where its calls go, what they share, what becomes of failures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from heliumql.calls.learnt import OperatorStats
from heliumql.calls.operator import Operator
from heliumql.engines.engine import CallSpec, Engine
from heliumql.source import Span

_ASSUMED_PROMPT_TOKENS = 500  # of a call of which nothing is known


def assumed_output_tokens(spec: CallSpec) -> float:
    """How long an answer is, as long as no run has shown it."""
    if spec.task == "embed":
        return 0.0
    assumed = spec.sampling.max_tokens / 4
    if not spec.returns.is_nested and spec.returns.name != "VARCHAR":
        assumed = min(assumed, 4.0)
    return assumed


@dataclass(frozen=True)
class Site:
    """One LLM call of a statement, bound to a model."""

    number: int
    name: str  # for display
    model: str
    engine: Engine
    spec: CallSpec
    kind: bytes  # what its calls share, as it enters their identities
    template: bytes  # the operator: kind and prompt template; statistics are kept under it
    text: str | None = None  # the prompt's template as written
    on_error: Literal["null", "fail"] = "null"
    cache: Literal["use", "refresh", "off"] = "use"
    span: Span | None = None
    price_in: float = 0.0  # of a million prompt tokens
    price_out: float = 0.0  # of a million output tokens
    fetched: bool = True  # its calls are looked up in the answer store
    aggregate: bool = False  # a prompt that does not fit the context becomes a tree (trees.py)

    @property
    def sampled(self) -> bool:
        """Every row has its own call: drawn at random, without a seed."""
        sampling = self.spec.sampling
        return sampling.temperature > 0 and sampling.seed is None

    @property
    def operator(self) -> Operator:
        return Operator(self.template, self.kind, self.model, self.name)

    def price(self, stats: OperatorStats | None) -> float:
        """What a call is expected to cost in money, by what its operator's calls took so far."""
        if stats is None or not stats.calls:
            prompt, output = float(_ASSUMED_PROMPT_TOKENS), assumed_output_tokens(self.spec)
        else:
            prompt = stats.prompt_tokens / stats.calls
            output = stats.mean_output_tokens
        return (prompt * self.price_in + output * self.price_out) / 1_000_000

    @property
    def declared(self) -> str:
        """The type to which the text of an answer is cast first."""
        returns = self.spec.returns
        return "JSON" if returns.is_nested else returns.name
