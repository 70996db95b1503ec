"""What the command line asks for, checked."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

from names import of_option

from heliumql.cli.parser import UsageError
from heliumql.scheduling.policies import POLICIES
from scale.workflows import WORKFLOWS

POLICY = "cache_aware"


@dataclass(frozen=True)
class Chosen:
    """What is measured."""

    calls: Sequence[int]
    workflows: Sequence[str]
    others: Sequence[str]  # policies that are compared with POLICY
    most_compared: int  # calls

    def policies(self, calls: int) -> Sequence[str]:
        return (POLICY, *self.others) if calls <= self.most_compared else (POLICY,)


def chosen(options: argparse.Namespace) -> Chosen:
    """Raises UsageError."""
    workflows = of_option("--workflows", "workflow", options.workflows, WORKFLOWS)
    others = of_option("--policies", "policy", options.policies, POLICIES)
    if POLICY in others:
        raise UsageError(
            f"--policies: {POLICY} is what others are compared with",
            hint=f"one of {', '.join(name for name in POLICIES if name != POLICY)}",
        )
    calls = [_count(text.strip()) for text in options.calls.split(",")]
    for count in calls:
        for workflow in workflows:
            of_question = WORKFLOWS[workflow].calls
            if count % of_question:
                near = -(-count // of_question) * of_question
                raise UsageError(
                    f"--calls: {workflow} makes a multiple of {of_question} calls, not {count}",
                    hint=f"--calls {near}",
                )
    return Chosen(tuple(dict.fromkeys(calls)), workflows, others, options.compare_up_to)


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text)):
        raise UsageError(
            f"--calls: {text!r} is not a whole number above zero", hint="such as --calls 1000,10000"
        )
    return int(text)
