"""Rule: predicates that ask a model about keys are asked of the groups, not of the rows."""

from __future__ import annotations

from heliumql.binder import tree
from heliumql.binder.tree import Node
from heliumql.optimizer.blocks import (
    Aliases,
    Column,
    calls_in,
    can_split,
    columns_in,
    is_select,
    map_queries,
    subquery,
    substituted,
)
from heliumql.optimizer.plan import Plan
from heliumql.optimizer.rule import RuleContext

_OTHER_TEXTS = ("FLOAT", "DOUBLE", "INTERVAL", "VARIANT")


def group_then_ask(plan: Plan, context: RuleContext) -> Plan:
    """Ask a model about the keys of DISTINCT and GROUP BY once a group, not once a row.

    Equal rows make equal calls, so no more is asked, and fewer rows wait.

        before  SELECT DISTINCT k FROM t WHERE llm(k)
        after   SELECT h0.k FROM (SELECT DISTINCT k FROM t) AS h0 WHERE llm(h0.k)

    It must not fire
    - where the predicate reads more than the keys: a group is not one answer then;
    - where equal keys may be other texts, as 0.0 and -0.0 are;
    - where the block has LIMIT or ORDER BY, GROUPING SETS, HAVING or windows;
    - where what the block computes waits for answers itself, or may fail: groups that the
      predicate drops would be waited for, or fail.

    >>> shown(group_then_ask, "SELECT k, count(*) AS n FROM t WHERE llm(k) = 'a' GROUP BY k")
    SELECT h0.c0 AS k, h0.c1 AS n FROM (SELECT r0.column2 AS k, count_star() AS n FROM t AS
    r0(column0, column1, column2) GROUP BY r0.column2) AS h0(c0, c1) WHERE (llm(CAST(h0.c0
    AS VARCHAR)) = 'a')
    """
    aliases = Aliases.of(plan.tree)

    def at(block: Node, recursive: bool) -> Node:
        keys = _keys(block)
        if not keys or not can_split(block) or context.is_volatile(block):
            return block
        if any(context.answers.read_by(e) for e in block["select_list"]):
            return block
        if not context.never_fails(block["select_list"], block["from_table"]):
            return block
        plain, asking = context.lifting.split(block["where_clause"])
        source, found = context.lifting.out_of(block["from_table"], drops_rows=True)
        found += asking
        alias = aliases.fresh()
        names: dict[Column, Node] = {}
        for number, output in enumerate(block["select_list"]):
            if output["class"] == "COLUMN_REF" and tree.meaning(output) in keys:
                for column in columns_in(output):
                    names.setdefault(column, tree.column(alias, f"c{number}"))
        read = columns_in(found)
        if not found or any(c not in names for c in read):
            return block
        if not _one_text_each(read, block, plan, context):
            return block
        asked = dict.fromkeys(plan.generates[n].name for n in calls_in(found))
        context.did(f"{', '.join(asked) or 'a predicate'} is asked of groups, not of rows")
        inner = {**block, "from_table": source, "where_clause": tree.conjunction(plain)}
        given = [f"c{i}" for i in range(len(block["select_list"]))]
        outputs = [
            tree.named(tree.column(alias, name), e["alias"] or e.get("column_names", [name])[-1])
            for name, e in zip(given, block["select_list"], strict=True)
        ]
        where = tree.conjunction([substituted(p, names) for p in found])
        return {
            **tree.select(
                outputs, subquery({**inner, "cte_map": {"map": []}}, alias, given), where
            ),
            "cte_map": block["cte_map"],
        }

    return plan.with_tree(map_queries(plan.tree, at))


def _one_text_each(keys: list[Column], block: Node, plan: Plan, context: RuleContext) -> bool:
    """Equal values of these columns are written alike, so that a model is asked the same."""
    query = tree.select([tree.column(*key) for key in keys], block["from_table"], None)
    types = context.known.types({**query, "cte_map": plan.tree["cte_map"]})
    return types is not None and not any(t in name for name in types for t in _OTHER_TEXTS)


def _keys(block: Node) -> set[str]:
    """What the rows of a block are grouped by; empty where it is no plain grouping."""
    if not is_select(block) or block["having"] is not None or block["qualify"] is not None:
        return set()
    if any(n.get("class") == "WINDOW" for n in tree.walk(block["select_list"])):
        return set()
    if block["group_expressions"] and not block["modifiers"]:
        sets = block["group_sets"]
        whole = [list(range(len(block["group_expressions"])))]
        if [sorted(s) for s in sets] != whole:
            return set()
        return {tree.meaning(e) for e in block["group_expressions"]}
    modifiers = block["modifiers"]
    if len(modifiers) != 1 or modifiers[0]["type"] != "DISTINCT_MODIFIER":
        return set()
    targets = modifiers[0]["distinct_on_targets"] or block["select_list"]
    keys = {tree.meaning(e) for e in targets}
    # DISTINCT ON of some columns keeps the first row of each group: which one would change.
    return keys if keys == {tree.meaning(e) for e in block["select_list"]} else set()
