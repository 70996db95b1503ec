"""The engine for OpenAI-compatible servers, against a server that misbehaves on demand."""

from __future__ import annotations

import gc
import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from receiver import Receiver, calls, name, spec
from stub_server import Reply, Seen, StubServer
from yarl import URL

from heliumql.engines.engine import CallSpec, Engine
from heliumql.engines.openai import OpenAIEngine
from heliumql.engines.server import proxy_for
from heliumql.errors import CatalogError, EngineError


@pytest.fixture
def server() -> Iterator[StubServer]:
    with StubServer(models=["m"]) as running:
        yield running


class Engines:
    """Makes engines and closes them."""

    def __init__(self) -> None:
        self.made: list[OpenAIEngine] = []

    def __call__(self, server: StubServer | str, **options: Any) -> OpenAIEngine:
        url = server if isinstance(server, str) else server.url
        engine = OpenAIEngine({"base_url": url, "model": "m", **options}, first_backoff=0.01)
        self.made.append(engine)
        return engine


@pytest.fixture
def engines() -> Iterator[Engines]:
    made = Engines()
    yield made
    for engine in made.made:
        engine.close()


def run(engine: Engine, prompts: list[Any], of: CallSpec | None = None, first: int = 0) -> Receiver:
    receiver = Receiver()
    engine.submit(of or spec(), calls(prompts, first), receiver)
    receiver.wait(len(prompts))
    return receiver


def started(engine: OpenAIEngine) -> EngineError:
    with pytest.raises(EngineError) as error:
        engine.start()
    return error.value


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def test_calls_are_answered_with_their_usage(server: StubServer, engines: Engines):
    server.reply = lambda seen: Reply(f"re {seen.prompt}", cached_tokens=2)
    engine = engines(server)
    engine.start()
    engine.start()
    receiver = run(engine, [[("system", "Be brief."), ("user", "why?")], "how?"])
    assert receiver.texts() == {0: "re why?", 1: "re how?"}
    row = receiver.answers[0]
    assert (row["prompt_tokens"], row["cached_tokens"], row["output_tokens"]) == (3, 2, 2)
    assert (row["finish_reason"], row["error"], row["requests"]) == ("stop", None, 1)
    bodies = {seen.prompt: seen.body for seen in server.seen}
    assert bodies["why?"]["messages"][0] == {"role": "system", "content": "Be brief."}
    assert bodies["how?"]["model"] == "m"


def test_typed_answers_travel_wrapped_and_arrive_bare(server: StubServer, engines: Engines):
    server.reply = lambda seen: Reply('{"value": true}')
    receiver = run(engines(server), ["good?"], spec("BOOLEAN"))
    assert receiver.texts() == {0: "true"}
    assert server.seen[0].body["response_format"]["type"] == "json_schema"


