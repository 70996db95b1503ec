"""Techniques that are left out: the same rows, and each really does less."""

from __future__ import annotations

from typing import Any

import pytest

import heliumql
from heliumql.catalog.techniques import DEFER, KEEP, SEARCH, SHARE, TECHNIQUES
from heliumql.engines.simulated import SimulatedEngine
from heliumql.errors import CatalogError
from heliumql.physical import scheduler
from heliumql.physical.scheduler import PlannedCalls

QUERIES = {
    "equal rows": "SELECT LLM_GENERATE('Of ' || i % 3) FROM range(12) t(i)",
    "a chain": """
        WITH a AS (SELECT i, LLM_GENERATE('First ' || i % 4) AS g FROM range(12) t(i)),
             b AS (SELECT i, LLM_GENERATE('Then ' || g) AS g FROM a)
        SELECT i, LLM_GENERATE('Last ' || g) FROM b ORDER BY i""",
    "a cut": """
        SELECT i, LLM_GENERATE('Why ' || i % 2) FROM range(8) t(i)
        WHERE LLM_GENERATE('Is it ' || i % 2) <> 'x' ORDER BY i""",
    "an aggregate": """
        WITH a AS (SELECT i, LLM_GENERATE('Say ' || i % 3) AS g FROM range(8) t(i))
        SELECT i % 2, LLM_GENERATE('Sum up ' || string_agg(g, ' ' ORDER BY i))
        FROM a GROUP BY 1 ORDER BY 1""",
    "many prefixes": "SELECT i, LLM_GENERATE(repeat('long text ', 200) || i % 2 || "
    "repeat(' more', 300) || i) FROM range(40) t(i) ORDER BY i % 7, i",
}


def run(
    query: str, off: str, monkeypatch: pytest.MonkeyPatch | None = None
) -> tuple[list[Any], Any, list[PlannedCalls]]:
    plans: list[PlannedCalls] = []
    planned = scheduler.planned
    if monkeypatch is not None:
        monkeypatch.setattr(scheduler, "planned", lambda *a: plans.append(planned(*a)) or plans[-1])
    with heliumql.connect() as con:
        engine = SimulatedEngine({"kv_cache_tokens": 4096, "max_num_seqs": 4})
        con.register_model("m", engine, max_tokens=16)
        con.set("llm_cache", "off")
        con.set("llm_disabled_rules", off)
        relation = con.sql(query)
        assert relation is not None
        rows = relation.fetchall()
        return rows, relation.stats, plans


@pytest.mark.parametrize("off", [*TECHNIQUES, ", ".join(TECHNIQUES)])
@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_rows_are_the_same(query: str, off: str) -> None:
    assert run(query, off)[0] == run(query, "")[0]


def test_equal_calls_are_requests_of_their_own() -> None:
    for name, shared, apart in (("equal rows", 3, 12), ("a chain", 12, 36)):
        assert run(QUERIES[name], "")[1].calls_run == shared
        assert run(QUERIES[name], SHARE)[1].calls_run == apart


def test_without_equal_calls_none_is_asked_twice() -> None:
    query = "SELECT LLM_GENERATE('Then ' || LLM_GENERATE('Of ' || i)) FROM range(9) t(i)"
    assert run(query, SHARE)[1].calls_run == run(query, "")[1].calls_run == 18


def test_operators_start_one_after_the_other() -> None:
    def begins_early(off: str) -> bool:
        with heliumql.connect() as con:
            engine = SimulatedEngine({"max_num_seqs": 2})
            con.register_model("m", engine, max_tokens=16)
            con.set("llm_cache", "off")
            con.set("llm_disabled_rules", off)
            relation = con.sql(QUERIES["a chain"])
            assert relation is not None
            relation.fetchall()
        first = [c for c in engine.log if "First" in c.messages[-1][1]]
        then = [c for c in engine.log if "Then" in c.messages[-1][1]]
        assert (len(first), len(then)) == (4, 4)
        return min(c.submitted for c in then) < max(c.finished or 0.0 for c in first)

    assert not begins_early(DEFER)
    assert begins_early("")


def test_one_candidate_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    (plan,) = run(QUERIES["a chain"], f"{SEARCH},{KEEP}", monkeypatch)[2]
    assert len(plan.schedule.looked_at) == 1
    monkeypatch.undo()
    (plan,) = run(QUERIES["a chain"], KEEP, monkeypatch)[2]
    assert len(plan.schedule.looked_at) > 1


def test_explain_says_what_is_off() -> None:
    with heliumql.connect() as con:
        con.execute(f"SET llm_disabled_rules = '{SHARE}, keep_above'")
        told = con.sql("EXPLAIN SELECT LLM_GENERATE('x')")
        assert told is not None
        assert f"(llm_disabled_rules): {SHARE}, keep_above" in str(told.fetchall())
        with pytest.raises(CatalogError) as found:
            con.execute("SET llm_disabled_rules = 'share_equal_call'")
        assert found.value.hint == f"did you mean {SHARE}?"
