"""Cuts, and what rewriting knows of relations and values: the vocabulary of carry or inspect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from heliumql.binder import shape as shapes
from heliumql.binder import tree
from heliumql.binder.shape import Shape
from heliumql.binder.tree import Node

LLM = "__hql_llm"
LLM_INFO = "__hql_llm_info"
CALL = "__hql_call"  # (statement, site, prompt, system, history): the answer, or a reference
INFO = "__hql_call_info"  # the same for what is known of the run of the call
READY = "__hql_ready"  # (statement, cut, text): no reference left? Notes those there are.
FIELD = "__hql_field"  # (answer, field): a field of an answer, or of a reference to one
ENOUGH = "__hql_enough"  # (statement, limit, row, place, outcome): accepted? Counts for LIMIT
TESTED = "__hql_tested"  # (statement, predicate, condition): the condition; counts for statistics
MAYBE = "__hql_maybe"  # (statement, text): false; what the text waits for may be asked early

REJECTED, ACCEPTED, HELD = 0, 1, 2  # what becomes of a row at a limit that stops early

EARLY_BOUND = 7_700_000_000_000_000_000  # and the number of the limit: what a pass sees rows up to

NO_LIMIT = 9223372036854775807  # of a LIMIT that only keeps DuckDB from moving predicates below

ALL: frozenset[int] | None = None  # every column


class Unsupported(Exception):
    """The tree holds something that cannot be guarded by cuts; says what."""


@dataclass(frozen=True)
class Cut:
    """A place where evaluation stops for rows whose answers are not there yet.

    A cut of level n sees only correct rows once no cut of a lower level holds rows back.
    """

    number: int
    level: int
    where: str  # the clause: WHERE, ON, SELECT ..
    pairs: bool = False  # its rows are pairs of a join: asked in the order of what they say


@dataclass(frozen=True)
class EarlyLimit:
    """A LIMIT that sees rows up to a bound, which grows while it has not got enough of them.

    Its predicates wait at a cut of their own.
    """

    number: int
    cut: int
    level: int
    wanted: int  # rows that LIMIT and OFFSET take
    first: int  # the bound of the first pass


@dataclass(frozen=True)
class Carried:
    """A rewritten query."""

    node: Node
    shapes: tuple[Shape, ...]  # one per output column
    cuts: tuple[Cut, ...]
    limits: tuple[EarlyLimit, ...] = ()
    predicates: tuple[bytes, ...] = ()  # their names in the statistics


@dataclass(frozen=True)
class Relation:
    """What may be inside the columns of a relation, and the cuts it went through.

    `base` is the level of a cut placed directly above; `highest` the highest level below.
    """

    columns: tuple[tuple[str, Shape], ...]
    base: int = 1
    highest: int = 0

    def fenced(self) -> Relation:
        """After an operator that may give wrong rows while rows are held back below it."""
        return replace(self, base=max(self.base, self.highest + 1))


@dataclass(frozen=True)
class Value:
    """A rewritten expression; `node` may be evaluated only where `ready` (None: always) holds."""

    node: Node
    shape: Shape
    ready: Node | None = None


class Queries(Protocol):
    """The rewriting of whole queries, as a block sees it."""

    statement: int
    declared: Mapping[int, str]
    aggregates: frozenset[str]
    early: frozenset[int]

    def query(
        self, node: Node, scope: Mapping[str, Relation], real: frozenset[int] | None
    ) -> tuple[Node, Relation]: ...

    def new_cut(self, level: int, where: str, pairs: bool) -> Cut: ...

    def new_limit(self, limit: EarlyLimit) -> None: ...

    def tested(self, predicate: Node, value: Node) -> Node: ...

    def ready(self, cut: Cut, value: Node, shape: Shape) -> Node: ...


def joined_columns(
    a: Sequence[tuple[str, Shape]], b: Sequence[tuple[str, Shape]]
) -> tuple[tuple[str, Shape], ...] | int:
    """Shapes of both, column by column; the number of the first column that has none."""
    result = []
    for number, ((name, x), (_, y)) in enumerate(zip(a, b, strict=True)):
        together = shapes.joined(x, y)
        if together is None:
            return number
        result.append((name, together))
    return tuple(result)


def both(first: Node | None, second: Node | None) -> Node | None:
    """Both ready; the second is looked at only where the first holds."""
    if first is None or second is None:
        return second if first is None else first
    return tree.case((first, second), otherwise=tree.FALSE)


BOUND = "__hql_bound"  # the alias of a constant that a pass puts a bound of an early limit for


def bound(number: int) -> Node:
    """The constant that stands for the bound of an early limit."""
    constant = tree.named(tree.integer(EARLY_BOUND + number), BOUND)
    return tree.cast(constant, tree.type_node("BIGINT"))


def bounded(node: Any, bounds: Mapping[int, int]) -> Any:
    """The tree with numbers in the place of bounds; other constants are left alone."""
    match node:
        case {"class": "CONSTANT", "alias": alias, "literal": literal} if alias == BOUND:
            number = int(literal["text"]) - EARLY_BOUND
            return tree.integer(bounds[number]) if number in bounds else node
        case dict():
            return {k: bounded(v, bounds) for k, v in node.items()}
        case list():
            return [bounded(v, bounds) for v in node]
        case _:
            return node


def early(number: int, wanted: int, first: int, row: Node, place: Node, condition: Node) -> Node:
    """The condition of a block with an early limit.

    `row` numbers its rows; `place` is where they stand in the order of LIMIT, equal ones together.
    """
    numbers = [tree.integer(n) for n in (number, wanted, first)]
    return tree.function(ENOUGH, *numbers, row, place, condition)


def calls_inside(node: Node) -> bool:
    return any(
        n.get("class") == "FUNCTION" and n.get("function_name") in (LLM, LLM_INFO)
        for n in tree.walk(node)
    )