def test_the_key_comes_from_the_environment(
    server: StubServer, engines: Engines, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SOME_KEY", "secret-key\n")
    run(engines(server, api_key_env="SOME_KEY"), ["x"])
    assert server.seen[0].headers["Authorization"] == "Bearer secret-key"
    run(engines(server), ["x"])
    assert "Authorization" not in server.seen[1].headers


def test_a_missing_key_names_its_variable(
    server: StubServer, engines: Engines, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("SOME_KEY", raising=False)
    error = started(engines(server, api_key_env="SOME_KEY"))
    assert "the environment variable SOME_KEY is not set" in error.message
    assert error.exit_status == 5


def test_the_hosted_api_wants_its_usual_key(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    error = started(OpenAIEngine({"model": "m"}))
    assert "OPENAI_API_KEY" in error.message


def test_a_server_that_is_not_there_is_unreachable(engines: Engines):
    error = started(engines(f"http://127.0.0.1:{free_port()}/v1"))
    assert "unreachable" in error.message
    assert "is it running" in (error.hint or "")


def test_an_unknown_model_is_answered_with_those_there_are(engines: Engines):
    with StubServer(models=["qwen3:latest", "llama"]) as server:
        error = started(engines(server, model="qwen"))
        assert "has no model 'qwen'" in error.message
        assert error.hint == "it has qwen3:latest, llama"
        engines(server, model="llama").start()
        engines(server, model="qwen3").start()


@pytest.mark.parametrize("models", [None, []])
def test_a_server_without_a_list_of_models_is_taken_on_trust(
    engines: Engines, models: list[str] | None
):
    with StubServer(models=models) as server:
        engines(server).start()


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_are_found_at_the_start(
    engines: Engines, monkeypatch: pytest.MonkeyPatch, status: int
):
    monkeypatch.setenv("SOME_KEY", "secret-key")
    with StubServer(models=["m"], models_status=status) as server:
        error = started(engines(server, api_key_env="SOME_KEY"))
        assert f"refused the credentials: {status} (bad key)" in error.message
        assert "SOME_KEY" in (error.hint or "")
        assert "api_key_env" in (started(engines(server)).hint or "")


TRANSIENT = {
    "408": Reply(status=408),
    "500": Reply(status=500),
    "503": Reply(status=503),
    "reset": Reply(reset=True),
    "truncated": Reply("long " * 1000, truncate=True),
    "not JSON": Reply(raw=b"<html>"),
    "no choices": Reply(raw=b'{"error": {"message": "overloaded"}}'),
    "timeout": Reply(seconds=30),
}


@pytest.mark.parametrize("trouble", TRANSIENT)
def test_passing_trouble_costs_retries_and_nothing_else(
    server: StubServer, engines: Engines, trouble: str
):
    server.script = [TRANSIENT[trouble], TRANSIENT[trouble]]
    receiver = run(engines(server, timeout=0.3), ["x"], spec(retries=2))
    assert receiver.texts() == {0: "echo x"}
    assert receiver.answers[0]["requests"] == 3


@pytest.mark.parametrize(
    ("trouble", "error"),
    [
        ("408", "the server answered 408: scripted 408"),
        ("500", "the server answered 500: scripted 500"),
        ("reset", "the connection broke: "),
        ("truncated", "the connection broke: "),
        ("not JSON", "the server's answer is not JSON"),
        ("no choices", "the server sent no chat completion: overloaded"),
        ("timeout", "no answer within 0.3 seconds"),
    ],
)
def test_trouble_that_does_not_pass_is_an_error_of_the_row(
    server: StubServer, engines: Engines, trouble: str, error: str
):
    server.reply = lambda seen: TRANSIENT[trouble] if seen.prompt == "bad" else Reply("fine")
    receiver = run(engines(server, timeout=0.3), ["good", "bad", "good too"], spec(retries=1))
    assert receiver.texts() == {0: "fine", 1: None, 2: "fine"}
    row = receiver.answers[1]
    assert row["error"].startswith(error)
    assert "\n" not in row["error"]
    assert (row["finish_reason"], row["requests"]) == ("error", 2)


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_request_that_the_server_rejects_is_not_sent_again(
    server: StubServer, engines: Engines, status: int
):
    server.script = [Reply(status=status, error={"message": "prompt\n too long"})]
    receiver = run(engines(server, concurrency=1), ["long", "short"], spec(retries=5))
    assert receiver.answers[0]["error"] == f"the server answered {status}: prompt too long"
    assert receiver.answers[0]["requests"] == 1
    assert receiver.answers[1]["text"] == "echo short"


TOO_LONG = (
    "This model's maximum context length is 1000 tokens. However, your messages resulted in "
    "1200 tokens. Please reduce the length of the messages."
)


def test_what_the_server_finds_too_long_has_failed_and_is_not_sent_again(
    server: StubServer, engines: Engines
):
    error = {"message": TOO_LONG, "code": "context_length_exceeded"}
    server.script = [Reply(status=400, error=error)]
    engine = engines(server, concurrency=1)
    assert engine.context_tokens is None
    receiver = run(engine, ["long", "short"], spec(retries=5))
    refused = receiver.answers[0]
    assert refused["error"] == "the prompt has 1,200 tokens, the context of m is 1,000"
    assert (refused["finish_reason"], refused["prompt_tokens"]) == ("context", 1200)
    assert refused["requests"] == 1
    assert receiver.answers[1]["text"] == "echo short"
    assert engine.context_tokens == 1000


@pytest.mark.parametrize("counted", [True, False])
def test_an_answer_has_what_room_the_prompt_leaves(
    server: StubServer, engines: Engines, counted: bool
):
    size = "900" if counted else "at least 745"
    message = (
        "This model's maximum context length is 1000 tokens. However, you requested 256 output "
        f"tokens and your prompt contains {size} input tokens."
    )

    def strict(seen: Seen) -> Reply:
        if seen.body.get("max_tokens", 0) > 100:
            return Reply(status=400, error={"message": message})
        return Reply("cut", finish_reason="length")

    server.reply = strict
    receiver = run(engines(server), ["x"], spec(retries=0, max_tokens=256))
    assert receiver.answers[0]["text"] == "cut"
    assert (receiver.answers[0]["finish_reason"], receiver.answers[0]["requests"]) == ("length", 2)
    assert [seen.body.get("max_tokens") for seen in server.seen] == [256, 100 if counted else None]


def test_a_prompt_that_is_too_long_with_any_answer_is_sent_twice_at_most(
    server: StubServer, engines: Engines
):
    message = "maximum context length is 1000 tokens, with 256 output tokens that is exceeded"
    server.reply = lambda seen: Reply(status=400, error={"message": message})
    receiver = run(engines(server), ["x"])
    assert receiver.answers[0]["error"] == f"the server answered 400: {message}"
    assert (receiver.answers[0]["finish_reason"], len(server.seen)) == ("context", 2)


@pytest.mark.parametrize("said_by", ["options", "server"])
def test_a_prompt_that_cannot_fit_is_not_sent(engines: Engines, said_by: str):
    with StubServer(models=["other", "m"]) as server:
        if said_by == "server":
            server.context = 500
            engine = engines(server)
            engine.start()
        else:
            engine = engines(server, max_model_len=500)
        assert engine.context_tokens == 500
        receiver = run(engine, ["short", "word " * 2000, "word " * 900])
        refused = receiver.answers[1]
        assert refused["error"] == "the prompt has at least 1,000 tokens, the context of m is 500"
        assert (refused["finish_reason"], refused["requests"]) == ("context", 0)
        assert len(server.seen) == 2  # the last one may fit, for all that is sure
        assert receiver.answers[2]["error"] is None


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_honoured(server: StubServer, engines: Engines, status: int):
    server.script = [Reply(status=status, headers={"Retry-After": "0.4"})]
    run(engines(server), ["x"])
    first, second = server.seen
    assert 0.4 <= second.at - first.at < 5


def test_while_a_server_is_busy_nothing_else_is_sent(server: StubServer, engines: Engines):
    server.script = [Reply(status=429, headers={"Retry-After": "0.4"})]
    run(engines(server, concurrency=1), ["a", "b", "c"])
    assert server.prompts() == ["a", "a", "b", "c"]
    assert server.seen[1].at - server.seen[0].at >= 0.4


def test_a_busy_server_lowers_concurrency_and_costs_no_retries(
    server: StubServer, engines: Engines
):
    def at_most_four(seen: Seen) -> Reply:
        return Reply(status=429) if server.in_flight > 4 else Reply("fine", seconds=0.02)

    server.reply = at_most_four
    engine = engines(server, concurrency=32)
    assert engine.slots == 32
    receiver = run(engine, [str(i) for i in range(100)], spec(retries=0))
    assert set(receiver.texts().values()) == {"fine"}
    assert engine.slots <= 8
    assert server.max_in_flight > 4
    assert sum(row["requests"] for row in receiver.answers.values()) == len(server.seen) > 100


def test_a_server_that_stays_busy_ends_the_statement_after_the_timeout(
    server: StubServer, engines: Engines
):
    server.reply = lambda seen: Reply(status=429)
    engine = engines(server, timeout=0.3)
    receiver = run(engine, ["x", "y"], spec(retries=0))
    assert [e.message for e in receiver.errors] == [
        f"the server at {server.url} was too busy for 0.3 seconds (429): scripted 429"
    ]
    assert len(server.seen) > 2
    server.script = [Reply(status=429)]
    server.reply = lambda seen: Reply("again")
    assert run(engine, ["x"], spec(retries=0), first=5).texts() == {5: "again"}


def test_a_server_that_goes_on_answering_may_be_busy_for_longer_than_the_timeout(
    server: StubServer, engines: Engines
):
    def one_at_a_time(seen: Seen) -> Reply:
        return Reply(status=429) if server.in_flight > 1 else Reply("fine", seconds=0.05)

    server.reply = one_at_a_time
    receiver = run(engines(server, timeout=0.5), list("abcdefghijklmnop"), spec(retries=0))
    assert set(receiver.texts().values()) == {"fine"}


class Window:
    """Lets so many requests through in a window of time, and refuses others."""

    def __init__(self, requests: int, seconds: float, *, tells: bool) -> None:
        self.requests, self.seconds, self.tells = requests, seconds, tells
        self.number = -1
        self.used = 0
        self.refused = 0

    def __call__(self, seen: Seen) -> Reply:
        number = int(seen.at / self.seconds)
        if number != self.number:
            self.number, self.used = number, 0
        self.used += 1
        if self.used <= self.requests:
            return Reply("fine")
        self.refused += 1
        wait = (number + 1) * self.seconds - seen.at
        return Reply(status=429, headers={"Retry-After": f"{wait:.3f}"} if self.tells else {})


def test_a_limit_of_requests_fails_no_call_and_wastes_few_requests(
    server: StubServer, engines: Engines
):
    window = server.reply = Window(20, 0.2, tells=True)
    receiver = run(engines(server), [str(i) for i in range(300)], spec(retries=0))
    assert set(receiver.texts().values()) == {"fine"}
    assert window.refused < 30


def test_a_server_that_has_nothing_left_is_given_time(server: StubServer, engines: Engines):
    nothing = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "400ms"}
    server.script = [Reply("first", headers=nothing)]
    run(engines(server, concurrency=1), ["a", "b"])
    first, second = server.seen
    assert 0.4 <= second.at - first.at < 5
    server.script = [Reply(status=429, headers=nothing)]
    run(engines(server), ["c"])
    assert 0.4 <= server.seen[3].at - server.seen[2].at < 5


def test_tokens_keep_the_pace_that_was_asked_for(server: StubServer, engines: Engines):
    # ten a second; a call may take 4 and takes 2, of which a second's worth may come at once
    engine = engines(server, tokens_per_minute=600, concurrency=2)
    run(engine, ["four"] * 12, spec(max_tokens=3))
    assert 1.0 <= server.seen[-1].at - server.seen[0].at < 5


def test_a_wait_longer_than_the_timeout_ends_the_statement(server: StubServer, engines: Engines):
    server.reply = lambda seen: Reply(status=429, headers={"Retry-After": "3600"})
    receiver = run(engines(server), ["x", "y"])
    assert "asks to wait 3600 seconds" in receiver.errors[0].message
    assert len(receiver.errors) == 1


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (Reply(status=401, error={"message": "wrong key"}), "refused the credentials: 401"),
        (Reply(status=403), "refused the credentials: 403"),
        (Reply(status=404, error="model 'm' not found"), "does not know the model 'm'"),
        (Reply(status=307, headers={"Location": "http://127.0.0.1:1/"}), "redirects to http://"),
        (Reply(status=429, error={"message": "pay", "code": "insufficient_quota"}), "no quota"),
    ],
)
def test_what_no_call_can_overcome_ends_all_calls_in_flight(
    server: StubServer, engines: Engines, reply: Reply, message: str
):
    server.reply = lambda seen: reply if seen.prompt == "first" else Reply(seconds=30)
    engine = engines(server, concurrency=4)
    other = Receiver()
    engine.submit(spec(), calls(["slow"], first=100), other)
    receiver = run(engine, ["first", *map(str, range(50))])
    other.wait(1)
    assert message in receiver.errors[0].message
    assert receiver.errors == other.errors
    assert len(receiver.errors) == 1
    assert receiver.answers == {}
    assert len(server.seen) <= 4
    server.reply = lambda seen: Reply("again")
    assert run(engine, ["x"], first=200).texts() == {200: "again"}


