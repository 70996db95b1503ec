"""The arguments of each command.

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
--analyze they are run, too.

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

_OPTIMALITY_EPILOG = """\
2 to 4 agents and 2 to 4 queries (rows) of map-reduce, debate, iterative
refinement and a small trading workflow, on one worker with a KV cache of 8192
tokens. The best order is found by dynamic programming, and by the paper's
integer program (HiGHS) where that does not come to an end.

Two tables in Markdown go to standard output: the gap of every policy (makespan
/ best known - 1), and what is known of every workflow. Takes minutes; --quick
takes seconds.

examples:
  heliumql bench optimality --quick
"""

_SUITE_EPILOG = """\
Systems are heliumql, which orders calls by its policy cache_aware, and
heliumql:POLICY for others (heliumql:random, or random for short); oracle, a
replay of the same calls with all answers known before; and one_row, a batch of
one. The greater of these two is about the least that any order can take.
Systems take turns, each with empty prefix caches at first. Answers are checked
to be the same.

The engine vllm is embedded, with a small random model in float32 on one core a
worker; simulated is the same in virtual time, within seconds. On server, which
is vLLM's own over the same model, other systems can be asked for too: raw,
op_wise, op_wise_chained, query_wise, langgraph, agentscope. They are installed
when they are first asked for, and make every call that their programs make.
daft, lotus, docetl and blendsql are for one operator over a table, the suite
tables, and are compared there once they are installed; the last three have
prompts of their own, so answers of theirs are not compared. A name means the
best setting; langgraph:default is what LangGraph does if nothing is set.

A table in Markdown goes to standard output, progress to standard error. With
--output each run of a system is a row of SUITE-ENGINE-TIME.parquet and .csv in
that folder; heliumql bench report FOLDER makes a report of them.

examples:
  heliumql bench mixed --quick
  heliumql bench all --engine simulated --output results
  heliumql bench debate --engine server --systems heliumql,langgraph
  heliumql bench trading --systems heliumql,random --kv-tokens tight --repeat 5

exit status:
  0 done; 1 answers differ, or a run failed; 2 wrong usage
"""

_SENSITIVITY_EPILOG = """\
WHAT is one or more of the following; without one, or with all, it is all.
  batch     rows of map_reduce and of trading: 8, 16, 32, 64, 80
  branches  experts of map_reduce: 4, 8, 12, 16
  rounds    of debate: 2, 3, 4, 5
  workers   of the engine, for map_reduce and trading: 1, 2, 4
  kv        the KV cache of map_reduce, debate and trading, as a part of what
            their calls hold together: 1/16, 1/8, 1/4, 1/2, 2
  mixes     P1 to P6: prefix_N_map_reduce, prefix_N_debate
All values of a parameter have the same KV cache: that of the greatest, of the
GPU at most 449,000 tokens. A mix has its own.

Systems are heliumql, heliumql:POLICY for each other policy, and oracle, as of
heliumql bench SUITE. The simulated engine is one GPU with an 8B model and 64
slots (gpu), or the small model on one core (cpu), in virtual time; on gpu texts
have their full length, those of trading a quarter of it.

A table of each parameter and workflow goes to standard output, progress to
standard error. With --output each run of a system is a row, with the columns
parameter and value; heliumql bench report plots them.

examples:
  heliumql bench sensitivity
  heliumql bench sensitivity kv --values 1/8,1/2 --output results
  heliumql bench sensitivity rounds --engine vllm --rows 2 --scale 0.1

exit status:
  0 done; 1 answers differ, or a run failed; 2 wrong usage
"""

_OVERHEAD_EPILOG = """\
Parts are planning (from the text of a query to its schedule, stage by stage;
with it what the trees of prompts weigh), scheduling (from the call graph on),
calls (from SQL to rows, on an engine that answers at once) and naming (of calls
in a pass). No model answers. Each measurement has a process of its own.

Queries are trading_4, trading_16 and trading_80 (queries/trading.hql over so
many stocks), operators (its 88 operators written out), texts (one operator over
a table) and the suites by name; all of them but trading_80 and the prefix
mixes, if not told otherwise.

