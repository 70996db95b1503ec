"""Definitions: models, prompts, views and macros with calls, made, dropped and shown.

DuckDB holds views, macros and prompts for the session, as TEMP objects in core SQL; their texts
are kept by the catalog.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import duckdb

from heliumql import syntax
from heliumql.binder.mistakes import bind_error
from heliumql.catalog import SETTINGS, Entry, Model
from heliumql.catalog.meanings import SETTING_MEANINGS, shown
from heliumql.errors import BindError, CatalogError
from heliumql.physical import functions
from heliumql.physical.snapshot import in_transaction
from heliumql.source import Span
from heliumql.syntax import Core
from heliumql.syntax.literals import quoted_name

if TYPE_CHECKING:
    from heliumql.engines.engine import Engine
    from heliumql.session import Session

_QUALIFIED = re.compile(r'(VIEW|MACRO|FUNCTION)\s+(IF\s+NOT\s+EXISTS\s+)?("[^"]*"|\w+)\s*\.', re.I)

Rows = tuple[tuple[str, ...], Sequence[tuple[Any, ...]]]  # names and rows


class Definitions:
    """What CREATE, DROP, SHOW and DESCRIBE do in one session."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.catalog = session.catalog
        self.duckdb = session.duckdb
        self._named: dict[str, frozenset[int]] = {}  # call sites of views, macros, prompts
        self._undoable: set[tuple[str, str]] = set()  # changed in a transaction that is open
        self._seen = len(session.shared.changed)  # of the changes, those that the catalog has

    def create_model(self, statement: syntax.CreateModel, restoring: bool) -> None:
        options = dict(statement.options)
        if not restoring:
            _check_options(statement)
        entry = Entry("model", statement.name, statement.text, statement.temp)
        if restoring:  # a mistake shows when the model is used
            self.catalog.entries[("model", statement.name.lower())] = entry
        elif not self.catalog.add(
            self.duckdb, entry, or_replace=statement.or_replace,
            if_not_exists=statement.if_not_exists, span=statement.name_span,
        ):  # fmt: skip
            return
        else:
            self._note_change(entry.kind, entry.name)
        self.catalog.models[statement.name.lower()] = Model(statement.name, options)

    def register_model(self, name: str, engine: Engine, options: Mapping[str, object]) -> None:
        """An engine made in Python, as a model of this session."""
        from heliumql.engines.options import check_keys, check_values

        check_keys("python", options)
        check_values(options)
        # Answers outlive the process, so what names them must not come again in another one.
        named = {"engine": "python", "model": f"{name}-{uuid.uuid4().hex}"}
        model = Model(name, {**named, **options})
        self.catalog.models[name.lower()] = model
        self.catalog.entries[("model", name.lower())] = Entry("model", name, "", temp=True)
        self.session.shared.keep(model, engine)

    def create_named(
        self,
        statement: syntax.CreatePrompt | syntax.CreateView | syntax.CreateMacro,
        restoring: bool,
    ) -> None:
        """Prompts, views and macros live in DuckDB for the session, as core SQL."""
        if not isinstance(statement, syntax.CreatePrompt) and _QUALIFIED.search(statement.header):
            raise BindError(
                "a view or macro with calls cannot stand in a schema",
                span=statement.name_span,
                hint=f"without the schema: {statement.name}",
            )
        context = syntax.DesugarContext(functions.next_site, statement.span.start)
        match statement:
            case syntax.CreatePrompt():
                if not restoring:
                    self._check_model(statement)
                kind, prompt = "prompt", syntax.desugar_prompt(statement, context)
                texts, made = (
                    [prompt.scalar, prompt.table],
                    Core("", prompt.sites, prompt.source_map),
                )
            case syntax.CreateView():
                kind, made = "view", syntax.desugar_view(statement, context)
                texts = [made.text]
            case syntax.CreateMacro():
                kind, made = "macro", syntax.desugar_macro(statement, context)
                texts = [made.text]
        name = statement.name.lower()
        known = (kind, name) in self.catalog.entries
        if not known or statement.or_replace or restoring:
            for text in texts:
                try:
                    self.duckdb.execute(text).fetchall()
                except duckdb.Error as error:
                    shown = Core(text, made.sites, made.source_map)
                    raise bind_error(error, shown) from None
        entry = Entry(kind, statement.name, statement.text, statement.temp)
        if restoring:
            self.catalog.entries[(kind, name)] = entry
        elif not self.catalog.add(
            self.duckdb, entry, or_replace=statement.or_replace,
            if_not_exists=statement.if_not_exists, span=statement.name_span,
        ):  # fmt: skip
            return
        else:
            self._note_change(kind, name)
        self._named[name] = frozenset(s.number for s in made.sites)
        self.session.sites |= {s.number: s for s in made.sites}

    def _check_model(self, statement: syntax.CreatePrompt) -> None:
        """A prompt names a model that is there, as a view names a table: a slip shows now.

        Raises CatalogError. One that is dropped later is missed when the prompt is used.
        """
        name = statement.options.get("model")
        if isinstance(name, str):
            self.catalog.model(name, statement.value_spans["model"])

    def drop(self, statement: syntax.DropModel | syntax.DropPrompt | syntax.DropNamed) -> None:
        match statement:
            case syntax.DropModel():
                self.catalog.drop(
                    self.duckdb,
                    "model",
                    statement.name,
                    if_exists=statement.if_exists,
                    span=statement.name_span,
                )
                self._note_change("model", statement.name)
            case syntax.DropPrompt():
                self._drop_named("prompt", statement.name, statement.if_exists, statement.name_span)
            case syntax.DropNamed():
                self._drop_named(
                    statement.what, statement.name, statement.if_exists, statement.name_span
                )

    def _drop_named(self, kind: str, name: str, if_exists: bool, span: Span) -> None:
        exists = (kind, name.lower()) in self.catalog.entries
        self.catalog.drop(self.duckdb, kind, name, if_exists=if_exists, span=span)
        if not exists:
            return
        self._note_change(kind, name)
        self._forget(kind, name)

    def _forget(self, kind: str, name: str) -> None:
        """Drops what stands in DuckDB for a prompt, view or macro."""
        place = f"temp.main.{quoted_name(name)}"
        drops = [f"DROP VIEW IF EXISTS {place}"]
        if kind != "view":
            drops = [f"DROP MACRO IF EXISTS {place}", f"DROP MACRO TABLE IF EXISTS {place}"]
        for drop in drops:
            self.duckdb.execute(drop).fetchall()
        for number in self._named.pop(name.lower(), frozenset()):
            self.session.sites.pop(number, None)

    def _note_change(self, kind: str, name: str) -> None:
        """A transaction of the user's may take back what was made or dropped in it.

        Other connections of the database are told when it is there for them.
        """
        key = (kind, name.lower())
        if in_transaction(self.duckdb):
            self._undoable.add(key)
        else:
            self.session.shared.changed.append(key)

    def taken_back(self) -> list[Entry]:
        """After a transaction that changed definitions: forgets what it took back.

        Gives what is to be made again, as the transaction dropped or replaced it.
        """
        if not self._undoable:
            return []
        try:
            if in_transaction(self.duckdb):
                return []
        except duckdb.Error:  # it is aborted, and waits for ROLLBACK
            return []
        missing = self.catalog.agree_with(self.catalog.stored(self.duckdb), self._undoable)
        self.session.shared.changed.extend(self._undoable)
        self._undoable.clear()
        return missing

    @property
    def is_behind(self) -> bool:
        """Connections of the database have made or dropped something since `caught_up`."""
        return self._seen != len(self.session.shared.changed)

    def caught_up(self) -> list[Entry]:
        """Forgets what other connections have dropped; gives what they have made, to be made here.

        What is TEMP here stays as it is. In a transaction nothing changes from outside.
        """
        try:
            if in_transaction(self.duckdb):
                return []
        except duckdb.Error:  # it is aborted, and waits for ROLLBACK
            return []
        changed, entries = self.session.shared.changed, self.catalog.entries
        seen, self._seen = self._seen, len(changed)
        keys = {k for k in changed[seen : self._seen] if k not in entries or not entries[k].temp}
        had = keys & entries.keys()
        missing = self.catalog.agree_with(self.catalog.stored(self.duckdb), keys)
        for kind, name in had - entries.keys():
            if kind != "model":
                self._forget(kind, name)
        return missing

    def show(self, statement: syntax.Show) -> Rows | None:
        tables = self.duckdb.execute(
            "SELECT count(*) FROM (SELECT table_name AS n FROM duckdb_tables() UNION ALL "
            "SELECT view_name FROM duckdb_views()) WHERE lower(n) = ?", [statement.what]
        ).fetchall()[0][0]  # fmt: skip
        if tables:
            return None  # a table of that name goes first
        match statement.what:
            case "models":
                default = self.session.settings.default_model
                if not default and len(self.catalog.models) < 2:
                    default = self.catalog.default_model()
                models = {**self.catalog.builtin, **self.catalog.models}
                rows: list[tuple[Any, ...]] = [
                    (m.name, m.options.get("engine", "vllm"),
                     m.options.get("model") if key in self.catalog.models else "built in",
                     m.name.lower() == default.lower())
                    for key, m in models.items()
                ]  # fmt: skip
                return (("name", "engine", "model", "is_default"), rows)
            case "prompts":
                entries = [e for (k, _), e in self.catalog.entries.items() if k == "prompt"]
                return (_PROMPT_COLUMNS, [_shown_prompt(e.text) for e in entries])
            case "cache":
                from heliumql.statements import cache

                return (cache.SHOWN, cache.shown(self.session.shared.store))
            case "llm_settings":
                values = self.session.settings
                settings = [(n, _text(values.value(n)), SETTING_MEANINGS[n]) for n in SETTINGS]
                return (("name", "value", "description"), settings)
            case name:
                try:
                    value = self.session.settings.value(name)
                except CatalogError as error:
                    error.span = statement.span
                    raise
                return ((name,), [(_text(value),)])

    def describe(self, statement: syntax.Describe) -> Rows:
        if statement.what == "model":
            model = self.catalog.model(statement.name, statement.name_span)
            pairs = [("engine", model.options.get("engine", "vllm"))]
            pairs += [(k, v) for k, v in model.options.items() if k != "engine"]
            return (("option", "value"), [(k, _option(v)) for k, v in pairs])
        entry = self.catalog.entries.get(("prompt", statement.name.lower()))
        if entry is None:
            raise self.catalog.missing("prompt", statement.name, statement.name_span)
        return (("name", "statement"), [(entry.name, entry.text)])


