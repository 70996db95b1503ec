"""The program `heliumql`: finds the command, runs it, returns the exit status."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from heliumql.cli.arguments import (
    explain_parser,
    fmt_parser,
    repl_parser,
    run_parser,
    serve_parser,
)
from heliumql.cli.database_files import is_database
from heliumql.cli.help import did_you_mean, help_of, show, version
from heliumql.cli.interrupt import Interrupts, listen
from heliumql.cli.parser import UsageError


def main(arguments: Sequence[str] | None = None) -> int:
    """Heavy modules are imported by the commands that need them, not here."""
    interrupts = listen()
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        match given:
            case ["--help" | "-h" | "help", *words]:
                return help_of(words if given[0] == "help" else [])
            case ["--version", *_]:
                return show(version() + "\n")
            case [] if sys.stdin.isatty():
                return _repl([], interrupts)
            case ["repl", *rest]:
                return _repl(rest, interrupts)
            case ["run", *rest]:
                options = run_parser().parse_args(rest)
            case ["explain", *rest]:
                options = explain_parser().parse_args(rest)
                from heliumql.cli.explain import explain

                return explain(options, interrupts)
            case ["fmt", *rest]:
                options = fmt_parser().parse_args(rest)
                from heliumql.cli.fmt import fmt

                return fmt(options, interrupts)
            case ["serve", *rest]:
                from heliumql.cli.serve import serve

                return serve(serve_parser().parse_args(rest), interrupts)
            case ["bench", *rest]:
                from heliumql.cli.bench.command import bench

                return bench(rest)
            case [word, *_] if word.isidentifier() and not Path(word).exists():
                raise UsageError(f"no command or file {word!r}", hint=did_you_mean(word))
            case [word, *rest] if "-c" in rest and not word.startswith("-") and is_database(word):
                options = run_parser("heliumql").parse_args(["--database", word, *rest])
            case [word, *_] if not word.startswith("-") and is_database(word):
                return _repl(given, interrupts)
            case _:
                options = run_parser("heliumql").parse_args(given)
                if options.file is None and not options.commands and sys.stdin.isatty():
                    return _repl(given, interrupts)
        from heliumql.cli.run import run

        return run(options, interrupts)
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_status
    except KeyboardInterrupt:
        return interrupts.exit_status or 130


def _repl(given: Sequence[str], interrupts: Interrupts) -> int:
    options = repl_parser().parse_args(given)
    if options.file is not None and options.database is not None:
        raise UsageError("the database is given twice", hint="heliumql repl DATABASE")
    options.database = options.database or options.file or ":memory:"
    from heliumql import __version__
    from heliumql.cli.repl.start import repl

    return repl(options, interrupts, __version__)


if __name__ == "__main__":
    sys.exit(main())