Tables in Markdown go to standard output. With --output each measurement is a
row of overhead-PART-TIME.parquet and .csv in that folder.

examples:
  heliumql bench overhead --quick
  heliumql bench overhead --parts planning --queries trading_4,trading_16

exit status:
  0 done; 1 a measurement failed; 2 wrong usage
"""

_SCALE_EPILOG = """\
Workflows are map_reduce, debate, reflection and table (one operator over a
shuffled table); all calls of a run differ. Each run has a process of its own,
on the simulated engine: one GPU with an 8B model, in virtual time.

A table in Markdown goes to standard output: planning (compiling the query and
scheduling its calls), CPU a call without that of the simulation, memory at the
peak, the virtual makespan, and those of other policies against it. With
--output each run is a row of scale-TIME.parquet and .csv in that folder.

A million calls take minutes and gigabytes of memory.

examples:
  heliumql bench scale --calls 1000,10000
  heliumql bench scale --workflows table --calls 1000000 --output results

exit status:
  0 done; 1 answers differ, or a run failed; 2 wrong usage
"""

_ABLATION_EPILOG = """\
SUITE is one of those that heliumql bench lists; without one, or with all, those
are run that heliumql bench all runs.

Systems are heliumql, with everything on, and heliumql without
  merge         equal calls are one
  deferral      a call starts the moment its inputs are there
  prefix order  calls go where and when their prefixes are cached (off: fcfs)
  warm-up       prefixes are computed ahead and kept
  search        candidate orders are compared
and the same statements twice in one session, with the answer store and without:
with it the second run fetches its answers. (trading_next_day: a day later.)
Systems take turns in one engine, each with empty prefix caches and an empty
store at first. Answers are checked to be the same.

Tables and files are those of heliumql bench SUITE.

examples:
  heliumql bench ablation --engine simulated
  heliumql bench ablation trading debate --repeat 5 --output results

exit status:
  0 done; 1 answers differ, or a run failed; 2 wrong usage
"""

_NEXT_DAY_EPILOG = """\
On the second day fundamentals and the posts of one of three platforms are as
they were, all else is new. Both days are run in one database, each in a session
of its own, then the second day in another one that keeps no answers; all begin
with empty prefix caches. Rows of the second day are checked to be the same, and
that every call that did not change was found in the store.

Tables of all three, of the second day against the first, and of the calls that
were found, go to standard output. With --output rows are those of a suite.

examples:
  heliumql bench next_day --engine simulated
  heliumql bench next_day --rows 8 --repeat 5 --output results

exit status:
  0 done; 1 rows differ, an unchanged call was run, or a run failed;
  2 wrong usage
"""

_REPORT_EPILOG = """\
Rows of the same suite, sizes, engine and KV cache are in one table, those of
later invocations too. Ratios are of seconds to heliumql by pairs of one turn,
with the least and greatest of them.

With --output the report is report.md in that folder, with a plot of each table
(needs matplotlib).

examples:
  heliumql bench report results
  heliumql bench report results --output results/report
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
    add("--output", type=Path, metavar="PATH", help="file of the result; its ending is the format")
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
    add("--output", type=Path, metavar="PATH", help="file; its ending is the format")
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


def bench_optimality_parser() -> Parser:
    parser = Parser(
        "heliumql bench optimality",
        "[option]...",
        "How far the orders of the scheduling policies are from the best order of tiny\n"
        "workflows, in the cost model of the paper.",
        _OPTIMALITY_EPILOG,
    )
    add = parser.add_argument
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="4 of the 36 workflows, in seconds")
    size.add_argument(
        "--most",
        type=int,
        choices=(2, 3, 4),
        default=4,
        metavar="N",
        help="agents and queries at most: 2, 3 or 4 (default)",
    )
    add("--seed", type=int, default=0, metavar="N", help="of the lengths of prompts and answers")
    add(
        "--seconds",
        type=positive,
        default=20.0,
        metavar="S",
        help="for an integer program, then its best bound is taken (default: 20)",
    )
    add(
        "--labels",
        type=whole,
        default=200_000,
        metavar="N",
        help="for the dynamic program, likewise (default: 200000, some 30 seconds)",
    )
    add("--milp", action="store_true", help="the integer program even where the best is known")
    return parser


