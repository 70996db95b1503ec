"""Traces: valid Chrome trace events, whatever runs and however it ends."""

from __future__ import annotations

import io
import json
import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

import heliumql
from heliumql.connection import Connection
from heliumql.errors import ExecutionError, HeliumQLError
from heliumql.stats import CallTimes
from heliumql.trace import Gauge, Trace

QUERY = "SELECT i, g.text FROM range({calls}) t(i), LATERAL LLM_GENERATE('Of {{i}}') AS g"


@pytest.fixture
def connection() -> Iterator[Connection]:
    with heliumql.connect() as con:
        con.execute("CREATE MODEL pretend WITH (engine = 'simulated', workers = 2)")
        con.set("llm_default_model", "pretend")
        yield con


def checked(text: str) -> list[dict[str, Any]]:
    """The events, after the format's rules are checked."""
    events: list[dict[str, Any]] = json.loads(text)
    tracks: dict[int, list[tuple[float, float]]] = defaultdict(list)
    processes, threads, owners = {}, {}, {}
    counters: dict[tuple[int, str], float] = {}
    for event in events:
        assert event["ph"] in {"X", "M", "C"}
        assert {type(event["pid"]), type(event["tid"])} == {int}
        assert isinstance(event["name"], str)
        match event["ph"]:
            case "M":
                named = {"process_name": processes, "thread_name": threads}.get(event["name"])
                key = event["pid"] if event["name"].startswith("process") else event["tid"]
                if named is not None:
                    assert key not in named
                    named[key] = event["args"]["name"]
                else:
                    assert event["name"] in {"process_sort_index", "thread_sort_index"}
                    assert isinstance(event["args"]["sort_index"], int)
            case "X":
                assert event["ts"] >= 0
                assert event["dur"] >= 0
                assert owners.setdefault(event["tid"], event["pid"]) == event["pid"]
                tracks[event["tid"]].append((event["ts"], event["ts"] + event["dur"]))
            case "C":
                assert event["args"]
                assert all(v >= 0 for v in event["args"].values())
                key = event["pid"], event["name"]
                assert event["ts"] > counters.get(key, -1)
                counters[key] = event["ts"]
    assert {e["pid"] for e in events} == set(processes)
    assert set(tracks) <= set(threads)
    for slices in tracks.values():
        assert_nested(slices)
    return events


def assert_nested(slices: Sequence[tuple[float, float]]) -> None:
    """Slices of a track lie inside each other or apart."""
    around: list[float] = []
    for start, end in sorted(slices, key=lambda s: (s[0], -s[1])):
        while around and around[-1] <= start + 1e-6:
            around.pop()
        assert not around or end <= around[-1] + 1e-6
        around.append(end)


def processes(events: Sequence[Mapping[str, Any]]) -> dict[int, str]:
    return {e["pid"]: e["args"]["name"] for e in events if e["name"] == "process_name"}


