"""Every stage of a statement's way, for a newcomer: `heliumql explain --stages`.

One function a stage; the text is the same in every run, so it holds no times and no numbers that
count anything but this statement.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import duckdb

from heliumql.binder.bind import printed
from heliumql.binder.cuts import Cut
from heliumql.binder.logical import logical_plan
from heliumql.explain.build import Planned, leaves_of
from heliumql.explain.explanation import Explanation
from heliumql.explain.sql import for_people
from heliumql.explain.text import dag_lines, operator_lines, pass_lines, wrapped
from heliumql.optimizer import Firing
from heliumql.physical.survey import Surveyed
from heliumql.prompts import Parts, Placeholder, Role, Text
from heliumql.syntax import Core, LlmSql, Statement


@dataclass(frozen=True)
class Stages:
    """What the stages are told from."""

    connection: duckdb.DuckDBPyConnection
    statement: Statement
    core: Core
    planned: Planned
    surveyed: Surveyed | None
    explanation: Explanation

    @property
    def names(self) -> Mapping[int, str]:
        """Of the operators, by site."""
        return {o.site: o.name for o in self.explanation.operators}


def as_stages(stages: Stages) -> str:
    """All stages that the statement goes through, numbered."""
    told: list[tuple[str, list[str]]] = []
    for stage in STAGES:
        lines = stage(stages)
        if lines:
            told.append(((stage.__doc__ or "").partition("\n")[0], lines))
    return "\n\n".join(
        "\n".join([f"{number}. {title}", *(f"   {line}".rstrip() for line in lines)])
        for number, (title, lines) in enumerate(told, 1)
    )


def text(stages: Stages) -> list[str]:
    """The text, as written."""
    return stages.statement.text.split("\n")


def statement(stages: Stages) -> list[str]:
    """syntax.parse: which kind of statement it is."""
    found = stages.statement
    if isinstance(found, LlmSql):
        verbs = ", ".join(sorted(found.verbs) or sorted(found.names))
        return [f"SQL with LLM calls: {verbs}"]
    return [type(found).__name__]


def core_sql(stages: Stages) -> list[str]:
    """syntax.desugar: plain SQL; a call is one function (operator, prompt, system, history)."""
    return for_people(stages.core.text, stages.names).split("\n")


def bound(stages: Stages) -> list[str]:
    """binder.bind: DuckDB resolves names and moves plain conditions below the calls."""
    if stages.planned.bound is None:
        return wrapped(f"not here: it is evaluated call by call ({stages.planned.reason})")
    return for_people(stages.planned.bound.text, stages.names).split("\n")


def plan(stages: Stages) -> list[str]:
    """The bound plan in words; a node names those that it reads."""
    return [] if stages.explanation.bound is None else dag_lines(stages.explanation.bound)


def rules(stages: Stages) -> list[str]:
    """optimizer.optimize: the rules that fired, and the plan after each."""
    optimized = stages.planned.optimized
    if optimized is None:
        return []
    if not optimized.firings:
        return ["none of the rules had anything to do"]
    lines: list[str] = []
    for firing, shown in zip(optimized.firings, stages.explanation.rules, strict=False):
        lines += [*wrapped(f"{firing.rule}: {'; '.join(shown.what)}"), *_after(stages, firing), ""]
    return lines[:-1]


def cuts(stages: Stages) -> list[str]:
    """binder.carry: where evaluation waits for answers, and how often it takes place."""
    carried = stages.planned.carried
    if carried is None:
        return []
    lines = pass_lines(stages.explanation)
    return lines + [_cut_line(cut) for cut in carried.cuts]


def pass_sql(stages: Stages) -> list[str]:
    """physical.passes: what DuckDB evaluates in a pass; __hql_ready holds rows back."""
    if stages.surveyed is None or not stages.surveyed.sql:
        return []
    return for_people(stages.surveyed.sql, stages.names).split("\n")


def calls(stages: Stages) -> list[str]:
    """calls: what the first pass names, a few calls of each operator; {..} will be an answer."""
    surveyed = stages.surveyed
    lines: list[str] = []
    for operator in stages.explanation.operators:
        seen = surveyed.sites.get(operator.site) if surveyed is not None else None
        if seen is None or not seen.rows:
            continue
        lines.append(f"{operator.name}: {seen.rows:,} rows, {seen.calls + seen.fetched:,} calls")
        for sample in seen.samples:
            lines += [f"  {line}" for line in _messages(sample, stages.names)]
    return lines


def prompt_tree(stages: Stages) -> list[str]:
    """prompts.RadixTree: which operators begin their prompts alike."""
    if stages.explanation.plan is None:
        return []
    return stages.explanation.tree.show().split("\n")


def operators(stages: Stages) -> list[str]:
    """explain: what is expected of every operator."""
    return [line for o in stages.explanation.operators for line in operator_lines(o)]


def rows(stages: Stages) -> list[str]:
    """The rows, and what they took."""
    happened = stages.explanation.happened
    if happened is None:
        return []
    stats = happened.stats
    shown = [line for row in happened.first for line in wrapped(repr(row))]
    if happened.rows > len(happened.first):
        shown.append(f".. {happened.rows - len(happened.first):,} more")
    passes = f"{stats.passes} pass" + ("es" if stats.passes != 1 else "")
    return [
        *shown,
        f"{passes}; calls asked: {stats.calls_asked:,}; shared: {stats.calls_shared:,};"
        f" remembered: {stats.calls_cached:,}; run: {stats.calls_run:,}",
    ]


Stage = Callable[[Stages], list[str]]
STAGES: tuple[Stage, ...] = (
    text, statement, core_sql, bound, plan, rules, cuts, pass_sql, calls, prompt_tree, operators,
    rows,
)  # fmt: skip


def _after(stages: Stages, firing: Firing) -> list[str]:
    """The plan after a rule, in words, and as SQL; nothing where only how it is run has changed."""
    before, after = firing.before, firing.after
    if after.tree is before.tree and after.fetched == before.fetched:
        return []
    typed = [n for n, s in stages.planned.sites.items() if s.declared != "VARCHAR"]
    tree = firing.after.tree
    dag = logical_plan(
        tree, stages.planned.names, stages.names, leaves_of(stages.connection), typed,
        firing.after.fetched,
    )  # fmt: skip
    lines = [f"  {line}" for line in dag_lines(dag)]
    sql = for_people(printed(stages.connection, tree), stages.names)
    return [*lines, *(f"    {line}" for line in sql.split("\n"))]


def _cut_line(cut: Cut) -> str:
    return f"  cut {cut.number} in {cut.where}, level {cut.level}"


def _messages(sample: Parts, names: Mapping[int, str]) -> list[str]:
    """A line a message."""
    lines: list[str] = []
    for part in sample:
        match part:
            case Role(name):
                lines.append(f"{name}: ")
            case Text(content):
                lines[-1] += content.replace("\n", "\\n")
            case Placeholder(site):
                lines[-1] += f"{{{names.get(int(site), site)}}}"
    return [f"- {lines[0]}", *(f"  {line}" for line in lines[1:])]
