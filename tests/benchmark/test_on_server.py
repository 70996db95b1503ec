"""HeliumQL and other systems by turns on one server, which may answer differently."""

from __future__ import annotations

import hashlib
import importlib
import io
import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from stub_server import Reply, Seen, StubServer

SIZE: dict[str, Any] = {"rows": 2, "scale": 0.1, "repeat": 2, "engine": "server"}


def limit(seen: Seen) -> int:
    return int(seen.body.get("max_tokens") or seen.body["max_completion_tokens"])


def answered(seen: Seen) -> Reply:
    """As many tokens as are wanted, of four characters each; they follow from the messages."""
    said = hashlib.sha256(json.dumps(seen.body["messages"]).encode()).hexdigest()
    return Reply((said * limit(seen))[: 4 * limit(seen) - 1])


class Measured:
    """Runs of systems on the stub.

    `loses` names a counter that lacks one more each time that the server is asked for it, `resets`
    has how many requests had come whenever caches were emptied.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, stub: StubServer) -> None:
        self._patch = monkeypatch
        self._stub = stub
        self._command = importlib.import_module("bench.command")
        self._outcome = self._command.outcome
        self.rows: list[Any] = []
        self.resets: list[int] = []

    def __call__(
        self,
        suite: str,
        systems: str,
        reply: Callable[[Seen], Reply] = answered,
        *,
        loses: str | None = None,
        **chosen_too: Any,
    ) -> tuple[int, list[Any]]:
        """The exit status and the rows."""
        from bench.chosen import Chosen

        self._stub.reply = reply
        server = self._server(loses)
        self._patch.setattr(self._command.running, "model", lambda *_: Path("none"))
        self._patch.setattr(self._command.running, "server", lambda *_: server)
        self._patch.setattr(self._command, "outcome", self._kept)
        chosen = Chosen((suite,), tuple(systems.split(",")), **SIZE | chosen_too)
        return self._command.command(chosen, None, io.StringIO()), self.rows

    def _kept(self, what: str, chosen: Any, measured: Any, folder: None) -> int:
        def taken(fields: Any) -> Iterator[Any]:
            for row in measured(fields):
                self.rows.append(row)
                yield row

        status: int = self._outcome(what, chosen, taken, folder)
        return status

    def _server(self, loses: str | None) -> Any:
        from vllm_server.counters import Counters
        from vllm_server.server import Server

        stub, missing, resets = self._stub, itertools.count(), self.resets

        class Counting(Server):
            def reset(self) -> None:
                resets.append(len(stub.seen))

            def counters(self) -> Counters:
                output = sum(map(limit, stub.seen))
                asked = len(stub.seen)
                found = Counters(asked, 32 * asked, 0, output, 0, 0.0, 3 * asked)
                return replace(
                    found, **{loses: getattr(found, loses) - next(missing)} if loses else {}
                )

        return Counting([stub.url], "m", [0])


@pytest.fixture
def stub() -> Iterator[StubServer]:
    with StubServer(models=["m"]) as server:
        yield server


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch, stub: StubServer) -> Measured:
    return Measured(monkeypatch, stub)


def test_systems_take_turns_and_their_calls_are_counted(measured: Measured) -> None:
    status, rows = measured("tables", "heliumql,raw,op_wise,oracle")
    assert status == 0
    order = [(row.turn, row.system) for row in rows]
    assert order == [
        (0, "heliumql"), (0, "raw"), (0, "op_wise"), (0, "oracle"),
        (1, "raw"), (1, "op_wise"), (1, "heliumql"), (1, "oracle"),
    ]  # fmt: skip
    calls = {row.system: row.calls_run for row in rows}
    # Of sixteen rows on a subject three repeat others, one asks nothing.
    assert calls == {"heliumql": 24, "oracle": 24, "raw": 30, "op_wise": 30}
    assert all(row.engine_steps == 3 * row.calls_run for row in rows)
    assert all(row.equal for row in rows)
    assert all(row.cold_seconds > row.seconds for row in rows if row.system in ("raw", "op_wise"))


def test_workflows_ask_the_same_of_a_server(measured: Measured) -> None:
    status, rows = measured("debate", "heliumql:unmerged,raw,query_wise")
    assert status == 0
    assert {row.calls_run for row in rows} == {2 * 6 * 6}
    assert all(row.equal for row in rows)


def test_caches_are_emptied_right_before_every_run(measured: Measured, stub: StubServer) -> None:
    _, rows = measured("tables", "heliumql,raw,oracle,one_row")
    begun = measured.resets[1:]  # the first one is of a row ahead
    assert len(begun) == len(rows)
    for row, at, later in zip(rows, begun, [*begun[1:], len(stub.seen)], strict=True):
        assert later - at >= row.calls_run


def test_without_merging_heliumql_asks_what_others_ask(measured: Measured) -> None:
    status, rows = measured("map_reduce_questions", "heliumql,heliumql:unmerged,raw")
    assert status == 0
    calls = {row.system: row.calls_run for row in rows}
    assert calls == {"heliumql": 2 * 8, "heliumql:unmerged": 2 * 15, "raw": 2 * 15}


def test_the_oracle_waits_for_no_answer(measured: Measured, stub: StubServer) -> None:
    def slowly(seen: Seen) -> Reply:
        return replace(answered(seen), seconds=0.05)

    def first(at: int) -> set[int]:
        """Messages of the first requests, which are sent before any of them is answered."""
        return {len(seen.body["messages"]) for seen in stub.seen[at:][:16]}

    status, rows = measured("debate", "heliumql,oracle", slowly, repeat=1)
    assert (status, [row.system for row in rows]) == (0, ["heliumql", "oracle"])
    _, of_heliumql, of_oracle = measured.resets
    assert first(of_heliumql) == {2}
    assert first(of_oracle) == {2, 4}


def test_a_seed_gives_all_systems_the_same_other_texts(
    measured: Measured, stub: StubServer
) -> None:
    asked = []
    for seed in (0, 1):
        stub.seen.clear()
        status, _ = measured("tables", "heliumql,raw", repeat=1, seed=seed)
        assert status == 0
        asked.append({seen.prompt for seen in stub.seen} - {"Is everything there?"})
    assert asked[0].isdisjoint(asked[1])


def test_twice_as_many_requests_are_in_flight_as_the_server_computes(
    measured: Measured, stub: StubServer
) -> None:
    for slots in (2, 4):
        stub.max_in_flight = 0
        measured("tables", "heliumql", lambda s: replace(answered(s), seconds=0.05), slots=slots)
        assert stub.max_in_flight == 2 * slots


def test_a_system_is_run_in_the_setting_that_its_name_says(
    measured: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_server = importlib.import_module("bench.on_server")
    run_system, asked = on_server.run_system, []

    def watched(system: Any, url: str, model: str, work: Any, setting: str, **more: Any) -> Any:
        asked.append((system.name, setting))
        return run_system(on_server.SYSTEMS["raw"], url, model, work, setting, **more)

    monkeypatch.setattr(on_server, "run_system", watched)
    _, rows = measured("tables", "heliumql,langgraph,langgraph:default", repeat=1)
    assert asked == [("langgraph", "tuned"), ("langgraph", "default")]
    assert [(row.system, row.setting) for row in rows[1:]] == asked


def test_other_answers_are_told(measured: Measured, capsys: pytest.CaptureFixture[str]) -> None:
    asked: list[str] = []

    def fickle(seen: Seen) -> Reply:
        first = seen.prompt == (asked[0] if asked else seen.prompt)
        asked.append(seen.prompt)
        reply = answered(seen)
        changed = f"{len(asked):04}{reply.text[4:]}"  # another one each time
        return Reply(changed) if first else reply

    status, rows = measured("tables", "heliumql,raw", fickle)
    assert status == 1
    assert [row.equal for row in rows][:2] == [True, False]
    assert "answers differ from the first system's: tables: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("loses", "told"),
    [
        ("output_tokens", "error: raw: 30 answers have "),
        ("requests", "error: raw asked 29 times, not 30"),
    ],
)
def test_counts_that_do_not_fit_are_an_error(
    loses: str, told: str, measured: Measured, capsys: pytest.CaptureFixture[str]
) -> None:
    status, rows = measured("tables", "raw", loses=loses)
    assert status == 1
    assert told in capsys.readouterr().err
    assert rows == []
