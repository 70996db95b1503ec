"""What CREATE MODEL, PROMPT, VIEW and MACRO made: in the database, or for the session (TEMP).

DuckDB cannot hold what calls a model, so the texts of these statements are kept in a table of the
schema `heliumql`, made at the first of them, and are read again when the database is opened.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from heliumql.catalog.weights import fingerprint
from heliumql.errors import CatalogError
from heliumql.resources import resource
from heliumql.source import Span

_TABLE = "heliumql.catalog"


@dataclass(frozen=True)
class Model:
    """A model by name. `options` are the keys of CREATE MODEL .. WITH."""

    name: str
    options: Mapping[str, object]

    def identity(self) -> dict[str, object]:
        """The options that can change an answer."""
        keys = (
            "engine", "base_url", "model", "revision", "dtype", "quantization", "thinking",
            "chat_template_kwargs",
        )  # fmt: skip
        identity: dict[str, object] = {k: self.options.get(k) for k in keys}
        if identity["chat_template_kwargs"] is None:
            identity["chat_template_kwargs"] = self.options.get("chat_template_args")
        identity["engine"] = self.options.get("engine", "vllm")
        if isinstance(identity["base_url"], list | tuple):  # the others serve the same model
            identity["base_url"] = next(iter(identity["base_url"]), None)
        folder = Path(str(self.options.get("model", ""))).expanduser()
        if identity["engine"] == "vllm" and folder.is_dir():
            identity["files"] = fingerprint(folder)
        return identity


@dataclass(frozen=True)
class Entry:
    """A statement that made something; running its text again makes it again."""

    kind: str  # model, prompt, view, macro
    name: str
    text: str
    temp: bool = False


@dataclass
class Catalog:
    """Everything by name; names are case-insensitive."""

    models: dict[str, Model] = field(default_factory=dict)
    entries: dict[tuple[str, str], Entry] = field(default_factory=dict)  # by kind and name

    def __post_init__(self) -> None:
        self.builtin = {"demo": Model("demo", {"engine": "vllm", "model": demo_folder()})}

    @property
    def callable_names(self) -> frozenset[str]:
        """Names that may stand in SQL and hold calls."""
        return frozenset(n for kind, n in self.entries if kind != "model")

    def model(self, name: str, span: Span | None = None) -> Model:
        """The model of that name. Raises CatalogError that names those there are."""
        found = self.models.get(name.lower()) or self.builtin.get(name.lower())
        if found is None:
            raise self.missing("model", name, span)
        return found

    def default_model(self, span: Span | None = None) -> str:
        """The model of calls that name none, where no setting says which."""
        if len(self.models) > 1:
            raise CatalogError(
                "which model? several were made: " + ", ".join(sorted(self.models)),
                span=span,
                hint="SET llm_default_model = '..', or model => '..' in the call",
            )
        return next(iter(self.models), "demo")

    def missing(self, kind: str, name: str, span: Span | None = None) -> CatalogError:
        known = sorted(n for k, n in self.entries if k == kind)
        known += sorted(self.builtin) if kind == "model" else []
        near = difflib.get_close_matches(name.lower(), known, 1)
        hint = f"did you mean {near[0]}?" if near else None
        if hint is None:
            hint = f"{kind}s: {', '.join(known)}" if known else f"no {kind} has been made yet"
        return CatalogError(f"there is no {kind} {name}", span=span, hint=hint)

    def add(
        self,
        connection: duckdb.DuckDBPyConnection,
        entry: Entry,
        *,
        or_replace: bool,
        if_not_exists: bool,
        span: Span | None = None,
    ) -> bool:
        """Keeps an entry; false where it exists and that is no error."""
        key = (entry.kind, entry.name.lower())
        if key in self.entries and not or_replace:
            if if_not_exists:
                return False
            raise CatalogError(
                f"{entry.kind} {entry.name} exists already",
                span=span,
                hint=f"CREATE OR REPLACE {entry.kind.upper()} replaces it",
            )
        if not entry.temp:
            connection.execute("CREATE SCHEMA IF NOT EXISTS heliumql").fetchall()
            connection.execute(
                f"CREATE TABLE IF NOT EXISTS {_TABLE} "
                "(kind VARCHAR, name VARCHAR, statement VARCHAR, PRIMARY KEY (kind, name))"
            ).fetchall()
            connection.execute(
                f"INSERT OR REPLACE INTO {_TABLE} VALUES (?, ?, ?)",
                [entry.kind, entry.name.lower(), entry.text],
            ).fetchall()
        self.entries[key] = entry
        return True

    def drop(
        self,
        connection: duckdb.DuckDBPyConnection,
        kind: str,
        name: str,
        *,
        if_exists: bool,
        span: Span | None = None,
    ) -> None:
        key = (kind, name.lower())
        if kind == "model" and name.lower() in self.builtin and key not in self.entries:
            raise CatalogError(f"model {name} is built in and stays", span=span)
        entry = self.entries.pop(key, None)
        if entry is None:
            if if_exists:
                return
            raise self.missing(kind, name, span)
        if kind == "model":
            self.models.pop(name.lower(), None)
        if not entry.temp:
            connection.execute(
                f"DELETE FROM {_TABLE} WHERE kind = ? AND name = ?", list(key)
            ).fetchall()

    def stored(self, connection: duckdb.DuckDBPyConnection) -> list[Entry]:
        """What the database holds, in the order in which it was made."""
        exists = connection.execute(
            "SELECT count(*) FROM duckdb_tables() WHERE schema_name = 'heliumql' "
            "AND table_name = 'catalog' AND database_name = current_database()"
        ).fetchall()[0][0]
        if not exists:
            return []
        rows = connection.execute(f"SELECT kind, name, statement FROM {_TABLE}").fetchall()
        return [Entry(kind, name, text) for kind, name, text in rows]

    def agree_with(self, stored: Sequence[Entry], keys: set[tuple[str, str]]) -> list[Entry]:
        """Forgets what is not stored under these keys; what is stored there and not ours."""
        found = {key: e for e in stored if (key := (e.kind, e.name.lower())) in keys}
        for key in keys - found.keys():
            self.entries.pop(key, None)
            if key[0] == "model":
                self.models.pop(key[1], None)
        ours = {key: entry.text for key, entry in self.entries.items()}
        return [e for key, e in found.items() if ours.get(key) != e.text]


def demo_folder() -> str:
    """Where the demonstration model lies."""
    return str(resource("catalog") / "models" / "demo")
