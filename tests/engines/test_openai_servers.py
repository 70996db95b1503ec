"""Several servers behind one model: who is asked, and what happens when one goes away."""

from __future__ import annotations

import gc
import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from receiver import Receiver, calls, name, spec
from stub_server import Reply, StubServer

import heliumql
from heliumql.engines.beginning import common_beginning, common_start
from heliumql.engines.engine import ScheduledEngine, Warmup
from heliumql.engines.exchange import Exchange
from heliumql.engines.openai import OpenAIEngine
from heliumql.errors import CatalogError, EngineError


class Site:
    """Servers on ports of their own that go away and come back, and engines that use them."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self.servers = [StubServer(models=["m"]) for _ in range(2)]
        self._closes: list[ExitStack] = [ExitStack(), ExitStack()]
        for number, server in enumerate(self.servers):
            self._closes[number].enter_context(server)
            server.reply = lambda seen, n=number: Reply(f"{n} {seen.prompt}")  # type: ignore[misc]

    def kill(self, number: int) -> None:
        self._closes[number].close()

    def restart(self, number: int) -> None:
        self.servers[number] = StubServer(models=["m"], port=self.servers[number].port)
        self.servers[number].reply = lambda seen: Reply(f"{number} {seen.prompt}")
        self._closes[number].enter_context(self.servers[number])

    def engine(self, dead_seconds: float = 60.0, **options: Any) -> OpenAIEngine:
        urls = [server.url for server in self.servers]
        engine = OpenAIEngine(
            {"base_url": urls, "model": "m", **options},
            first_backoff=0.01,
            dead_seconds=dead_seconds,
        )
        self._stack.callback(engine.close)
        return engine

    def close(self) -> None:
        for number in range(2):
            self.kill(number)


@pytest.fixture
def site() -> Iterator[Site]:
    with ExitStack() as stack:
        made = Site(stack)
        stack.callback(made.close)  # after the engines
        yield made


def ask(
    engine: OpenAIEngine, count: int, workers: list[int | None] | None = None, first: int = 0
) -> Receiver:
    receiver = Receiver()
    engine.submit(
        spec(), calls([f"row {i}" for i in range(count)], first, workers=workers), receiver
    )
    receiver.wait(count)
    return receiver


def until(condition: Any) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def answered_by(receiver: Receiver) -> list[int]:
    return [receiver.answers[n]["worker"] for n in sorted(receiver.answers)]


def test_calls_go_to_the_server_that_they_name(site: Site):
    engine: ScheduledEngine = site.engine()
    assert isinstance(engine, OpenAIEngine)
    engine.start()
    before = time.monotonic()
    named = [1, 0, 0, 1, 1]
    receiver = ask(engine, 5, list(named))
    assert answered_by(receiver) == named
    assert receiver.texts() == {n: f"{worker} row {n}" for n, worker in enumerate(named)}
    for row in receiver.answers.values():
        assert before <= row["started"] <= row["finished"] <= time.monotonic()
        assert row["first_token"] is None
    with pytest.raises(EngineError, match="there is no worker 2"):
        engine.submit(spec(), calls(["x"], workers=[2]), receiver)


def test_calls_that_name_none_go_where_the_fewest_are_in_flight(site: Site):
    site.servers[0].reply = lambda seen: Reply("slow", seconds=30)
    engine = site.engine()
    slow = Receiver()
    engine.submit(spec(), calls(["slow"] * 3, first=100, workers=[0] * 3), slow)
    assert answered_by(ask(engine, 3)) == [1, 1, 1]
    engine.cancel([name(100 + i) for i in range(3)])
    slow.wait(3)
    site.servers[0].reply = lambda seen: Reply("quick", seconds=0.1)
    site.servers[1].reply = lambda seen: Reply("quick", seconds=0.1)
    assert sorted(answered_by(ask(engine, 20, first=200))) == [0] * 10 + [1] * 10


def test_how_many_are_in_flight_is_up_to_each_server(site: Site):
    engine = site.engine(concurrency=3, kv_cache_tokens=5000)
    assert engine.slots == 6
    assert [(c.max_num_seqs, c.kv_cache_tokens) for c in engine.workers] == [(3, 5000)] * 2
    for server in site.servers:
        server.reply = lambda seen: Reply(seconds=0.02)
    ask(engine, 40)
    assert [server.max_in_flight for server in site.servers] == [3, 3]

    site.servers[1].script = [Reply(status=429)] * 3
    ask(engine, 2, [1, 1], first=100)
    assert [constants.max_num_seqs for constants in engine.workers] == [3, 1]
    assert engine.slots == 4


def test_a_server_that_dies_in_the_middle_leaves_its_calls_to_the_other(site: Site):
    site.servers[0].reply = lambda seen: Reply("late", seconds=30)
    site.servers[1].reply = lambda seen: Reply("1", seconds=0.01)
    engine = site.engine(concurrency=4)
    engine.start()
    receiver = Receiver()
    engine.submit(spec(), calls([str(i) for i in range(40)], workers=[0, 1] * 20), receiver)
    until(lambda: site.servers[0].in_flight == 4)
    site.kill(0)
    receiver.wait(40)
    assert set(receiver.texts().values()) == {"1"}
    assert answered_by(receiver) == [1] * 40
    assert receiver.errors == []
    assert engine.slots == 4
    assert len(engine.workers) == 2
    assert answered_by(ask(engine, 4, [0, 0, 1, None], first=100)) == [1] * 4


def test_what_a_dying_server_still_answers_is_taken(site: Site):
    """It takes no new connection, and ends what it has."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
        engine = OpenAIEngine(
            {"base_url": [url, site.servers[1].url], "model": "m", "concurrency": 2},
            first_backoff=0.01,
        )
        receiver = Receiver()
        engine.submit(spec(), calls(["slow", "x", "y"], workers=[0] * 3), receiver)
        one, other = listening.accept()[0], listening.accept()[0]
    with one, other:
        heard = [connection.recv(10000) for connection in (one, other)]
        slow, quick = (one, other) if b"slow" in heard[0] else (other, one)
        quick.close()
        receiver.wait(2)
        body = b'{"choices": [{"message": {"content": "at last"}, "finish_reason": "stop"}]}'
        slow.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        receiver.wait(3)
    assert receiver.texts() == {0: "at last", 1: "1 x", 2: "1 y"}
    assert answered_by(receiver) == [0, 1, 1]
    engine.close()


