"""An explanation as plain text: what EXPLAIN prints."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from decimal import Decimal

from heliumql.explain.explanation import Explanation, Figure, Happened, OperatorShown, total
from heliumql.explain.schedule import GroupShown, ScheduleShown
from heliumql.explain.timeline import lane_lines
from heliumql.explain.tree import tree_lines
from heliumql.explain.words import counted, percent
from heliumql.logical import Dag, described
from heliumql.prompts import shown

_WIDTH = 96
_MOST_WORKERS, _MOST_GROUPS, _MOST_KEPT = 4, 3, 2  # that are named in a schedule


def as_text(explanation: Explanation) -> str:
    """Sections with a heading each, in the order in which a query goes its way."""
    lines: list[str] = []
    for heading, body in sections(explanation):
        if lines:
            lines.append("")
        lines.append(heading)
        lines += [f"  {line}".rstrip() for line in body]
    return "\n".join(lines)


def sections(explanation: Explanation) -> Iterator[tuple[str, list[str]]]:
    if explanation.plan is None:
        yield "Evaluated call by call", wrapped(f"because of: {explanation.call_by_call}")
    elif explanation.bound is not None:
        before, after = dag_lines(explanation.bound), dag_lines(explanation.plan)
        if before != after:
            yield "Bound plan", before
        if explanation.rules:
            yield "Rules", rule_lines(explanation)
        yield "Plan" if before == after else "Final plan", after
    if explanation.operators:
        lines = [line for o in explanation.operators for line in operator_lines(o)]
        yield "LLM operators", lines
    if explanation.plan is not None:
        yield "Passes", pass_lines(explanation)
        yield "Prompt tree", tree_lines(explanation.prompt_tree)
        if explanation.schedule is not None:
            yield "Schedule", schedule_lines(explanation.schedule)
        yield "Expected", expected_lines(explanation)
    if explanation.happened is not None:
        lines = happened_lines(explanation.happened)
        yield "What happened", lines + lane_lines(explanation.timelines)


def dag_lines(plan: Dag) -> list[str]:
    """A node a line, its number in front and those of its inputs behind it."""
    lines: list[str] = []
    for number, node in enumerate(plan.nodes, 1):
        inputs = ", ".join(str(i + 1) for i in node.inputs)
        text = described(node) + (f"  <- {inputs}" if inputs else "")
        first, *rest = wrapped(text, _WIDTH - 5)
        lines.append(f"{number:>2}  {first}")
        lines += [f"      {line}" for line in rest]
    return lines


def rule_lines(explanation: Explanation) -> list[str]:
    """The rules that fired, with what they did."""
    fired = [rule for rule in explanation.rules if rule.fired]
    lines = [
        line
        for rule in fired
        for line in wrapped(f"{rule.name}: {'; '.join(rule.what) or 'changed the plan'}")
    ]
    return lines or ["no rule had anything to do"]


def operator_lines(operator: OperatorShown) -> Iterator[str]:
    yield f"{operator.name}: model {operator.model}, returns {operator.returns}"
    for line in wrapped(f"prompt: {shown(operator.template)}", _WIDTH - 4):
        yield f"  {line}"
    if operator.rows is not None and operator.calls is not None and operator.fetched is not None:
        yield (
            f"  rows: {operator.rows}; calls to run: {operator.calls};"
            f" remembered: {operator.fetched}"
        )
        yield (
            f"  tokens: {operator.prompt_tokens} in, {operator.output_tokens} out;"
            f" static prefix of a call: {operator.static_prefix_tokens}"
        )
    if (spent := operator.spent) is not None:
        yield (
            f"  happened: {spent.run:,} calls run, {spent.failed:,} failed;"
            f" tokens: {spent.prompt_tokens:,} in ({spent.prefix_hit_tokens:,} prefix hits),"
            f" {spent.output_tokens:,} out"
        )
    if operator.price is not None:
        yield f"  price: {money(operator.price)}"
    for cut in operator.cuts:
        for line in wrapped(f"waits for its answers: {cut}", _WIDTH - 4):
            yield f"  {line}"


def pass_lines(explanation: Explanation) -> list[str]:
    passes, cuts = explanation.passes, explanation.cuts
    if passes.value == 1 and not cuts:
        more = "" if passes.exact else "; once more where one that others are made of is NULL"
        return [f"{passes}: nothing waits for answers but what goes out{more}"]
    if not cuts:
        return [f"{passes}: rows are held back until answers are there"]
    lines = [f"{passes}: these places hold rows back until answers are there"]
    return lines + [line for cut in cuts for line in wrapped(cut, _WIDTH, "  ")]


def schedule_lines(schedule: ScheduleShown) -> list[str]:
    """What was chosen, what each worker gets, and the prefixes that weigh most."""
    lines = wrapped(f"{schedule.policy}: {schedule.order}")
    lines += wrapped(covered(schedule))
    if schedule.others:
        lines += wrapped(compared(schedule))
    for worker in schedule.workers[:_MOST_WORKERS]:
        groups = f" in {counted(worker.groups, 'prefix group')}" if worker.groups else ""
        lines.append(
            f"{worker.name}: {counted(worker.calls, 'call')}{groups}, ~{worker.prompt_tokens:,}"
            f" prompt tokens, ~{percent(worker.repeated_tokens, worker.prompt_tokens)} repeated"
        )
    lines += _more(len(schedule.workers) - _MOST_WORKERS, "worker")
    for group in schedule.groups[:_MOST_GROUPS]:
        lines += wrapped(f"prefix: {group_line(group)}")
    hidden = max(0, len(schedule.groups) - _MOST_GROUPS) + schedule.more_groups
    lines += _more(hidden, "prefix group")
    for group in schedule.kept[:_MOST_KEPT]:
        lines += wrapped(f"kept: {group_line(group)}")
    return lines + _more(len(schedule.kept) - _MOST_KEPT, "kept prefix", "kept prefixes")


def covered(schedule: ScheduleShown) -> str:
    """How many calls a schedule is of, and what is expected of it."""
    text = f"of the {counted(schedule.calls, 'call')} known before answers come"
    if schedule.seconds is not None:
        text += f"; {duration(schedule.seconds)} by the event model"
    if schedule.hit_tokens is not None:
        share = percent(schedule.hit_tokens, schedule.prompt_tokens)
        text += f", ~{share} of ~{schedule.prompt_tokens:,} prompt tokens in prefix caches"
    return text


def compared(schedule: ScheduleShown) -> str:
    """How many other orders were looked at, and how long they would take."""
    seconds = [s for _, s in schedule.others]
    between = f"{seconds_text(min(seconds))} to {seconds_text(max(seconds))}"
    if seconds_text(min(seconds)) == seconds_text(max(seconds)):
        between = seconds_text(min(seconds))
    if schedule.seconds is not None and max(seconds) <= schedule.seconds * 1.005:
        between = "all as good"
    return f"{counted(len(seconds), 'other order')} looked at: {between}"


def group_line(group: GroupShown) -> str:
    workers = ", ".join(group.workers[:2]) + (" .." if len(group.workers) > 2 else "")
    return (
        f"~{counted(group.tokens, 'token')} in {counted(group.calls, 'call')} of"
        f" {', '.join(group.operators)}; {workers}"
    )


def seconds_text(seconds: float) -> str:
    """For comparing schedules, which often differ little."""
    return f"~{seconds:.4g} s"


def _more(number: int, one: str, many: str = "") -> list[str]:
    return [f".. {number:,} more {one if number == 1 else many or one + 's'}"] if number > 0 else []


def expected_lines(explanation: Explanation) -> list[str]:
    operators = explanation.operators
    calls = total(o.calls or Figure(0) for o in operators)
    fetched = total(o.fetched or Figure(0) for o in operators)
    prompt = total(o.prompt_tokens or Figure(0) for o in operators)
    output = total(o.output_tokens or Figure(0) for o in operators)
    lines = [
        f"calls to run: {calls}; remembered: {fetched}",
        f"tokens: {prompt} in, {output} out",
        f"time: {duration(explanation.seconds)}",
    ]
    if explanation.price is not None:
        lines.append(f"price: {money(explanation.price)}")
    return lines + [line for note in explanation.notes for line in wrapped(note)]


def happened_lines(happened: Happened) -> list[str]:
    stats = happened.stats
    passes = f"{stats.passes} pass" + ("es" if stats.passes != 1 else "")
    return [
        f"rows: {happened.rows:,}; {passes}; {stats.seconds:.3g} s,"
        f" first row after {stats.first_row_seconds:.3g} s",
        f"calls asked: {stats.calls_asked:,}; shared: {stats.calls_shared:,};"
        f" remembered: {stats.calls_cached:,}; run: {stats.calls_run:,};"
        f" failed: {stats.calls_failed:,}; wasted: {stats.calls_wasted:,}",
        f"tokens: {stats.prompt_tokens:,} in ({stats.prefix_hit_tokens:,} of them prefix hits),"
        f" {stats.output_tokens:,} out; requests: {stats.requests_sent:,}",
        *(f"failure: {failure}" for failure in stats.failures),
    ]


def duration(seconds: float | None) -> str:
    if seconds is None:
        return "not known before the first run"
    if seconds < 100:
        return f"~{seconds:.2g} s"
    return f"~{seconds / 60:.0f} min" if seconds < 6000 else f"~{seconds / 3600:.1f} h"


def money(price: float) -> str:
    if 0 < price < 0.001:  # two digits that say something, however small
        return f"~{Decimal(f'{price:.2g}'):f}"
    return f"~{price:.4f}" if price < 1 else f"~{price:.2f}"


def wrapped(text: str, width: int = _WIDTH, indent: str = "") -> list[str]:
    """Lines of a width; what continues a line stands two columns in."""
    return textwrap.wrap(
        text, width, initial_indent=indent, subsequent_indent=indent + "  ",
        break_long_words=False, break_on_hyphens=False,
    ) or [""]  # fmt: skip
