"""What the command line is given to run: files, -c, parameters and settings."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable
from pathlib import Path

from heliumql.cli.parser import UsageError, nearest
from heliumql.files import hint_for_missing

_MOST_NAMED = 3  # files, in a hint
_PARAMETER = re.compile(r"\$(\w+)")


def scripts(options: argparse.Namespace) -> list[tuple[str, str | None]]:
    """The texts to run, each with the name of the file it comes from."""
    file = options.file
    if file is None and not options.commands:
        if sys.stdin.isatty():
            raise UsageError("nothing to run", hint="give a FILE, or -c SQL")
        file = "-"
    if options.commands and not file and not any(sql.strip() for sql in options.commands):
        raise UsageError("-c has no statement", hint='heliumql -c "SELECT 42 AS answer"')
    return [*([read(file)] if file else []), *((sql, None) for sql in options.commands)]


def as_hql(text: str, name: str | None, dialect: str) -> tuple[str, str]:
    """Statements of another dialect as HQL, and the name under which errors show them."""
    from heliumql.dialects import translated

    return translated(text, dialect, name), f"{name or '-c'} as HQL"


def constant(name: str, value: object) -> str:
    """The value of a setting as SQL."""
    match value:
        case None:
            return "NULL"
        case bool() | int() | float():
            return str(value)
        case str():
            return "'" + value.replace("'", "''") + "'"
        case _:
            raise UsageError(f"--set {name}: a setting is a text, a number, true, false or null")


def check_used(parameters: Iterable[str], texts: Iterable[str]) -> None:
    """A value that no statement asks for is a slip of the pen; it would be lost silently."""
    named = {name for text in texts for name in _PARAMETER.findall(text)}
    for parameter in parameters:
        if parameter not in named:
            hint = "they have " + ", ".join(f"${name}" for name in sorted(named))
            raise UsageError(
                f"--param {parameter}: no statement has ${parameter}", hint=hint if named else None
            )


def _hint(file: str) -> str | None:
    """What may have been meant by a file that cannot be read."""
    path = Path(file)
    if not path.is_dir():
        return None if path.exists() else hint_for_missing(file) or _hint_for(path)
    inside = sorted(path.glob("*.hql"))
    return f"name a file in it, such as {inside[0]}" if inside else "there are no .hql files in it"


def _hint_for(path: Path) -> str | None:
    """Where nothing is like it: what the folder has, or that databases have another ending."""
    if nearest(path.suffix, (".duckdb", ".ddb", ".db")) is not None:
        return f"heliumql {path.with_suffix('.duckdb')} opens a database, or makes it"
    there = sorted(map(str, path.parent.glob("*.hql")))
    more = ", .." if len(there) > _MOST_NAMED else ""
    return f"the folder has {', '.join(there[:_MOST_NAMED])}{more}" if there else None


def read(file: str) -> tuple[str, str]:
    """The text of a file, or of standard input, and the name that errors give it."""
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        hint = f'heliumql -c "{file}"' if " " in file else _hint(file)
        raise UsageError(f"cannot read {file}: {error.strerror}", hint=hint) from None
    name = "<stdin>" if file == "-" else file
    try:
        return data.decode("utf-8-sig"), name
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{name}:{line} is not UTF-8 text") from None
