"""The database that the shell has open, and what every one of them begins with."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace

import duckdb

import heliumql
from heliumql.cli.scripts import constant
from heliumql.connection import Connection

MAX_CALLS = 1000
"""What `llm_max_calls` begins with: who only tries something spends no fortune."""


@dataclass(frozen=True)
class Opened:
    """An open database; `settings` are set again in the next one."""

    path: str
    connection: Connection
    settings: Mapping[str, object]
    read_only: bool = False

    def is_of(self, path: str) -> bool:
        """Whether it is this file."""
        try:
            return self.path != ":memory:" and os.path.samefile(self.path, path)
        except OSError:
            return False

    @property
    def name(self) -> str:
        return "in memory" if self.path == ":memory:" else self.path

    @property
    def limits_calls(self) -> bool:
        """The limit of calls is the one that the shell has set."""
        shown = self.connection.sql("SHOW llm_max_calls")
        return shown is not None and shown.fetchall() == [(str(MAX_CALLS),)]

    def beside(self) -> Opened:
        """Another connection to the same database."""
        connection = self.connection.cursor()
        _prepare(connection)
        return replace(self, connection=connection)

    def closed(self) -> None:
        self.connection.close()


def open_database(path: str, settings: Mapping[str, object], *, read_only: bool = False) -> Opened:
    """Opens or makes a database. Raises duckdb.Error or HeliumQLError."""
    connection = heliumql.connect(path, read_only=read_only)
    try:
        _prepare(connection)
        connection.set("llm_max_calls", MAX_CALLS)
        for name, value in settings.items():
            connection.execute(f"SET {name} = {constant(name, value)}")
    except BaseException:
        connection.close()
        raise
    return Opened(path, connection, settings, read_only)


def _prepare(connection: Connection) -> None:
    # HUGEINT, UUID, BIT and JSON keep their types on the way through Arrow.
    connection.duckdb.execute("SET arrow_lossless_conversion = true")
    # A name that no table has is a mistake; it must not find a variable of this program.
    connection.duckdb.execute("SET python_enable_replacements = false")
    try:
        connection.duckdb.execute("SET enable_progress_bar_print = false")
        connection.duckdb.execute("SET enable_progress_bar = true")  # for query_progress
    except duckdb.Error:
        pass  # then a long statement shows seconds only
