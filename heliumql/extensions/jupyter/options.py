"""The options in front of a statement: `--model m --param n=3 SELECT ..`."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field

from heliumql.errors import BindError
from heliumql.syntax.mistakes import suggestion

USAGE = """\
%hql [OPTIONS] STATEMENT
%%hql [OPTIONS]
STATEMENTS

  --database PATH     a database file; this and later cells go on with it
  --connection NAME   a variable that holds a connection; likewise
  --model NAME        the model of calls that name none, in this cell
  --param NAME=VALUE  the value of $NAME; variables of the notebook need none
  --set NAME=VALUE    a setting, in this cell
  --out NAME          keeps the last result as a variable instead of showing it
  --format FORMAT     of the result: df, arrow or pl
  --dry-run           what the statements are expected to cost; nothing is run
  --stats             calls, tokens and times in full
  --help              this text"""

FORMATS = ("df", "arrow", "pl")
_FLAGS = ("dry-run", "stats", "help")
_VALUED = ("database", "connection", "model", "param", "set", "out", "format")
_OPTION = re.compile(
    r"\s*--(?P<name>[a-zA-Z][\w-]*)(?P<value>(?:=|[ \t]+(?!-))(?:'[^']*'|\"[^\"]*\"|[^\s'\"]+)+)?"
)
_NAME = re.compile(r"[^\W\d]\w*")


@dataclass(frozen=True)
class Options:
    """What one cell is run with."""

    statement: str  # what stands behind the options
    database: str | None = None
    connection: str | None = None
    model: str | None = None
    params: Mapping[str, object] = field(default_factory=dict)
    settings: Mapping[str, object] = field(default_factory=dict)
    out: str | None = None
    format: str | None = None
    dry_run: bool = False
    stats: bool = False
    help: bool = False


def read_options(line: str) -> Options:
    """The options at the beginning of a line. Raises BindError where one is not known.

    A comment (`-- like this`) begins with a blank and is part of the statement.
    """
    given: dict[str, str] = {}
    flags: set[str] = set()
    params: dict[str, object] = {}
    settings: dict[str, object] = {}
    position = 0
    while found := _OPTION.match(line, position):
        name = found["name"]
        position = found.end()
        if name in _FLAGS:
            flags.add(name)
            position = found.end("name")
            continue
        if name not in _VALUED:
            known = [f"--{n}" for n in (*_VALUED, *_FLAGS)]
            raise BindError(f"no option --{name}", hint=suggestion(f"--{name}", known, "options"))
        if found["value"] is None:
            raise BindError(f"--{name}: a value is missing", hint="%hql --help shows all options")
        value = "".join(shlex.split(found["value"].lstrip("= \t")))
        match name:
            case "param":
                _add_pair(params, "--param", value)
            case "set":
                _add_pair(settings, "--set", value)
            case _:
                given[name] = value
    chosen = given.get("format")
    if chosen is not None and chosen not in FORMATS:
        raise BindError(f"--format {chosen} is not known", hint="formats: " + ", ".join(FORMATS))
    if "out" in given and not _NAME.fullmatch(given["out"]):
        raise BindError(f"--out {given['out']}: no name of a variable")
    if "database" in given and "connection" in given:
        raise BindError("--database and --connection both say where statements run")
    return Options(
        line[position:].strip(),
        given.get("database"),
        given.get("connection"),
        given.get("model"),
        params,
        settings,
        given.get("out"),
        chosen,
        "dry-run" in flags,
        "stats" in flags,
        "help" in flags,
    )


def _add_pair(pairs: dict[str, object], option: str, text: str) -> None:
    name, equals, value = text.partition("=")
    name = name.removeprefix("$")
    if not equals or not _NAME.fullmatch(name):
        raise BindError(f"{option} {text}: it takes NAME=VALUE")
    try:
        pairs[name] = json.loads(value)
    except ValueError:
        pairs[name] = value
