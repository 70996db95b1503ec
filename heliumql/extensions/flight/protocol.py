"""What client and server say to each other: commands, and messages beside the rows, as JSON.

`server.py` and `remote.py` use it. Nothing that arrives is run or unpickled: it is checked to be
what is named here.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import heliumql.errors
from heliumql.errors import ExecutionError, HeliumQLError
from heliumql.physical.dispatch import Interrupted
from heliumql.stats import Progress, Stats

VERSION = 1
MOST_BYTES = 16 << 20  # of a command, and of the parameters of a text

# Actions
SESSION, INTERRUPT, STATS, CLOSE, STATUS = "session", "interrupt", "stats", "close", "status"


class MalformedError(ValueError):
    """What arrived is not what is said here."""


@dataclass(frozen=True)
class Command:
    """Statements to run in a session; without texts, the next result of those sent last."""

    session: str
    texts: tuple[tuple[str, str | None], ...] | None = None  # each with the name of its file
    named: bool = False  # parameters are named, each statement takes those that it names
    progress: bool = False  # tell how far it is

    def encoded(self) -> bytes:
        return json.dumps(dataclasses.asdict(self)).encode()

    @staticmethod
    def decoded(data: bytes) -> Command:
        """Raises MalformedError."""
        if len(data) > MOST_BYTES:
            raise MalformedError(f"the statements are longer than {MOST_BYTES >> 20} MB")
        match read_json(data):
            case {
                "session": str(session),
                "texts": None | [*_] as texts,
                "named": bool(named),
                "progress": bool(progress),
            }:
                pairs = None if texts is None else tuple(_text(t) for t in texts)
                return Command(session, pairs, named, progress)
            case _:
                raise MalformedError("this is not a command of HeliumQL")


def _text(value: object) -> tuple[str, str | None]:
    match value:
        case [str(text), None | str() as name]:
            return text, name
        case _:
            raise MalformedError("this is not a text of HeliumQL")


def read_json(data: bytes) -> object:
    """Raises MalformedError where it is not JSON."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise MalformedError("this is not JSON") from None


def message(**what: object) -> bytes:
    """One message of the server: its kind, and what it says."""
    return json.dumps(what).encode()


# stats and progress -----------------------------------------------------------------------


def plain(numbers: Stats | Progress | None) -> dict[str, Any] | None:
    return None if numbers is None else dataclasses.asdict(numbers)


def stats_of(told: Mapping[str, Any] | None) -> Stats:
    """Numbers that this version does not know are passed over."""
    known = {f.name for f in fields(Stats)}
    values: dict[str, Any] = {k: v for k, v in (told or {}).items() if k in known}
    values |= {k: tuple(v) for k, v in values.items() if isinstance(v, list)}
    return Stats(**values)


def progress_of(told: Mapping[str, Any]) -> Progress:
    known = {f.name for f in fields(Progress)}
    return Progress(**{k: v for k, v in told.items() if k in known})


# errors -----------------------------------------------------------------------------------


def told_error(error: HeliumQLError) -> dict[str, Any]:
    """An error as the client is to show it: its text with place and hint, and its exit status."""
    return {"kind": type(error).__name__, "message": str(error), "status": error.exit_status}


def error_of(told: Mapping[str, Any]) -> HeliumQLError:
    """The error again, of its own class where this version knows it; its text is complete."""
    kind = told.get("kind")
    text, status = str(told.get("message")), told.get("status")
    if kind == Interrupted.__name__:
        return Interrupted()
    found = getattr(heliumql.errors, str(kind), None)
    error: HeliumQLError = ExecutionError(text)
    if isinstance(found, type) and issubclass(found, HeliumQLError):
        error = found.__new__(found)
        HeliumQLError.__init__(error, text)
    if isinstance(status, int):
        error.exit_status = status
    return error
