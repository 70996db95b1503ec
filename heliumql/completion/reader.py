"""The live catalog of a connection, read as cheaply as a keystroke needs it.

Names of tables are compared at every reading and columns read again only where something changed.
A connection that is in the middle of a result is left alone: what a twin of it sees is read then,
and its temporary tables are those of the last time.
"""

from __future__ import annotations

import contextlib
import os
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb

from heliumql.catalog import Catalog, Settings
from heliumql.catalog.meanings import SETTING_MEANINGS, shown
from heliumql.completion.scope import CALL_COLUMNS, columns_of_type
from heliumql.completion.snapshot import Column, Function, Setting, Snapshot, Table
from heliumql.completion.words import TABLE_FUNCTIONS
from heliumql.errors import HeliumQLError
from heliumql.syntax import CreatePrompt, parse

_CHANGES = """
SELECT (SELECT [count(*), max(table_oid), bit_xor(hash(sql))] FROM duckdb_tables()),
       (SELECT [count(*), max(view_oid), bit_xor(hash(sql))]
        FROM duckdb_views() WHERE NOT internal),
       (SELECT list(database_name) FROM duckdb_databases()),
       current_database(), current_schema(), (SELECT count(*) FROM duckdb_schemas())
"""
_COLUMNS = """
SELECT database_name, schema_name, table_name, column_name, data_type
FROM duckdb_columns() WHERE NOT internal ORDER BY table_oid, column_index
"""
_VIEWS = "SELECT database_name, schema_name, view_name FROM duckdb_views() WHERE NOT internal"
_SCHEMAS = (
    "SELECT DISTINCT schema_name FROM duckdb_schemas() WHERE database_name = current_database()"
)
_FUNCTIONS = f"""
SELECT function_name, any_value(function_type), any_value(parameters), any_value(parameter_types),
       any_value(return_type)
FROM duckdb_functions() WHERE regexp_full_match(function_name, '[a-z][a-z0-9_]*')
AND NOT starts_with(function_name, '__')
AND (NOT internal OR function_type NOT IN ('table', 'table_macro')
     OR function_name IN {TABLE_FUNCTIONS})
GROUP BY function_name ORDER BY function_name
"""
_SETTINGS = "SELECT name, value, description FROM duckdb_settings() ORDER BY name"
_KEYWORDS = "SELECT upper(keyword_name), keyword_category FROM duckdb_keywords()"
_LONGEST_SIGNATURE = 60
_MOST_FILES = 1000
_FILE_SECONDS = 0.03  # a keystroke waits for the columns of a file; the next one has them


@dataclass(frozen=True)
class _Constant:
    """What does not change while the program runs."""

    functions: tuple[Function, ...] = ()
    settings: tuple[Setting, ...] = ()
    keywords: frozenset[str] = frozenset()
    reserved: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Tables:
    """What changes with statements, and what told that it changed."""

    changes: tuple[Any, ...] = ()
    tables: tuple[Table, ...] = ()
    schemas: tuple[str, ...] = ()
    databases: tuple[str, ...] = ()
    database: str = "memory"
    schema: str = "main"


