"""A server with the chat completions and embeddings APIs that misbehaves on demand, in a thread.

    with StubServer() as server:
        server.script = [Reply(status=429, headers={"Retry-After": "1"}), Reply("hello")]

Replies of the script are used up one by one, then `reply` answers; `seen` holds the requests.
"""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass
class Reply:
    """What the server does with one request."""

    text: str | None = "ok"
    status: int = 200
    seconds: float = 0.0  # to wait before
    until: int = 0  # or for so many to have been in flight at once, a minute at most
    headers: dict[str, str] = field(default_factory=dict)
    error: dict[str, Any] | str | None = None  # body of an error
    raw: bytes | None = None  # body as it is
    finish_reason: str = "stop"
    message: dict[str, Any] = field(default_factory=dict)  # more parts of the message
    cached_tokens: int | None = None
    reset: bool = False  # close the connection without a response
    truncate: bool = False  # close it in the middle of one


@dataclass
class Seen:
    """A request as it arrived."""

    body: dict[str, Any]
    headers: dict[str, str]
    at: float

    @property
    def prompt(self) -> str:
        return str(self.body["messages"][-1]["content"])

    @property
    def texts(self) -> list[str]:
        """What is to be embedded."""
        return list(self.body["input"])


class StubServer:
    def __init__(
        self, models: list[str] | None = None, models_status: int = 200, port: int = 0
    ) -> None:
        self.models = models
        self.models_status = models_status
        self.context: int | None = None  # of its models, as its list of them says
        self.owner: str | None = None  # the same
        self.metrics: Callable[[], str] | None = None  # what it counts, if it tells
        self.looks = 0  # at that
        self.looked_with: list[dict[str, str]] = []  # headers
        self.script: list[Reply] = []
        self.reply: Callable[[Seen], Reply] = lambda seen: Reply(
            "" if "input" in seen.body else f"echo {seen.prompt}"
        )
        self.vector: Callable[[str], object] = lambda text: [len(text), 1.5]
        self.seen: list[Seen] = []
        self.in_flight = 0
        self.max_in_flight = 0
        self.port = port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="stub", daemon=True)
        self._runner: web.AppRunner | None = None
        self._listening: socket.socket | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def prompts(self) -> list[str]:
        return [seen.prompt for seen in self.seen]

    def open_connections(self) -> int:
        assert self._runner is not None
        assert self._runner.server is not None
        return len(self._runner.server.connections)

    def __enter__(self) -> StubServer:
        self._thread.start()
        self._call(self._open())
        return self

    def __exit__(self, *_: object) -> None:
        self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _call(self, coroutine: Any) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    async def _open(self) -> None:
        app = web.Application()
        app.router.add_get("/v1/models", self._models)
        app.router.add_get("/metrics", self._metrics)
        app.router.add_post("/v1/chat/completions", self._chat)
        app.router.add_post("/v1/embeddings", self._chat)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        self._listening = socket.create_server(("127.0.0.1", self.port))
        await web.SockSite(self._runner, self._listening).start()
        self.port = self._runner.addresses[0][1]

    async def _close(self) -> None:
        """As a process that dies: no connection stays open that nobody reads."""
        assert self._runner is not None
        assert self._listening is not None
        # asyncio forgets a connection that it has accepted, but not made, when it stops listening.
        self._loop.remove_reader(self._listening)
        for _ in range(5):  # turns of the loop
            await asyncio.sleep(0)
        await self._runner.cleanup()

    async def _models(self, _: web.Request) -> web.Response:
        if self.models is None or self.models_status != 200:
            return web.json_response(
                {"error": {"message": "bad key"}},
                status=404 if self.models_status == 200 else self.models_status,
            )
        context = {} if self.context is None else {"max_model_len": self.context}
        owner = {} if self.owner is None else {"owned_by": self.owner}
        return web.json_response({"data": [{"id": n, **context, **owner} for n in self.models]})

    async def _metrics(self, request: web.Request) -> web.Response:
        self.looks += 1
        self.looked_with.append(dict(request.headers))
        if self.metrics is None:
            return web.Response(status=404)
        return web.Response(text=self.metrics())

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        seen = Seen(await request.json(), dict(request.headers), time.monotonic())
        self.seen.append(seen)
        self.in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self.in_flight)
        try:
            reply = self.script.pop(0) if self.script else self.reply(seen)
            if reply.seconds:
                await asyncio.sleep(reply.seconds)
            while self.max_in_flight < reply.until and time.monotonic() < seen.at + 60:
                await asyncio.sleep(0.01)
            embedded = self._embeddings(seen) if "input" in seen.body else None
            return await _respond(request, seen, reply, embedded)
        finally:
            self.in_flight -= 1

    def _embeddings(self, seen: Seen) -> dict[str, Any]:
        """The vectors, the last one first: what counts is the index."""
        data = [{"index": n, "embedding": self.vector(t)} for n, t in enumerate(seen.texts)]
        return {"data": data[::-1], "usage": {"prompt_tokens": sum(map(len, seen.texts))}}


async def _respond(
    request: web.Request, seen: Seen, reply: Reply, embedded: dict[str, Any] | None
) -> web.StreamResponse:
    assert request.transport is not None
    if reply.reset:
        request.transport.abort()
        return web.Response()
    if reply.raw is not None:
        body = reply.raw
    elif reply.status != 200:
        error = reply.error or {"message": f"scripted {reply.status}"}
        body = json.dumps({"error": error}).encode()
    elif seen.body.get("stream"):
        body = streamed(seen, reply)
    else:
        body = json.dumps(embedded or completion(seen, reply)).encode()
    if reply.truncate:
        response = web.StreamResponse(status=reply.status, headers=reply.headers)
        response.content_length = len(body)
        await response.prepare(request)
        await response.write(body[: len(body) // 2])
        request.transport.abort()
        return response
    kind = "text/event-stream" if seen.body.get("stream") else "application/json"
    return web.Response(body=body, status=reply.status, headers=reply.headers, content_type=kind)


def streamed(seen: Seen, reply: Reply) -> bytes:
    """The whole answer as one event, and what it took as another."""
    whole = completion(seen, reply)
    [choice] = whole["choices"]
    events = [
        {"choices": [{**choice, "delta": choice["message"]}]},
        {"choices": [], "usage": whole["usage"]},
    ]
    lines = [*map(json.dumps, events), "[DONE]"]
    return "".join(f"data: {line}\n\n" for line in lines).encode()


def completion(seen: Seen, reply: Reply) -> dict[str, Any]:
    prompt_tokens = sum(len(turn["content"]) for turn in seen.body["messages"]) // 4
    usage: dict[str, Any] = {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": len(reply.text or "") // 4 + 1,
    }
    if reply.cached_tokens is not None:
        usage["prompt_tokens_details"] = {"cached_tokens": reply.cached_tokens}
    return {
        "model": seen.body.get("model"),
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": reply.text, **reply.message},
                "finish_reason": reply.finish_reason,
            }
        ],
        "usage": usage,
    }
