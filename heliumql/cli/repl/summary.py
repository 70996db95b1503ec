"""The line below a result: rows, calls, prefix hits, tokens per second, time."""

from __future__ import annotations

from heliumql.cli.progress import percent
from heliumql.stats import Stats


def summary(rows: int | None, stats: Stats) -> str:
    """`3 rows · 48 calls (12 cached, 4 shared) · 71 % prefix hits · 2,310 tokens/s · 1.42 s`

    `rows` is None where the statement has none.
    """
    parts = [] if rows is None else [counted(rows, "row")]
    parts.append(_calls(stats))
    if stats.prompt_tokens:
        parts.append(f"{percent(stats.prefix_hit_tokens, stats.prompt_tokens)} prefix hits")
    speed = stats.output_tokens / stats.seconds if stats.seconds > 0 else 0.0
    if speed >= 1:  # else an engine was started
        parts.append(f"{speed:,.0f} tokens/s")
    return " · ".join([*parts, f"{stats.seconds:.2f} s"])


def interrupted(stats: Stats, starting: str | None, *, keeps: bool) -> str:
    """What becomes of a statement that was stopped: its answers, and the engine on its way.

    `keeps`: answers are kept.
    """
    answered = stats.calls_run - stats.calls_failed
    if starting is not None:
        return f"interrupted; {starting} goes on starting"
    if not stats.calls_asked and not answered:
        return "interrupted"
    if not keeps:
        return f"interrupted; {counted(answered, 'new answer')} lost, as llm_cache is off"
    return (
        f"interrupted; {counted(answered, 'new answer')} kept ({_calls(stats)}): "
        "running it again goes on"
    )


def has_calls(stats: Stats) -> bool:
    return bool(stats.calls_asked or stats.calls_run or stats.calls_refused)


def counted(number: int, what: str) -> str:
    """1 row, 2 rows"""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _calls(stats: Stats) -> str:
    told = [
        (stats.calls_cached, "cached"),
        (stats.calls_shared, "shared"),
        (stats.calls_wasted, "not needed"),
        (stats.calls_failed, "failed"),
        (stats.calls_refused, "not run"),
    ]
    details = ", ".join(f"{number:,} {what}" for number, what in told if number)
    calls = counted(stats.calls_asked, "call")
    return f"{calls} ({details})" if details else calls