def calls(events: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [e for e in events if "operator" in e.get("args", {})]


def test_a_run_has_its_stages_passes_and_calls(connection: Connection, tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    with connection.trace(path):
        connection.execute(QUERY.format(calls=20) + " WHERE g.text <> ''").fetchall()
        stats = connection.last_stats
    events = checked(path.read_text("utf-8"))
    names = [e["name"] for e in events if e["pid"] == 1 and e["ph"] == "X"]
    assert {"plan", "bind", "optimize", "run", "pass 1", "pass 2"} <= set(names)
    (track,) = [e for e in events if e["name"] == "thread_name" and e["pid"] == 1]
    assert track["args"]["name"].startswith("1: SELECT i, g.text FROM")
    assert sorted(processes(events).values()) == [
        "HeliumQL", "pretend worker 0 (virtual time)", "pretend worker 1 (virtual time)",
    ]  # fmt: skip
    assert stats is not None
    found = calls(events)
    assert len(found) == stats.calls_run == 20
    assert {c["name"] for c in found} == {"g"}
    assert sum(c["args"]["prompt_tokens"] for c in found) == stats.prompt_tokens
    assert sum(c["args"]["hit_tokens"] for c in found) == stats.prefix_hit_tokens
    assert [e["name"] for e in events].count("decode") == 20
    assert {"running calls", "tokens/s", "prefix hits/s"} <= {e["name"] for e in events}


def test_each_statement_has_a_track_and_equal_calls_run_once(
    connection: Connection, tmp_path: Path
) -> None:
    path = tmp_path / "trace.json"
    with connection.trace(path):
        first, second = connection.sql_many([QUERY.format(calls=5), QUERY.format(calls=8)])
        first.fetchall()
        second.fetchall()
        connection.set("llm_optimizer", "off")
        connection.execute(QUERY.format(calls=2)).fetchall()
    events = checked(path.read_text("utf-8"))
    tracks = [e["args"]["name"][:2] for e in events if e["name"] == "thread_name" and e["pid"] == 1]
    assert tracks == ["1:", "2:", "3:"]
    assert len(calls(events)) == 8 + 2
    assert "call by call" in [e.get("args", {}).get("how") for e in events]


def test_nothing_is_written_after_it(connection: Connection, tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    with connection.trace(path):
        relation = connection.sql(QUERY.format(calls=500))
        assert relation is not None
        batches = relation.batches()
        next(batches)
    written = path.read_text("utf-8")
    events = checked(written)
    assert any(e.get("args", {}).get("unfinished") for e in events)
    for _ in batches:
        pass
    connection.execute("SELECT LLM_GENERATE('Hello')").fetchall()
    assert path.read_text("utf-8") == written


def test_what_a_failing_statement_did_is_there(connection: Connection, tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    query = "SELECT CAST(LLM_GENERATE('a') || 'x' AS INTEGER) FROM range(3)"
    with pytest.raises(HeliumQLError, match="INT32"), connection.trace(path):
        connection.execute(query).fetchall()
    assert "pass 1" in [e["name"] for e in checked(path.read_text("utf-8"))]


def test_a_file_that_cannot_be_written_is_told(connection: Connection) -> None:
    with (
        pytest.raises(ExecutionError, match="cannot write /nowhere/x"),
        connection.trace("/nowhere/x"),
    ):
        pass
    with (
        connection.trace("/dev/null"),
        pytest.raises(ExecutionError, match="already"),
        connection.trace("/dev/null"),
    ):
        pass


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_ends_the_trace_and_not_the_run(connection: Connection) -> None:
    with pytest.raises(ExecutionError, match="No space left"), connection.trace("/dev/full"):
        rows = connection.execute(QUERY.format(calls=200)).fetchall()
    assert len(rows) == 200


# made-up times ----------------------------------------------------------------------------


def timed(start: float | None, end: float | None, **more: Any) -> CallTimes:
    values = {"first_token": start, "prompt_tokens": 100, "cached_tokens": 40, "output_tokens": 9}
    return CallTimes(0, 0, started=start, finished=end, **{**values, **more})


def test_an_engine_on_another_clock_has_a_process_of_its_own() -> None:
    file = io.StringIO()
    trace = Trace(file)
    now = trace._began
    trace.call("ours", "g", timed(now + 0.1, now + 0.2, first_token=now + 0.15), now)
    trace.call("theirs", "g", timed(1e9 + 1, 1e9 + 2), now)
    trace.call("mute", "g", timed(None, None), now)
    trace.close()
    trace.close()
    events = checked(file.getvalue())
    assert list(processes(events).values())[1:] == [
        "ours worker 0", "theirs worker 0 (virtual time)", "mute worker 0",
    ]  # fmt: skip
    ours, theirs, mute = calls(events)
    assert ours["ts"] == pytest.approx(100_000, abs=1)
    assert ours["dur"] == pytest.approx(100_000, abs=1)
    assert theirs["dur"] == pytest.approx(1e6, abs=1)
    assert "does not say" in mute["args"]["clock"]


def test_of_many_calls_only_sums_are_kept() -> None:
    """Of a worker with 64 slots, in the order in which calls end."""
    drawn = random.Random(5)
    free = [0.0] * 64
    spans = []
    for _ in range(10_000):
        slot = free.index(min(free))
        end = free[slot] + drawn.uniform(0.2, 2)
        spans.append((end, free[slot]))
        free[slot] = end
    spans.sort()

    class Counted(io.StringIO):
        lines: ClassVar[list[str]] = []

        def write(self, text: str) -> int:
            if len(self.lines) < 4000 or '"M"' in text:
                self.lines.append(text)
            return len(text)

    trace = Trace(Counted())
    for end, start in spans:
        trace.call("e", "g", timed(start, end, first_token=(start + end) / 2), 0.0, virtual=True)
    rows = sum('"thread_name"' in line for line in Counted.lines)
    assert 64 <= rows <= 72
    (worker,) = trace._workers.values()
    assert (len(worker.rows), len(list(worker.gauge.bins())) <= 514) == (rows, True)
    sums = [sum(column) for column in zip(*worker.gauge.bins(), strict=True)]
    assert sums == pytest.approx(
        [sum(e - s for e, s in spans), 60 * 10_000, 40 * 10_000, 9 * 10_000]
    )
    trace.close()


def test_sums_stay_when_bins_get_wider() -> None:
    gauge = Gauge(width=0.5)
    gauge.add(0.0, 1.0, 2.0, timed(0.0, 2.0))
    before = [sum(column) for column in zip(*gauge.bins(), strict=True)]
    gauge.add(
        5000.0, 5000.0, 5000.0, timed(0.0, 0.0, prompt_tokens=0, cached_tokens=0, output_tokens=0)
    )
    after = [sum(column) for column in zip(*gauge.bins(), strict=True)]
    assert gauge.width > 0.5
    assert before == pytest.approx([2.0, 60.0, 40.0, 9.0])
    assert after == pytest.approx(before)
