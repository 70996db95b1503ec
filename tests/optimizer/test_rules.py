"""The examples in the docstrings of rules, and that each rule says what it owes its reader."""

from __future__ import annotations

import doctest
import inspect
import sys

import pytest
from shown import shown

from heliumql.optimizer import APPROXIMATE, PHASES, RULES, Rule

ALL = list({rule.name: rule for phase in PHASES for rule in phase.rules}.values())


@pytest.mark.parametrize("rule", ALL, ids=[r.name for r in ALL])
def test_examples_are_what_the_rule_makes(rule: Rule) -> None:
    module = sys.modules[rule.rewrite.__module__]
    finder = doctest.DocTestFinder(recurse=False)
    (example,) = finder.find(rule.rewrite, rule.name, extraglobs={"shown": shown, **vars(module)})
    assert example.examples, f"{rule.name} shows no example"
    flags = doctest.NORMALIZE_WHITESPACE
    assert doctest.DocTestRunner(optionflags=flags).run(example).failed == 0


@pytest.mark.parametrize("rule", ALL, ids=[r.name for r in ALL])
def test_rules_say_goal_before_after_and_when_not(rule: Rule) -> None:
    text = inspect.getdoc(rule.rewrite) or ""
    assert rule.rewrite.__module__ == f"heliumql.optimizer.rules.{rule.name}"
    for part in ("before ", "after ", "must not fire"):
        assert part in text, f"{rule.name} does not say: {part}"


def test_rules_that_run_by_themselves_are_exact() -> None:
    assert all(rule.kind == "exact" for rule in ALL)
    assert all(rule.kind == "approximate" for rule in APPROXIMATE)
    assert set(RULES) == {rule.name for rule in ALL}
