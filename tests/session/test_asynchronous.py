"""Statements in an event loop: it stays free, tasks that end stop their calls, cursors overlap."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from gate import Gate

import heliumql
from heliumql.connection import Connection
from heliumql.relations.asynchronous import AsyncRelation

CALLS = "SELECT i, LLM_GENERATE('n {i}') AS a FROM range(%d) AS r(i)"


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def con(gate: Gate) -> Iterator[Connection]:
    before = set(threading.enumerate())
    with heliumql.connect() as con:
        con.register_model("m", gate)
        yield con
    assert set(threading.enumerate()) - before == set()


async def within(seconds: float, waited_for: Awaitable[object]) -> object:
    async with asyncio.timeout(seconds):
        return await waited_for


def run(main: Callable[[], Awaitable[object]]) -> None:
    asyncio.run(within(30, main()))  # type: ignore[arg-type]


async def asked(gate: Gate, count: int) -> None:
    await asyncio.to_thread(gate.wait_for, count)


def test_batches_come_as_they_are_answered_and_the_loop_stays_free(
    con: Connection, gate: Gate
) -> None:
    async def main() -> None:
        rows = await con.sql_async(CALLS % 40)
        assert (rows.columns, rows.types) == (["i", "a"], ["BIGINT", "VARCHAR"])
        reading = aiter(rows)
        first = asyncio.ensure_future(anext(reading))
        await asked(gate, 40)  # while `first` waits, this and other tasks run
        assert not first.done()
        gate.answer(16)
        assert (await first).column("i").to_pylist() == list(range(16))
        assert len(gate.held) == 24
        gate.open()
        rest = [i async for batch in reading for i in batch.column("i").to_pylist()]
        assert rest == list(range(16, 40))
        assert rows.stats.calls_run == 40

    run(main)


def test_every_reader(con: Connection, gate: Gate) -> None:
    gate.open()

    async def main() -> None:
        for text in (CALLS % 3, "SELECT i, 'said n ' || i AS a FROM range(?) AS r(i)"):
            rows = await con.sql_async(text, [3] if "?" in text else None)
            assert (await rows.schema()).names == ["i", "a"]
            assert (await rows.arrow()).num_rows == 3
            assert (await rows.df())["a"].tolist()[-1] == "said n 2"
            assert (await rows.pl()).shape == (3, 2)
            assert await rows.fetchone() == (0, "said n 0")
            assert await rows.fetchmany(1) == [(1, "said n 1")]
            assert await rows.fetchall() == [(2, "said n 2")]
            await rows.fetchone()
            await rows.aclose()
            assert len(await rows.fetchall()) == 3
            assert await rows.explain() != ""
        done = await con.sql_async("CREATE TABLE t AS SELECT 1 AS x; INSERT INTO t VALUES (2)")
        assert await done.fetchall() == [(1,)]  # rows written
        assert await (await con.sql_async("FROM t")).fetchall() == [(1,), (2,)]
        with pytest.raises(heliumql.HeliumQLError, match="line 1"):
            await con.sql_async("SELECT nothing FROM t")

    run(main)


def test_cursors_run_at_once_and_equal_calls_are_asked_once(con: Connection, gate: Gate) -> None:
    async def main() -> None:
        cursors = [con.cursor() for _ in range(3)]
        texts = [CALLS % 4, CALLS % 4, "SELECT LLM_GENERATE('other')"]
        tasks = [
            asyncio.create_task(read(cursor, text))
            for cursor, text in zip(cursors, texts, strict=True)
        ]
        await asked(gate, 5)
        assert sorted(gate.prompts) == ["n 0", "n 1", "n 2", "n 3", "other"]
        gate.open()
        first, same, other = await asyncio.gather(*tasks)
        assert first == same == [(i, f"said n {i}") for i in range(4)]
        assert other == [("said other",)]
        assert len(gate.prompts) == 5
        for cursor in cursors:
            cursor.close()

    run(main)


async def read(con: Connection, text: str) -> list[tuple[object, ...]]:
    return await (await con.sql_async(text)).fetchall()


def test_statements_of_one_connection_wait_for_each_other(con: Connection, gate: Gate) -> None:
    async def main() -> None:
        tasks = [asyncio.create_task(read(con, CALLS % n)) for n in (1, 2, 3)]
        tasks.append(asyncio.create_task(read(con, "SELECT 42")))
        await asked(gate, 1)
        gate.open()
        found = await asyncio.gather(*tasks)
        assert [len(rows) for rows in found] == [1, 2, 3, 1]

    run(main)


def test_a_cancelled_task_stops_its_calls_and_keeps_what_was_answered(
    con: Connection, gate: Gate
) -> None:
    async def main() -> None:
        task = asyncio.create_task(read(con, CALLS % 20))
        await asked(gate, 20)
        gate.answer(8)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert len(gate.cancelled) == 12
        gate.open()
        rows = await con.sql_async(CALLS % 20)
        assert len(await rows.fetchall()) == 20
        assert (rows.stats.calls_cached, rows.stats.calls_run) == (8, 12)

    run(main)


def test_a_timeout_stops_the_statement_wherever_it_is(con: Connection, gate: Gate) -> None:
    async def drained(text: str) -> None:
        async for _ in await con.sql_async(text):
            pass

    async def main() -> None:
        with pytest.raises(TimeoutError):
            await within(0.2, drained(CALLS % 3))
        assert gate.cancelled == gate.prompts
        endless = "SELECT count(*) FROM range(1e9::BIGINT) a, range(1e9::BIGINT) b"
        with pytest.raises(TimeoutError):
            await within(0.2, read(con, endless))
        with pytest.raises(TimeoutError):
            await within(0.2, con.sql_async(f"CREATE TABLE t AS {endless}"))
        assert await read(con, "SELECT 42") == [(42,)]

    run(main)


def test_a_task_that_waits_for_its_turn_is_cancelled_alone(con: Connection, gate: Gate) -> None:
    async def main() -> None:
        running = asyncio.create_task(read(con, CALLS % 2))
        await asked(gate, 2)
        waiting = asyncio.create_task(read(con, "SELECT LLM_GENERATE('never')"))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        gate.open()
        assert len(await running) == 2  # type: ignore[arg-type]
        assert gate.prompts == ["n 0", "n 1"]

    run(main)


def test_leaving_the_loop_early_stops_the_calls(con: Connection, gate: Gate) -> None:
    async def first_rows() -> None:
        await asked(gate, 60)
        gate.answer(16)

    async def main() -> None:
        for text in (CALLS % 100, "FROM range(100000)"):
            answering = asyncio.create_task(first_rows())
            async for batch in await con.sql_async(text):
                assert batch.num_rows >= 16
                break
            await answering
            assert await read(con, "SELECT 42") == [(42,)]  # what is left is not read before it
            assert gate.held == {}

    run(main)


def test_an_error_leaves_the_connection_usable(con: Connection, gate: Gate) -> None:
    gate.open()

    async def main() -> None:
        rows = await con.sql_async(
            "SELECT CAST(LLM_GENERATE('n {i}') || '' AS INT) FROM range(3) r(i)"
        )
        with pytest.raises(heliumql.ExecutionError, match="said n"):
            async for _ in rows:
                pass
        assert await read(con, "SELECT 42") == [(42,)]

    run(main)


def test_other_rows_can_be_read_while_a_reading_is_open(con: Connection, gate: Gate) -> None:
    gate.open()

    async def main() -> None:
        for text in (CALLS % 100, "FROM range(100000)"):
            seen = 0
            async for batch in await con.sql_async(text):
                seen += batch.num_rows
                assert await read(con, "SELECT 42") == [(42,)]
            assert seen in (100, 100_000)

    run(main)


def test_closing_ends_what_runs(gate: Gate, tmp_path: Path) -> None:
    before = set(threading.enumerate())

    async def main() -> None:
        async with heliumql.connect(tmp_path / "a.duckdb") as con:
            assert repr(con) == f"<heliumql connection to {tmp_path / 'a.duckdb'}>"
            con.register_model("m", gate)
            running = asyncio.create_task(read(con, CALLS % 2))
            waiting = asyncio.create_task(read(con, "SELECT 42"))
            await asked(gate, 2)
        for task in (running, waiting):
            with pytest.raises(heliumql.HeliumQLError, match=r"interrupted|closed"):
                await task
        with pytest.raises(heliumql.ExecutionError, match="the connection is closed"):
            await con.sql_async("SELECT 1")

    run(main)
    assert len(gate.cancelled) == 2
    assert set(threading.enumerate()) - before == set()


def test_a_connection_that_is_forgotten_leaves_no_thread() -> None:
    before = set(threading.enumerate())

    async def main() -> AsyncRelation:
        return await heliumql.connect().sql_async("SELECT 42")

    rows: AsyncRelation | None = asyncio.run(main())
    own = set(threading.enumerate()) - before
    assert [t.name for t in own] == ["heliumql_0"]
    del rows
    gc.collect()
    for thread in own:
        thread.join(10)
        assert not thread.is_alive()


def test_interrupts_that_come_while_a_statement_ends_leave_the_connection_usable(
    con: Connection, gate: Gate
) -> None:
    gate.open()
    over = threading.Event()

    def interrupt() -> None:
        while not over.is_set():
            con.interrupt()

    for number in range(10):
        over.clear()
        interrupting = threading.Thread(target=interrupt)
        relation = con.sql(f"SELECT i, LLM_GENERATE('{number} {{i}}') FROM range(99) r(i)")
        assert relation is not None
        reading = relation.batches()
        next(reading)
        interrupting.start()
        reading.close()
        over.set()
        interrupting.join()
        assert con.execute("SELECT 42").fetchall() == [(42,)]
