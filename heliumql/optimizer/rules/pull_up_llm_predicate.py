"""Rule: predicates that ask a model go above joins and other operators that drop rows."""

from __future__ import annotations

from heliumql.binder import tree
from heliumql.binder.tree import Node
from heliumql.optimizer.blocks import calls_in, is_select, leaves, map_queries
from heliumql.optimizer.plan import Plan
from heliumql.optimizer.rule import RuleContext

_MORE_ROWS = 10.0  # a join that repeats rows this much makes naming them dearer than it may save
_MANY_ROWS = 100_000.0


def pull_up_llm_predicate(plan: Plan, context: RuleContext) -> Plan:
    """Ask a model about rows only after joins and cheaper predicates have dropped theirs.

    DuckDB pushes predicates down to where their columns come from, which is right for cheap ones.
    One that asks a model is better asked last: equal calls are one, so a row that a join repeats
    asks no more than before, and a row that it drops no longer asks.

        before  FROM u JOIN (SELECT k, id FROM t WHERE llm(t.body)) AS r ON u.k = r.k
        after   FROM u JOIN (SELECT k, id, body FROM t) AS r ON u.k = r.k  WHERE llm(r.body)

    It passes INNER and CROSS joins from both sides, SEMI and ANTI joins and the side of an outer
    join whose rows are all kept.

    It must not fire
    - from the side of an outer join that may be missing: there the predicate decides between a
      match and NULLs, above it would drop rows;
    - out of a block with LIMIT, DISTINCT, groups, windows or unnest: these see other rows then;
    - over a join or a column that waits for answers itself: it would ask for rows that the
      predicate drops now;
    - over a join or a column that may fail (a cast, arithmetic): the predicate may keep such rows
      from it;
    - where a volatile expression would see other rows;
    - where nothing on the way drops rows, or the join repeats each row many times.

    >>> shown(pull_up_llm_predicate, '''
    ...     SELECT t.id FROM t JOIN u ON t.k = u.k WHERE llm('On ' || t.body) = 'yes' ''')
    SELECT r4.c1 AS id FROM (u AS r0(column0, column1) INNER JOIN (SELECT r3.c0 AS c0, r3.c1
    AS c1, r3.c2 AS c2 FROM (SELECT r2.column2 AS c0, r2.column0 AS c1, r2.column1 AS c2
    FROM t AS r2(column0, column1, column2)) AS r3(c0, c1, c2) WHERE (r3.c0 <= 2)) AS r4(c0,
    c1, c2) ON ((r0.column0 = r4.c0))) WHERE (llm(('On ' || r4.c2)) = 'yes')
    """

    def at(block: Node, recursive: bool) -> Node:
        if not is_select(block) or block.get("sample") or context.is_volatile(block):
            return block
        plain, asking = context.lifting.split(block["where_clause"])
        source, found = context.lifting.out_of(block["from_table"], bool(plain))
        if not found or _repeats_rows(block, source, plain, context):
            return block
        if not context.never_fails(plain, block["from_table"]):
            return block
        names = [plan.generates[n].name for n in dict.fromkeys(calls_in(found))]
        over = ", ".join(_tables(block["from_table"])) or "a plain predicate"
        context.did(f"{', '.join(names) or 'a predicate on answers'} is asked above {over}")
        where = tree.conjunction([*plain, *found, *asking])
        return {**block, "from_table": source, "where_clause": where}

    return plan.with_tree(map_queries(plan.tree, at))


def _repeats_rows(block: Node, source: Node, plain: list[Node], context: RuleContext) -> bool:
    """The join gives so many more rows than it takes that it is better asked below."""
    if source["type"] != "JOIN":
        return False
    after = context.known.rows(tree.select([tree.TRUE], source, tree.conjunction(plain)))
    before = [context.known.rows(tree.select([tree.TRUE], leaf, None)) for leaf in leaves(source)]
    if after is None or None in before:
        return False
    return after > max(_MANY_ROWS, _MORE_ROWS * max(rows for rows in before if rows is not None))


def _tables(source: Node) -> list[str]:
    """How the relations of a join are known to the user."""
    if source["type"] != "JOIN":
        return []
    kind = source["join_type"] if source["ref_type"] == "REGULAR" else source["ref_type"]
    named = [t["table_name"] for t in leaves(source) if t["type"] == "BASE_TABLE"]
    return [f"the {kind} join" + (f" with {named[0]}" if named else "")]