def test_a_call_pays_only_for_what_was_its_own_trouble(site: Site):
    """Connections refused by a dead server do not use up the retries elsewhere."""
    site.kill(0)
    site.servers[1].script = [Reply(status=503)] * 2
    receiver = ask(site.engine(), 1, [0])
    assert receiver.texts() == {0: "1 row 0"}


def test_many_retries_do_not_keep_calls_at_a_dead_server(site: Site):
    site.kill(0)
    receiver = Receiver()
    engine = site.engine()
    engine.submit(spec(retries=1000), calls(["x"], workers=[0]), receiver)
    assert receiver.wait(1, 5)[0]["worker"] == 1


def test_a_server_that_is_back_takes_part_again(site: Site):
    engine = site.engine(dead_seconds=0.2)
    site.kill(0)
    assert answered_by(ask(engine, 2, [0, 0])) == [1, 1]
    site.restart(0)
    until(lambda: answered_by(ask(engine, 1, [0], first=random.getrandbits(40))) == [0])
    assert engine.slots == 128


def test_a_server_that_is_back_with_another_model_does_not(site: Site):
    engine = site.engine(dead_seconds=0.0)
    site.kill(0)
    ask(engine, 1, [0])
    site.restart(0)
    site.servers[0].models = ["other"]
    for i in range(10):
        assert answered_by(ask(engine, 1, [0], first=10 + i)) == [1]
        time.sleep(0.01)
    assert site.servers[0].seen == []


def test_when_the_last_one_dies_the_dead_are_tried_once_more(site: Site):
    engine = site.engine()
    site.kill(0)
    assert answered_by(ask(engine, 1, [0])) == [1]
    site.restart(0)
    site.kill(1)
    assert answered_by(ask(engine, 5, first=10)) == [0] * 5


