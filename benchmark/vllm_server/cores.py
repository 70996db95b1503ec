"""The processes of an engine that compute go before those that wait in busy loops.

vLLM's worker is bound to a core; the process that schedules its steps looks for their results again
and again, and where the kernel puts it on that core both get half of it: a run takes twice as long,
now and then. On a core of its own with whoever asks it is slower still. So the worker is preferred.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_URGENT = -15


def prefer_bound(processes: Iterable[int]) -> None:
    """Of the processes, those that are bound to a single core are preferred, if that is allowed."""
    for pid in processes:
        with suppress(OSError):  # it has ended, or only root may
            if len(os.sched_getaffinity(pid)) == 1:
                for thread in Path(f"/proc/{pid}/task").iterdir():
                    os.setpriority(os.PRIO_PROCESS, int(thread.name), _URGENT)
