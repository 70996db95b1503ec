"""What a cell shows: a line of progress while calls run, results, a line of what it took."""

from __future__ import annotations

import html
import time
from typing import Any

from heliumql.progress import describe, percent
from heliumql.relations import shown
from heliumql.relations.relation import Relation
from heliumql.stats import Progress, Stats

_FIRST_SHOWN_SECONDS = 0.5  # a quick statement shows nothing
_BETWEEN_SECONDS = 0.2
_MESSAGES_SHOWN = 3


class ProgressDisplay:
    """One output that is written again and again; `clear` takes it away."""

    def __init__(self) -> None:
        self._handle: Any = None  # of IPython, that writes the output again
        self._last = 0.0

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        if progress.seconds < _FIRST_SHOWN_SECONDS or now - self._last < _BETWEEN_SECONDS:
            return
        self._last = now
        drawn = _progress_bundle(progress)
        if self._handle is not None:
            self._handle.update(drawn, raw=True)
            return
        # Kept before it is shown: an interrupt in between must not leave it behind.
        self._handle = _handle()
        self._handle.display(drawn, raw=True)

    def clear(self) -> None:
        """Leaves an output without content: outputs cannot be taken back one by one."""
        if self._handle is not None:
            self._handle.update({"text/plain": "", "text/html": ""}, raw=True)
            self._handle = None


def show(relation: Relation) -> None:
    """Shows a result that has been read, and its notes below it."""
    _display(relation)


def say(text: str) -> None:
    """A line that is no result."""
    drawn = f'<div class="hql">{shown.STYLE}{shown.note(text)}</div>'
    _display({"text/html": drawn, "text/plain": text}, raw=True)


def stats_lines(stats: Stats, *, full: bool) -> list[str]:
    """What a statement took, in a line; then what must not be overlooked."""
    lines = [_in_full(stats) if full else _in_short(stats)]
    if stats.calls_failed:
        lines.append(
            f"warning: {stats.calls_failed:,} of {stats.calls_run:,} calls failed; "
            "their values are NULL"
        )
        lines += [f"  {message}" for message in stats.failures[:_MESSAGES_SHOWN]]
    if stats.calls_refused:
        lines.append(
            f"warning: {stats.calls_refused:,} calls were not run, as a budget is used up; "
            "run the cell again and it goes on"
        )
    lines += [f"warning: {incident}" for incident in stats.incidents[:_MESSAGES_SHOWN]]
    return lines


def _display(*things: object, **options: object) -> None:
    from IPython.display import display

    shows: Any = display  # it has no types
    shows(*things, **options)


def _handle() -> Any:
    from IPython.display import DisplayHandle

    make: Any = DisplayHandle  # it has no types
    return make()


def _in_short(stats: Stats) -> str:
    """`12 calls run, 7 shared, 40 kept · 1,234 tokens in, 96 out · prefix hits 71 % · 1.2 s`"""
    parts = []
    if stats.calls_asked or stats.calls_run:
        counts = [f"{stats.calls_run:,} call{'' if stats.calls_run == 1 else 's'} run"]
        if stats.calls_shared:
            counts.append(f"{stats.calls_shared:,} shared")
        if stats.calls_cached:
            counts.append(f"{stats.calls_cached:,} kept from before")
        parts.append(", ".join(counts))
    if stats.prompt_tokens or stats.output_tokens:
        parts.append(f"{stats.prompt_tokens:,} tokens in, {stats.output_tokens:,} out")
    if stats.prompt_tokens:
        parts.append(f"prefix hits {percent(stats.prefix_hit_tokens, stats.prompt_tokens)}")
    parts.append(f"{stats.seconds:.2f} s")
    return " · ".join(parts)


def _in_full(stats: Stats) -> str:
    return (
        f"calls   {stats.calls_asked:,} asked: {stats.calls_shared:,} shared, "
        f"{stats.calls_cached:,} kept from before, {stats.calls_run:,} run, "
        f"{stats.calls_wasted:,} of them not needed, {stats.calls_failed:,} failed; "
        f"{stats.requests_sent:,} requests\n"
        f"tokens  {stats.prompt_tokens:,} in, {stats.prefix_hit_tokens:,} of them prefix hits, "
        f"{stats.output_tokens:,} out\n"
        f"time    {stats.seconds:.2f} s: {stats.planning_seconds:.2f} s planning, first row after "
        f"{stats.first_row_seconds:.2f} s; passes: {stats.passes}"
    )


def _progress_bundle(progress: Progress) -> dict[str, str]:
    line = describe(progress)
    share = progress.calls_done / progress.calls_known if progress.calls_known else 0.0
    bar = f'<progress value="{share:.3f}" style="width:12em"></progress>'
    return {"text/plain": line, "text/html": f"<div>{bar} {html.escape(line)}</div>"}
