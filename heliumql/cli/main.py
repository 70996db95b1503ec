"""The program `heliumql`: finds the command, runs it, returns the exit status."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from heliumql.cli.arguments import (
    OVERVIEW,
    UsageError,
    explain_parser,
    fmt_parser,
    run_parser,
    serve_parser,
)
from heliumql.cli.interrupt import listen


def main(arguments: Sequence[str] | None = None) -> int:
    """Heavy modules are imported by the commands that need them, not here."""
    interrupts = listen()
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        match given:
            case ["--help" | "-h", *_]:
                print(OVERVIEW, end="")
                return 0
            case ["--version", *_]:
                print(f"heliumql {_version()}")
                return 0
            case [] if sys.stdin.isatty():
                print(OVERVIEW, end="", file=sys.stderr)
                return 2
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
                from heliumql.cli.bench import bench

                return bench(rest)
            case [word, *_] if word.isidentifier() and not Path(word).exists():
                raise UsageError(
                    f"no command or file {word!r}",
                    hint="commands are: run, explain, fmt, bench, serve (see heliumql --help)",
                )
            case _:
                options = run_parser("heliumql").parse_args(given)
        from heliumql.cli.run import run

        return run(options, interrupts)
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_status
    except KeyboardInterrupt:
        return interrupts.exit_status or 130


def _version() -> str:
    from heliumql import __version__

    return __version__


if __name__ == "__main__":
    sys.exit(main())
