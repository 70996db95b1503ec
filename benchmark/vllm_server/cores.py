"""Who runs on which core: an engine that is computed on a core must have it to itself.

What serves it (vLLM's core of the engine waits in a busy loop) and whoever asks would otherwise be
put there now and then, and the run would take twice as long.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path


def keep_off(cores: Iterable[int], processes: Iterable[int]) -> None:
    """Moves the processes, with all their threads, off these cores, unless there are no others.

    A process that may run on these cores alone stays. New threads and processes follow.
    """
    taken = set(cores)
    for pid in processes:
        with suppress(OSError):  # it has ended
            if os.sched_getaffinity(pid) <= taken:
                continue
            for thread in Path(f"/proc/{pid}/task").iterdir():
                with suppress(OSError):
                    left = os.sched_getaffinity(int(thread.name)) - taken
                    if left:
                        os.sched_setaffinity(int(thread.name), left)
