"""Tokens: who has the token may run statements. Made, kept in a file, and compared here."""

from __future__ import annotations

import hmac
import os
import re
import secrets
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.flight as flight

from heliumql.errors import ExecutionError

VARIABLE = "HELIUMQL_TOKEN"
HEADER = "authorization"
_FEWEST = 16  # characters: what is shorter can be guessed


def made() -> str:
    return secrets.token_urlsafe(32)


def in_file(path: Path) -> str:
    """The token that a file holds. Raises ExecutionError where it holds none."""
    try:
        return checked(path.read_text("utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise ExecutionError(f"cannot read the token in {path}: {reason}") from None


def checked(text: str, place: str) -> str:
    """The token in a text, without the end of its line. Raises ExecutionError."""
    token = text.strip()
    if not re.fullmatch(r"[!-~]+", token):
        raise ExecutionError(f"{place} holds no token: one word in ASCII is expected")
    if len(token) < _FEWEST:
        raise ExecutionError(
            f"the token in {place} is too short to be safe",
            hint=f"{_FEWEST} characters at least; where there is no file, one is made",
        )
    return token


def keep(token: str, path: Path) -> None:
    """Writes a new file that only its owner can read. Raises ExecutionError."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise ExecutionError(f"cannot write the token to {path}: {error.strerror}") from None
    with os.fdopen(handle, "w") as file:
        file.write(token + "\n")


def others_can_read(path: Path) -> bool:
    return bool(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))


class Doorkeeper(flight.ServerMiddlewareFactory):  # type: ignore[misc]
    """Lets in calls that have the token; of others it says nothing but that."""

    def __init__(self, token: str) -> None:
        super().__init__()
        self._expected = f"Bearer {token}".encode()

    def start_call(self, info: object, headers: Mapping[str, Sequence[Any]]) -> None:
        given = [v for k, values in headers.items() if k.lower() == HEADER for v in values]
        told = given[0] if len(given) == 1 else ""
        told = told.encode("utf-8", "replace") if isinstance(told, str) else bytes(told)
        if not hmac.compare_digest(told, self._expected):
            raise flight.FlightUnauthenticatedError("refused")


def header(token: str) -> tuple[bytes, bytes]:
    return HEADER.encode(), f"Bearer {token}".encode()