def test_what_was_answered_before_the_end_is_delivered(server: StubServer, engines: Engines):
    server.reply = lambda seen: Reply(status=401) if seen.prompt == "bad" else Reply("fine")
    engine = engines(server, concurrency=1)
    receiver = Receiver()
    engine.submit(spec(), calls(["a", "b", "bad", "c"]), receiver)
    receiver.wait(4)
    assert receiver.texts() == {0: "fine", 1: "fine"}
    assert len(receiver.errors) == 1


def test_no_error_shows_the_key(
    server: StubServer, engines: Engines, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SOME_KEY", "secret-key")
    engine = engines(server, api_key_env="SOME_KEY")
    for status in (400, 500, 401):
        error = {"message": f"{status}: your key secret-key is odd"}
        server.reply = lambda seen, s=status, e=error: Reply(status=s, error=e)  # type: ignore[misc]
        receiver = run(engine, ["x"], spec(retries=0))
        shown = f"{receiver.answers} {receiver.errors} {[str(e) for e in receiver.errors]}"
        assert f"{status}: your key *** is odd" in shown
        assert "secret-key" not in shown


def test_a_refused_connection_ends_the_statement_after_its_retries(engines: Engines):
    receiver = run(engines(f"http://127.0.0.1:{free_port()}/v1"), ["x", "y"], spec(retries=2))
    assert "unreachable" in receiver.errors[0].message


def test_a_server_that_restarts_in_time_is_found_again(engines: Engines):
    port = free_port()
    engine = engines(f"http://127.0.0.1:{port}/v1")
    receiver = Receiver()
    engine.submit(spec(retries=30), calls(["x"]), receiver)
    time.sleep(0.1)
    with StubServer(port=port) as _:
        receiver.wait(1)
        assert receiver.texts() == {0: "echo x"}
        assert receiver.answers[0]["requests"] > 1
        engine.close()


def test_no_more_requests_are_in_flight_than_asked_for(server: StubServer, engines: Engines):
    server.reply = lambda seen: Reply(seconds=0.02)
    engine = engines(server, concurrency=5)
    run(engine, [str(i) for i in range(60)])
    assert server.max_in_flight == 5
    assert engine.slots == 5


def test_by_default_sixty_four_requests_are_in_flight_at_first(
    server: StubServer, engines: Engines
):
    server.reply = lambda seen: Reply(seconds=0.2)
    engine = engines(server)
    assert engine.slots == 64
    receiver = Receiver()
    engine.submit(spec(), calls([str(i) for i in range(100)]), receiver)
    while not receiver.answers:
        assert server.max_in_flight <= 64
        time.sleep(0.01)
    receiver.wait(100)


def test_urgent_calls_are_sent_first(server: StubServer, engines: Engines):
    engine = engines(server, concurrency=1)
    receiver = Receiver()
    engine.submit(spec(), calls(["c", "a", "b", "a2"], priorities=[2, 0, 1, 0]), receiver)
    receiver.wait(4)
    assert server.prompts() == ["a", "a2", "b", "c"]


def test_a_server_is_told_which_call_goes_first_where_the_model_says_so(
    server: StubServer, engines: Engines
):
    for told in (True, False):
        server.seen.clear()
        receiver = Receiver()
        batch = calls(["c", "a"], priorities=[2, -1])
        engines(server, priorities=told).submit(spec(), batch, receiver)
        receiver.wait(2)
        bodies = {seen.prompt: seen.body for seen in server.seen}
        found = {prompt: body.get("priority") for prompt, body in bodies.items()}
        assert found == ({"c": 2, "a": -1} if told else {"c": None, "a": None})


def test_a_server_that_goes_by_arrival_is_told_no_priorities_from_then_on(
    server: StubServer, engines: Engines
):
    def strict(seen: Seen) -> Reply:
        message = "Got priority 1 but Priority scheduling is not enabled."
        return Reply(status=400, error={"message": message}) if "priority" in seen.body else Reply()

    server.reply = strict
    engine = engines(server, concurrency=2, priorities=True)
    receiver = run(engine, list("abcdef"), spec(retries=0))
    assert set(receiver.texts().values()) == {"ok"}
    assert len(server.seen) <= 8


def test_twice_as_many_requests_as_a_server_computes_are_in_flight(
    server: StubServer, engines: Engines
):
    server.reply = lambda seen: Reply(seconds=0.02)
    engine = engines(server, max_num_seqs=3)
    run(engine, [str(i) for i in range(60)])
    assert server.max_in_flight == engine.slots == 6
    assert [c.max_num_seqs for c in engine.workers] == [3]
    [few] = engines(server, max_num_seqs=8, concurrency=5).workers
    assert few.max_num_seqs == 5


def test_requests_keep_the_pace_that_was_asked_for(server: StubServer, engines: Engines):
    run(engines(server, requests_per_minute=1200), [str(i) for i in range(40)])
    # twenty a second, of which a second's worth may come at once
    assert server.seen[-1].at - server.seen[0].at >= 0.9


def test_a_server_that_wants_max_completion_tokens_gets_it(server: StubServer, engines: Engines):
    message = "'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."

    def strict(seen: Seen) -> Reply:
        if "max_tokens" in seen.body:
            return Reply(status=400, error={"message": message, "code": "unsupported_parameter"})
        return Reply("fine")

    server.reply = strict
    receiver = run(engines(server, concurrency=2), list("abcdef"), spec(retries=0, max_tokens=7))
    assert set(receiver.texts().values()) == {"fine"}
    assert server.seen[-1].body["max_completion_tokens"] == 7
    assert len(server.seen) <= 8


def test_thinking_and_template_arguments_are_sent_where_given(server: StubServer, engines: Engines):
    engine = engines(server, chat_template_kwargs={"a": 1})
    run(engine, ["x"], spec(thinking="off"))
    run(engine, ["x"], spec(thinking="on"), first=1)
    run(engine, ["x"], first=2)
    run(engines(server, chat_template_args='{"a": 1}'), ["x"])
    run(engines(server), ["x"])
    sent = [
        (s.body.get("chat_template_kwargs"), s.body.get("reasoning_effort")) for s in server.seen
    ]
    assert sent == [
        ({"a": 1, "enable_thinking": False}, "none"),
        ({"a": 1, "enable_thinking": True}, "medium"),
        ({"a": 1}, None),
        ({"a": 1}, None),
        (None, None),
    ]


@pytest.mark.parametrize(
    ("status", "refused"), [(400, "chat_template_kwargs"), (422, "reasoning_effort")]
)
def test_a_server_that_refuses_one_way_to_tell_of_thinking_is_told_the_other(
    server: StubServer, engines: Engines, status: int, refused: str
):
    def strict(seen: Seen) -> Reply:
        message = f"Unrecognized request argument supplied: {refused}"
        return Reply(status=status, error={"message": message}) if refused in seen.body else Reply()

    server.reply = strict
    receiver = run(engines(server, concurrency=2), list("abcdef"), spec(retries=0, thinking="off"))
    assert set(receiver.texts().values()) == {"ok"}
    assert len(server.seen) <= 8
    ways = {"chat_template_kwargs", "reasoning_effort"}
    assert ways & server.seen[-1].body.keys() == ways - {refused}


def test_a_server_that_cannot_be_told_of_thinking_is_no_success(
    server: StubServer, engines: Engines
):
    def strict(seen: Seen) -> Reply:
        for part in ("chat_template_kwargs", "reasoning_effort"):
            if part in seen.body:
                return Reply(status=400, error={"message": f"unknown parameter: {part}"})
        return Reply()

    server.reply = strict
    receiver = run(engines(server), list("ab"), spec(thinking="on"))
    for row in receiver.answers.values():
        assert row["error"] == "the server answered 400: unknown parameter: reasoning_effort"
    assert run(engines(server), ["a"]).texts() == {0: "ok"}


def test_what_the_user_says_to_the_template_is_never_left_out(server: StubServer, engines: Engines):
    refusal = {"message": "unknown parameter: chat_template_kwargs"}
    server.reply = lambda seen: Reply(status=400, error=refusal)
    engine = engines(server, chat_template_kwargs={"a": 1})
    receiver = run(engine, ["x"], spec(thinking="off"))
    assert "unknown parameter: chat_template_kwargs" in receiver.answers[0]["error"]
    assert len(server.seen) == 1


def test_cancelled_calls_end_and_the_others_finish(server: StubServer, engines: Engines):
    server.reply = lambda seen: Reply(seen.prompt, seconds=30 if seen.prompt == "slow" else 0.05)
    engine = engines(server, concurrency=2)
    receiver = Receiver()
    engine.submit(spec(), calls(["slow", "a", "b", "c"]), receiver)
    while not server.seen:
        time.sleep(0.01)
    engine.cancel([name(0), name(3), name(77)])
    receiver.wait(4)
    reasons = {number: row["finish_reason"] for number, row in receiver.answers.items()}
    assert reasons == {0: "cancelled", 1: "stop", 2: "stop", 3: "cancelled"}
    assert "c" not in server.prompts()
    while server.in_flight:
        time.sleep(0.01)  # the server saw the connection close, long before 30 seconds


def test_a_call_that_waits_for_a_retry_can_be_cancelled(server: StubServer, engines: Engines):
    server.reply = lambda seen: Reply(status=503, headers={"Retry-After": "30"})
    engine = engines(server)
    receiver = Receiver()
    engine.submit(spec(), calls(["x"]), receiver)
    while not server.seen or server.in_flight:
        time.sleep(0.01)
    engine.cancel([name(0)])
    assert receiver.wait(1)[0]["finish_reason"] == "cancelled"


def test_statements_share_the_engine_and_get_their_own_answers(
    server: StubServer, engines: Engines
):
    engine = engines(server, concurrency=3)
    receivers = [Receiver() for _ in range(4)]
    threads = [
        threading.Thread(
            target=engine.submit,
            args=(spec(), calls([f"{i}.{k}" for k in range(20)], first=100 * i), receiver),
        )
        for i, receiver in enumerate(receivers)
    ]
    for thread in threads:
        thread.start()
    for i, (thread, receiver) in enumerate(zip(threads, receivers, strict=True)):
        thread.join()
        receiver.wait(20)
        assert receiver.texts() == {100 * i + k: f"echo {i}.{k}" for k in range(20)}


def test_whatever_happens_every_call_is_answered_once(server: StubServer, engines: Engines):
    chance = random.Random(7)
    troubles = [
        Reply(status=429),
        Reply(status=500),
        Reply(status=400),
        Reply(reset=True),
        Reply("long " * 1000, truncate=True),
        Reply(raw=b"[" * 5000),
        Reply(seconds=5),
        Reply("half \ud83d"),
    ]

    def any_trouble(seen: Seen) -> Reply:
        if chance.random() < 0.4:
            return chance.choice(troubles)
        return Reply("fine", seconds=chance.random() / 20)

    server.reply = any_trouble
    engine = engines(server, timeout=0.2)
    receiver = Receiver()
    for first in range(0, 400, 40):
        prompts = [str(i) for i in range(40)]
        engine.submit(spec(retries=1), calls(prompts, first), receiver)
        engine.cancel([name(chance.randrange(first + 40)) for _ in range(8)])
        time.sleep(0.01)
    receiver.wait(400)
    assert receiver.errors == []
    reasons = {row["finish_reason"] for row in receiver.answers.values()}
    assert reasons == {"stop", "error", "cancelled"}
    run(engine, ["after"], spec(retries=30), first=1000)
    while server.in_flight:
        time.sleep(0.01)


def test_an_engine_that_is_closed_while_it_starts_says_so(engines: Engines):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        engine = engines(f"http://127.0.0.1:{silent.getsockname()[1]}/v1")
        closing = threading.Timer(0.2, engine.close)
        closing.start()
        assert started(engine).message == "the engine was closed meanwhile"
        closing.join()


def test_answers_that_finish_together_arrive_together(server: StubServer, engines: Engines):
    server.reply = lambda seen: Reply(seconds=0.2)
    receiver = run(engines(server), [str(i) for i in range(60)])
    assert len(receiver.batches) < 60


def test_close_leaves_no_thread_and_no_connection(server: StubServer, engines: Engines):
    before = set(threading.enumerate())
    engine = engines(server.url.replace("127.0.0.1", "localhost"))  # a name, to be looked up
    run(engine, [str(i) for i in range(30)])
    assert server.open_connections() > 0
    engine.close()
    engine.close()
    assert set(threading.enumerate()) == before
    deadline = time.monotonic() + 5
    while server.open_connections():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    gc.collect()  # an unclosed session or loop would warn now, and warnings are errors


def test_close_cancels_what_is_in_flight_and_the_engine_can_be_used_again(
    server: StubServer, engines: Engines
):
    server.reply = lambda seen: Reply(seconds=30)
    engine = engines(server, concurrency=2)
    receiver = Receiver()
    engine.submit(spec(), calls(["a", "b", "c"]), receiver)
    while len(server.seen) < 2:
        time.sleep(0.01)
    engine.close()
    assert [row["finish_reason"] for row in receiver.answers.values()] == ["cancelled"] * 3
    server.reply = lambda seen: Reply("again")
    engine.start()
    assert run(engine, ["x"]).texts() == {0: "again"}


@pytest.mark.parametrize("last_line", ["engine.close()", "pass", "raise SystemExit(0)"])
def test_a_program_that_ends_says_nothing_about_it(server: StubServer, last_line: str):
    code = f"""
import sys
sys.path[:0] = sys.argv[1:]
from receiver import Receiver, calls, spec
from heliumql.engines.openai import OpenAIEngine
engine = OpenAIEngine({{"base_url": {server.url!r}, "model": "m"}})
engine.start()
receiver = Receiver()
engine.submit(spec(), calls(["a", "b"]), receiver)
receiver.wait(2)
engine.submit(spec(), calls(["slow"], first=5), receiver)
{last_line}
"""
    server.reply = lambda seen: Reply(seconds=30 if seen.prompt == "slow" else 0)
    paths = [path for path in sys.path if path]
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-c", code, *paths],
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "needs the option 'model'"),
        ({"model": "m", "base_url": "localhost:8000"}, "is not an HTTP address"),
        ({"model": "m", "base_url": "http://"}, "is not"),
        ({"model": "m", "base_url": "http://me:pw@host/v1"}, "holds credentials"),
        ({"model": "m", "concurrency": 0}, "option 'concurrency' must be at least 1, not 0"),
        ({"model": "m", "max_num_seqs": 0}, "option 'max_num_seqs' must be at least 1, not 0"),
        ({"model": "m", "priorities": "yes"}, "option 'priorities' is true or false, not 'yes'"),
        ({"model": "m", "timeout": 0}, "option 'timeout' must be at least"),
        ({"model": "m", "timeout": "1s"}, "option 'timeout' is a number, not '1s'"),
        ({"model": "m", "chat_template_args": "{"}, "is not JSON"),
        ({"model": "m", "api_key": "sk"}, "unknown option 'api_key' of engine 'openai'"),
    ],
)
def test_wrong_options_are_refused_with_a_reason(options: dict[str, Any], message: str):
    with pytest.raises(CatalogError) as error:
        OpenAIEngine(options)
    assert message in error.value.message


def test_a_proxy_is_taken_from_the_environment_but_never_for_this_machine(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv("https_proxy", "http://proxy:3128")
    monkeypatch.setenv("http_proxy", "http://proxy:3128")
    monkeypatch.setenv("no_proxy", "inside.example")
    assert proxy_for(URL("https://api.example/v1")) == "http://proxy:3128"
    assert proxy_for(URL("https://inside.example/v1")) is None
    assert proxy_for(URL("http://localhost:8000/v1")) is None
    assert proxy_for(URL("http://127.0.0.1:8000/v1")) is None
