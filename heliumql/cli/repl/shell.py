"""The shell: what it knows between two entries, and how it runs one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import chain
from pathlib import Path

import duckdb

from heliumql.cli.repl.complaints import placed, unexpected, with_advice
from heliumql.cli.repl.database import Opened
from heliumql.cli.repl.entries import Entry, as_command, entries
from heliumql.cli.repl.last import LastResult
from heliumql.cli.repl.modes import Arrivals, writer
from heliumql.cli.repl.pager import Paged, noting_pauses
from heliumql.cli.repl.preferences import CommandError, Preferences
from heliumql.cli.repl.screen import Screen
from heliumql.cli.repl.statement import Abandoned, Evaluation
from heliumql.cli.repl.summary import counted, has_calls, interrupted, summary
from heliumql.cli.report import say_failures, say_incidents, say_refused
from heliumql.cli.standard_output import OutputClosedError
from heliumql.connection import Connection, Parsed
from heliumql.errors import HeliumQLError
from heliumql.stats import Progress, Stats
from heliumql.syntax import LlmSql
from heliumql.syntax import shell as kind_of

_CHANGED = ["Count"]
_DONE = ["Success"]


class Shell:
    """Runs entries one after another."""

    def __init__(self, opened: Opened, preferences: Preferences, screen: Screen) -> None:
        self.opened = opened
        self.preferences = preferences
        self.screen = screen
        self.last: LastResult | None = None
        self.last_stats: Stats | None = None
        self.last_statement = ""  # for .edit
        self.failures = 0  # entries that went wrong
        self.interrupted = False  # the last entry was
        self.has_abandoned = False  # a statement that did not stop
        self.leaving = False
        self.release: Callable[[], None] = lambda: None  # whoever looks at the connection lets go
        self._progress: Progress | None = None
        self._files: list[Path] = []  # that are being read, the innermost last
        self._watch()

    @property
    def connection(self) -> Connection:
        return self.opened.connection

    # entries --------------------------------------------------------------------------------

    def run_typed(self, text: str) -> None:
        """Runs what was typed: several entries, up to the first that goes wrong or is stopped."""
        for entry in entries(as_command(text) or text):
            if not self.run(entry) or self.interrupted or self.leaving:
                return

    def run_file(self, path: Path) -> bool:
        """Runs a file; whether nothing went wrong. Goes on after an error, unless `.bail on`.

        Raises CommandError where it cannot be read.
        """
        path = path.expanduser()
        if path.resolve() in self._files:
            raise CommandError(f"{path} reads itself")
        try:
            text = path.read_text("utf-8-sig")
        except OSError as error:
            raise CommandError(f"cannot read {path}: {error.strerror}") from None
        except UnicodeDecodeError:
            raise CommandError(f"{path} is not UTF-8 text") from None
        self._files.append(path.resolve())
        try:
            return self.run_all(entries(text), str(path))
        finally:
            self._files.pop()

    def run_all(self, found: Iterator[Entry], name: str) -> bool:
        """Runs the entries of a file or pipe; whether nothing went wrong."""
        before = self.failures
        for entry in found:
            if self.preferences.echo:
                self.screen.show(entry.text)
            well = self.run(entry, name)
            if self.leaving or self.interrupted or (not well and self.preferences.bail):
                break
        return self.failures == before

    def run(self, entry: Entry, name: str | None = None) -> bool:
        """Runs one entry, of the file `name` if any; errors are told. Whether it went well."""
        self.interrupted = False
        well = False
        try:
            if entry.is_broken:
                raise CommandError("this is not UTF-8 text")
            if entry.is_command:
                self._command(entry, name)
            else:
                self._statements(entry, name)
            well = True
        except OutputClosedError:
            raise
        except KeyboardInterrupt:
            self._say_interrupted(None)
        except (HeliumQLError, duckdb.Error) as error:
            self.screen.error(placed(str(error), entry.line, name))
        except Exception as error:
            self.screen.error(unexpected(error))
        finally:
            self.screen.clear_status()
            self.screen.entry_done()
        self.failures += not well
        return well

    def _command(self, entry: Entry, name: str | None) -> None:
        from heliumql.cli.repl.dot_commands import run_command

        try:
            run_command(self, entry.text)
        except CommandError as error:
            if name is not None:
                error.message = f"{name}:{entry.line + 1}: {error.message}"
            raise

    # statements -----------------------------------------------------------------------------

    def _statements(self, entry: Entry, name: str | None) -> None:
        # As many empty lines before it as there are lines: errors tell the right one.
        text = "\n" * entry.line + entry.text if name is not None else entry.text
        self.last_statement = entry.text
        for parsed in self.connection.statements(text, name):
            self._statement(parsed)

    def query(self, sql: str) -> None:
        """Shows the rows of a statement that stands for a command."""
        for parsed in self.connection.statements(sql):
            self._statement(parsed, quiet=True)

    def _statement(self, parsed: Parsed, *, quiet: bool = False) -> None:
        self._progress = None
        self.connection.last_stats = None
        started = time.monotonic()
        paged = Paged(self.screen, self._paging())

        def tick() -> None:
            if not self.screen.interactive or paged.is_open:
                return
            if evaluation.interrupted:
                self.screen.status_line("stopping · Ctrl-C again gives the prompt back")
            elif self.preferences.progress:
                self.screen.status(self._progress, started, self._percent(parsed))

        evaluation = Evaluation(self.connection, parsed, tick)
        rows: int | None = None
        try:
            try:
                rows = self._shown(parsed, evaluation, paged)
            finally:
                self.screen.clear_status()
                paged.finish()
        except OutputClosedError:
            if not self.screen.interactive:
                raise
            return  # the pager was left
        except Abandoned:
            self._abandon()
            return
        except (HeliumQLError, duckdb.Error) as error:
            stats = self.connection.last_stats or Stats()
            self._tell_troubles(stats)
            self.last_stats = stats
            if evaluation.interrupted:
                self._say_interrupted(stats)
                return
            raise with_advice(error, self.opened) from None
        stats = self.connection.last_stats or Stats()
        if evaluation.interrupted:
            self._say_interrupted(stats)
        elif not quiet:
            self._tell(rows, stats, time.monotonic() - started)
        self._tell_troubles(stats)
        self.last_stats = stats if not quiet else self.last_stats

    def _percent(self, parsed: Parsed) -> float:
        """How far DuckDB is. With calls that would be the pass of now, and not the statement."""
        if self._progress or isinstance(parsed.statement, LlmSql):
            return -1.0
        return self.connection.duckdb.query_progress()

    def _shown(self, parsed: Parsed, evaluation: Evaluation, paged: Paged) -> int | None:
        """Shows the rows of the statement as they come; how many, None where it has none."""
        with closing(noting_pauses(evaluation.items(), paged)) as items:
            first = next((batch for batch in items if batch is not None), None)
            if first is None:
                return None
            schema = first.schema
            arrivals: Arrivals = chain([first], items)
            if (
                schema.names in (_CHANGED, _DONE)
                and kind_of(parsed.statement.text).kind != "select"
            ):
                changed = [b for b in arrivals if b is not None and b.num_rows]
                if schema.names == _CHANGED and changed and self.screen.interactive:
                    self.screen.dim(counted(changed[0].column(0)[0].as_py(), "row"))
                return None
            self.last = LastResult(schema)
            arrivals = self.last.watching(arrivals)
            writer(self.preferences, self.screen)(schema, arrivals, paged)
            return self.last.rows

    def show_last(self) -> None:
        """`.last`. Raises CommandError where there is nothing to show."""
        if self.last is None:
            raise CommandError("there is no result yet")
        if not self.last.is_whole:
            rows = counted(self.last.rows, "row")
            raise CommandError(f"the last result was too large to be kept ({rows})")
        paged = Paged(self.screen, self._paging())
        try:
            writer(self.preferences, self.screen)(self.last.schema, self.last.batches(), paged)
            paged.finish()
        except OutputClosedError:
            if not self.screen.interactive:
                raise

    def _paging(self) -> str:
        is_shown = self.screen.interactive and not self.screen.in_file and not self._files
        return self.preferences.pager if is_shown else "off"

    # what is said after a statement -----------------------------------------------------------

    def _tell(self, rows: int | None, stats: Stats, seconds: float) -> None:
        if has_calls(stats):
            if self.preferences.stats:
                self.screen.dim(summary(rows, stats))
        elif self.preferences.timer:
            self.screen.dim(f"{seconds:.3f} s")

    def _tell_troubles(self, stats: Stats) -> None:
        say_incidents(stats)
        say_failures(stats)
        say_refused(stats)

    def _say_interrupted(self, stats: Stats | None) -> None:
        self.interrupted = True
        self.screen.begin_line()
        starting = self._progress.starting if self._progress and stats else None
        keeps = self.connection.settings.cache != "off"
        self.screen.say(interrupted(stats or Stats(), starting, keeps=keeps))

    def _abandon(self) -> None:
        """Goes on with another connection: the statement does not let go of this one."""
        self.interrupted = self.has_abandoned = True
        self.release()
        self.opened = self.opened.beside()
        self._watch()
        self.screen.begin_line()
        self.screen.say(
            "the statement does not stop; it is left to itself. Temporary tables and an open\n"
            "transaction stay with it; answers, models and settings are here"
        )

    # the connection -------------------------------------------------------------------------

    def open(self, opened: Opened) -> None:
        """Goes on with another database."""
        self.close()
        self.opened = opened
        self._watch()

    def close(self) -> None:
        self.release()
        self.connection.close()

    def _watch(self) -> None:
        def progress(now: Progress) -> None:
            self._progress = now

        self.connection.progress = progress
