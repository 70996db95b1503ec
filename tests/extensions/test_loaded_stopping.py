"""`heliumql.load`: con.interrupt() and Ctrl-C end a statement at once, and its calls."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from stub_server import Reply, StubServer

import heliumql


@pytest.fixture
def server() -> Iterator[StubServer]:
    with StubServer() as running:
        running.reply = lambda seen: Reply(f"echo {seen.prompt}", seconds=60)
        yield running


def model(server: StubServer) -> str:
    return (
        f"CREATE TEMP MODEL m WITH (engine = 'openai', base_url = '{server.url}', model = 'x',"
        " concurrency = 64)"
    )


def until(server: StubServer, in_flight: int) -> None:
    for _ in range(3000):
        if server.in_flight == in_flight:
            return
        time.sleep(0.01)
    raise AssertionError(f"{server.in_flight} calls in flight, not {in_flight}")


@pytest.mark.parametrize("rows", [1, 3000])  # on the thread of the caller, and on one of DuckDB's
@pytest.mark.parametrize("whose", ["duckdb", "heliumql"])
def test_interrupt(server: StubServer, rows: int, whose: str) -> None:
    own = duckdb.DuckDBPyConnection.interrupt
    with duckdb.connect() as con:
        con.execute(f"CREATE TABLE t AS SELECT 'text ' || i AS body FROM range({rows}) x(i)")
        hq = heliumql.load(con)
        hq.execute(model(server))
        pressed: list[float] = []

        def press() -> None:
            until(server, min(rows, 64))
            pressed.append(time.monotonic())
            (con if whose == "duckdb" else hq).interrupt()

        thread = threading.Thread(target=press)
        thread.start()
        with pytest.raises(duckdb.Error, match=r"(?i)interrupted"):
            con.execute("SELECT llm_generate(body) FROM t").fetchall()
        seconds = time.monotonic() - pressed[0]
        thread.join()
        assert seconds < 5  # a tenth, on a machine that is not busy
        until(server, 0)
        server.reply = lambda seen: Reply("now")
        assert con.execute("SELECT llm_generate('next')").fetchall() == [("now",)]
        hq.close()
    assert duckdb.DuckDBPyConnection.interrupt is own


def test_interrupting_another_connection_stops_nothing(server: StubServer) -> None:
    server.reply = lambda seen: Reply("ok", seconds=0.5)
    with duckdb.connect() as con, duckdb.connect() as other, heliumql.load(con) as hq:
        hq.execute(model(server))
        thread = threading.Thread(target=lambda: (until(server, 1), other.interrupt()))
        thread.start()
        assert con.execute("SELECT llm_generate('x')").fetchall() == [("ok",)]
        thread.join()


PROGRAM = """
import signal, sys, duckdb, heliumql
con = duckdb.connect()
con.execute(f"CREATE TABLE t AS SELECT 'text ' || i AS body FROM range({sys.argv[2]}) x(i)")
hq = heliumql.load(con)
hq.execute(sys.argv[1])
handler = signal.getsignal(signal.SIGINT)
try:
    try:
        print(con.execute("SELECT llm_generate(body) FROM t").fetchall())
    except (duckdb.Error, RuntimeError) as error:
        print(type(error).__name__, "interrupt" in str(error).lower())
except KeyboardInterrupt:  # where Python hears of it after DuckDB is done
    print("KeyboardInterrupt", True)
assert signal.getsignal(signal.SIGINT) is handler
print(con.execute("SELECT 42").fetchall())
"""


@pytest.mark.parametrize("rows", [1, 3000])
def test_ctrl_c(server: StubServer, rows: int) -> None:
    command = [sys.executable, "-c", PROGRAM, model(server), str(rows)]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as program:
        until(server, min(rows, 64))
        pressed = time.monotonic()
        program.send_signal(signal.SIGINT)
        try:
            out, err = program.communicate(timeout=30)
        finally:
            program.kill()  # one that did not stop must not keep the tests
    assert time.monotonic() - pressed < 10  # the program's own end, too
    assert out.splitlines()[0].endswith(" True")
    assert out.splitlines()[1] == "[(42,)]"
    assert (program.returncode, err) == (0, "")
    until(server, 0)
