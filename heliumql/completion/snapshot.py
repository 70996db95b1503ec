"""What a connection knows at one moment, as plain values that completion reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Column:
    """A column and its SQL type ('' where it is not known)."""

    name: str
    type: str = ""


@dataclass(frozen=True)
class Table:
    """A table or view, with its columns in order."""

    name: str
    columns: tuple[Column, ...] = ()
    schema: str = "main"
    database: str = "memory"
    is_view: bool = False


@dataclass(frozen=True)
class Function:
    """A function by name; one signature of it, for display."""

    name: str
    signature: str = ""
    is_table: bool = False
    columns: tuple[Column, ...] = ()  # that its rows have, where it is a table and they are known


@dataclass(frozen=True)
class Setting:
    """A setting: what it is now, and what it means."""

    name: str
    value: str = ""
    meaning: str = ""


def _no_files(prefix: str) -> Sequence[str]:
    return ()


def _no_columns(path: str) -> tuple[Column, ...]:
    return ()


@dataclass(frozen=True)
class Snapshot:
    """The catalog as it is.

    `list_files(prefix)` names what lies where a path begins so, `file_columns(path)` what the rows
    of a file have, as far as that is known.
    """

    tables: tuple[Table, ...] = ()
    schemas: tuple[str, ...] = ()
    databases: tuple[str, ...] = ()
    current_schema: str = "main"
    current_database: str = "memory"
    models: Mapping[str, str] = field(default_factory=dict)  # name -> what it is
    prompts: tuple[Function, ...] = ()
    functions: tuple[Function, ...] = ()
    settings: tuple[Setting, ...] = ()
    keywords: frozenset[str] = frozenset()  # upper case
    reserved: frozenset[str] = frozenset()  # of them, those that are no names without quotes
    dot_commands: Mapping[str, tuple[str, str]] = field(default_factory=dict)  # arguments, help
    list_files: Callable[[str], Sequence[str]] = _no_files  # folders end in a slash
    file_columns: Callable[[str], tuple[Column, ...]] = _no_columns
