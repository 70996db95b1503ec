"""The style sheet and the script that the page carries, and the policy that allows no others."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path


@cache
def style() -> str:
    """Light and dark, wide and narrow, on screens and on paper."""
    return _read("page.css")


@cache
def script() -> str:
    """What makes the page handier; it shows everything without it, too."""
    return _read("page.js")


def policy() -> str:
    """The Content-Security-Policy of the page: nothing from anywhere, and this script alone."""
    digest = base64.b64encode(hashlib.sha256(script().encode()).digest()).decode()
    return (
        "default-src 'none'; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )


def _read(name: str) -> str:
    return Path(__file__).with_name(name).read_text("utf-8")
