"""An explanation as plain text: what EXPLAIN prints."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from heliumql.explain.explanation import Explanation, Figure, Happened, OperatorShown, total
from heliumql.logical import Dag, described
from heliumql.prompts import shown

_WIDTH = 96


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
        yield "Prompt tree", explanation.tree.show().split("\n")
        yield "Expected", expected_lines(explanation)
    if explanation.happened is not None:
        yield "What happened", happened_lines(explanation.happened)


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
    return f"~{price:.4f}" if price < 1 else f"~{price:.2f}"


def wrapped(text: str, width: int = _WIDTH, indent: str = "") -> list[str]:
    """Lines of a width; what continues a line stands two columns in."""
    return textwrap.wrap(
        text, width, initial_indent=indent, subsequent_indent=indent + "  ",
        break_long_words=False, break_on_hyphens=False,
    ) or [""]  # fmt: skip
