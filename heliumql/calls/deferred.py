"""Other names of answers: what calls were named when they waited for others.

The store notes them while statements run and writes them later. In between, another process may
replace or forget answers; what was made of the old ones must not be found by name then. So every
statement has the epoch at which it began, and its names hold in that epoch only.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

BYTES = 100  # that another name takes; they count as bytes of its answer
_KEYS = 1024  # names of one query


class Epoch(NamedTuple):
    """The time between two changes of answers that were there; of one file."""

    generation: int  # of the storage: the file may have been replaced as a whole
    number: int


@dataclass(frozen=True)
class Noted:
    """The answer that a name was noted for, and the epoch in which that holds."""

    final: bytes
    epoch: Epoch


def epoch_number(db: sqlite3.Connection | None) -> int:
    """The epoch in the database; a new one begins with 0."""
    return 0 if db is None else int(db.execute("SELECT epoch FROM state").fetchone()[0])


def finals_of(db: sqlite3.Connection, names: list[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """The names among these that are written, each with the identity of its answer."""
    for start in range(0, len(names), _KEYS):
        keys = names[start : start + _KEYS]
        marks = ",".join("?" * len(keys))
        yield from db.execute(f"SELECT * FROM deferred WHERE identity IN ({marks})", keys)


def write_names(db: sqlite3.Connection, finals: Mapping[bytes, bytes]) -> None:
    """Writes the names whose answers are there."""
    more: list[tuple[int, bytes]] = []
    for name, final in finals.items():
        if not db.execute("SELECT 1 FROM answers WHERE identity = ?", [final]).fetchone():
            continue
        before = db.execute("SELECT final FROM deferred WHERE identity = ?", [name]).fetchone()
        if before is not None:  # it came to another text then
            more.append((-BYTES, before[0]))
        more.append((BYTES, final))
        db.execute("INSERT OR REPLACE INTO deferred VALUES (?, ?)", (name, final))
    db.executemany("UPDATE answers SET bytes = bytes + ? WHERE identity = ?", more)
    db.executemany(
        "UPDATE operators SET bytes = bytes + ?"
        " WHERE id = (SELECT operator FROM answers WHERE identity = ?)",
        more,
    )


def forget_names(db: sqlite3.Connection) -> None:
    """Answers change: another epoch begins, and no name of before holds any more."""
    db.execute("UPDATE state SET epoch = epoch + 1")
    db.execute(
        "UPDATE operators SET bytes = bytes - ? * (SELECT count(*) FROM deferred d"
        " JOIN answers a ON a.identity = d.final WHERE a.operator = operators.id)",
        [BYTES],
    )
    db.execute(
        "UPDATE answers SET bytes = bytes - ? * (SELECT count(*) FROM deferred"
        " WHERE final = answers.identity) WHERE identity IN (SELECT final FROM deferred)",
        [BYTES],
    )
    db.execute("DELETE FROM deferred")
