"""The magics `%hql` and `%%hql`: statements run on a connection that stays open between cells."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import (
    Magics,
    line_cell_magic,
    magics_class,
    needs_local_scope,
    no_var_expand,
)

from heliumql import syntax
from heliumql.connection import Connection, Parsed
from heliumql.errors import BindError, HeliumQLError
from heliumql.extensions.jupyter.options import USAGE, Options, read_options
from heliumql.extensions.jupyter.output import ProgressDisplay, say, show, stats_lines
from heliumql.extensions.jupyter.stopping import stopping
from heliumql.extensions.jupyter.variables import frames_as_tables, parameters
from heliumql.relations.relation import Relation
from heliumql.shared import opened
from heliumql.syntax.literals import quoted_name


@magics_class
class HqlMagics(Magics):
    """`%hql` and `%%hql`, and the connections that they use."""

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        self._current: Connection | None = None
        self._local: Mapping[str, Any] = {}  # variables of the function that a line stands in
        self._opened: dict[str, Connection] = {}  # by path, and over DuckDB's by name
        self._below: dict[str, duckdb.DuckDBPyConnection] = {}  # what those of a name stand over

    @property
    def connection(self) -> Connection:
        """Where statements run; a database in memory where no cell has said."""
        if self._current is None:
            self._current = self._database(":memory:")
        return self._current

    # A placeholder {name} is the language's, and $name a parameter: nothing is put in their place.
    @no_var_expand
    @needs_local_scope
    @line_cell_magic
    def hql(
        self, line: str, cell: str | None = None, local_ns: Mapping[str, Any] | None = None
    ) -> Relation | object | None:
        """Runs statements of HQL. `%hql --help` shows the options."""
        try:
            options = read_options(line)
            if options.help:
                print(USAGE)
                return None
            # The lines of the statements are counted as the notebook counts those of the cell.
            text = options.statement if cell is None else f"{options.statement}\n{cell}"
            self._local = local_ns or {}
            self._use(options)
            return self._run(text, options)
        except (HeliumQLError, duckdb.Error, KeyboardInterrupt) as error:
            raise _without_traceback(error) from None
        finally:
            self._local = {}

    def close(self) -> None:
        """Closes the connections that cells opened."""
        for connection in self._opened.values():
            connection.close()
        self._opened, self._below, self._current = {}, {}, None

    # where statements run -----------------------------------------------------------------

    def _use(self, options: Options) -> None:
        """Takes the connection that the options name, for this cell and later ones."""
        if options.database is not None:
            self._current = self._database(options.database)
        elif options.connection is not None:
            self._current = self._named(options.connection)

    def _database(self, path: str) -> Connection:
        if path.startswith("grpc"):
            raise BindError(
                f"--database {path}: cells run on databases of this machine, not on servers",
                hint="heliumql.connect(address).sql('..').df() runs a statement on a server",
            )
        key = path if path == ":memory:" else str(Path(path).expanduser().resolve())
        if key not in self._opened:
            self._opened[key] = Connection(opened(key), owns=True)
        return self._opened[key]

    def _named(self, name: str) -> Connection:
        match self._notebook.get(name):
            case Connection() as found:
                return found
            case duckdb.DuckDBPyConnection() as found:
                if self._below.get(name) is not found:
                    self._below[name] = found
                    self._opened[f"${name}"] = Connection(found, owns=False)
                return self._opened[f"${name}"]
            case None:
                raise BindError(
                    f"--connection {name}: no variable of the notebook has that name",
                    hint=f"{name} = heliumql.connect('my.duckdb')",
                )
            case other:
                kind = type(other).__name__
                raise BindError(f"--connection {name} is of type {kind}, no connection")

    @property
    def _notebook(self) -> Mapping[str, Any]:
        """The variables of the notebook, before them those of the function."""
        assert self.shell is not None
        return {**self.shell.user_ns, **self._local}

    # statements ---------------------------------------------------------------------------

    def _run(self, text: str, options: Options) -> object | None:
        connection = self.connection
        statements = connection.statements(text)
        _check_used(options.params, text)
        progress = ProgressDisplay() if hasattr(self.shell, "kernel") else None
        before, connection.progress = connection.progress, progress
        last: Relation | None = None
        try:
            with stopping(connection.interrupt) as stopped, _settings_of(connection, options):
                try:
                    for parsed in statements:
                        if last is not None and not options.out:
                            show(last)
                        last = self._result(parsed, options)
                        if progress is not None:
                            progress.clear()
                except Exception:
                    if stopped.asked:  # what it became on its way through other code
                        raise KeyboardInterrupt from None
                    raise
        finally:
            connection.progress = before
            if progress is not None:
                progress.clear()
        return self._given(last, options)

    def _result(self, parsed: Parsed, options: Options) -> Relation | None:
        """Runs a statement to its end; None where it has no rows to show."""
        text, connection = parsed.statement.text, self.connection
        values = parameters(text, options.params, self._notebook)
        with frames_as_tables(text, connection, self._notebook):
            if options.dry_run:
                say(_foreseen(connection, parsed, values))
                return None
            started = time.monotonic()
            relation = connection.run(parsed, values)
            if relation is None:
                return None
            result = connection.evaluated(relation)
            seconds = time.monotonic() - started
        if result.columns in (["Count"], ["Success"]) and syntax.shell(text).kind != "select":
            return None
        stats = replace(relation.stats, seconds=seconds)
        result.notes = tuple(stats_lines(stats, full=options.stats))
        return result

    def _given(self, result: Relation | None, options: Options) -> object | None:
        """What the magic gives back, or keeps under a name."""
        if result is None:
            if options.out and not options.dry_run:
                raise BindError(f"--out {options.out}: no statement gave rows")
            return None
        converted = _converted(result, options.format)
        if options.out is None:
            return converted
        assert self.shell is not None
        self.shell.user_ns[options.out] = converted
        say("\n".join(result.notes))
        return None


@contextmanager
def _settings_of(connection: Connection, options: Options) -> Iterator[None]:
    """The settings of one cell; afterwards those before are back."""
    wanted = dict(options.settings)
    if options.model is not None:
        wanted["llm_default_model"] = options.model
    before: dict[str, object] = {}
    try:
        for name, value in wanted.items():
            before[name] = _setting(connection, name)
            _set(connection, name, value)
        yield
    finally:
        for name, value in before.items():
            with suppress(duckdb.Error):  # some can be changed in one direction only
                _set(connection, name, value)


def _setting(connection: Connection, name: str) -> object:
    if name.lower().startswith("llm_"):
        return connection.settings.value(name)
    return connection.duckdb.execute("SELECT current_setting(?)", [name]).fetchall()[0][0]


def _set(connection: Connection, name: str, value: object) -> None:
    if name.lower().startswith("llm_"):
        connection.set(name, value)
    else:
        text = "'" + str(value).replace("'", "''") + "'"
        connection.duckdb.execute(f"SET {quoted_name(name)} = {text}").fetchall()


def _foreseen(connection: Connection, parsed: Parsed, values: dict[str, object] | None) -> str:
    match parsed.statement:
        case syntax.LlmSql() | syntax.Execute():
            return str(connection.estimate(parsed, values))
        case syntax.Sql() if connection.holds_calls(parsed):
            return str(connection.estimate(parsed, values))
        case _:
            return f"no calls, not run: {' '.join(parsed.statement.text.split())[:80]}"


def _check_used(params: Mapping[str, object], text: str) -> None:
    """A value that no statement asks for is a slip of the pen."""
    named = {t.text[1:] for t in syntax.tokenize(text) if t.type == "PARAMETER"}
    for name in params:
        if name not in named:
            raise BindError(f"--param {name}: no statement has ${name}")


def _converted(result: Relation, wanted: str | None) -> object:
    match wanted:
        case None:
            return result
        case "arrow":
            return result.arrow()
        case "df" | "pl":
            library = "pandas" if wanted == "df" else "polars"
            try:
                return result.df() if wanted == "df" else result.pl()
            except ModuleNotFoundError:
                raise BindError(
                    f"--format {wanted} needs {library}, which is not installed",
                    hint=f"pip install {library}",
                ) from None
    raise AssertionError(wanted)


def _without_traceback(error: BaseException) -> BaseException:
    """The same error; IPython shows the lines that it says of itself, and ends the cell by it."""
    text = "interrupted: answers that came are kept" if _is_stop(error) else str(error)
    error._render_traceback_ = text.splitlines  # type: ignore[attr-defined]
    return error


def _is_stop(error: BaseException) -> bool:
    return isinstance(error, KeyboardInterrupt)
