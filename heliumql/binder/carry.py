"""Carry or inspect: rewrites a bound query so that no expression ever reads a deferred value.

Goal: one SQL text that can be evaluated before its calls have answers. Where a function only
carries a value (`||`, string_agg, list, a join's payload ..) references pass through it. Where an
expression inspects one (a comparison, a cast, a key ..) a *cut* is placed: `__hql_ready` notes
which calls the expression waits for, and the row goes no further in this pass.

    before  SELECT id FROM t WHERE __hql_llm(0, body, ..) LIKE '%a%'
    after   SELECT id FROM t WHERE CASE WHEN __hql_ready(s, 0, __hql_call(s, 0, body, ..))
                                   THEN __hql_call(s, 0, body, ..) LIKE '%a%' ELSE false END

Evaluating the text again when those calls have answers goes one level further; when no cut held
anything back, the rows are exactly those of naive evaluation. CASE, AND and OR wait for a branch
only where its condition holds. What is not known to carry, inspects; what cannot be guarded raises
`Unsupported`, and the statement is evaluated call by call instead (physical/each.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from heliumql.binder import tree
from heliumql.binder.block import Block
from heliumql.binder.cuts import (
    ALL,
    READY,
    TESTED,
    Carried,
    Cut,
    EarlyLimit,
    Relation,
    Unsupported,
    joined_columns,
)
from heliumql.binder.predicates import predicate_key
from heliumql.binder.shape import Answer, Shape, is_textual
from heliumql.binder.tree import Node, function, integer


def carry(
    query: Node,
    *,
    statement: int,
    declared: Mapping[int, str],
    aggregates: frozenset[str],
    operators: Mapping[int, bytes] | None = None,
    early: frozenset[int] = frozenset(),
) -> Carried:
    """Rewrites a bound query node.

    `declared` tells for each call site to which type its text is cast (JSON where the type is
    nested); `aggregates` names DuckDB's aggregate functions; `operators` are the names of sites in
    the statistics; calls of the sites in `early` may run before they are certain to be needed.
    Raises Unsupported where a part cannot be guarded.
    """
    rewriter = Rewriter(statement, declared, aggregates, operators or {}, early)
    node, relation = rewriter.query(query, {}, frozenset())
    shapes = tuple(s for _, s in relation.columns)
    limits = tuple({limit.number: limit for limit in rewriter.limits}.values())
    return Carried(node, shapes, tuple(rewriter.cuts), limits, tuple(rewriter.predicates))


@dataclass
class Rewriter:
    statement: int
    declared: Mapping[int, str]
    aggregates: frozenset[str]
    operators: Mapping[int, bytes]
    early: frozenset[int]

    def __post_init__(self) -> None:
        self.cuts: list[Cut] = []
        self.limits: list[EarlyLimit] = []
        self.predicates: list[bytes] = []

    # queries ------------------------------------------------------------------------------

    def query(
        self, node: Node, scope: Mapping[str, Relation], real: frozenset[int] | None
    ) -> tuple[Node, Relation]:
        """A query node; the columns in `real` (None: all) must come out without references."""
        scope = dict(scope)
        ctes = []
        for entry in node["cte_map"]["map"]:
            value = entry["value"]
            inner, relation = self._cte(entry["key"], value, scope)
            names = value["aliases"] or [n for n, _ in relation.columns]
            scope[entry["key"].lower()] = replace(
                relation,
                columns=tuple((n, s) for n, (_, s) in zip(names, relation.columns, strict=False)),
            )
            ctes.append({**entry, "value": {**value, "query_node": inner}})
        node = {**node, "cte_map": {"map": ctes}}
        match node["type"]:
            case "SELECT_NODE":
                return Block(self, node, scope, real).rewritten()
            case "SET_OPERATION_NODE":
                return self._set_operation(node, scope, real)
            case other:
                raise Unsupported(f"a {other} here")

    def _cte(self, name: str, value: Node, scope: Mapping[str, Relation]) -> tuple[Node, Relation]:
        inner = value["query_node"]
        if inner["type"] != "RECURSIVE_CTE_NODE":
            return self.query(inner, scope, frozenset())
        if inner["cte_map"]["map"] or inner["modifiers"]:
            raise Unsupported("WITH or ORDER BY inside a recursion")
        keyed = bool(value.get("key_targets")) or not inner["union_all"]
        real: frozenset[int] | None = ALL if keyed else frozenset()
        for _ in range(64):
            mark = len(self.cuts)
            left, relation = self.query(inner["left"], scope, real)
            columns = relation.columns
            names = value["aliases"] or [n for n, _ in columns]
            while True:  # until the step adds nothing to the shapes it reads
                inner_mark = len(self.cuts)
                visible = tuple((n, s) for n, (_, s) in zip(names, columns, strict=True))
                step_scope = {**scope, name.lower(): replace(relation, columns=visible)}
                right, step = self.query(inner["right"], step_scope, real)
                merged = joined_columns(columns, step.columns)
                if isinstance(merged, int):
                    break
                if merged == columns:
                    grown = replace(
                        relation,
                        columns=columns,
                        base=max(relation.base, step.base),
                        highest=max(relation.highest, step.highest),
                    )
                    return {**inner, "left": left, "right": right}, grown
                columns = merged
                del self.cuts[inner_mark:]
            del self.cuts[mark:]
            if real is None:
                raise Unsupported("a recursion whose columns cannot be carried")
            real = real | {merged}
        raise Unsupported("a recursion whose columns cannot be carried")

    def _set_operation(
        self, node: Node, scope: Mapping[str, Relation], real: frozenset[int] | None
    ) -> tuple[Node, Relation]:
        if node["modifiers"]:
            raise Unsupported("ORDER BY or LIMIT directly on a set operation")
        children = node["children"] or [node["left"], node["right"]]
        union_all = node["setop_type"] == "UNION" and node["setop_all"]
        if not union_all:
            real = ALL
        while True:
            mark = len(self.cuts)
            parts = [self.query(child, scope, real) for child in children]
            columns: tuple[tuple[str, Shape], ...] = parts[0][1].columns
            conflict = None
            for _, relation in parts[1:]:
                merged = joined_columns(columns, relation.columns)
                if isinstance(merged, int):
                    conflict = merged
                    break
                columns = merged
            if conflict is None:
                break
            if real is None or conflict in real:
                raise Unsupported("a set operation whose columns cannot be carried")
            del self.cuts[mark:]
            real = real | {conflict}
        together = Relation(
            columns,
            max(r.base for _, r in parts),
            max(r.highest for _, r in parts),
        )
        nodes = [n for n, _ in parts]
        body = {"children": nodes} if node["children"] else {"left": nodes[0], "right": nodes[1]}
        return {**node, **body}, together if union_all else together.fenced()

    def new_cut(self, level: int, where: str, pairs: bool) -> Cut:
        cut = Cut(len(self.cuts), level, where, pairs)
        self.cuts.append(cut)
        return cut

    def new_limit(self, limit: EarlyLimit) -> None:
        self.limits.append(limit)

    def tested(self, predicate: Node, value: Node) -> Node:
        """The value of a predicate, counted for the statistics of what it lets through."""
        key = predicate_key(predicate, self.operators)
        if key is None:
            return value
        if key not in self.predicates:
            self.predicates.append(key)
        number = self.predicates.index(key)
        return function(TESTED, integer(self.statement), integer(number), value)

    def ready(self, cut: Cut, value: Node, shape: Shape) -> Node:
        shown = value
        if not (isinstance(shape, Answer) or is_textual(shape)):
            shown = tree.cast(value, tree.type_node("VARCHAR"))
        return function(READY, integer(self.statement), integer(cut.number), shown)