_PROMPT_COLUMNS = ("name", "arguments", "type", "model", "text")


def _shown_prompt(text: str) -> tuple[str | None, ...]:
    """A row of SHOW PROMPTS: the template's first line, and a model only where it names one."""
    (statement,) = syntax.parse(text)
    assert isinstance(statement, syntax.CreatePrompt)
    lines = syntax.constant_text(statement.body).strip().splitlines() or [""]
    model = statement.options.get("model")
    return (
        statement.name,
        ", ".join(f"{name} {kind}".strip() for name, kind in statement.parameters),
        "VARCHAR" if statement.returns is None else statement.returns.hql(),
        None if model is None else str(model),
        lines[0] + (" .." if len(lines) > 1 else ""),
    )


def _text(value: str | float | bool | None) -> str:
    return shown(value) or ("none" if value is None else "")


def _option(value: object) -> str:
    """The value of an option as CREATE MODEL takes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _check_options(statement: syntax.CreateModel) -> None:
    from heliumql.engines import open_engine

    try:
        open_engine(statement.options).close()  # checks keys and values; starts nothing
    except CatalogError as error:
        key = next(
            (k for k in statement.options if error.message.startswith(f"{k} must be")
             or repr(k) in error.message), None
        )  # fmt: skip
        if error.message.startswith("unknown engine"):
            key = "engine"
        unknown = error.message.startswith("unknown option")
        spans = statement.option_spans if unknown else statement.value_spans
        error.span = statement.name_span if key is None else spans[key]
        raise
