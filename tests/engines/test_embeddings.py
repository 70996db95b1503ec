"""Embeddings of OpenAI-compatible servers, against a server that misbehaves on demand."""

from __future__ import annotations

import itertools
import math
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from receiver import Receiver, calls, name
from stub_server import Reply, Seen, StubServer

from heliumql.engines.engine import CallSpec, Sampling
from heliumql.engines.openai import OpenAIEngine
from heliumql.engines.word_vectors import embed
from heliumql.syntax.verbs.embedding import VECTOR
from heliumql.vectors import accept

SPEC = CallSpec(Sampling(max_tokens=0), VECTOR, 2, "embed")


@pytest.fixture
def server() -> Iterator[StubServer]:
    with StubServer(models=["m"]) as running:
        yield running


@pytest.fixture
def opened(server: StubServer) -> Iterator[Callable[..., OpenAIEngine]]:
    made: list[OpenAIEngine] = []

    def engine(**options: Any) -> OpenAIEngine:
        made.append(OpenAIEngine({"base_url": server.url, "model": "m", **options}, **FAST))
        return made[-1]

    yield engine
    for one in made:
        one.close()


FAST: dict[str, Any] = {"first_backoff": 0.01}


def run(engine: OpenAIEngine, texts: list[str], spec: CallSpec = SPEC) -> Receiver:
    receiver = Receiver()
    engine.submit(spec, calls(texts), receiver)
    receiver.wait(len(texts))
    return receiver


def held(server: StubServer) -> threading.Event:
    """The first request is answered only once the event is set."""
    gate, first = threading.Event(), itertools.count()

    def reply(seen: Seen) -> Reply:
        if next(first) == 0:
            gate.wait(10)
        return Reply("")

    server.reply = reply
    return gate


def test_many_texts_are_one_request_and_answered_by_index(server: StubServer, opened: Any):
    texts = ["a" * n for n in range(1, 21)]
    receiver = run(opened(), texts)
    assert [seen.texts for seen in server.seen] == [texts]
    body = server.seen[0].body
    assert body == {"model": "m", "input": texts, "encoding_format": "float"}
    assert {n: accept(t) for n, t in receiver.texts().items()} == {
        n: f"[{n + 1},1.5]" for n in range(20)
    }


def test_each_call_has_its_share_of_tokens_and_one_the_request(server: StubServer, opened: Any):
    answers = run(opened(), ["a", "bcd", "", "efghij"]).answers
    assert [answers[n]["prompt_tokens"] for n in range(4)] == [1, 3, 0, 6]
    assert sum(answers[n]["requests"] for n in range(4)) == len(server.seen) == 1
    assert {a["output_tokens"] for a in answers.values()} == {0}


def test_requests_are_bounded_in_texts_and_characters(server: StubServer, opened: Any):
    run(opened(), [f"text {n}" for n in range(100)])
    assert sorted(len(seen.texts) for seen in server.seen) == [4, 32, 32, 32]
    server.seen.clear()
    run(opened(), ["x" * 100_000] * 5)
    assert sorted(len(seen.texts) for seen in server.seen) == [1, 2, 2]


def test_one_wrong_text_fails_alone(server: StubServer, opened: Any):
    def reply(seen: Seen) -> Reply:
        if "too long" in seen.texts:
            return Reply(status=400, error={"message": "maximum context length is 8 tokens"})
        return Reply("")

    server.reply = reply
    receiver = run(opened(), ["a", "too long", "b"])
    assert receiver.answers[1]["error"] == (
        "the server answered 400: maximum context length is 8 tokens"
    )
    assert receiver.answers[0]["error"] is None
    assert receiver.answers[2]["error"] is None
    assert sorted(map(len, (seen.texts for seen in server.seen))) == [1, 1, 1, 3]


def test_a_server_in_trouble_is_asked_again(server: StubServer, opened: Any):
    server.script = [Reply(status=500), Reply(status=429), Reply(raw=b"oops")]
    receiver = run(opened(), ["a", "b", "c"])
    assert [receiver.answers[n]["error"] for n in range(3)] == [None] * 3
    assert sum(a["requests"] for a in receiver.answers.values()) == len(server.seen)


def test_without_retries_left_each_text_fails(server: StubServer, opened: Any):
    server.script = [Reply(status=503)]
    receiver = run(opened(), ["a", "b"], CallSpec(Sampling(max_tokens=0), VECTOR, 0, "embed"))
    errors = {a["error"] for a in receiver.answers.values()}
    assert errors == {"the server answered 503: scripted 503"}


def test_a_response_without_every_vector_is_no_answer(server: StubServer, opened: Any):
    server.script = [Reply(raw=b'{"data": [{"index": 1, "embedding": [1]}]}')]
    spec = CallSpec(Sampling(max_tokens=0), VECTOR, 0, "embed")
    receiver = run(opened(), ["a", "b"], spec)
    assert "the server sent no embedding for each text" in receiver.answers[0]["error"]


def test_an_unknown_path_names_it(server: StubServer, opened: Any):
    server.script = [Reply(status=404)]
    receiver = Receiver()
    opened().submit(SPEC, calls(["a", "b"]), receiver)
    receiver.wait(2)
    assert "or the path /v1/embeddings: 404" in receiver.errors[0].message
    assert len(receiver.errors) == 1


def test_a_cancelled_text_leaves_the_others_of_its_request(server: StubServer, opened: Any):
    gate = held(server)
    engine, receiver = opened(), Receiver()
    engine.submit(SPEC, calls(["a", "b", "c"]), receiver)
    while not server.seen:
        time.sleep(0.01)
    engine.cancel([name(0)])
    receiver.wait(1)
    gate.set()
    answers = receiver.wait(3)
    assert [answers[n]["finish_reason"] for n in range(3)] == ["cancelled", "stop", "stop"]
    assert sum(a["requests"] for a in answers.values()) == 1


def test_when_all_texts_are_cancelled_the_request_is_over(server: StubServer, opened: Any):
    server.script = [Reply(seconds=30)]
    engine, receiver = opened(concurrency=1), Receiver()
    engine.submit(SPEC, calls(["a", "b"]), receiver)
    while not server.in_flight:
        time.sleep(0.01)
    engine.cancel([name(0), name(1)])
    receiver.wait(2)
    assert run(engine, ["c"]).answers[0]["error"] is None  # its place is free again


def test_texts_and_conversations_never_share_a_request(server: StubServer, opened: Any):
    engine, receiver = opened(concurrency=1), Receiver()
    generating = CallSpec(Sampling(), VECTOR, 0)
    server.script = [Reply("first", seconds=0.3)]
    engine.submit(generating, calls(["first"], 9), receiver)
    engine.submit(SPEC, calls(["a", "b", "c"], 0, [0, 0, 3]), receiver)
    engine.submit(generating, calls(["x", "y"], 3, [1, 2]), receiver)
    receiver.wait(6)
    asked = [seen.body.get("input") or seen.prompt for seen in server.seen]
    assert asked == ["first", ["a", "b"], "x", "y", ["c"]]


def test_words_in_common_make_texts_alike():
    def cosine(one: str, other: str) -> float:
        a, b = ([float(x) for x in embed(t)[1:-1].split(",")] for t in (one, other))
        assert math.isclose(math.hypot(*a), 1, rel_tol=1e-6)
        return sum(x * y for x, y in zip(a, b, strict=True))

    assert cosine("A funny film", "a FUNNY film!") > 0.999
    assert 0.4 < cosine("a funny film", "a funny book about cats") < 0.9
    assert abs(cosine("a funny film", "tax law")) < 0.4
    assert embed("!?") == embed("!?") != embed("")
