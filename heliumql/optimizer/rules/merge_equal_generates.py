"""Rule: Generates that would make the same calls of the same messages become one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from heliumql.binder import tree
from heliumql.binder.cuts import LLM, LLM_INFO
from heliumql.optimizer.blocks import calls_in
from heliumql.optimizer.plan import Plan
from heliumql.optimizer.rule import RuleContext


def merge_equal_generates(plan: Plan, context: RuleContext) -> Plan:
    """Give Generates of equal model, parameters and type one site.

    What they say is in the query, not in the site, so the same messages make the same calls
    whichever of them asks; with one site equal subplans can be seen to be equal.

        before  llm(1, 'On ' || a), llm(2, 'On ' || b)      -- the same model and parameters
        after   llm(1, 'On ' || a), llm(1, 'On ' || b)

    It must not fire where model, parameters, type, template, retries, on_error or cache differ.

    >>> shown(merge_equal_generates, '''
    ...     SELECT llm(body) AS a FROM t UNION ALL SELECT other_llm(body) FROM t ''')
    SELECT exported_query.c0 AS a FROM ((SELECT llm(r0.column1) AS c0 FROM t AS r0(column0,
    column1, column2)) UNION ALL (SELECT llm(r2.column1) AS c0 FROM t AS r2(column0,
    column1, column2))) AS exported_query(c0)
    """
    first: dict[tuple[object, ...], int] = {}
    same: dict[int, int] = {}
    for number in sorted(set(calls_in(plan.tree))):
        generate = plan.generates[number]
        chosen = first.setdefault((generate.template, *generate.shared_by), number)
        if chosen != number:
            same[number] = chosen
    if not same:
        return plan
    for number, chosen in same.items():
        ours, others = plan.generates[number].name, plan.generates[chosen].name
        context.did(f"{ours} is {others}")
    return plan.with_tree(_renumbered(plan.tree, same))


def _renumbered(value: Any, same: Mapping[int, int]) -> Any:
    """The tree with the sites of its calls renumbered."""
    match value:
        case {"class": "FUNCTION", "function_name": name, "arguments": [site, *rest]} if name in (
            LLM,
            LLM_INFO,
        ):
            number = tree.constant_integer(site["expression"])
            assert number is not None
            chosen = tree.cast(tree.integer(same.get(number, number)), tree.type_node("BIGINT"))
            first = {**site, "expression": chosen}
            return {**value, "arguments": [first, *(_renumbered(r, same) for r in rest)]}
        case dict():
            return {k: _renumbered(v, same) for k, v in value.items()}
        case list():
            return [_renumbered(v, same) for v in value]
        case _:
            return value
