"""Rule: a semantic join is a join on what can be compared, and then a predicate."""

from __future__ import annotations

from heliumql.binder import tree
from heliumql.binder.tree import Node
from heliumql.optimizer.blocks import calls_in, is_select, map_queries
from heliumql.optimizer.plan import Plan
from heliumql.optimizer.rule import RuleContext

# The sides on which a join may stand so that a condition on its rows holds above as well.
_BOTH, _LEFT = (True, True), (True, False)
_PASSES = {"INNER": _BOTH, "SEMI": _LEFT, "ANTI": _LEFT, "LEFT": _LEFT, "RIGHT": (False, True)}


def join_then_ask(plan: Plan, context: RuleContext) -> Plan:
    """Join on equality first, and ask a model about the pairs that are left.

    The predicate of an inner join's ON that asks a model becomes one of WHERE: there it is asked
    last, ordered among others, and in growing blocks below a LIMIT.

        before  FROM t JOIN u ON t.k = u.k AND llm(t.body || u.name)
        after   FROM t JOIN u ON t.k = u.k WHERE llm(t.body || u.name)

    It must not fire on an outer, semi or anti join: its ON decides what a match is, WHERE would
    decide which rows there are. Nor on a join below one whose ON asks a model or may fail: that ON
    would see pairs that the predicate drops now.

    >>> shown(join_then_ask, "SELECT id FROM t JOIN u ON t.k = u.k AND llm(body || name) = 'a'")
    SELECT r1.c2 AS id FROM ((SELECT r0.column2 AS c0, r0.column1 AS c1, r0.column0 AS c2
    FROM t AS r0(column0, column1, column2) WHERE (r0.column2 <= 2)) AS r1(c0, c1, c2) INNER
    JOIN u AS r2(column0, column1) ON ((r1.c0 = r2.column0))) WHERE (llm((r1.c1 ||
    r2.column1)) = 'a')
    """

    def out_of(source: Node) -> tuple[Node, list[Node]]:
        if source["type"] != "JOIN":
            return source, []
        kind = source["join_type"]
        cross = source["ref_type"] == "CROSS"
        if not cross and (source["ref_type"] != "REGULAR" or kind not in _PASSES):
            return source, []
        if (
            kind != "INNER"
            and not cross
            and (
                context.answers.read_by(source["condition"])
                or not context.never_fails(source["condition"], source)
            )
        ):
            return source, []  # it would see pairs that the predicate drops now
        new, found = dict(source), list[Node]()
        for side, passes in zip(("left", "right"), _BOTH if cross else _PASSES[kind], strict=True):
            if passes:
                new[side], inner = out_of(source[side])
                found += inner
        if kind == "INNER" and not cross and source["condition"] is not None:
            plain, asking = context.lifting.split(source["condition"])
            if asking and not context.is_volatile(source["condition"]):
                new["condition"] = tree.conjunction(plain) or tree.TRUE
                found += asking
        return (new, found) if found else (source, [])

    def at(block: Node, recursive: bool) -> Node:
        if not is_select(block) or block.get("sample"):
            return block
        source, found = out_of(block["from_table"])
        if not found:
            return block
        names = dict.fromkeys(plan.generates[n].name for n in calls_in(found))
        context.did(f"{', '.join(names) or 'a predicate'} is asked of the pairs of the join")
        plain, asking = context.lifting.split(block["where_clause"])
        where = tree.conjunction([*plain, *found, *asking])
        return {**block, "from_table": source, "where_clause": where}

    return plan.with_tree(map_queries(plan.tree, at))
