"""A call site ready to run: where its calls go, what they share, what becomes of failures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from heliumql.calls import Operator
from heliumql.engines.engine import CallSpec, Engine
from heliumql.source import Span


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

    @property
    def sampled(self) -> bool:
        """Every row has its own call: drawn at random, without a seed."""
        sampling = self.spec.sampling
        return sampling.temperature > 0 and sampling.seed is None

    @property
    def operator(self) -> Operator:
        return Operator(self.template, self.kind, self.model, self.name)

    @property
    def declared(self) -> str:
        """The type to which the text of an answer is cast first."""
        returns = self.spec.returns
        return "JSON" if returns.is_nested else returns.name