def test_calls_that_found_no_server_are_sent_when_one_is_back(
    site: Site, monkeypatch: pytest.MonkeyPatch
):
    """All are dead, and the last one is back before the fleet gives up: also the call that found
    it dead, and has no retries left, is answered."""
    check = Exchange.check
    back: list[None] = []

    async def come_back(exchange: Exchange) -> None:
        if not back:
            back.append(site.restart(1))
        await check(exchange)

    monkeypatch.setattr(Exchange, "check", come_back)
    site.kill(0)
    site.kill(1)
    engine = site.engine(concurrency=2)
    receiver = Receiver()
    engine.submit(spec(retries=0), calls(list("abcd"), workers=[0, 1, 0, None]), receiver)
    receiver.wait(4, 5)
    assert receiver.errors == []
    assert receiver.texts() == {n: f"1 {prompt}" for n, prompt in enumerate("abcd")}


def test_only_when_all_are_dead_the_statement_ends(site: Site):
    for server in site.servers:
        server.reply = lambda seen: Reply(seconds=30)
    engine = site.engine(concurrency=2)
    one, other = Receiver(), Receiver()
    engine.submit(spec(), calls(list("abcdefgh")), one)
    engine.submit(spec(), calls(list("ij"), first=10), other)
    until(lambda: all(server.in_flight == 2 for server in site.servers))
    site.kill(0)
    site.kill(1)
    one.wait(8)
    other.wait(2)
    assert "unreachable" in one.errors[0].message
    assert len(one.errors) == 1
    assert one.errors == other.errors
    assert (one.answers, other.answers) == ({}, {})
    site.restart(1)
    assert answered_by(ask(engine, 3, first=20)) == [1, 1, 1]


def test_some_servers_may_be_down_at_the_start_but_not_all(site: Site):
    site.kill(0)
    engine = site.engine()
    engine.start()
    assert engine.slots == 64
    receiver = ask(engine, 3, [0, 1, 0])
    assert [row["requests"] for row in receiver.answers.values()] == [1, 1, 1]
    assert answered_by(receiver) == [1, 1, 1]
    site.kill(1)
    with pytest.raises(EngineError, match="unreachable"):
        site.engine().start()


def test_other_troubles_are_errors_whatever_the_other_servers_say(site: Site):
    site.servers[1].models = ["other"]
    with pytest.raises(EngineError, match="has no model 'm'") as error:
        site.engine().start()
    assert str(site.servers[1].port) in error.value.message
    site.servers[1].reply = lambda seen: Reply(status=401)
    site.servers[0].reply = lambda seen: Reply(seconds=30)
    engine = site.engine()
    receiver = Receiver()
    engine.submit(spec(), calls(list("abcd"), workers=[0, 0, 0, 1]), receiver)
    receiver.wait(4)
    assert [e.message.count("credentials") for e in receiver.errors] == [1]
    assert receiver.answers == {}


def test_moved_calls_can_be_cancelled_and_close_ends_them(site: Site):
    site.kill(0)
    site.servers[1].reply = lambda seen: Reply(seconds=30)
    before = set(threading.enumerate())
    engine = site.engine(concurrency=2)
    receiver = Receiver()
    engine.submit(spec(), calls(list("abcd"), workers=[0] * 4), receiver)
    until(lambda: site.servers[1].in_flight == 2)
    engine.cancel([name(0), name(3)])
    receiver.wait(2)
    engine.close()
    reasons = [receiver.answers[n]["finish_reason"] for n in range(4)]
    assert reasons == ["cancelled"] * 4
    assert set(threading.enumerate()) == before
    gc.collect()  # an unclosed session or loop would warn now, and warnings are errors


def test_whatever_dies_every_call_is_answered_once(site: Site):
    chance = random.Random(11)
    for server in site.servers:
        server.reply = lambda seen: Reply("fine", seconds=chance.random() / 50)
    engine = site.engine(dead_seconds=0.05, concurrency=4)
    receiver = Receiver()
    turn = 0
    for first in range(0, 300, 30):
        named = [chance.choice([0, 1, None]) for _ in range(30)]
        batch = calls([f"row {i}" for i in range(30)], first, workers=named)
        engine.submit(spec(retries=20), batch, receiver)  # a kill may break it several times
        time.sleep(0.03)
        site.kill(turn)
        time.sleep(0.05)
        site.restart(turn)
        site.servers[turn].reply = lambda seen: Reply("fine", seconds=chance.random() / 50)
        turn = 1 - turn
        until(lambda: engine.slots == 8 or receiver.answers)
    receiver.wait(300)
    assert receiver.errors == []
    assert {row["error"] for row in receiver.answers.values()} == {None}


