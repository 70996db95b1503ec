"""The arguments of each command but `bench`, which has a room of its own.

`main.py` calls it first; it imports nothing that takes time, so that help and usage errors are
there at once.
"""

from __future__ import annotations

from pathlib import Path

from heliumql.cli.parser import Once, Parser
from heliumql.cli.values import port, positive, whole

FORMATS = ("table", "csv", "json", "jsonl", "markdown", "parquet", "arrow")

DIALECTS = ("snowflake", "bigquery", "databricks", "spark", "postgres", "flock")

EXPLAIN_FORMATS = ("text", "json", "html", "mermaid")


_RUN_EPILOG = f"""\
FILE runs before -c. Without either, statements are read from standard input.
Values of --param are JSON where they parse as JSON, else text; statements name
them as $NAME. On a terminal results are tables; elsewhere CSV, without colours
and progress. Results go to standard output, all else to standard error.

formats:   {", ".join(FORMATS)}
dialects:  {", ".join(DIALECTS)}

examples:
  heliumql run reviews.hql --database my.duckdb --stats text
  heliumql run reviews.hql --param limit=10 --param genre=thriller
  heliumql run reviews.hql --dry-run
  heliumql run -c "FROM 'people.csv'" --format jsonl --output people.jsonl

exit status:
  0 done; 1 error in a statement; 2 wrong usage; 4 stopped by a budget (running
  again resumes); 5 engine not available; 130 stopped by Ctrl-C
"""

_REPL_EPILOG = """\
At its start the shell reads ~/.config/heliumql/hqlrc (in $XDG_CONFIG_HOME, if
that is set) and ~/.hqlrc: statements and dot commands. What is wrong in them is
told, and keeps it from nothing.

Without a terminal it runs the statements and dot commands of standard input one
after another, and goes on after an error unless .bail is on. Results are CSV.

examples:
  heliumql repl my.duckdb --model qwen
  echo '.tables' | heliumql repl my.duckdb

exit status:
  0 done; 1 a piped statement went wrong; 2 wrong usage; 130 stopped by Ctrl-C
  in a pipe
"""

_EXPLAIN_EPILOG = f"""\
Statements without calls (CREATE TABLE, CREATE MODEL, SET ..) are run, as those
after them may need what they make. Statements with calls are explained; with
--analyze they are run, too. For tables that they would make, temporary ones
stand in, with NULL for answers that are not remembered.

formats:   {", ".join(EXPLAIN_FORMATS)}

examples:
  heliumql explain reviews.hql --database my.duckdb
  heliumql explain reviews.hql --analyze --output reviews.html

exit status:
  0 done; 1 error in a statement; 2 wrong usage; 4 stopped by a budget;
  5 engine not available; 130 stopped by Ctrl-C
"""

_FMT_EPILOG = f"""\
Keywords come out in capitals, clauses on lines of their own; lines have 100
columns where that is possible. Names, texts and comments stay as they are, and
so do files that hold a mistake.

With --dialect nothing is written: what heliumql run --dialect would run is
shown. What does not mean the same in DuckDB is an error that shows the place.

dialects:  {", ".join(DIALECTS)}

examples:
  heliumql fmt queries/*.hql
  heliumql fmt --check queries/*.hql
  heliumql fmt --dialect snowflake reviews.sql

exit status:
  0 done; 1 a file is wrong or, with --check, would change; 2 wrong usage
"""

_SERVE_EPILOG = """\
Clients need the token: that of --token-file, or of the variable HELIUMQL_TOKEN,
or one that is made and shown here. Who has it can do in SQL what the user of
this server can, unless there is --safe.
Ctrl-C or SIGTERM stops what runs, closes the engines and ends.

examples:
  heliumql serve --database my.duckdb --token-file token --warm qwen
  heliumql run --connect grpc://127.0.0.1:8815 --token-file token reviews.hql
  heliumql serve --status grpc://127.0.0.1:8815 --token-file token

exit status:
  130 or 143 ended by a signal; 1 error; 2 wrong usage; 5 engine not available
"""


def run_parser(prog: str = "heliumql run") -> Parser:
    parser = Parser(
        prog,
        "[FILE | -] [-c SQL]... [option]...",
        "Run statements and show their results.",
        _RUN_EPILOG,
    )
    add = parser.add_argument
    _add_statements(parser)
    add("--format", choices=FORMATS, metavar="FORMAT", help="how results are written, see below")
    output = "file of the result, replaced if it is there; its ending is the format"
    add("--output", type=Path, metavar="PATH", help=output)
    add("--stats", choices=("text", "json"), metavar="KIND", help="what the run did: text or json")
    add("--dialect", choices=DIALECTS, metavar="DIALECT", help="their SQL, where it is not HQL")
    add("--dry-run", action="store_true", help="say what calls would cost; asks no model")
    add("--trace", type=Path, metavar="FILE", help="write what ran when, for ui.perfetto.dev")
    add("--connect", metavar="URL", help="run them on a server: grpc://HOST:PORT or grpc+tls://..")
    # The token is no argument: others could see it.
    add("--token-file", type=Path, metavar="F", help="its token (default: $HELIUMQL_TOKEN)")
    add("--tls-root", type=Path, metavar="PEM", help="certificates that its own is checked by")
    return parser


