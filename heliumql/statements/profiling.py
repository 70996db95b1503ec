"""PROFILE: runs a sample of a query's calls and says what was learnt of each operator.

`Statements` calls it. What is learnt (how long prompts and answers are, how long calls take) is
kept beside the answers, for the scheduler and for EXPLAIN.
"""

from __future__ import annotations

from dataclasses import replace

from heliumql.catalog import Settings
from heliumql.explain import Happened
from heliumql.session import Session
from heliumql.statements.explaining import Looked

COLUMNS = (
    "operator", "model", "calls", "calls_known", "prompt_tokens", "output_tokens",
    "output_tokens_90", "seconds",
)  # fmt: skip
_CALLS = 16  # of each operator, about


def sampling(settings: Settings, operators: int) -> Settings:
    """The settings of a run of a sample: some calls of each operator, row by row.

    A budget that is smaller stays what it is.
    """
    calls = _CALLS * max(1, operators)
    if settings.max_calls is not None:
        calls = min(calls, settings.max_calls)
    return replace(settings, max_calls=calls, on_budget="partial", scheduler="query_wise")


def profile_rows(session: Session, found: Looked, happened: Happened) -> list[tuple[object, ...]]:
    """A row for each operator; figures are means of a call, of all that is known by now."""
    names = {o.site: o.name for o in found.explanation.operators}
    rows: list[tuple[object, ...]] = []
    for number, spent in zip(sorted(found.planned.sites), happened.spent, strict=False):
        site = found.planned.sites[number]
        stats = session.shared.learnt.operator(site.template)
        row: tuple[object, ...] = (names.get(number, site.name), site.model, spent.run)
        if stats is None or not stats.calls:
            rows.append((*row, 0, None, None, None, None))
            continue
        rows.append(
            (
                *row,
                stats.calls,
                round(stats.prompt_tokens / stats.calls, 1),
                round(stats.mean_output_tokens, 1),
                round(stats.output_quantile(0.9)),
                round(stats.mean_seconds, 3),
            )
        )
    return rows