def bench_suite_parser(suite: str) -> Parser:
    parser = Parser(
        f"heliumql bench {suite}",
        "[option]...",
        "What the order of calls is worth: systems on one engine, by turns."
        if suite == "all"
        else f"What the order of calls of {suite} is worth: systems on one engine, by turns.",
        _SUITE_EPILOG,
    )
    parser.set_defaults(suite=suite)
    add = parser.add_argument
    add("--engine", choices=("vllm", "server", "simulated"), default="vllm", metavar="NAME",
        help="vllm (default), server (vLLM's own, for other systems too) or simulated")  # fmt: skip
    add("--systems", metavar="A,B", help="those to compare (default: all)")
    _add_sizes(parser)
    _add_model(parser)
    add("--workers", type=whole, default=1, metavar="N", help="of the engine (default: 1)")
    add("--slots", type=whole, default=8, metavar="N", help="calls at once a worker (default: 8)")
    add("--repeat", type=whole, metavar="N", help="turns (default: 3)")
    add("--seed", type=int, default=0, metavar="N", help="of the texts (default: 0)")
    add("--apart", action="store_true", help="no two calls are equal")
    add("--kept", action="store_true", help="lengths of answers are known from a run before")
    add("--quick", action="store_true", help="mixed and map_reduce with few rows, one turn")
    add("--output", type=Path, metavar="FOLDER", help="for the rows, as Parquet and CSV")
    return parser


def bench_sensitivity_parser() -> Parser:
    parser = Parser(
        "heliumql bench sensitivity",
        "[WHAT]... [option]...",
        "How the scheduling policies compare while one parameter varies.",
        _SENSITIVITY_EPILOG,
    )
    add = parser.add_argument
    add("what", nargs="*", metavar="WHAT", help="the parameters, see below (default: all)")
    add("--values", metavar="A,B", help="of one parameter, instead of those below")
    add("--workflows", metavar="A,B", help="those to run, of those below (default: all)")
    add("--systems", metavar="A,B", help="those to compare (default: all)")
    add("--engine", choices=("vllm", "simulated"), default="simulated", metavar="NAME",
        help="simulated (default) or vllm")  # fmt: skip
    add("--hardware", choices=("cpu", "gpu"), metavar="NAME",
        help="that is simulated: gpu (default) or cpu")  # fmt: skip
    _add_sizes(parser)
    _add_model(parser)
    add("--slots", type=whole, metavar="N", help="calls at once a worker (default: 64; cpu: 8)")
    add("--repeat", type=whole, default=1, metavar="N", help="turns (default: 1)")
    add("--seed", type=int, default=0, metavar="N", help="of the texts (default: 0)")
    add("--output", type=Path, metavar="FOLDER", help="for the rows, as Parquet and CSV")
    return parser


def bench_overhead_parser() -> Parser:
    parser = Parser(
        "heliumql bench overhead",
        "[option]...",
        "What HeliumQL itself takes to plan and to run calls: time, CPU and memory.",
        _OVERHEAD_EPILOG,
    )
    add = parser.add_argument
    add("--parts", metavar="A,B", help="what to measure (default: all)")
    add("--queries", metavar="A,B", help="whose planning is measured (default: see above)")
    add("--calls", type=whole, metavar="N",
        help="that are run; ten times as many are named (default: 100000)")  # fmt: skip
    add("--runs", type=whole, metavar="N", help="of planning, for the medians (default: 3)")
    add("--quick", action="store_true", help="three queries, one run, 2000 calls")
    add("--output", type=Path, metavar="FOLDER", help="for the rows, as Parquet and CSV")
    return parser


