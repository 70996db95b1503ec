"""Statements on a server: rows, values, errors and settings, as they are without one."""

from __future__ import annotations

import datetime
import decimal
import json
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from serving import PROGRAM, Serving, environment, run, serving

import heliumql
from heliumql.extensions.flight.remote import RemoteConnection

INIT = """
CREATE MODEL m WITH (engine = 'simulated');
CREATE TABLE reviews AS SELECT i AS id, 'text ' || i AS body FROM range(5000) r(i);
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("server")
    (folder / "init.hql").write_text(INIT)
    with serving("--init", "init.hql", "--warm", "m", folder=folder) as one:
        yield one


@pytest.fixture
def con(server: Serving) -> Iterator[RemoteConnection]:
    with server.connect() as connection:
        yield connection


def test_rows_come_as_from_a_connection_here(con: RemoteConnection) -> None:
    query = (
        "SELECT id, LLM_GENERATE('Sum up {body}', max_tokens => 5) AS a, "
        "LLM_GENERATE('Rate {body}', returns => 'STRUCT(n INTEGER, who UUID[])') AS t, "
        "id::HUGEINT AS h, ['a', 'b'][1 + id % 2]::ENUM('a', 'b') AS e "
        "FROM reviews WHERE id < 300 ORDER BY id"
    )
    with heliumql.connect() as here:
        here.execute(INIT)
        here.duckdb.execute("SET arrow_lossless_conversion = true")
        expected = here.sql(query)
        assert expected is not None
        rows = con.sql(query)
        assert rows is not None
        assert rows.schema == expected.schema
        assert rows.arrow() == expected.arrow()
        assert rows.stats.calls_run == expected.stats.calls_run == 600


def test_rows_can_be_read_again_from_the_start(con: RemoteConnection) -> None:
    rows = con.sql("SELECT i FROM range(3) r(i)")
    assert rows is not None
    assert rows.fetchone() == (0,)
    assert rows.fetchall() == [(1,), (2,)]
    assert rows.fetchall() == list(rows) == [(0,), (1,), (2,)]
    with pytest.raises(ValueError, match="a number of rows"):
        rows.fetchmany(-1)


def test_a_connection_that_was_closed_says_so(server: Serving) -> None:
    con = server.connect()
    con.close()
    for use in (con.status, lambda: con.sql("SELECT 1")):
        with pytest.raises(heliumql.ExecutionError, match="the connection is closed"):
            use()


def test_batches_come_while_the_statement_runs(con: RemoteConnection) -> None:
    rows = con.sql("SELECT id, LLM_GENERATE('First {body}') AS a FROM reviews ORDER BY id")
    assert rows is not None
    batches = rows.batches()
    first = next(batches)
    assert first.num_rows < 5000
    assert sum(b.num_rows for b in batches) == 5000 - first.num_rows
    with pytest.raises(heliumql.ExecutionError, match="have been read"):
        next(rows.batches())


def test_rows_of_a_connection_that_was_closed_do_not_look_complete(server: Serving) -> None:
    con = server.connect()
    rows = con.sql("SELECT LLM_GENERATE('Closed {body}') AS a FROM reviews")
    assert rows is not None
    batches = rows.batches()
    next(batches)
    con.close()
    with pytest.raises(heliumql.HeliumQLError, match="interrupted"):
        list(batches)


def test_rows_not_read_yet_wait_for_their_reader(con: RemoteConnection) -> None:
    first = con.sql("FROM range(10000)")
    assert first is not None
    reading = first.batches()
    seen = next(reading).num_rows
    assert con.execute("SELECT 42").fetchall() == [(42,)]
    assert seen + sum(b.num_rows for b in reading) == 10000


def test_statements_without_rows_and_several_at_once(con: RemoteConnection) -> None:
    assert con.sql("CREATE TEMP TABLE t AS SELECT 1 AS a; SET llm_max_calls = 3") is None
    assert con.sql("INSERT INTO t VALUES (2); FROM t; FROM t WHERE a > 1").fetchall() == [(2,)]  # type: ignore[union-attr]
    with pytest.raises(heliumql.BudgetError):
        con.execute("SELECT LLM_GENERATE('budget {body}') FROM reviews").fetchall()
    assert con.execute("SELECT 1 WHERE false").fetchall() == []
    assert con.sql("") is None


def test_sessions_are_apart(server: Serving, con: RemoteConnection) -> None:
    con.execute("CREATE TEMP TABLE mine AS SELECT 1 AS a; SET llm_max_calls = 1")
    con.execute("CREATE TEMP MODEL mine WITH (engine = 'simulated')")
    with server.connect() as other:
        with pytest.raises(heliumql.HeliumQLError, match="mine"):
            other.execute("FROM mine")
        other.execute("SELECT LLM_GENERATE('apart {body}') FROM reviews WHERE id < 9").fetchall()
        assert "mine" not in {row[0] for row in other.execute("SHOW MODELS").fetchall()}
        other.execute("CREATE TABLE ours AS SELECT 7 AS b")
    assert con.execute("FROM ours").fetchall() == [(7,)]
    con.execute("DROP TABLE ours")


VALUES = [
    1,
    -(1 << 100),
    1.5,
    True,
    "text ' \u20ac",
    b"\x00\xff",
    None,
    decimal.Decimal("1.25"),
    datetime.date(2026, 2, 3),
    datetime.datetime(2026, 2, 3, 4, 5, 6, 7),
    datetime.timedelta(seconds=5),
    uuid.UUID(int=5),
    [1, 2],
    {"a": 1, "b": [None, "x"]},
]


@pytest.mark.parametrize("value", VALUES, ids=lambda v: type(v).__name__)
def test_parameters_keep_their_types(value: object, con: RemoteConnection) -> None:
    query = "SELECT ? AS v, typeof(?) AS t"
    with heliumql.connect() as here:
        expected = here.execute(query, [value, value]).fetchall()
    assert con.execute(query, [value, value]).fetchall() == expected
    assert con.execute("SELECT $n; SELECT $v", {"v": value, "n": 1}).fetchall() == [expected[0][:1]]


def test_a_parameter_that_cannot_be_sent_is_named(con: RemoteConnection) -> None:
    with pytest.raises(heliumql.BindError, match="the parameter 2 cannot be sent: object"):
        con.execute("SELECT ?, ?", [1, object()])
    assert con.execute("SELECT 1").fetchall() == [(1,)]


@pytest.mark.parametrize(
    ("text", "kind", "shown"),
    [
        (
            "SELECT 1;\nSELECT LLM_GENERATE('{nope}') FROM reviews",
            heliumql.BindError,
            "  at line 2",
        ),
        ("SELECT LLM_GENERATE(", heliumql.ParseError, "^"),
        ("SELECT nope FROM reviews", heliumql.ExecutionError, "^^^^"),
        ("SELECT 'a'::INTEGER FROM reviews", heliumql.ExecutionError, "Could not convert"),
        ("SET llm_nope = 1", heliumql.CatalogError, "llm_nope"),
        ("SELECT LLM_GENERATE('x', model => 'gone')", heliumql.CatalogError, "gone"),
    ],
)
def test_errors_are_of_their_class_and_show_the_place(
    text: str, kind: type[heliumql.HeliumQLError], shown: str, con: RemoteConnection
) -> None:
    with pytest.raises(kind) as caught:
        con.execute(text).fetchall()
    assert type(caught.value) is kind
    assert shown in str(caught.value)
    assert con.execute("SELECT 1").fetchall() == [(1,)]


def test_run_connect_shows_what_run_shows(server: Serving, tmp_path: Path) -> None:
    script = tmp_path / "script.hql"
    script.write_text(
        "CREATE TEMP TABLE t AS SELECT 1 AS a; FROM t; INSERT INTO t VALUES (2);\n"
        "SELECT a, LLM_GENERATE('Run {a}', max_tokens => 3) AS g FROM t;\n"
        "SELECT LLM_GENERATE('Run {a}', max_tokens => 3) AS g FROM t;"
        "EXPLAIN SELECT $p;\nFROM nope;"
    )
    arguments = [str(script), "--set", "llm_batch_rows=1", "--model", "m", "--param", "p=1"]
    arguments += ["--format", "jsonl", "--stats", "json"]
    there = run(server.url, *arguments)
    with heliumql.connect(str(tmp_path / "here.duckdb")) as here:
        here.execute(INIT)
    database = ["--database", str(tmp_path / "here.duckdb")]
    here_done = subprocess.run(
        [*PROGRAM, "run", *arguments, *database],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert there.returncode == here_done.returncode == 1
    assert there.stdout == here_done.stdout
    assert there.stderr.splitlines()[:-1] == here_done.stderr.splitlines()[:-1]
    mine, theirs = (json.loads(d.stderr.splitlines()[-1]) for d in (here_done, there))
    for key in ("calls_asked", "calls_shared", "calls_run", "passes", "output_tokens"):
        assert mine[key] == theirs[key], key


def test_wrong_usage_is_told(server: Serving) -> None:
    done = run(server.url, "-c", "SELECT 1", token="no-such-token-at-all")
    assert (done.returncode, done.stdout) == (5, "")
    assert "refuses the token" in done.stderr
    assert run(server.url, "-c", "SELECT 1", token=None).returncode == 5
    assert run("localhost:8815", "-c", "SELECT 1").returncode == 2
    assert run(server.url, "--database", "x.duckdb", "-c", "SELECT 1").returncode == 2
    assert run(server.url, "--dry-run", "-c", "SELECT 1").returncode == 2
    gone = run("grpc://127.0.0.1:1", "-c", "SELECT 1")
    assert gone.returncode == 5
    assert "cannot be reached: Connection refused" in gone.stderr
    assert "Traceback" not in gone.stderr + done.stderr


def test_parameters_of_several_statements_go_to_those_that_name_them(con: RemoteConnection) -> None:
    text = "CREATE TEMP TABLE given AS SELECT $x AS x; SELECT x, $y FROM given"
    result = con.sql(text, {"x": 1, "y": 2})
    assert result is not None
    assert result.fetchall() == [(1, 2)]
    with pytest.raises(heliumql.BindError, match=r"no statement has \$z"):
        con.sql("SELECT $x; SELECT $y", {"x": 1, "y": 2, "z": 3})


def test_what_a_client_makes_others_that_are_connected_see(server: Serving) -> None:
    with server.connect() as one, server.connect() as other:
        other.execute("SELECT 1")
        one.execute("CREATE MODEL late WITH (engine = 'simulated')")
        one.execute("CREATE PROMPT lately(x) WITH (model = 'late') AS 'hi {x}'")
        found = other.execute("SELECT LLM_GENERATE('x', model => 'late'), lately('a')").fetchall()
        assert len(found) == 1
        one.execute("DROP PROMPT lately")
        one.execute("DROP MODEL late")
        with pytest.raises(heliumql.CatalogError, match="there is no model late"):
            other.execute("SELECT LLM_GENERATE('x', model => 'late')")
