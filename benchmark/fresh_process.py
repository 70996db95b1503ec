"""Runs a package of this folder in a process of its own, where nothing has run before."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import heliumql

_FOLDERS = (Path(__file__).parent, Path(heliumql.__file__).parents[1])


def fresh(package: str, *arguments: object) -> Any:
    """What `python -m PACKAGE ARGUMENTS` prints, as JSON.

    Raises RuntimeError with what the process said last, where it fails.
    """
    path = os.pathsep.join([*map(str, _FOLDERS), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-m", package, *map(str, arguments)],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": path.rstrip(os.pathsep)},
    )
    if done.returncode < 0:
        raise RuntimeError(f"the process was ended by signal {-done.returncode}")
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        raise RuntimeError(lines[-1])
    return json.loads(done.stdout)


def held_bytes() -> int:
    """Of memory, by this process now; its peak where the system does not say."""
    return _status("VmRSS")


def peak_bytes() -> int:
    """Of memory, by this process at most.

    Linux counts that anew when a process starts a program; `resource` has the parent's in it.
    """
    return _status("VmHWM")


def _status(what: str) -> int:
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(what))
