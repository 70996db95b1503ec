"""Many clients of one server, and clients that die, stop or talk nonsense: the server goes on."""

from __future__ import annotations

import gc
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.flight as flight
import pytest
from serving import PROGRAM, TOKEN, Serving, environment, run, serving
from stub_server import Reply, StubServer

import heliumql
from heliumql.extensions.flight import protocol, tokens

CLIENT = Path(__file__).parent / "flight_client.py"
OPTIONS = flight.FlightCallOptions(headers=[tokens.header(TOKEN)], timeout=10)


@pytest.fixture(scope="module")
def stub() -> Iterator[StubServer]:
    with StubServer(models=["m"]) as one:
        one.reply = lambda seen: Reply(f"echo {seen.prompt}", seconds=0.02)
        yield one


@pytest.fixture(scope="module")
def server(stub: StubServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("server")
    (folder / "init.hql").write_text(
        f"CREATE MODEL m WITH (engine = 'openai', base_url = '{stub.url}', model = 'm', "
        "concurrency = 16)"
    )
    with serving("--init", "init.hql", "--database", "my.duckdb", folder=folder) as one:
        yield one


def status(server: Serving) -> dict[str, object]:
    with server.connect() as con:
        told = con.status()
    sessions = told["sessions"]
    assert isinstance(sessions, list)
    return {**told, "sessions": sessions[:-1]}  # without our own


def eventually(holds: Callable[[], bool]) -> None:
    """Polls a server, which has nothing to wait on."""
    until = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < until, "it does not come to that"
        time.sleep(0.05)


def started(url: str, first: int, count: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(CLIENT), url, str(first), str(count)],
        env=environment(HELIUMQL_TOKEN=TOKEN),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_ten_clients_at_once_and_one_is_killed(server: Serving, stub: StubServer) -> None:
    with server.connect() as con:
        con.execute("SELECT LLM_GENERATE('warm')").fetchall()
    before = server.threads, server.megabytes
    stub.seen.clear()
    # Each shares half of its 120 questions with the next one; the killed one has 200 of its own.
    clients = [started(server.url, n * 60, 120) for n in range(9)]
    victim = started(server.url, 100_000, 600)
    assert victim.stdout is not None
    assert victim.stdout.readline() == "row\n"
    victim.send_signal(signal.SIGKILL)
    for client in clients:
        out, err = client.communicate(timeout=60)
        assert client.returncode == 0, err
        assert out.endswith("complete 120\n")
    victim.wait()
    victim.stdout.close()
    assert victim.stderr is not None
    victim.stderr.close()

    eventually(lambda: status(server)["sessions"] == [])
    asked = Counter(stub.prompts())
    ours = {p: c for p, c in asked.items() if int(p.split()[1]) < 100_000}
    assert ours == {f"Question {n}": 1 for n in range(600)}
    theirs = sum(c for p, c in asked.items() if p not in ours)
    assert theirs < 600  # its calls were dropped
    eventually(lambda: stub.in_flight == 0)
    assert status(server)["in_flight"] == 0
    # Threads of the transport stay a while for the next calls, as many as there were clients.
    assert server.threads < before[0] + 35
    assert server.megabytes < before[1] + 150


def test_rounds_of_clients_leave_no_more_than_one_round(server: Serving) -> None:
    def one_round() -> None:
        connections = [server.connect() for _ in range(10)]
        for con in connections:
            con.execute("CREATE TEMP TABLE mine AS FROM range(1000); FROM mine").fetchall()
        for con in connections:
            con.close()

    one_round()
    eventually(lambda: status(server)["sessions"] == [])
    before = server.threads, server.megabytes
    for _ in range(10):
        one_round()
    eventually(lambda: status(server)["sessions"] == [])
    assert server.threads <= before[0] + 8
    assert server.megabytes < before[1] + 60


def test_a_stopped_statement_aborts_its_calls_and_keeps_answers(
    server: Serving, stub: StubServer
) -> None:
    query = "SELECT LLM_GENERATE('Stop {i}') FROM range(500) r(i)"
    stub.seen.clear()
    with server.connect() as con:
        con.execute("SET llm_batch_rows = 4")
        rows = con.sql(query)
        assert rows is not None
        batches = rows.batches()
        next(batches)
        con.interrupt()
        with pytest.raises(heliumql.HeliumQLError, match="interrupted"):
            list(batches)
        eventually(lambda: stub.in_flight == 0)
        done = len(stub.seen)
        assert done < 500
        assert con.total_stats.calls_run >= 4
        assert len(con.execute(query).fetchall()) == 500
        assert con.last_stats is not None
        assert con.last_stats.calls_cached >= 4


def test_ctrl_c_at_the_client_stops_the_statement_there(server: Serving, stub: StubServer) -> None:
    stub.seen.clear()
    query = "SELECT LLM_GENERATE('Signal {i}') FROM range(2000) r(i)"
    client = subprocess.Popen(
        [*PROGRAM, "run", "--connect", server.url, "-c", query, "--stats", "json"],
        env=environment(HELIUMQL_TOKEN=TOKEN),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    eventually(lambda: len(stub.seen) > 20)
    client.send_signal(signal.SIGINT)
    _, err = client.communicate(timeout=30)
    assert client.returncode == 130
    assert err.splitlines()[0] == "interrupted"
    assert json.loads(err.splitlines()[-1])["calls_run"] > 0
    eventually(lambda: stub.in_flight == 0)
    assert len(stub.seen) < 2000
    eventually(lambda: status(server)["sessions"] == [])


def test_a_stream_that_is_dropped_ends_its_statement_and_not_its_session(
    server: Serving, stub: StubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stub, "reply", lambda seen: Reply("late", seconds=60))
    with server.connect() as con:
        rows = con.sql("SELECT LLM_GENERATE('Dropped {i}') FROM range(50) r(i)")
        assert rows is not None
        eventually(lambda: stub.in_flight > 0)
        rows._stream._reader.cancel()  # as a network would: nothing is said
        eventually(lambda: stub.in_flight == 0)
        del rows
        assert con.execute("SELECT 42").fetchall() == [(42,)]


def test_a_connection_that_is_dropped_ends_its_session(server: Serving) -> None:
    con = server.connect()
    con._presence = iter(())  # as a network that is gone: nothing is said
    gc.collect()
    eventually(lambda: status(server)["sessions"] == [])
    with pytest.raises(heliumql.ExecutionError, match="session of the server is over"):
        con.execute("SELECT 1")
    con.close()


def test_a_client_that_takes_no_rows_keeps_nobody_from_anything(tmp_path: Path) -> None:
    with serving(folder=tmp_path) as one:
        stalled = one.connect()
        rows = stalled.sql("SELECT range, repeat('x', 100) FROM range(20_000_000)")
        assert rows is not None
        reading = rows.batches()
        next(reading)  # and no more
        with one.connect() as other:
            assert other.execute("SELECT 42").fetchall() == [(42,)]
        assert one.megabytes < 600  # of the two gigabytes
        assert one.stop(signal.SIGINT) == 130
        stalled.close()


def test_nonsense_is_refused_and_leaves_nothing(server: Serving) -> None:
    host, port = server.url.removeprefix("grpc://").split(":")
    draw = random.Random(5)
    half_open = [socket.create_connection((host, int(port))) for _ in range(20)]
    for one in half_open[:10]:
        one.sendall(draw.randbytes(3000))
    client = flight.FlightClient(server.url)
    for body in (b"", b"\xff\xfe", b"[1]", b'{"session": "x"}', b"[" * 100_000):
        with pytest.raises(flight.FlightError) as caught:
            list(client.do_action(flight.Action(protocol.INTERRUPT, body), OPTIONS))
        assert "Traceback" not in str(caught.value)
        told = exchanged(client, body)
        assert "error" in told
    with pytest.raises(flight.FlightError, match="no such action"):
        list(client.do_action(flight.Action("format the disk", b""), OPTIONS))
    assert "longer than" in str(exchanged(client, b"x" * (17 << 20)))
    for refused in (flight.FlightCallOptions(), options("Bearer"), options("Basic " + TOKEN)):
        with pytest.raises(flight.FlightUnauthenticatedError, match=r"^refused"):
            list(client.do_action(flight.Action(protocol.STATUS, b""), refused))
    client.close()
    for one in half_open:
        one.close()
    assert status(server)["sessions"] == []


def options(header: str) -> flight.FlightCallOptions:
    return flight.FlightCallOptions(headers=[(b"authorization", header.encode())])


def exchanged(client: flight.FlightClient, command: bytes) -> dict[str, object]:
    """The last message that a command is answered with."""
    writer, reader = client.do_exchange(flight.FlightDescriptor.for_command(command), OPTIONS)
    writer.begin(pa.schema([]))
    writer.done_writing()
    last = b"{}"
    while True:
        try:
            last = reader.read_chunk().app_metadata.to_pybytes()
        except StopIteration:
            found = json.loads(last)
            assert isinstance(found, dict)
            return found


QUERY = ["-c", "SELECT 1"]


def test_a_second_server_on_the_database_says_so(server: Serving, tmp_path: Path) -> None:
    folder = f"/proc/{server.process.pid}/cwd"
    database = os.path.realpath(folder) + "/my.duckdb"
    done = subprocess.run(
        [*PROGRAM, "serve", "--port", "0", "--database", database],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 1
    assert "is in use by another process" in done.stderr
    for command in (["run"], ["explain"], ["repl"]):
        done = subprocess.run(
            [*PROGRAM, *command, "--database", database, *([] if command == ["repl"] else QUERY)],
            env=environment(),
            capture_output=True,
            text=True,
            timeout=30,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 1
        assert "is in use by another process" in done.stderr
        assert "hint: if that is heliumql serve, heliumql run --connect" in done.stderr
    port = server.url.rpartition(":")[2]
    done = subprocess.run(
        [*PROGRAM, "serve", "--port", port],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 2
    assert "Address already in use" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_statements_and_the_server(
    number: signal.Signals, stub: StubServer, tmp_path: Path
) -> None:
    (tmp_path / "init.hql").write_text(
        f"CREATE MODEL m WITH (engine = 'openai', base_url = '{stub.url}', model = 'm')"
    )
    stub.seen.clear()
    with (
        serving("--init", "init.hql", folder=tmp_path) as one,
        started(one.url, 200_000, 5000) as client,
    ):
        assert client.stdout is not None
        assert client.stdout.readline() == "row\n"
        idle = one.connect()
        assert one.stop(number) == 128 + number
        _, err = client.communicate(timeout=30)
        assert client.returncode == 1
        assert "interrupted" in err or "the server" in err
        idle.close()
    eventually(lambda: stub.in_flight == 0)
    assert run(one.url, "-c", "SELECT 1").returncode == 5