# Warm-ups ---------------------------------------------------------------------------------


class Warmed:
    """Takes what an engine tells of its warm-ups."""

    def __init__(self) -> None:
        self.seen: list[tuple[bytes, int, int]] = []

    def __call__(self, key: bytes, prompt_tokens: int, cached_tokens: int) -> None:
        self.seen.append((key, prompt_tokens, cached_tokens))


def conversation(end: str) -> tuple[tuple[str, str], ...]:
    return (("system", "Be brief."), ("user", f"A long text. {end}"))


def test_a_warm_up_asks_its_server_for_one_token_after_what_is_common(site: Site):
    site.servers[1].reply = lambda seen: Reply("x", cached_tokens=2)
    engine = site.engine()
    told = Warmed()
    engine.warm([Warmup(b"k", 1, conversation("One"), conversation("Two"), True)], told)
    until(lambda: told.seen)
    assert told.seen == [(b"k", 5, 2)]
    (seen,) = site.servers[1].seen
    assert seen.body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "A long text. "},
    ]
    assert seen.body["max_tokens"] == 1
    assert site.servers[0].seen == []
    engine.release([b"k", b"unknown"])


def test_a_warm_up_is_sent_before_calls_that_wait(site: Site):
    site.servers[0].reply = lambda seen: Reply(seconds=0.1)
    engine = site.engine(concurrency=1)
    receiver = Receiver()
    engine.submit(spec(), calls(["a", "b"], workers=[0, 0]), receiver)
    told = Warmed()
    engine.warm([Warmup(b"k", 0, conversation("One"), conversation("Two"), False)], told)
    receiver.wait(2)
    assert site.servers[0].prompts() == ["a", "A long text. ", "b"]
    assert told.seen == [(b"k", 5, 0)]


def test_warm_ups_that_cannot_be_are_passed_over(site: Site):
    site.kill(0)
    site.servers[1].reply = lambda seen: Reply(status=400)
    engine = site.engine()
    told = Warmed()
    pair = conversation("One"), conversation("Two")
    nothing = Warmup(b"n", 1, (("user", "a"),), (("user", "b"),), True)
    engine.warm([Warmup(b"dead", 0, *pair, True), Warmup(b"refused", 1, *pair, True)], told)
    engine.warm([nothing, Warmup(b"nowhere", 7, *pair, True)], told)
    until(lambda: site.servers[1].seen)
    ask(engine, 2, [0, 1], first=5)  # which finds out that one is dead
    engine.warm([Warmup(b"dead", 0, *pair, True)], told)
    site.servers[1].reply = lambda seen: Reply("x")
    engine.warm([Warmup(b"last", 1, *pair, True)], told)
    until(lambda: told.seen)
    assert [key for key, _, _ in told.seen] == [b"last"]
    assert site.servers[1].prompts().count("A long text. ") == 2


@pytest.mark.parametrize(
    ("first", "second", "common"),
    [
        ([("user", "abc")], [("user", "abd")], [("user", "ab")]),
        ([("user", "abc")], [("user", "abc")], [("user", "abc")]),
        ([("user", "abc")], [("user", "xyz")], []),
        ([("user", "abc")], [("system", "abd")], []),
        ([("system", "s"), ("user", "a")], [("system", "s"), ("user", "b")], [("system", "s")]),
        ([("system", "s")], [("system", "s"), ("user", "b")], [("system", "s")]),
        ([("user", "ab"), ("user", "x")], [("user", "ac"), ("user", "x")], [("user", "a")]),
        ([], [("user", "b")], []),
    ],
)
def test_the_common_beginning_of_conversations(first: Any, second: Any, common: Any):
    assert common_beginning(tuple(first), tuple(second)) == tuple(common)
    assert common_beginning(tuple(second), tuple(first)) == tuple(common)


