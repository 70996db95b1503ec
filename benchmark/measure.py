"""What a piece of work takes: wall time, CPU and memory of this process."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Taken:
    """Seconds, and bytes above what the process held before."""

    wall: float = 0.0
    cpu: float = 0.0
    peak: int = 0


def resident() -> int:
    """Bytes of memory that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@contextmanager
def measured() -> Iterator[Taken]:
    """Measures what stands inside; memory by looking every 5 ms."""
    taken = Taken()
    gc.collect()
    base, done = resident(), threading.Event()

    def watch() -> None:
        while not done.wait(0.005):
            taken.peak = max(taken.peak, resident() - base)

    watcher = threading.Thread(target=watch)
    watcher.start()
    wall, cpu = time.perf_counter(), time.process_time()
    try:
        yield taken
    finally:
        taken.wall, taken.cpu = time.perf_counter() - wall, time.process_time() - cpu
        done.set()
        watcher.join()
        taken.peak = max(taken.peak, resident() - base)
