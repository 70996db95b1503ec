"""`heliumql run`: statements in, results out."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path

import duckdb

import heliumql
from heliumql.cli.arguments import UsageError, pairs
from heliumql.cli.interrupt import Interrupts
from heliumql.cli.output import Output, OutputClosedError
from heliumql.cli.progress import ProgressLine
from heliumql.cli.report import say, say_error, say_failures, say_stats
from heliumql.errors import HeliumQLError
from heliumql.relation import Relation
from heliumql.stats import Stats
from heliumql.syntax import shell

_PARAMETER = re.compile(r"\$(\w+)")
_READER_GONE = 141  # 128 + SIGPIPE, as of any other program in a pipeline


def run(options: argparse.Namespace, interrupts: Interrupts) -> int:
    """Runs everything and returns the exit status; says on standard error what went wrong."""
    done: list[Stats] = []
    try:
        _run(options, interrupts, done)
        status = 0
    except OutputClosedError:
        status = _READER_GONE
    except (Exception, KeyboardInterrupt) as error:
        # A signal shows as KeyboardInterrupt, or as whatever the code it hit makes of it.
        if interrupts.exit_status is not None:
            status = interrupts.exit_status
            say("interrupted")
        elif isinstance(error, HeliumQLError):
            status = error.exit_status
            say_error(str(error))
        elif isinstance(error, duckdb.Error):
            status = 1
            say_error(str(error))
        else:
            raise
    stats = sum(done, Stats())
    say_failures(stats)
    if options.stats:
        say_stats(stats, options.stats)
    return status


def _run(options: argparse.Namespace, interrupts: Interrupts, done: list[Stats]) -> None:
    if options.dry_run:
        raise UsageError("--dry-run is not available yet")
    parameters = pairs("--param", options.param)
    settings = pairs("--set", options.set)
    if options.model is not None:
        settings["llm_default_model"] = options.model
    scripts = _scripts(options)
    _check_used(parameters, [text for text, _ in scripts])
    progress = ProgressLine(sys.stderr) if sys.stderr.isatty() else None
    output = Output(options.format, options.output, progress.clear if progress else None)
    with (
        heliumql.connect(options.database) as connection,
        interrupts.interrupting(connection.interrupt),
    ):
        # HUGEINT, UUID, BIT and JSON keep their types on the way through Arrow.
        connection.duckdb.execute("SET arrow_lossless_conversion = true")
        connection.progress = progress
        for name, value in settings.items():
            connection.execute(f"SET {name} = {_constant(name, value)}")
        # All is parsed before anything runs: a slip at the end costs no call.
        for statements in [connection.statements(text, name) for text, name in scripts]:
            for statement in statements:
                before = connection.last_stats
                try:
                    text = statement.statement.text
                    result = connection.run(statement, _named_in(text, parameters))
                    if result is not None:
                        _show(text, result, output)
                finally:
                    if progress:
                        progress.clear()
                    if connection.last_stats is not None and connection.last_stats is not before:
                        done.append(connection.last_stats)
    output.close()
    if output.is_missing:
        say(f"warning: no statement gave rows; {options.output} was not written")


def _show(text: str, result: Relation, output: Output) -> None:
    """Writes the rows, unless they only say that a statement has changed something."""
    schema = result.schema
    # Closed at once, also on Ctrl-C: the stats are those of what ran until then.
    with closing(result.batches()) as batches:
        if schema.names in (["Count"], ["Success"]) and shell(text).kind != "select":
            for _ in batches:
                pass
        else:
            output.show(schema, batches)


def _scripts(options: argparse.Namespace) -> list[tuple[str, str | None]]:
    """The texts to run, each with the name of the file it comes from."""
    file = options.file
    if file is None and not options.commands:
        if sys.stdin.isatty():
            raise UsageError("nothing to run", hint="give a FILE, or -c SQL")
        file = "-"
    return [*([_read(file)] if file else []), *((sql, None) for sql in options.commands)]


def _constant(name: str, value: object) -> str:
    """The value of a setting as SQL."""
    match value:
        case bool() | int() | float():
            return str(value)
        case str():
            return "'" + value.replace("'", "''") + "'"
        case _:
            raise UsageError(f"--set {name}: a setting is a text, a number, true or false")


def _named_in(text: str, parameters: Mapping[str, object]) -> dict[str, object] | None:
    """Those of the parameters that the text names; DuckDB refuses others."""
    names = set(_PARAMETER.findall(text))
    return {k: v for k, v in parameters.items() if k in names} or None


def _check_used(parameters: Iterable[str], texts: Iterable[str]) -> None:
    """A value that no statement asks for is a slip of the pen; it would be lost silently."""
    named = {name for text in texts for name in _PARAMETER.findall(text)}
    for parameter in parameters:
        if parameter not in named:
            hint = "they have " + ", ".join(f"${name}" for name in sorted(named))
            raise UsageError(
                f"--param {parameter}: no statement has ${parameter}", hint=hint if named else None
            )


def _read(file: str) -> tuple[str, str]:
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        hint = f'heliumql -c "{file}"' if " " in file else None
        raise UsageError(f"cannot read {file}: {error.strerror}", hint=hint) from None
    name = "<stdin>" if file == "-" else file
    try:
        return data.decode("utf-8-sig"), name
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{name}:{line} is not UTF-8 text") from None