def repl_parser(prog: str = "heliumql repl") -> Parser:
    parser = Parser(
        prog,
        "[DATABASE] [option]...",
        "The interactive shell: statements end with a semicolon, .help lists commands.",
        _REPL_EPILOG,
    )
    add = parser.add_argument
    add("file", nargs="?", metavar="DATABASE", help="the same as --database")
    add("--database", action=Once, metavar="PATH", help="DuckDB file (default: in memory)")
    add("--model", metavar="NAME", help="model of calls that name none")
    add("--set", action="append", default=[], metavar="NAME=VALUE", help="SET before all else")
    start = parser.add_mutually_exclusive_group()
    start.add_argument("--init", type=Path, metavar="FILE", help="read FILE instead of the hqlrc")
    start.add_argument("--no-init", action="store_true", help="read nothing at the start")
    add("--format", metavar="MODE", help="how results are written, as .mode has it")
    return parser


def explain_parser() -> Parser:
    parser = Parser(
        "heliumql explain",
        "[FILE | -] [-c SQL]... [option]...",
        "Show what statements with LLM calls are going to do. Asks no model.",
        _EXPLAIN_EPILOG,
    )
    add = parser.add_argument
    _add_statements(parser)
    add("--analyze", action="store_true", help="run them too, and show what happened")
    add("--stages", action="store_true", help="show every stage on the way of a statement")
    add("--format", choices=EXPLAIN_FORMATS, metavar="FORMAT", help="see below (default: text)")
    output = "file, replaced if it is there; its ending is the format"
    add("--output", type=Path, metavar="PATH", help=output)
    return parser


def _add_statements(parser: Parser) -> None:
    """What is run or explained, and where."""
    add = parser.add_argument
    add("file", nargs="?", metavar="FILE", help="statements; - is standard input")
    add("-c", dest="commands", action="append", default=[], metavar="SQL", help="statements")
    add(
        "--database",
        action=Once,
        default=":memory:",
        metavar="PATH",
        help="DuckDB file (default: in memory)",
    )
    add("--param", action="append", default=[], metavar="NAME=VALUE", help="value of $NAME")
    add("--set", action="append", default=[], metavar="NAME=VALUE", help="SET before all else")
    add("--model", metavar="NAME", help="model of calls that name none")


def fmt_parser() -> Parser:
    parser = Parser(
        "heliumql fmt", "FILE... [option]...", "Lay out files of statements.", _FMT_EPILOG
    )
    add = parser.add_argument
    add("files", nargs="+", metavar="FILE", help="files to lay out; - is standard input")
    add("--check", action="store_true", help="change nothing; say which files would change")
    add("--diff", action="store_true", help="change nothing; show what would change")
    add("--dialect", choices=DIALECTS, metavar="DIALECT", help="show statements of it as HQL")
    return parser


def serve_parser() -> Parser:
    parser = Parser(
        "heliumql serve",
        "[option]...",
        "Run statements of many clients: engines stay warm, answers are shared.",
        _SERVE_EPILOG,
    )
    add = parser.add_argument
    add(
        "--database",
        action=Once,
        default=":memory:",
        metavar="PATH",
        help="DuckDB file (default: in memory)",
    )
    add("--host", default="127.0.0.1", metavar="HOST", help="to listen at (default: 127.0.0.1)")
    add("--port", type=port, default=8815, metavar="N", help="0: any (default: 8815)")
    add("--token-file", type=Path, metavar="F", help="file of the token; made if it is not there")
    add("--no-token", action="store_true", help="let anybody in; on loopback only")
    add("--tls-cert", type=Path, metavar="PEM", help="certificate, with those that lead to it")
    add("--tls-key", type=Path, metavar="PEM", help="its key")
    add("--model", metavar="NAME", help="model of calls that name none")
    add("--set", action="append", default=[], metavar="NAME=VALUE", help="SET for every client")
    add("--init", type=Path, metavar="FILE", help="statements to run before anybody is let in")
    add("--warm", action="append", default=[], metavar="MODEL", help="start its engine now")
    add("--safe", action="store_true", help="clients cannot reach files, or make models")
    add(
        "--idle",
        type=positive,
        default=3600.0,
        metavar="S",
        help="drop a session that runs nothing for so long (default: 3600)",
    )
    add("--max-sessions", type=whole, default=256, metavar="N", help="at once (default: 256)")
    add("--status", metavar="URL", help="show what the server there does, and leave")
    add("--tls-root", type=Path, metavar="PEM", help="for --status: as of heliumql run")
    return parser
