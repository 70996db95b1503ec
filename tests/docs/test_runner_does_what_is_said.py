"""What docs/add_a_rule.md says that the runner does for the writer of a rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import duckdb
import pytest

from heliumql.binder.bind import bind
from heliumql.errors import InternalError
from heliumql.optimizer import Knowledge, Plan, Rule, RuleContext, optimize
from heliumql.optimizer.phase import Phase
from heliumql.syntax import Core
from heliumql.syntax.core import SourceMap


class Nothing:
    """Knows nothing of any predicate."""

    def selectivity(self, predicate: bytes) -> float | None:
        return None


def applied(*rules: Callable[[Plan, RuleContext], Plan], disabled: tuple[str, ...] = ()) -> Any:
    with duckdb.connect() as connection:
        bound = bind(connection, Core("SELECT 1 AS a, 2 AS b", (), SourceMap(())), None)
    phase = Phase("tried", tuple(map(Rule, rules)), until_stable=True)
    return optimize(Plan(bound.tree, {}), Knowledge(Nothing()), (phase,), disabled)


def turned(plan: Plan, context: RuleContext) -> Plan:
    """The plan with a mark on it, or without."""
    context.did("the mark is turned")
    marked = {k: v for k, v in plan.tree.items() if k != "mark"}
    return plan.with_tree(marked if "mark" in plan.tree else {**marked, "mark": True})


def without_column(plan: Plan, context: RuleContext) -> Plan:
    return plan.with_tree({**plan.tree, "select_list": plan.tree["select_list"][:1]})


def broken(plan: Plan, context: RuleContext) -> Plan:
    raise KeyError("from_table")


@pytest.mark.parametrize(
    ("rule", "why"), [(without_column, "the columns of the query have changed"), (broken, "from_t")]
)
def test_a_rule_that_is_wrong_is_named(rule: Callable[..., Plan], why: str) -> None:
    with pytest.raises(InternalError, match=f"the rule {rule.__name__} failed: .*{why}"):
        applied(rule)


def test_rules_that_undo_each_other_come_to_an_end() -> None:
    assert [f.rule for f in applied(turned, turned).firings] == ["turned"] * 2


def test_a_firing_keeps_what_was_said_and_both_plans() -> None:
    first = applied(turned).firings[0]
    assert first.what == ("the mark is turned",)
    assert ("mark" in first.before.tree, "mark" in first.after.tree) == (False, True)


def test_rules_are_left_out_by_name() -> None:
    assert applied(broken, disabled=("broken",)).firings == ()
