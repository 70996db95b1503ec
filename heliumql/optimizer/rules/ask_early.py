"""Rule: what is very likely to be needed is asked while an engine would wait for something else."""

from __future__ import annotations

from dataclasses import replace

from heliumql.binder.cuts import LLM, LLM_INFO
from heliumql.binder.predicates import predicate_key
from heliumql.binder.tree import Node, walk
from heliumql.optimizer.blocks import calls_in, is_select, map_queries
from heliumql.optimizer.plan import Plan
from heliumql.optimizer.rule import RuleContext

_LIKELY = 0.7  # that a call asked early turns out to be needed


def ask_early(plan: Plan, context: RuleContext) -> Plan:
    """Let calls behind a predicate run before its answer is there, where an engine would idle.

    A pass waits for the predicates that come first. Where they let most rows through, as earlier
    runs have shown, what stands behind them in the same block may be asked in the meantime: by
    engines that have nothing certain to do, never before it, and only where a call costs no money.
    What turns out not to be needed is counted as wasted.

        before  WHERE llm(a) = 'yes' AND llm(b) = 'yes'     -- b when a is there
        after   WHERE llm(a) = 'yes' AND llm(b) = 'yes'     -- b while a runs, if there is room

    It must not fire
    - where nothing is known of the predicates in front: half of the calls may be wasted;
    - on calls that have a price: wasted calls are paid for;
    - on calls whose failure fails the statement: it may not need them;
    - where what is asked may fail to be made (a cast, arithmetic): the predicate may keep such rows
      from it;
    - under a LIMIT that stops early: it asks no more than it must.

    >>> shown(ask_early, "SELECT llm(id) FROM t WHERE llm(body) = 'a'", lets_through=0.9)
    llm may run before it is certain to be needed
    >>> shown(ask_early, "SELECT llm(id) FROM t WHERE llm(body) = 'a'")
    nothing
    >>> shown(ask_early, "SELECT dear_llm(id) FROM t WHERE llm(body) = 'a'", lets_through=0.9)
    nothing
    """
    templates = {n: g.template for n, g in plan.generates.items()}
    early: set[int] = set()

    def at(block: Node, recursive: bool) -> Node:
        if not is_select(block):
            return block
        _, asking = context.lifting.split(block["where_clause"])
        likely = 1.0
        behinds = [*asking[1:], block["select_list"]]
        for predicate, behind in zip(asking, behinds, strict=False):
            key = predicate_key(predicate, templates)
            known = None if key is None else context.known.learnt.selectivity(key)
            likely *= known or 0.0
            if likely < _LIKELY:
                break
            early.update(n for n in calls_in(behind) if plan.generates[n].may_be_wasted)
        return block

    map_queries(plan.tree, at)
    early -= plan.early | plan.fetched | _may_fail(plan, context)
    if not early:
        return plan
    for number in sorted(early):
        context.did(f"{plan.generates[number].name} may run before it is certain to be needed")
    return replace(plan, early=plan.early | early)


def _may_fail(plan: Plan, context: RuleContext) -> set[int]:
    """Sites whose messages are made by what may raise an error."""
    calls = [n for n in walk(plan.tree) if n.get("function_name") in (LLM, LLM_INFO)]
    return {number for n in calls if not context.never_fails(n) for number in calls_in(n)}