def bench_scale_parser() -> Parser:
    parser = Parser(
        "heliumql bench scale",
        "[option]...",
        "What statements of a thousand to a million calls take: planning, CPU, memory.",
        _SCALE_EPILOG,
    )
    add = parser.add_argument
    add("--calls", default="1000,10000,100000,1000000", metavar="N,..",
        help="sizes (default: 1000 to 1000000, times ten)")  # fmt: skip
    add("--workflows", default="map_reduce,debate,reflection,table", metavar="A,B",
        help="those to run (default: all)")  # fmt: skip
    add("--policies", default="random,op_wise", metavar="A,B",
        help="compared by makespan with cache_aware (default: random,op_wise)")  # fmt: skip
    add("--compare-up-to", type=whole, default=100_000, metavar="N",
        help="calls; larger sizes run with cache_aware alone (default: 100000)")  # fmt: skip
    add("--output", type=Path, metavar="FOLDER", help="for the rows, as Parquet and CSV")
    return parser


def _add_sizes(parser: Parser) -> None:
    """How much of a suite is run, with which KV cache."""
    add = parser.add_argument
    add("--rows", type=whole, metavar="N", help="instead of the suite's own number")
    add("--scale", type=positive, metavar="X", help="of all lengths; 1 is the original's")
    add("--kv-tokens", default="quarter", metavar="N",
        help="KV cache of a worker: tokens, or quarter (default), all or tight (a sixteenth) of"
        " what the calls hold together, or free: what memory is free")  # fmt: skip


def bench_ablation_parser() -> Parser:
    parser = Parser(
        "heliumql bench ablation",
        "[SUITE]... [option]...",
        "What each technique of HeliumQL is worth: everything on, and each off, by turns.",
        _ABLATION_EPILOG,
    )
    add = parser.add_argument
    add("suites", nargs="*", metavar="SUITE", help="those to run (default: all)")
    add("--engine", choices=("vllm", "simulated"), default="vllm", metavar="NAME",
        help="vllm (default) or simulated")  # fmt: skip
    _add_sizes(parser)
    _add_model(parser)
    add("--slots", type=whole, default=8, metavar="N", help="calls at once (default: 8)")
    _add_turns(parser)
    return parser


def bench_next_day_parser() -> Parser:
    parser = Parser(
        "heliumql bench next_day",
        "[option]...",
        "Trading on two days with one answer store, and the second day without it.",
        _NEXT_DAY_EPILOG,
    )
    add = parser.add_argument
    add("--engine", choices=("vllm", "simulated"), default="vllm", metavar="NAME",
        help="vllm (default) or simulated")  # fmt: skip
    _add_sizes(parser)
    _add_model(parser)
    add("--slots", type=whole, default=8, metavar="N", help="calls at once (default: 8)")
    _add_turns(parser)
    return parser


def _add_turns(parser: Parser) -> None:
    add = parser.add_argument
    add("--repeat", type=whole, default=3, metavar="N", help="turns (default: 3)")
    add("--seed", type=int, default=0, metavar="N", help="of the texts (default: 0)")
    add("--output", type=Path, metavar="FOLDER", help="for the rows, as Parquet and CSV")


def _add_model(parser: Parser) -> None:
    """A model other than the benchmark's small one."""
    add = parser.add_argument
    add("--model", type=Path, metavar="DIR", help="of benchmark/gpu/model.py (default: small)")
    add("--dtype", choices=("float32", "bfloat16", "float16"), metavar="NAME",
        help="its numbers: float32, float16 or bfloat16 (default)")  # fmt: skip
    add("--attention", metavar="NAME", help="its backend, as vLLM names it: TRITON_ATTN ..")
    add("--eager", action="store_true", help="compile nothing of it")


def bench_report_parser() -> Parser:
    parser = Parser(
        "heliumql bench report",
        "FOLDER [option]...",
        "Tables and plots of what heliumql bench has measured.",
        _REPORT_EPILOG,
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="of the result files")
    parser.add_argument(
        "--output", type=Path, metavar="FOLDER", help="for report.md and plots (default: printed)"
    )
    return parser
