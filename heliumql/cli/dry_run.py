"""`heliumql run --dry-run`: what statements are expected to cost. Asks no model, writes nothing.

A database file is opened for reading only. What later statements need is made for the session:
models, prompts, tables without calls; in a file tables become temporary ones. For tables with calls
others stand in. What cannot be made so is left out, and statements that need it say so.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

import heliumql
from heliumql import syntax
from heliumql.binder.parameters import named_in
from heliumql.cli.interrupt import Interrupts
from heliumql.cli.scripts import constant
from heliumql.cli.standard_output import write
from heliumql.cli.standing_in import StandIns
from heliumql.connection import Connection, Parsed
from heliumql.errors import HeliumQLError

_MISSING = re.compile(r"does not exist|there is no (model|prompt)")
_READ_ONLY = re.compile(r"read-only", re.I)
_OF_A_FILE = re.compile(r"(?i)\s*CREATE(\s+OR\s+REPLACE)?(?=\s+(TABLE|VIEW)\b)")
_COPY_IN = re.compile(r"(?i)\s*COPY\s+[^\s(]+(\s*\([^)]*\))?\s+FROM\b")
_KEPT_OUTSIDE = re.compile(r"(?i)\s*CREATE\s+(OR\s+REPLACE\s+)?PERSISTENT\b")
_FOR_THE_SESSION = {
    duckdb.StatementType.CREATE, duckdb.StatementType.INSERT, duckdb.StatementType.UPDATE,
    duckdb.StatementType.DELETE, duckdb.StatementType.ALTER, duckdb.StatementType.DROP,
    duckdb.StatementType.SET, duckdb.StatementType.VARIABLE_SET, duckdb.StatementType.LOAD,
}  # fmt: skip
"""What plain statements may do to a database in memory, or to one that is only read."""


def dry_run(
    options: argparse.Namespace,
    texts: Sequence[tuple[str, str | None]],
    parameters: Mapping[str, object],
    settings: Mapping[str, object],
    interrupts: Interrupts,
) -> None:
    """Prints an estimate for each statement with calls, in order, on standard output."""
    in_file = options.database != ":memory:" and Path(options.database).exists()
    database = options.database if in_file else ":memory:"
    with (
        heliumql.connect(database, read_only=in_file) as connection,
        interrupts.interrupting(connection.interrupt),
    ):
        sets = "; ".join(f"SET {n} = {constant(n, v)}" for n, v in settings.items())
        statements = [
            parsed
            for text, name in [(sets, None), *texts]
            for parsed in connection.statements(text, name)
        ]
        stand_ins = StandIns(connection)
        left_out = False
        for number, parsed in enumerate(statements, 1):
            parsed = connection.read_again(parsed)
            values = named_in(parsed.statement.text, parameters)
            told = _told(connection, stand_ins, parsed, values, left_out=left_out)
            if told is None:
                continue
            write(f"{_titled(parsed)}\n{_indented(told.text)}\n")
            if told.may_stand_in:
                left_out |= not stand_ins.stands_in(parsed, values, statements[number:])
            else:
                left_out |= syntax.shell(parsed.statement.text).kind != "select"


@dataclass(frozen=True)
class _Told:
    """What is said of a statement that was not run."""

    text: str
    may_stand_in: bool = False  # a table for the one that it would make


def _told(
    connection: Connection,
    stand_ins: StandIns,
    parsed: Parsed,
    values: Mapping[str, object] | None,
    *,
    left_out: bool,
) -> _Told | None:
    """What is to be said of a statement; None where it only makes something.

    `left_out`: a statement before it, which may make what it needs, was not run.
    """
    given = dict(values) if values else None
    try:
        match parsed.statement:
            case syntax.LlmSql() | syntax.Execute():
                estimate = str(connection.estimate(parsed, given))
                if names := ", ".join(stand_ins.read_by(parsed)):
                    premise = f"as if answers in {names} that are not remembered were NULL:"
                    estimate = f"{premise}\n{estimate}"
                return _Told(estimate, syntax.shell(parsed.statement.text).kind != "select")
            case _:
                not_run = _made(connection, stand_ins, parsed, given)
                return None if not_run is None else _Told(not_run)
    except (HeliumQLError, duckdb.Error) as error:
        message = str(error).partition("\n")[0]
        if _READ_ONLY.search(message):
            return _Told("not run: it would write to the database")
        if left_out and _MISSING.search(message):
            why = f"{message}; a statement before it, not run here, may make that"
            return _Told(f"not known: {why}")
        raise


def _made(
    connection: Connection,
    stand_ins: StandIns,
    parsed: Parsed,
    values: dict[str, object] | None,
) -> str | None:
    """Makes what later statements need, as long as nothing of it is kept; else what is said."""
    statement = parsed.statement
    match statement:
        case (
            syntax.CreateModel()
            | syntax.CreatePrompt()
            | syntax.CreateView()
            | (syntax.CreateMacro())
        ):
            stand_ins.to_run(parsed)  # what is made of one, it knows
            statement = replace(statement, temp=True, or_replace=True, if_not_exists=False)
        case syntax.SetOption(name="llm_cache_path", value=str(path)) if path not in (
            "", ":memory:",
        ) and not Path(path).expanduser().exists():  # fmt: skip
            return None  # nothing is remembered there; the file is not made
        case syntax.SetOption() | syntax.ResetOption() | syntax.Prepare() | syntax.Deallocate():
            pass
        case syntax.Sql() if syntax.shell(statement.text).kind == "select":
            return "no calls"
        case syntax.Sql():
            if not _stays_inside(connection, statement.text):
                return "not run: it would write outside of the session"
            run = stand_ins.to_run(parsed)
            if run is None:
                return "not run: it would keep what is made of a table that stands in"
            if run is parsed and connection.is_read_only:
                text = _OF_A_FILE.sub(lambda m: m[0] + " TEMP", statement.text, count=1)
                (run,) = connection.statements(text)
            parsed, statement = run, run.statement
        case syntax.Show() | syntax.Describe() | syntax.Explain():
            return None
        case _:
            return "not run"
    made = connection.run(replace(parsed, statement=statement), values)
    if made is not None:
        made.fetchall()
    return None


def _stays_inside(connection: Connection, text: str) -> bool:
    """What the statement changes is over with the session."""
    (found,) = connection.duckdb.extract_statements(text)
    if found.type == duckdb.StatementType.COPY:
        return _COPY_IN.match(text) is not None
    return found.type in _FOR_THE_SESSION and not _KEPT_OUTSIDE.match(text)


def _titled(parsed: Parsed) -> str:
    """Where the statement stands, and how it begins."""
    name, line = parsed.written_at
    beginning = " ".join(parsed.statement.text.split())
    if len(beginning) > 70:
        beginning = beginning[:68] + ".."
    return f"{name or '-c'}:{line}: {beginning}"


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())