@dataclass
class SnapshotReader:
    """Reads snapshots of one connection. Never raises, never waits for a statement.

    `read` from the thread that runs statements: DuckDB lets one at a time use a connection, and
    from another thread its twin is asked.
    """

    connection: duckdb.DuckDBPyConnection
    catalog: Catalog
    _tables: _Tables = field(default_factory=_Tables)
    _constant: _Constant = field(default_factory=_Constant)
    _prompts: dict[str, Function] = field(default_factory=dict)  # by the text that made them
    _files: dict[tuple[str, int], tuple[Column, ...]] = field(default_factory=dict)  # by age too

    def __post_init__(self) -> None:
        self._owner = threading.get_ident()
        self._twin = self.connection.cursor()
        self.loaded = threading.Event()
        threading.Thread(target=self._load, name="completion").start()

    def read(
        self, settings: Settings, dot_commands: Mapping[str, tuple[str, str]] | None = None
    ) -> Snapshot:
        """The catalog now; `settings` are those of the session."""
        self._refresh()
        ours = tuple(
            Setting(f"llm_{name}", shown(value) or "", SETTING_MEANINGS.get(f"llm_{name}", ""))
            for name, value in vars(settings).items()
        )
        return Snapshot(
            tables=self._tables.tables,
            schemas=self._tables.schemas,
            databases=self._tables.databases,
            current_schema=self._tables.schema,
            current_database=self._tables.database,
            models=self._models(),
            prompts=tuple(
                self._prompt(entry.text, entry.name)
                for (kind, _), entry in list(self.catalog.entries.items())
                if kind == "prompt"
            ),
            functions=self._constant.functions + self._macros(),
            settings=ours + self._constant.settings,
            keywords=self._constant.keywords,
            reserved=self._constant.reserved,
            dot_commands=dot_commands or {},
            list_files=list_files,
            file_columns=self._file_columns,
        )

    def close(self) -> None:
        """Lets go of the twin. Idempotent."""
        self.loaded.wait()
        self._twin.close()

    def _load(self) -> None:
        """What takes longer than a keystroke may; names are completed without it until then.

        It is asked of a database of its own: a connection cannot be closed while one that was made
        of it is in use.
        """
        try:
            with contextlib.suppress(duckdb.Error), _another_database() as connection:
                keywords = connection.execute(_KEYWORDS).fetchall()
                self._constant = _Constant(
                    tuple(_function(*row) for row in connection.execute(_FUNCTIONS).fetchall()),
                    tuple(
                        Setting(name, value or "", meaning or "")
                        for name, value, meaning in connection.execute(_SETTINGS).fetchall()
                    ),
                    frozenset(word for word, _ in keywords),
                    frozenset(w for w, category in keywords if category == "reserved"),
                )
        finally:
            self.loaded.set()

    def _file_columns(self, path: str) -> tuple[Column, ...]:
        """Columns of a file of this machine; () while they are being looked for."""
        try:
            changed = os.stat(os.path.expanduser(path)).st_mtime_ns if "://" not in path else 0
        except (OSError, ValueError):  # there is none, or a pattern of several
            return ()
        key = (path, changed)
        if changed and key not in self._files:
            self._files[key] = ()
            found = threading.Event()

            def look() -> None:
                described = "DESCRIBE FROM '" + path.replace("'", "''") + "'"
                with contextlib.suppress(duckdb.Error), _another_database() as connection:
                    rows = connection.execute(described).fetchall()
                    self._files[key] = tuple(Column(row[0], row[1]) for row in rows)
                found.set()

            threading.Thread(target=look, name="completion").start()
            found.wait(_FILE_SECONDS)
        return self._files.get(key, ())

    def _refresh(self) -> None:
        """Reads tables again where they changed; what cannot be read stays as it was."""
        if threading.get_ident() == self._owner:
            with contextlib.suppress(duckdb.Error):
                self._tables = _read(self._tables, self.connection)
                return
        with contextlib.suppress(duckdb.Error):
            seen = _read(_Tables(), self._twin)
            kept = tuple(t for t in self._tables.tables if t.database == "temp")
            self._tables = _Tables(
                (), kept + seen.tables, seen.schemas, seen.databases,
                self._tables.database if self._tables.changes else seen.database,
                self._tables.schema if self._tables.changes else seen.schema,
            )  # fmt: skip

    def _macros(self) -> tuple[Function, ...]:
        """Those with calls, which are in the catalog; DuckDB takes long to list its own."""
        kinds = ((kind, entry.name) for (kind, _), entry in list(self.catalog.entries.items()))
        return tuple(Function(name, "macro with calls") for kind, name in kinds if kind == "macro")

    def _models(self) -> dict[str, str]:
        every = {**self.catalog.builtin, **self.catalog.models}
        return {
            model.name: " ".join(
                str(model.options[k]) for k in ("engine", "model") if k in model.options
            )
            for _, model in sorted(every.items())
        }

    def _prompt(self, text: str, name: str) -> Function:
        if text not in self._prompts:
            self._prompts[text] = _prompt(text, name)
        return self._prompts[text]


def _another_database() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"threads": 1})


def list_files(prefix: str) -> Sequence[str]:
    """Paths that begin so; folders end in a slash, hidden files are shown where a dot is typed."""
    folder, _, name = prefix.rpartition("/")
    at = os.path.expanduser(folder or ("/" if prefix.startswith("/") else "."))
    written = prefix[: len(prefix) - len(name)]
    found: list[str] = []
    try:
        with os.scandir(at) as entries:
            for entry in entries:
                hidden = entry.name.startswith(".") and not name.startswith(".")
                if entry.name.lower().startswith(name.lower()) and not hidden:
                    found.append(written + entry.name + ("/" if entry.is_dir() else ""))
                if len(found) >= _MOST_FILES:
                    break
    except OSError:  # no such folder, or one that may not be read
        return ()
    return found


def _read(known: _Tables, connection: duckdb.DuckDBPyConnection) -> _Tables:
    """The tables of a connection. Relations are refused where a result is open: it stays whole."""
    changes = connection.sql(_CHANGES).fetchall()[0]
    if changes == known.changes:
        return known
    views = set(connection.sql(_VIEWS).fetchall())
    columns: dict[tuple[str, str, str], list[Column]] = {}
    for database, schema, table, name, type_ in connection.sql(_COLUMNS).fetchall():
        columns.setdefault((database, schema, table), []).append(Column(name, type_))
    tables = tuple(
        Table(table, tuple(found), schema, database, (database, schema, table) in views)
        for (database, schema, table), found in columns.items()
    )
    schemas = tuple(row[0] for row in connection.sql(_SCHEMAS).fetchall())
    return _Tables(changes, tables, schemas, tuple(changes[2]), changes[3], changes[4])


def _function(
    name: str, kind: str, parameters: list[str] | None, types: list[str] | None, returns: str | None
) -> Function:
    names = parameters or []
    given = [t or "" for t in types or []]
    shown = [
        f"{n} {given[i]}".strip() if i < len(given) and given[i] else n for i, n in enumerate(names)
    ]
    signature = f"({', '.join(shown)})"
    if len(signature) > _LONGEST_SIGNATURE:
        signature = f"({', '.join(names)})"
    if len(signature) > _LONGEST_SIGNATURE:
        signature = signature[: _LONGEST_SIGNATURE - 2] + "…)"
    if returns:
        signature += f" → {returns}"
    return Function(name, signature, kind in ("table", "table_macro"))


def _prompt(text: str, name: str) -> Function:
    """A prompt as a function, its signature and columns as CREATE PROMPT says."""
    try:
        made = parse(text)[0]
    except (HeliumQLError, IndexError):
        return Function(name)
    if not isinstance(made, CreatePrompt):
        return Function(name)
    taken = ", ".join(re.sub(r"\s+", " ", f"{n} {t}").strip() for n, t in made.parameters)
    returns = made.returns.hql() if made.returns is not None else "VARCHAR"
    return Function(
        made.name, f"({taken}) → {returns}", True, columns_of_type(returns) + CALL_COLUMNS
    )
