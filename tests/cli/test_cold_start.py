"""What a command imports: SQL without calls starts without what only calls need."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys

import pytest

# Of each of these the import takes longer than all that SQL without calls needs of ours.
HEAVY = {
    *("aiohttp", "asyncio", "highspy", "http", "IPython", "lark", "multiprocessing", "pandas"),
    *("polars", "prompt_toolkit", "pyarrow.compute", "pyarrow.flight", "sqlglot", "sqlite3"),
    *("torch", "transformers", "unittest", "vllm"),
}
# The rooms, or the files of them, that only statements with calls lead through.
ROOMS = {
    *("heliumql.binder.bind", "heliumql.cost", "heliumql.dialects", "heliumql.engines"),
    *("heliumql.explain", "heliumql.formatting", "heliumql.logical", "heliumql.optimizer"),
    *("heliumql.physical.passes", "heliumql.prompts", "heliumql.scheduling"),
    "heliumql.syntax.desugaring",
}


def imported(*statements: str) -> set[str]:
    """The modules that a process has imported when it has run these lines of Python."""
    lines = "\n".join(
        ["import sys, json", *statements, "print()", "print(json.dumps(list(sys.modules)))"]
    )
    done = subprocess.run(
        [sys.executable, "-c", lines], capture_output=True, text=True, check=True, timeout=60
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def command(*arguments: str) -> set[str]:
    """The modules that a command of the program has imported."""
    return imported(
        "from heliumql.cli.main import main",
        f"status = main({list(arguments)!r})",
        "assert not status",
    )


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 42",
        "CREATE TABLE t AS SELECT 1 AS x; INSERT INTO t VALUES (2); FROM t ORDER BY x DESC",
    ],
)
def test_sql_without_calls_imports_nothing_that_calls_need(sql: str) -> None:
    assert command("-c", sql) & (HEAVY | ROOMS) == set()


def test_a_statement_with_a_call_leads_through_rooms_named_so() -> None:
    """Were they called otherwise, the test before could not fail."""
    assert all(importlib.util.find_spec(room) is not None for room in ROOMS)
    model = "CREATE MODEL m WITH (engine = 'simulated')"
    modules = command("-c", f"{model}; SELECT LLM_GENERATE('hello') AS x")
    assert {"heliumql.binder.bind", "heliumql.engines", "heliumql.physical.passes"} <= modules


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["run", "--help"], ["help", "run"], ["nope"]]
)
def test_help_and_version_import_neither_duckdb_nor_arrow(arguments: list[str]) -> None:
    modules = imported(
        "from heliumql.cli.main import main",
        "try:",
        f"    main({arguments!r})",
        "except SystemExit as left:",
        "    assert not left.code",
    )
    assert modules & (HEAVY | {"duckdb", "pyarrow", "numpy"}) == set()


def test_importing_the_package_imports_neither_duckdb_nor_arrow() -> None:
    modules = imported("import heliumql")
    assert modules & (HEAVY | {"duckdb", "pyarrow", "numpy", "importlib.metadata"}) == set()


def test_connecting_imports_nothing_that_calls_need() -> None:
    assert imported("import heliumql", "heliumql.connect().close()") & (HEAVY | ROOMS) == set()
