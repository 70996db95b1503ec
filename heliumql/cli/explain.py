"""`heliumql explain`: what statements with calls are going to do, without running them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import heliumql
from heliumql import syntax
from heliumql.binder.parameters import named_in
from heliumql.cli.interrupt import Interrupts
from heliumql.cli.parser import UsageError
from heliumql.cli.report import harmless
from heliumql.cli.run import status_of
from heliumql.cli.scripts import check_used, constant, scripts
from heliumql.cli.standard_output import write
from heliumql.cli.standing_in import StandIns
from heliumql.cli.values import pairs
from heliumql.connection import Connection, Parsed
from heliumql.errors import ExecutionError, HeliumQLError
from heliumql.source import joined

_NOT_RUN = "a statement before it has calls and was explained, not run; --analyze runs it too"


def explain(options: argparse.Namespace, interrupts: Interrupts) -> int:
    """Explains everything and returns the exit status."""
    return status_of(lambda: _explain(options, interrupts), interrupts)


def _explain(options: argparse.Namespace, interrupts: Interrupts) -> None:
    form = _form(options)
    parameters = pairs("--param", options.param)
    settings = pairs("--set", options.set)
    if options.model is not None:
        settings["llm_default_model"] = options.model
    texts = scripts(options)
    check_used(parameters, [text for text, _ in texts])
    shown: list[str] = []
    with (
        heliumql.connect(options.database) as connection,
        interrupts.interrupting(connection.interrupt),
    ):
        for name, value in settings.items():
            connection.execute(f"SET {name} = {constant(name, value)}")
        statements = [s for text, name in texts for s in connection.statements(text, name)]
        try:
            _explain_all(connection, statements, parameters, form, options.analyze, shown)
        except HeliumQLError:
            if shown and form in ("text", "stages"):  # what could be told
                _write(shown, form, options.output)
            raise
    _write(shown, form, options.output)


def _explain_all(
    connection: Connection,
    statements: Sequence[Parsed],
    parameters: Mapping[str, object],
    form: syntax.ExplainFormat,
    analyze: bool,
    shown: list[str],
) -> None:
    """Explains, or runs, one statement after another; `shown` gets the explanations."""
    stand_ins = StandIns(connection)
    skipped = False
    for number, parsed in enumerate(statements, 1):
        parsed = connection.read_again(parsed)
        asked = _asked(connection, parsed, form, analyze)
        values = named_in(parsed.statement.text, parameters)
        run = asked or stand_ins.to_run(parsed)
        if run is None:
            skipped = True
            continue
        try:
            result = connection.run(run, values)
            if asked is None or result is None:
                continue
            shown.append(str(result.fetchall()[0][1]))
            if _changes(parsed, analyze):
                made = stand_ins.stands_in(parsed, values, statements[number:])
                skipped = skipped or not made
        except HeliumQLError as error:
            if skipped and "does not exist" in error.message:
                error.hint = _NOT_RUN
            raise


def _form(options: argparse.Namespace) -> syntax.ExplainFormat:
    """The format: given, or told by the ending of the file, or text."""
    if options.stages:
        if options.format not in (None, "text"):
            raise UsageError("--stages is text", hint="leave --format out")
        return "stages"
    ending = options.output.suffix.lower() if options.output is not None else ""
    match options.format or ending:
        case "json" | ".json":
            return "json"
        case "html" | ".html" | ".htm":
            return "html"
        case "mermaid" | ".mmd" | ".mermaid":
            return "mermaid"
        case _:
            return "text"


def _asked(
    connection: Connection, parsed: Parsed, form: syntax.ExplainFormat, analyze: bool
) -> Parsed | None:
    """The statement as EXPLAIN of it; None where it is run, as it only makes something."""
    statement = parsed.statement
    match statement:
        case syntax.Explain():
            return replace(parsed, statement=replace(statement, format=form, analyze=analyze))
        case syntax.LlmSql() | syntax.Execute():
            pass
        case syntax.Sql() if syntax.shell(statement.text).kind == "select":
            # One without calls is DuckDB's to explain.
            options = [*(["ANALYZE"] if analyze else [])]
            options += [] if form in ("text", "stages") else [f"FORMAT {form}"]
            listed = f"({', '.join(options)}) " if options else ""
            text = joined(f"EXPLAIN {listed}", (parsed.source, statement.span))
            (found,) = connection.statements(text)
            if isinstance(found.statement, syntax.Sql):
                return found
        case _:
            return None
    if isinstance(statement, syntax.Sql):
        return None
    explained = syntax.Explain(statement.text, statement.span, statement, analyze, form)
    return replace(parsed, statement=explained)


def _changes(parsed: Parsed, analyze: bool) -> bool:
    """Would it have made something that later statements may read?"""
    return not analyze and syntax.shell(parsed.statement.text).kind != "select"


def _write(shown: list[str], form: syntax.ExplainFormat, path: Path | None) -> None:
    """One explanation after another; a file of JSON, HTML or Mermaid holds one."""
    if len(shown) > 1 and path is not None and form in ("json", "html", "mermaid"):
        raise UsageError(
            f"a {form} file cannot hold {len(shown)} explanations",
            hint="explain the statements one by one, or as text",
        )
    line = "\n" + "-" * 80 + "\n\n" if form in ("text", "stages") else "\n"
    text = line.join(f"{one}\n" for one in shown)
    if path is None:
        write(harmless(text) if sys.stdout.isatty() else text)
        return
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise ExecutionError(f"cannot write {path}: {error.strerror}") from None
