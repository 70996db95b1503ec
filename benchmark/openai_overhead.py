"""What a call through the engine `openai` costs: CPU of this process, against a local server.

    python benchmark/openai_overhead.py [--calls 5000] [--concurrency 64]

The server is another process that answers at once, so that nothing but overhead is left. The same
requests are sent by a statement (from SQL to rows), by the engine alone, and by a bare aiohttp
loop, which is the floor.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import threading
import time

import aiohttp
import pyarrow as pa
from aiohttp import web

import heliumql
from heliumql.engines.engine import REQUESTS, CallSpec, Sampling
from heliumql.engines.openai import OpenAIEngine
from heliumql.errors import EngineError
from heliumql.types import TEXT

_ANSWER = json.dumps(
    {
        "choices": [
            {"message": {"content": "An answer of some length. " * 8}, "finish_reason": "stop"}
        ],
        "usage": {"prompt_tokens": 100, "completion_tokens": 50},
    }
).encode()


def serve() -> None:
    """Answer until standard input closes."""

    async def chat(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(body=_ANSWER, content_type="application/json")

    async def main() -> None:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", chat)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        print(runner.addresses[0][1], flush=True)
        await asyncio.to_thread(sys.stdin.read)
        await runner.cleanup()

    asyncio.run(main())


def batch(calls: int) -> pa.RecordBatch:
    system = {"role": "system", "content": "You are a careful analyst. " * 10}
    return pa.RecordBatch.from_pydict(
        {
            "call": [i.to_bytes(16, "big") for i in range(calls)],
            "messages": [
                [system, {"role": "user", "content": f"Summarize document {i}. " + "text " * 60}]
                for i in range(calls)
            ],
            "priority": [0] * calls,
            "worker": [None] * calls,
        },
        schema=REQUESTS,
    )


def run_engine(url: str, concurrency: int, calls: pa.RecordBatch) -> int:
    """Run all calls through the engine; the number of batches in which the answers came."""
    engine = OpenAIEngine({"base_url": url, "model": "stub", "concurrency": concurrency})
    done = threading.Event()
    batches: list[int] = []

    def deliver(answers: pa.RecordBatch | EngineError) -> None:
        assert isinstance(answers, pa.RecordBatch), answers
        assert answers.column("error").null_count == answers.num_rows
        batches.append(answers.num_rows)
        if sum(batches) == calls.num_rows:
            done.set()

    engine.submit(CallSpec(Sampling(), TEXT), calls, deliver)
    done.wait()
    engine.close()
    return len(batches)


def run_statement(url: str, concurrency: int, calls: pa.RecordBatch) -> None:
    """The same calls, made by a query."""
    with heliumql.connect() as con:
        con.register("texts", pa.table({"n": range(calls.num_rows)}))
        con.execute(
            f"CREATE TEMP MODEL stub WITH (engine = 'openai', model = 'stub', base_url = '{url}',"
            f" concurrency = {concurrency})"
        )
        relation = con.sql(
            f"SELECT LLM_GENERATE('Summarize document {{n}}. {'text ' * 60}',"
            " system => repeat('You are a careful analyst. ', 10)) AS a FROM texts"
        )
        assert relation is not None
        rows = sum(batch.num_rows for batch in relation.batches())
        assert rows == relation.stats.calls_run == calls.num_rows
        assert relation.stats.calls_failed == 0


async def run_bare(url: str, concurrency: int, calls: pa.RecordBatch) -> None:
    rows = iter(calls.column("messages").to_pylist())

    async def worker(session: aiohttp.ClientSession) -> None:
        for messages in rows:
            body = json.dumps({"model": "stub", "messages": messages}).encode()
            async with session.post(f"{url}/chat/completions", data=body) as response:
                json.loads(await response.read())

    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        await asyncio.gather(*(worker(session) for _ in range(concurrency)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=5000)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve()
        return
    server = subprocess.Popen(
        [sys.executable, __file__, "--serve"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    url = f"http://127.0.0.1:{server.stdout.readline().strip()}/v1"
    calls = batch(arguments.calls)
    run_engine(url, arguments.concurrency, calls.slice(0, 100))
    run_statement(url, arguments.concurrency, calls.slice(0, 100))
    for name in ("statement", "engine", "bare aiohttp"):
        cpu, wall = time.process_time(), time.perf_counter()
        note = ""
        match name:
            case "statement":
                run_statement(url, arguments.concurrency, calls)
            case "engine":
                note = f", {run_engine(url, arguments.concurrency, calls)} batches of answers"
            case _:
                asyncio.run(run_bare(url, arguments.concurrency, calls))
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        per = 1000 / arguments.calls
        print(f"{name:12} {cpu * per:.3f} ms CPU, {wall * per:.3f} ms wall per call{note}")
    server.communicate("")


if __name__ == "__main__":
    main()