def test_the_common_start_of_texts():
    chance = random.Random(3)
    for _ in range(500):
        one, other = ("".join(chance.choices("ab", k=chance.randrange(9))) for _ in range(2))
        common = common_start(one, other)
        assert one.startswith(common)
        assert other.startswith(common)
        assert one[len(common) : len(common) + 1] != other[len(common) : len(common) + 1] or (
            common in (one, other)
        )


# Options and the command line ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("base_url", "message"),
    [
        ([], "option 'base_url' is an empty list"),
        ([7], "option 'base_url' is a text or a list of texts"),
        (["http://a/v1", ""], "option 'base_url' is a text or a list of texts"),
        (["http://a/v1", "b"], "base_url 'b' is not an HTTP address"),
        (["http://a/v1", "http://a/v1/"], "base_url names http://a/v1 twice"),
        (7, "option 'base_url' is a text"),
    ],
)
def test_wrong_addresses_are_refused_with_a_reason(base_url: Any, message: str):
    with pytest.raises(CatalogError) as error:
        OpenAIEngine({"model": "m", "base_url": base_url})
    assert message in error.value.message


def create_model(site: Site) -> str:
    urls = ", ".join(f"'{server.url}'" for server in site.servers)
    return f"CREATE MODEL m WITH (engine = 'openai', model = 'm', base_url = [{urls}])"


GREETINGS = "SELECT i, LLM_GENERATE('Greet number {i}') AS text FROM range(60) t(i) ORDER BY i"


def test_a_list_of_addresses_is_kept_with_the_model(site: Site, tmp_path: Path):
    with heliumql.connect(str(tmp_path / "my.duckdb")) as connection:
        connection.execute(create_model(site))
    for server in site.servers:
        server.reply = lambda seen: Reply(seen.prompt, seconds=0.05)
    with heliumql.connect(str(tmp_path / "my.duckdb")) as connection:
        rows = connection.sql(GREETINGS).fetchall()
    assert rows == [(i, f"Greet number {i}") for i in range(60)]
    assert all(server.seen for server in site.servers)


def program(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "heliumql", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_statement_survives_one_server_on_the_command_line_but_not_both(site: Site):
    site.servers[0].reply = lambda seen: Reply(seconds=30)
    site.servers[1].reply = lambda seen: Reply("hi", seconds=0.02)
    with program("-c", create_model(site), "-c", GREETINGS, "--format", "jsonl") as running:
        until(lambda: site.servers[0].in_flight > 5)
        site.kill(0)
        out, err = running.communicate(timeout=30)
    assert running.returncode == 0
    (warning,) = err.splitlines()
    assert warning.startswith("warning: the server at http://")
    assert warning.endswith("; its calls go to the other servers")
    assert len(out.splitlines()) == 60
    site.servers[1].reply = lambda seen: Reply(seconds=30)
    with program("-c", create_model(site), "-c", GREETINGS) as running:
        until(lambda: site.servers[1].in_flight > 5)
        site.kill(1)
        out, err = running.communicate(timeout=30)
    assert running.returncode == 5
    assert "unreachable" in err
    assert "Traceback" not in err


def test_the_pace_is_that_of_all_servers_together(site: Site):
    engine = site.engine(requests_per_minute=1200)
    ask(engine, 40, [n % 2 for n in range(40)])
    seen = sorted(seen.at for server in site.servers for seen in server.seen)
    assert seen[-1] - seen[0] >= 0.7


def test_calls_of_a_server_that_stays_busy_go_to_the_others(site: Site):
    site.servers[0].reply = lambda seen: Reply(status=429)
    engine = site.engine(timeout=0.3)
    assert set(ask(engine, 4, [0, 0, 1, 0]).texts().values()) == {f"1 row {n}" for n in range(4)}
    [incident] = engine.take_incidents()
    assert "too busy for 0.3 seconds" in incident
    assert "its calls go to the other servers" in incident


def test_servers_that_all_stay_busy_end_the_statement(site: Site):
    for server in site.servers:
        server.reply = lambda seen: Reply(status=429)
    receiver = ask(site.engine(timeout=0.3, dead_seconds=0.1), 4, [0, 0, 1, 0])
    assert "too busy for 0.3 seconds" in receiver.errors[0].message
