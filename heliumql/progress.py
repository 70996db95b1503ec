"""How far a running statement is, in words: the terminal and the notebook show it."""

from __future__ import annotations

from heliumql.stats import Progress


def describe(progress: Progress) -> str:
    """`calls 120/400 · 8 failed · 2,310 tok/s · prefix hits 71 % · 0:12 left`"""
    parts = [f"calls {progress.calls_done:,}/{progress.calls_known:,}"]
    if progress.calls_failed:
        parts.append(f"{progress.calls_failed:,} failed")
    if progress.seconds > 0 and progress.output_tokens:
        parts.append(f"{progress.output_tokens / progress.seconds:,.0f} tok/s")
    if progress.prompt_tokens:
        parts.append(f"prefix hits {percent(progress.prefix_hit_tokens, progress.prompt_tokens)}")
    if 0 < progress.calls_done < progress.calls_known:
        missing = progress.calls_known - progress.calls_done
        parts.append(f"{clock(progress.seconds * missing / progress.calls_done)} left")
    return " · ".join(parts)


def percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %"


def clock(seconds: float) -> str:
    """0:12, 12:34, 1:02:03"""
    whole = round(seconds)
    hours, minutes = whole // 3600, whole // 60 % 60
    start = f"{hours}:{minutes:02}" if hours else f"{minutes}"
    return f"{start}:{whole % 60:02}"
