"""The arguments of the command line, and what is wrong with them.

`main.py` calls it first; it imports nothing that takes time, so that help and usage errors are
there at once.
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path

from heliumql.errors import HeliumQLError

FORMATS = ("table", "csv", "json", "jsonl", "markdown", "parquet", "arrow")

DIALECTS = ("snowflake", "bigquery", "databricks", "spark", "postgres", "flock")

EXPLAIN_FORMATS = ("text", "json", "html", "mermaid")

OVERVIEW = """\
HeliumQL: DuckDB SQL with LLM calls in it.

usage: heliumql                   open the shell; .help in it says what it can do
       heliumql my.duckdb         the same, in a database that is there or is to be made
       heliumql FILE.hql          run the statements of a file
       heliumql -c SQL            run statements given here
       heliumql run ...           the same, see heliumql run --help
       heliumql repl ...          the shell, also in pipes, see heliumql repl --help
       heliumql explain ...       show what they are going to do, see heliumql explain --help
       heliumql fmt FILE...       lay files out, see heliumql fmt --help
       heliumql bench SUITE ...   measure; heliumql bench lists the suites
       heliumql serve ...         engines and answers for many clients, see heliumql serve --help
       heliumql --version

Results go to standard output, all else to standard error.
"""

_RUN_EPILOG = """\
FILE runs before -c. Without either, statements are read from standard input.

--param values are JSON where they parse as JSON, else text, and are bound as $NAME:
  heliumql run reviews.hql --param limit=10 --param genre=thriller

On a terminal results are tables; elsewhere CSV, without colours and progress.
Exit status: 0 done, 1 error in a statement, 2 usage, 4 stopped by a budget (running again
resumes), 5 engine not available, 130 stopped by Ctrl-C.
"""


_EXPLAIN_EPILOG = """\
Statements without calls (CREATE TABLE, CREATE MODEL, SET ..) are run, as those after them may need
what they make. Statements with calls are explained; with --analyze they are run, too.
"""


_FMT_EPILOG = """\
Keywords come out in capitals, clauses on lines of their own, lines have 100 columns where that is
possible. Names, texts and comments stay as they are, and so do files that hold a mistake.

With --dialect nothing is written: what heliumql run --dialect would run is shown. What does not
mean the same in DuckDB is an error that shows the place.

Exit status: 0 done, 1 a file is wrong or, with --check, would change; 2 usage.
"""


_SERVE_EPILOG = """\
Clients: heliumql run --connect grpc://127.0.0.1:8815 FILE, or in Python
heliumql.connect("grpc://127.0.0.1:8815", token="..").

They need the token: that of --token-file, or of the variable HELIUMQL_TOKEN, or one that is made
and shown here. Who has it can do in SQL what the user of this server can, unless there is --safe.

Ctrl-C or SIGTERM stops what runs, closes the engines and ends.
Exit status: 130 or 143 after these, 1 error, 2 usage, 5 engine not available.
"""


_OPTIMALITY_EPILOG = """\
2 to 4 agents and 2 to 4 queries (rows) of map-reduce, debate, iterative refinement and a small
trading workflow, on one worker with a KV cache of 8192 tokens. The best order is found by
dynamic programming, and by the paper's integer program (HiGHS) where that does not come to an end.

Two tables in Markdown go to standard output: the gap of every policy (makespan / best known - 1),
and what is known of every workflow. Takes minutes; --quick takes seconds.
"""


class UsageError(HeliumQLError):
    """The command line itself is wrong."""

    exit_status = 2


def run_parser(prog: str = "heliumql run") -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Run statements and show their results.",
        epilog=_RUN_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("file", nargs="?", metavar="FILE", help="statements to run; - is standard input")
    add("-c", dest="commands", action="append", default=[], metavar="SQL", help="statements to run")
    add("--database", default=":memory:", metavar="PATH", help="DuckDB file (default: in memory)")
    add("--param", action="append", default=[], metavar="NAME=VALUE", help="value of $NAME")
    add("--set", action="append", default=[], metavar="NAME=VALUE", help="SET before all else")
    add("--model", metavar="NAME", help="model of calls that name none")
    add("--format", choices=FORMATS, help="how results are written (see below)")
    add(
        "--output",
        type=Path,
        metavar="PATH",
        help="file for the result; its ending tells the format",
    )
    add("--stats", choices=("text", "json"), help="tell what the run did, on standard error")
    add("--dialect", choices=DIALECTS, help="the SQL of the statements, if it is not HQL")
    add("--dry-run", action="store_true", help="tell what the calls would cost; asks no model")
    add(
        "--trace",
        type=Path,
        metavar="FILE",
        help="write what runs when, for ui.perfetto.dev or chrome://tracing",
    )
    add("--connect", metavar="URL", help="run them on a server: grpc://HOST:PORT, or grpc+tls://..")
    _add_token(parser)
    return parser


_REPL_EPILOG = """\
At its start the shell reads ~/.config/heliumql/hqlrc (in $XDG_CONFIG_HOME, if that is set) and
~/.hqlrc: statements and dot commands. What is wrong in them is told, and keeps it from nothing.

