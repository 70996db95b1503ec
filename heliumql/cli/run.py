"""`heliumql run`: statements in, results out."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Generator, Iterable
from contextlib import closing, nullcontext
from typing import Protocol

import duckdb
import pyarrow as pa

import heliumql
from heliumql.binder.parameters import named_in
from heliumql.cli.interrupt import Interrupts
from heliumql.cli.output import Output
from heliumql.cli.parser import UsageError
from heliumql.cli.progress import ProgressLine
from heliumql.cli.report import (
    say,
    say_error,
    say_failures,
    say_incidents,
    say_refused,
    say_stats,
)
from heliumql.cli.scripts import as_hql, check_used, constant, scripts
from heliumql.cli.standard_output import READER_GONE, OutputClosedError
from heliumql.cli.values import pairs
from heliumql.errors import BudgetError, HeliumQLError
from heliumql.stats import Stats
from heliumql.syntax import shell

_IN_PART = BudgetError.exit_status


class Running(Protocol):
    """A connection that statements were run on."""

    @property
    def total_stats(self) -> Stats: ...


def run(options: argparse.Namespace, interrupts: Interrupts) -> int:
    """Runs everything and returns the exit status; says on standard error what went wrong."""
    opened: list[Running] = []
    whole: list[Stats] = []  # what had been done when each statement was over
    status = status_of(lambda: _run(options, interrupts, opened, whole), interrupts)
    stats = sum((connection.total_stats for connection in opened), Stats())
    say_incidents(stats)
    # Of a statement that failed as a whole the error has told, and no value of it is NULL.
    failed = status not in (0, _IN_PART, READER_GONE) and interrupts.exit_status is None
    say_failures((whole or [Stats()])[-1] if failed else stats)
    say_refused(stats)
    if options.stats:
        say_stats(stats, options.stats)
    return status or (_IN_PART if stats.calls_refused else 0)


_NOT_GIVEN = re.compile(r"Values were not provided for the following parameters: (\w+)")


def status_of(work: Callable[[], None], interrupts: Interrupts) -> int:
    """The exit status of what a command does; an error is said on standard error."""
    try:
        work()
        return 0
    except OutputClosedError:
        return READER_GONE
    except (Exception, KeyboardInterrupt) as error:
        # A signal shows as KeyboardInterrupt, or as whatever the code it hit makes of it.
        if interrupts.exit_status is not None:
            say("interrupted")
            return interrupts.exit_status
        if isinstance(error, HeliumQLError):
            missing = _NOT_GIVEN.search(error.message)
            if missing is not None:
                error.hint = f"--param {missing[1]}=VALUE gives it one"
            say_error(str(error))
            return error.exit_status
        if isinstance(error, duckdb.Error):
            say_error(str(error))
            return 1
        raise


def _run(
    options: argparse.Namespace,
    interrupts: Interrupts,
    opened: list[Running],
    whole: list[Stats],
) -> None:
    parameters = pairs("--param", options.param)
    settings = pairs("--set", options.set)
    if options.model is not None:
        settings["llm_default_model"] = options.model
    texts = scripts(options)
    if options.dialect is not None:
        texts = [as_hql(text, name, options.dialect) for text, name in texts]
    check_used(parameters, [text for text, _ in texts])
    if options.dry_run and options.trace is not None:
        raise UsageError("--dry-run runs nothing that --trace could tell of")
    if options.connect is not None:
        from heliumql.cli.remote import run_remote

        run_remote(options, texts, parameters, settings, interrupts, opened, whole)
        return
    if options.dry_run:
        from heliumql.cli.dry_run import dry_run

        dry_run(options, texts, parameters, settings, interrupts)
        return
    progress = ProgressLine(sys.stderr) if sys.stderr.isatty() else None
    output = Output(options.format, options.output, progress.clear if progress else None)
    with (
        heliumql.connect(options.database) as connection,
        interrupts.interrupting(connection.interrupt),
        nullcontext() if options.trace is None else connection.trace(options.trace),
    ):
        opened.append(connection)
        # HUGEINT, UUID, BIT and JSON keep their types on the way through Arrow.
        connection.duckdb.execute("SET arrow_lossless_conversion = true")
        # A name that no table has is a mistake; it must not find a variable of this program.
        connection.duckdb.execute("SET python_enable_replacements = false")
        connection.progress = progress
        for name, value in settings.items():
            connection.execute(f"SET {name} = {constant(name, value)}")
        # All is parsed before anything runs: a slip at the end costs no call.
        parsed = [s for text, name in texts for s in connection.statements(text, name)]
        statements = [(s, named_in(s.statement.text, parameters)) for s in parsed]
        results = ((s.statement.text, rows) for s, rows in connection.run_all(statements))
        show_all(results, connection, output, whole, progress)
    close_output(output)


def show_all(
    results: Iterable[tuple[str, Rows | None]],
    connection: Running,
    output: Output,
    whole: list[Stats],
    progress: ProgressLine | None,
) -> None:
    """Shows the results of statements as they come; `whole` gets the stats after each."""
    try:
        for text, rows in results:
            if rows is not None:
                show(text, rows, output)
            whole.append(connection.total_stats)
            if progress:
                progress.clear()
    finally:
        if progress:
            progress.clear()


def close_output(output: Output) -> None:
    output.close()
    if output.is_missing:
        say(f"warning: no statement gave rows; {output.path} was not written")


class Rows(Protocol):
    """A result: of a connection here, or of a server."""

    @property
    def schema(self) -> pa.Schema: ...

    def batches(self) -> Generator[pa.RecordBatch, None, None]: ...


def show(text: str, result: Rows, output: Output) -> None:
    """Writes the rows, unless they only say that a statement has changed something."""
    schema = result.schema
    # Closed at once, also on Ctrl-C: the stats are those of what ran until then.
    with closing(result.batches()) as batches:
        if schema.names in (["Count"], ["Success"]) and shell(text).kind != "select":
            for _ in batches:
                pass
        else:
            output.show(schema, batches)
