"""Several processes on one store at the same time."""

from __future__ import annotations

from pathlib import Path

from statement_runs import Started, finished
from test_killed import intact

from heliumql.calls.learnt import Learnt
from heliumql.calls.storage import Storage


def sql(first: int, last: int) -> str:
    return f"SELECT i, LLM_GENERATE('number {{i}}') AS answer FROM range({first}, {last}) t(i)"


def test_processes_share_what_they_are_told(started: Started, tmp_path: Path) -> None:
    store = tmp_path / "shared.answers"
    ranges = [(0, 600), (0, 600), (300, 900), (900, 1200)]
    programs = [started(sql(*r), store=store) for r in ranges]
    total = 0
    for (first, last), program in zip(ranges, programs, strict=True):
        rows, stats = finished(program)
        assert [r["answer"] for r in rows] == [f"re: number {i}" for i in range(first, last)]
        assert stats["run"] + stats["cached"] <= last - first  # the rest was shared
        total += stats["run"]
    assert intact(store) == 1200
    assert 1200 <= total == len((tmp_path / "asked").read_text().splitlines())
    assert finished(started(sql(0, 1200), store=store))[1] == {"run": 0, "cached": 1200}
    storage = Storage(store)
    learnt = Learnt(storage).model("m")
    storage.close()
    assert learnt is not None
    assert learnt.calls == total  # what each of them noted adds up
    assert learnt.output_tokens == 4 * total
    assert sum(calls for _, calls in learnt.lengths) == total