Without a terminal it runs the statements and dot commands of standard input one after another, and
goes on after an error unless .bail is on. Results are CSV then.
Exit status: 0 done, 1 a piped statement went wrong, 2 usage, 130 stopped by Ctrl-C in a pipe.
"""


def repl_parser(prog: str = "heliumql repl") -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog,
        description="The interactive shell: statements end with a semicolon, .help lists commands.",
        epilog=_REPL_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("file", nargs="?", metavar="DATABASE", help="the same as --database")
    add("--database", metavar="PATH", help="DuckDB file (default: in memory)")
    add("--model", metavar="NAME", help="model of calls that name none")
    add("--set", action="append", default=[], metavar="NAME=VALUE", help="SET before all else")
    start = parser.add_mutually_exclusive_group()
    start.add_argument("--init", type=Path, metavar="FILE", help="read FILE instead of the hqlrc")
    start.add_argument("--no-init", action="store_true", help="read nothing at the start")
    add("--format", metavar="MODE", help="how results are written, as .mode has it")
    return parser


def _add_token(parser: argparse.ArgumentParser) -> None:
    """Who connects to a server. The token is no argument: others could see it."""
    parser.add_argument(
        "--token-file",
        type=Path,
        metavar="F",
        help="file of the server's token (default: the variable HELIUMQL_TOKEN)",
    )
    parser.add_argument(
        "--tls-root", type=Path, metavar="PEM", help="certificates that the server's is checked by"
    )


def explain_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="heliumql explain",
        description="Show what statements with LLM calls are going to do. Asks no model.",
        epilog=_EXPLAIN_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("file", nargs="?", metavar="FILE", help="statements; - is standard input")
    add("-c", dest="commands", action="append", default=[], metavar="SQL", help="statements")
    add("--analyze", action="store_true", help="run them too, and show what happened")
    add("--stages", action="store_true", help="show every stage on the way of a statement")
    add("--database", default=":memory:", metavar="PATH", help="DuckDB file (default: in memory)")
    add("--param", action="append", default=[], metavar="NAME=VALUE", help="value of $NAME")
    add("--set", action="append", default=[], metavar="NAME=VALUE", help="SET before all else")
    add("--model", metavar="NAME", help="model of calls that name none")
    add("--format", choices=EXPLAIN_FORMATS, help="how explanations are written (default: text)")
    add("--output", type=Path, metavar="PATH", help="file; its ending tells the format")
    return parser


def fmt_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="heliumql fmt",
        description="Lay out files of statements.",
        epilog=_FMT_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("files", nargs="+", metavar="FILE", help="files to lay out; - is standard input")
    add("--check", action="store_true", help="change nothing; exit status 1 if a file would change")
    add("--diff", action="store_true", help="change nothing; show what would change")
    add("--dialect", choices=DIALECTS, help="show statements of this dialect as HQL")
    return parser


def serve_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="heliumql serve",
        description="Run statements of many clients: engines stay warm, answers are shared.",
        epilog=_SERVE_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--database", default=":memory:", metavar="PATH", help="DuckDB file (default: in memory)")
    add("--host", default="127.0.0.1", metavar="HOST", help="to listen at (default: 127.0.0.1)")
    add("--port", type=_port, default=8815, metavar="N", help="0: any (default: 8815)")
    add("--token-file", type=Path, metavar="F", help="file of the token; made if it is not there")
    add("--no-token", action="store_true", help="let anybody in; on loopback only")
    add("--tls-cert", type=Path, metavar="PEM", help="certificate, with those that lead to it")
    add("--tls-key", type=Path, metavar="PEM", help="its key")
    add("--model", metavar="NAME", help="model of calls that name none")
    add("--set", action="append", default=[], metavar="NAME=VALUE", help="SET for every client")
    add("--init", type=Path, metavar="FILE", help="statements to run before anybody is let in")
    add("--warm", action="append", default=[], metavar="MODEL", help="start its engine now")
    add("--safe", action="store_true", help="clients cannot reach files, or make models")
    add("--idle", type=_positive, default=3600.0, metavar="S",
        help="drop a session that runs nothing for so long (default: 3600)")  # fmt: skip
    add("--max-sessions", type=_whole, default=256, metavar="N", help="at once (default: 256)")
    add("--status", metavar="URL", help="show what the server there does, and leave")
    add("--tls-root", type=Path, metavar="PEM", help="for --status: as of heliumql run")
    return parser


def bench_optimality_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="heliumql bench optimality",
        description="How far the orders of the scheduling policies are from the best order of tiny"
        " workflows, in the cost model of the paper.",
        epilog=_OPTIMALITY_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="4 of the 36 workflows, in seconds")
    size.add_argument(
        "--most",
        type=int,
        choices=(2, 3, 4),
        default=4,
        help="agents and queries at most (default: 4)",
    )
    add("--seed", type=int, default=0, metavar="N", help="of the lengths of prompts and answers")
    add(
        "--seconds",
        type=_positive,
        default=20.0,
        metavar="S",
        help="for an integer program, then its best bound is taken (default: 20)",
    )
    add(
        "--labels",
        type=_whole,
        default=200_000,
        metavar="N",
        help="for the dynamic program, likewise (default: 200000, some 30 seconds)",
    )
    add("--milp", action="store_true", help="the integer program even where the best is known")
    return parser


def pairs(option: str, given: list[str]) -> dict[str, object]:
    """`["k=1", "name=Ada"]` -> `{"k": 1, "name": "Ada"}`"""
    result: dict[str, object] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"{option} {text}: a value is missing", hint=f"{option} {text}=VALUE")
        if not re.fullmatch(r"[^\W\d]\w*", name):
            hint = f"{option} {name[1:]}=.." if name.startswith("$") else None
            raise UsageError(f"{option} {text}: {name!r} is not a name", hint=hint)
        if name in result:
            raise UsageError(f"{option} {name} is given twice")
        result[name] = json_or_text(value)
    return result


def json_or_text(text: str) -> object:
    try:
        return json.loads(text, parse_constant=_refuse)
    except ValueError:
        return text


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above zero")
    return value


def _port(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", text) or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: 0 to 65535")
    return int(text)


def _whole(text: str) -> int:
    if not re.fullmatch(r"[0-9]+", text) or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above zero")
    return int(text)


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is not JSON")  # Python's reader takes NaN and Infinity
