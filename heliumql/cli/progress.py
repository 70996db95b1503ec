"""The line that shows how far a running statement is; the session calls it now and then."""

from __future__ import annotations

import shutil
from typing import TextIO

from heliumql.source import display_width
from heliumql.stats import Progress

_FIRST_SHOWN_SECONDS = 0.5  # a quick statement shows nothing


class ProgressLine:
    """Redraws one line of a terminal in place; `clear` takes it away again."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._drawn = False

    def __call__(self, progress: Progress) -> None:
        if progress.seconds < _FIRST_SHOWN_SECONDS or not progress.calls_known:
            return
        line = describe(progress)
        while display_width(line) >= shutil.get_terminal_size().columns and " · " in line:
            line = line.rpartition(" · ")[0]
        self._stream.write(f"\r{line}\x1b[K")
        self._stream.flush()
        self._drawn = True

    def clear(self) -> None:
        if self._drawn:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
            self._drawn = False


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
