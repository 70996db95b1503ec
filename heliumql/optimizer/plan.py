"""The plan that rules rewrite: a bound query, and what is known of its Generates.

The tree is DuckDB's own (binder/tree.py): SELECT blocks over named inputs, in which an LLM call is
`__hql_llm(site, prompt, system, history)`. A plan is a value; a rule returns another one, or the
same object where it has nothing to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from heliumql.binder.tree import Node

PRICE_OF_A_SECOND = 0.001  # of a GPU, about; in the currency of price_in and price_out
OVERHEAD_SECONDS = 0.1  # of a call, whatever it says; times below are noise
MISSED = 0.1  # the share of calls of a fetched operator that are taken to be new


@dataclass(frozen=True)
class Generate:
    """An LLM operator: what all calls of one site have in common.

    `kind` names model, parameters and type, as it enters identities; `template` the operator (kind
    and prompt template), under which statistics are kept. `seconds`, `price` are expected per call;
    `stored` is how many answers of its kind the store has, `answers` how many of its own.
    """

    number: int
    name: str
    model: str
    kind: bytes
    template: bytes
    returns: str = "VARCHAR"
    cache: str = "use"
    on_error: str = "null"
    retries: int = 2
    seconds: float = 1.0
    price: float = 0.0
    stored: int = 0
    answers: int = 0

    @property
    def shared_by(self) -> tuple[object, ...]:
        """Sites for which this is equal make the same calls of the same messages."""
        return (self.kind, self.cache, self.on_error, self.retries)

    @property
    def may_be_wasted(self) -> bool:
        """A call that no row turns out to need costs nothing but time, and harms nothing."""
        return not self.price and self.on_error == "null"


@dataclass(frozen=True)
class Order:
    """The order in which a block asks its predicates, for later runs: asking again is free then.

    `block` names the predicates together, whatever their order; `rows` is how many rows DuckDB
    expected.
    """

    block: bytes
    predicates: tuple[bytes, ...]
    rows: float | None


@dataclass(frozen=True)
class Plan:
    """A bound query with its Generates by site, and how they are run.

    `fetched` are sites whose answers may be in the store (CacheFetch); `early` sites whose calls
    may run before it is certain that they are needed; `orders` are those of several predicates.
    """

    tree: Node
    generates: Mapping[int, Generate]
    fetched: frozenset[int] = frozenset()
    early: frozenset[int] = frozenset()
    orders: tuple[Order, ...] = ()

    def cost(self, site: int) -> float:
        """What a call of the site is expected to cost: its price and its time on an engine.

        A call whose operator has answers in the store may well be fetched.
        """
        generate = self.generates[site]
        cost = generate.price + (generate.seconds + OVERHEAD_SECONDS) * PRICE_OF_A_SECOND
        return cost * MISSED if site in self.fetched else cost

    def with_tree(self, tree: Node) -> Plan:
        return self if tree is self.tree else replace(self, tree=tree)
