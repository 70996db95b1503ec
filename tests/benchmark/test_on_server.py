"""HeliumQL and other systems by turns on one server, which may answer differently."""

from __future__ import annotations

import hashlib
import importlib
import io
import itertools
import json
from collections.abc import Callable, Iterator
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
    """Runs of systems on the stub; `loses`: a token is missing each time that they are counted."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, stub: StubServer) -> None:
        self._patch = monkeypatch
        self._stub = stub
        self._command = importlib.import_module("bench.command")
        self._outcome = self._command.outcome
        self.rows: list[Any] = []

    def __call__(
        self,
        suite: str,
        systems: str,
        reply: Callable[[Seen], Reply] = answered,
        *,
        loses: bool = False,
    ) -> tuple[int, list[Any]]:
        """The exit status and the rows."""
        from bench.chosen import Chosen

        self._stub.reply = reply
        server = self._server(loses)
        self._patch.setattr(self._command.running, "model", lambda *_: Path("none"))
        self._patch.setattr(self._command.running, "server", lambda *_: server)
        self._patch.setattr(self._command, "outcome", self._kept)
        chosen = Chosen((suite,), tuple(systems.split(",")), **SIZE)
        return self._command.command(chosen, None, io.StringIO()), self.rows

    def _kept(self, what: str, chosen: Any, measured: Any, folder: None) -> int:
        def taken(fields: Any) -> Iterator[Any]:
            for row in measured(fields):
                self.rows.append(row)
                yield row

        status: int = self._outcome(what, chosen, taken, folder)
        return status

    def _server(self, loses: bool) -> Any:
        from vllm_server.counters import Counters
        from vllm_server.server import Server

        stub, missing = self._stub, itertools.count()

        class Counting(Server):
            def reset(self) -> None:
                pass

            def counters(self) -> Counters:
                output = sum(map(limit, stub.seen)) - (next(missing) if loses else 0)
                return Counters(len(stub.seen), 32 * len(stub.seen), 0, output, 0, 0.0)

        return Counting([stub.url], "m", [0])


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> Iterator[Measured]:
    with StubServer(models=["m"]) as stub:
        yield Measured(monkeypatch, stub)


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
    assert all(row.equal for row in rows)
    assert all(row.cold_seconds > row.seconds for row in rows if row.system in ("raw", "op_wise"))


def test_workflows_ask_the_same_of_a_server(measured: Measured) -> None:
    status, rows = measured("debate", "heliumql:unmerged,raw,query_wise")
    assert status == 0
    assert {row.calls_run for row in rows} == {2 * 6 * 6}
    assert all(row.equal for row in rows)


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


def test_answers_that_are_too_short_are_an_error(
    measured: Measured, capsys: pytest.CaptureFixture[str]
) -> None:
    status, rows = measured("tables", "raw", loses=True)
    assert status == 1
    assert "error: raw: 30 answers have " in capsys.readouterr().err
    assert rows == []
