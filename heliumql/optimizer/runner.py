"""The runner: applies rules in the order of phases.py, and does what rules should not have to.

It skips rules by name (`SET llm_disabled_rules`), times them, keeps what each firing did and the
plans before and after, checks every new plan, stops on a plan that it has seen before, and names
the rule in any failure.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence

from heliumql.errors import HeliumQLError, InternalError
from heliumql.optimizer.check import check
from heliumql.optimizer.phase import Phase
from heliumql.optimizer.plan import Plan
from heliumql.optimizer.rule import Firing, Knowledge, Optimized, Rule, RuleContext

_ROUNDS = 50  # of a phase that runs until nothing changes


def optimize(
    plan: Plan,
    known: Knowledge,
    phases: Sequence[Phase],
    disabled: Collection[str] = (),
) -> Optimized:
    """The plan after all phases, with what each rule did on the way."""
    started = time.perf_counter()
    firings: list[Firing] = []
    context = RuleContext(plan, known)
    for phase in phases:
        rules = [r for r in phase.rules if r.name not in disabled]
        seen = [plan.tree]
        for _ in range(_ROUNDS if phase.until_stable else 1):
            before = plan
            for rule in rules:
                if context.plan is not plan:
                    context = RuleContext(plan, known)
                plan = _applied(rule, phase, context, firings)
            if plan is before:
                break
            if any(plan.tree == tree for tree in seen):  # rules that undo each other
                break
            seen.append(plan.tree)
    return Optimized(plan, tuple(firings), time.perf_counter() - started)


def _applied(rule: Rule, phase: Phase, context: RuleContext, firings: list[Firing]) -> Plan:
    before, started = context.plan, time.perf_counter()
    try:
        after = rule.rewrite(before, context)
        if after is before:
            return before
        check(before, after)
    except HeliumQLError:
        raise
    except Exception as error:
        raise InternalError(f"the rule {rule.name} failed: {error}") from error
    seconds = time.perf_counter() - started
    if context.done:  # else it has only noted something about the plan
        firings.append(Firing(rule.name, phase.name, tuple(context.done), before, after, seconds))
    return after
