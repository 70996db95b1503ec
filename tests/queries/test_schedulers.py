"""Whole statements under every policy: the same rows, in the order that the policy says."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby, pairwise
from random import Random

import pyarrow as pa
import pytest
import workflows
from scripted_connection import Made
from scripted_model import HashModel

import heliumql
from heliumql.catalog.settings import SCHEDULERS
from heliumql.engines.engine import CallSpec, Deliver
from heliumql.engines.simulated import LoggedCall, ScriptedAnswer, SimulatedEngine
from heliumql.errors import CatalogError, EngineError, HeliumQLError
from heliumql.physical import scheduler
from heliumql.scheduling.policies import POLICIES, Policy
from heliumql.scheduling.policies.fcfs import fcfs
from heliumql.scheduling.schedule import Schedule
from heliumql.scheduling.workload import Worker, Workload

every_policy = pytest.mark.parametrize("policy", sorted(POLICIES))

DOCUMENTS = """CREATE TABLE d AS SELECT i AS n, i % 8 AS doc,
    repeat('document ' || (i % 8) || ' says this. ', 40) AS text FROM range(24) r(i)
    ORDER BY hash(i)"""
MAP_REDUCE = """SELECT n, LLM_GENERATE('merge ' || LLM_GENERATE('{text}\nrole a, row {n}')
    || LLM_GENERATE('{text}\nrole b, row {n}')) AS merged FROM d ORDER BY n"""


def said(messages: Sequence[tuple[str, str]], spec: CallSpec) -> ScriptedAnswer:
    """The last words of the prompt, in a time that depends on them."""
    words = messages[-1][1].split()
    return ScriptedAnswer(" ".join(words[-3:]), output_tokens=1 + len(words) % 7)


def documents_of(log: Sequence[LoggedCall]) -> list[str]:
    return [c.prompt.split()[1] for c in log if c.prompt.startswith("document")]


def is_merge(call: LoggedCall) -> bool:
    return call.prompt.startswith("merge")


# names -----------------------------------------------------------------------------------------


def test_the_names_of_the_setting_are_those_of_the_policies() -> None:
    assert tuple(POLICIES) == SCHEDULERS
    with heliumql.connect() as con:
        for name in SCHEDULERS:
            con.execute(f"SET llm_scheduler = '{name.upper()}'")


@pytest.mark.parametrize(
    ("name", "hint"),
    [("cache", "one of cache_aware, query_wise"), ("kvflow", "event model")],
)
def test_a_wrong_name_gets_a_hint(name: str, hint: str) -> None:
    with heliumql.connect() as con:
        with pytest.raises(CatalogError, match=f"llm_scheduler cannot be '{name}'") as raised:
            con.execute(f"SET llm_scheduler = '{name}'")
        assert hint in (raised.value.hint or "")
        assert "cache_aware" in (raised.value.hint or "")


# orders ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_calls_over_shared_documents_come_document_by_document(seed: int, scripted: Made) -> None:
    options = {"max_num_seqs": 4, "kv_cache_tokens": 1024}
    one, other = scripted(said, **options), scripted(said, **options)
    rows = ", ".join(f"({i}, {i % 8})" for i in Random(seed).sample(range(24), 24))
    for each in (one, other):
        each.con.execute(
            "CREATE TABLE d AS SELECT n, repeat('document ' || doc || ' says this. ', 40) AS text "
            f"FROM (VALUES {rows}) t(n, doc)"
        )
    one.con.set("llm_scheduler", "cache_aware")
    assert len(one.con.sql(MAP_REDUCE).fetchall()) == 24
    documents = documents_of(one.engine.log)
    assert len(documents) == 48
    assert len([*groupby(documents)]) == 8
    other.con.set("llm_scheduler", "random")
    assert len(other.con.sql(MAP_REDUCE).fetchall()) == 24
    assert len([*groupby(documents_of(other.engine.log))]) > 24
    hits, others = (sum(c.answer.cached_tokens for c in o.engine.log) for o in (one, other))
    assert hits > 1.5 * others


@pytest.mark.parametrize("workers", [1, 2])
def test_operators_one_after_the_other_have_barriers(workers: int, scripted: Made) -> None:
    one = scripted(said, max_num_seqs=4, workers=workers)
    one.con.execute(DOCUMENTS)
    one.con.set("llm_scheduler", "op_wise")
    one.con.sql(MAP_REDUCE).fetchall()
    log = one.engine.log
    spans = [
        [c for c in log if "role a" in c.prompt and not is_merge(c)],
        [c for c in log if "role b" in c.prompt and not is_merge(c)],
        [c for c in log if is_merge(c)],
    ]
    assert [len(span) for span in spans] == [24, 24, 24]
    spans[:2] = sorted(spans[:2], key=lambda span: span[0].submitted)
    for before, after in pairwise(spans):
        assert max(c.finished or 0.0 for c in before) <= min(c.submitted for c in after)
    one.con.execute("CLEAR CACHE")
    log.clear()
    one.con.set("llm_scheduler", "query_wise")
    one.con.sql(MAP_REDUCE).fetchall()
    merged = min(c.submitted for c in log if is_merge(c))
    assert merged < max(c.submitted for c in log if not is_merge(c))


@pytest.mark.parametrize("workers", [1, 2])
def test_queries_one_after_the_other_have_barriers(workers: int, scripted: Made) -> None:
    one = scripted(said, max_num_seqs=4, workers=workers)
    one.con.execute(DOCUMENTS)
    one.con.set("llm_scheduler", "query_wise")
    one.con.sql(MAP_REDUCE).fetchall()
    log = one.engine.log
    assert len(log) == 72
    for start in range(3, 72, 3):
        done = max(c.finished or 0.0 for c in log[:start])
        assert min(c.submitted for c in log[start:]) >= done
        assert sum(is_merge(c) for c in log[start : start + 3]) == 1


def test_each_policy_is_heard(scripted: Made) -> None:
    orders = {}
    for policy in POLICIES:
        one = scripted(said, max_num_seqs=4, kv_cache_tokens=2048)
        one.con.execute(DOCUMENTS)
        one.con.set("llm_scheduler", policy)
        one.con.sql(MAP_REDUCE).fetchall()
        orders[policy] = tuple(one.prompts)
    assert len(set(orders.values())) >= 6
    assert orders["random"] not in [o for p, o in orders.items() if p != "random"]


PROGRAM = """
import hashlib, heliumql, sys
from heliumql.engines.simulated import SimulatedEngine
engine = SimulatedEngine({"engine": "simulated", "max_num_seqs": 4, "workers": 2,
                          "kv_cache_tokens": 4096})
with heliumql.connect() as con:
    con.register_model("m", engine)
    con.set("llm_scheduler", sys.argv[1])
    con.execute(sys.argv[2])
    con.sql(sys.argv[3]).fetchall()
log = [(c.prompt, c.worker, c.priority) for c in engine.log]
print(len(log), hashlib.md5(repr(log).encode()).hexdigest())
"""


@pytest.mark.parametrize("policy", ["cache_aware", "helium", "parrot"])
def test_the_order_is_the_same_in_every_process(policy: str) -> None:
    said = set()
    for seed in ("0", "1", "77"):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, policy, DOCUMENTS, MAP_REDUCE],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True, text=True, timeout=120, check=True,
        )  # fmt: skip
        said.add(done.stdout)
    assert len(said) == 1
    assert said.pop().startswith("72 ")


# rows ------------------------------------------------------------------------------------------

RECURSION = """WITH RECURSIVE l AS (SELECT i AS k, 1 AS n, 'start ' || i AS d FROM range(5) r(i)
    UNION ALL SELECT k, n + 1, LLM_GENERATE('step {n}: {d}') FROM l
    WHERE n < 5 AND length(d) < 40) SELECT k, n, d FROM l ORDER BY k, n"""
STATEMENTS = {
    "map-reduce": MAP_REDUCE,
    "recursion": RECURSION,
    "passes": "SELECT n, LLM_GENERATE('go on ' || LLM_GENERATE('first {n}')) FROM d WHERE "
    "LLM_FILTER('is {n} good?') AND length(LLM_GENERATE('other {doc}')) > 0 ORDER BY n",
    "limit": "SELECT n FROM d WHERE LLM_FILTER('take {n}?') ORDER BY n LIMIT 3",
    "aggregate": "SELECT doc, string_agg(LLM_GENERATE('a {n}'), ',' ORDER BY n) FROM d "
    "GROUP BY doc ORDER BY doc",
    "equal calls": "SELECT n, LLM_GENERATE('same {doc}'), LLM_GENERATE('b ' || "
    "LLM_GENERATE('same {doc}')) FROM d ORDER BY n",
}


def yes_or_words(messages: Sequence[tuple[str, str]], spec: CallSpec) -> str:
    if spec.returns.name == "BOOLEAN":
        return "true" if len(messages[-1][1]) % 2 else "false"
    return " ".join(messages[-1][1].split()[-3:])


@pytest.fixture(scope="module")
def expected() -> dict[str, list[tuple[object, ...]]]:
    with heliumql.connect() as con:
        con.register_model("m", SimulatedEngine({"instant": True}, yes_or_words))
        con.execute(DOCUMENTS)
        con.set("llm_optimizer", "off")
        con.set("llm_scheduler", "fcfs")
        return {name: con.sql(query).fetchall() for name, query in STATEMENTS.items()}


@every_policy
@pytest.mark.parametrize("name", STATEMENTS)
@pytest.mark.parametrize("workers", [1, 3])
def test_rows_are_the_same_under_every_policy(
    name: str, policy: str, workers: int, scripted: Made,
    expected: dict[str, list[tuple[object, ...]]],
) -> None:  # fmt: skip
    one = scripted(yes_or_words, max_num_seqs=2, workers=workers, kv_cache_tokens=2048)
    one.con.execute(DOCUMENTS)
    one.con.set("llm_scheduler", policy)
    assert one.con.sql(STATEMENTS[name]).fetchall() == expected[name]
    one.con.execute("CLEAR CACHE")
    one.con.set("llm_batch_rows", 2)
    one.con.set("llm_window_bytes", 1)
    assert one.con.sql(STATEMENTS[name]).fetchall() == expected[name]


@every_policy
def test_random_workflows_give_the_same_rows_under_every_policy(policy: str) -> None:
    for seed in range(12):
        random = Random(seed)
        query, tables = workflows.workflow(random), workflows.tables(random)
        rows = []
        for name, options in (("fcfs", {"instant": True}), (policy, {"max_num_seqs": 2})):
            with heliumql.connect() as con:
                con.register_model("m", SimulatedEngine(options, HashModel(seed).script))
                for statement in tables:
                    con.execute(statement)
                con.set("llm_scheduler", name)
                try:
                    rows.append(sorted(map(repr, con.sql(query).fetchall())))
                except HeliumQLError as error:
                    rows.append([error.message])
        assert rows[0] == rows[1], query


@every_policy
def test_calls_of_several_engines_may_need_each_other(policy: str) -> None:
    engines = [SimulatedEngine({"max_num_seqs": n, "workers": n}) for n in (1, 2, 3)]
    query = """SELECT i, LLM_GENERATE('c ' || LLM_GENERATE('b ' ||
        LLM_GENERATE('a {i}', model => 'm0'), model => 'm1'), model => 'm0'),
        LLM_GENERATE('d ' || LLM_GENERATE('e {i}', model => 'm2'), model => 'm0')
        FROM range(9) r(i) ORDER BY i"""
    with heliumql.connect() as con:
        for number, engine in enumerate(engines):
            con.register_model(f"m{number}", engine)
        con.set("llm_scheduler", policy)
        rows = con.sql(query).fetchall()
        assert [row[0] for row in rows] == list(range(9))
        assert None not in [value for row in rows for value in row]
    assert [len(engine.log) for engine in engines] == [27, 9, 9]


@every_policy
def test_statements_that_are_evaluated_together(policy: str, scripted: Made) -> None:
    one = scripted(yes_or_words, max_num_seqs=2, workers=2)
    one.con.execute(DOCUMENTS)
    one.con.set("llm_scheduler", policy)
    relations = one.con.sql_many([MAP_REDUCE, STATEMENTS["equal calls"], MAP_REDUCE])
    first, second, third = [relation.fetchall() for relation in relations]
    assert first == third
    assert len(first) == len(second) == 24


@every_policy
def test_calls_that_fail_are_null_or_end_the_statement(policy: str, scripted: Made) -> None:
    def failing(messages: Sequence[tuple[str, str]], spec: CallSpec) -> ScriptedAnswer:
        bad = "row 7" in messages[-1][1] and "role b" in messages[-1][1]
        return ScriptedAnswer(error="no") if bad else said(messages, spec)

    one = scripted(failing, max_num_seqs=2, workers=2)
    one.con.execute(DOCUMENTS)
    one.con.set("llm_scheduler", policy)
    rows = one.con.sql(MAP_REDUCE).fetchall()
    assert [n for n, merged in rows if merged is None] == [7]
    one.con.execute("CLEAR CACHE")
    one.con.set("llm_on_error", "fail")
    with pytest.raises(HeliumQLError, match="failed: no"):
        one.con.sql(MAP_REDUCE).fetchall()
    one.con.set("llm_on_error", "null")
    assert one.con.sql(MAP_REDUCE).fetchall() == rows


@every_policy
def test_an_engine_that_dies_takes_no_other_along(policy: str) -> None:
    def dying(messages: Sequence[tuple[str, str]], spec: CallSpec) -> EngineError | None:
        return EngineError("dead") if "5" in messages[-1][1] else None

    with heliumql.connect() as con:
        con.register_model("bad", SimulatedEngine({"max_num_seqs": 1}, dying))
        con.register_model("good", SimulatedEngine({"max_num_seqs": 1}))
        con.set("llm_scheduler", policy)
        relation = con.sql("SELECT LLM_GENERATE('x ' || LLM_GENERATE('g {i}', model => 'good'), "
                           "model => 'bad'), LLM_GENERATE('y {i}', model => 'bad') "
                           "FROM range(9) r(i)")  # fmt: skip
        with pytest.raises(EngineError, match="dead"):
            relation.fetchall()
        good = con.sql("SELECT LLM_GENERATE('g {i}', model => 'good') FROM range(12) r(i)")
        assert len(good.fetchall()) == 12


@every_policy
def test_a_statement_can_be_interrupted(policy: str, scripted: Made) -> None:
    asked = threading.Event()

    def slow(messages: Sequence[tuple[str, str]], spec: CallSpec) -> ScriptedAnswer:
        if len(one.engine.log) == 20:
            asked.set()
            one.con.interrupt()
        return said(messages, spec)

    one = scripted(slow, max_num_seqs=2, workers=2)
    one.con.execute(DOCUMENTS)
    one.con.set("llm_scheduler", policy)
    with pytest.raises(HeliumQLError, match="interrupted"):
        one.con.sql(MAP_REDUCE).fetchall()
    assert asked.is_set()
    assert len(one.con.sql(MAP_REDUCE).fetchall()) == 24


@every_policy
def test_many_rows_come_as_they_are_answered(policy: str) -> None:
    engine = SimulatedEngine({"max_num_seqs": 64, "workers": 2, "log": False})
    with heliumql.connect() as con:
        con.register_model("m", engine)
        con.set("llm_scheduler", policy)
        relation = con.sql("SELECT i, LLM_GENERATE('row {i}') FROM range(10000) r(i)")
        count, times = 0, []
        for batch in relation.batches():
            count += batch.num_rows
            times.append(engine.now)
        assert count == 10_000
        if policy in ("cache_aware", "fcfs", "query_wise", "op_wise"):
            assert times[0] < engine.now / 4


# plans -----------------------------------------------------------------------------------------


@every_policy
def test_plans_that_cannot_take_all_calls(
    policy: str, scripted: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduler, "_MOST_PLANNED", 20)
    monkeypatch.setattr(scheduler, "_SMALL", 4)
    plans = []
    planned = scheduler.planned
    monkeypatch.setattr(scheduler, "planned", lambda *a: plans.append(len(a[1])) or planned(*a))
    one = scripted(said, max_num_seqs=2, workers=2)
    one.con.execute(DOCUMENTS.replace("range(24)", "range(100)"))
    one.con.set("llm_scheduler", policy)
    assert len(one.con.sql(MAP_REDUCE).fetchall()) == 100
    assert len(one.engine.log) == 300
    assert max(plans, default=0) <= 20
    assert len(plans) <= 2 * 300 / 20 + 10


def backwards(workload: Workload, workers: Sequence[Worker]) -> Schedule:
    """Nothing may start before what waits for it is done."""
    return replace(fcfs(workload, workers), stage=[-level for level in workload.level])


def halting(workload: Workload, workers: Sequence[Worker]) -> Schedule:
    """Calls go strictly the other way round."""
    count = len(workload)
    return replace(fcfs(workload, workers), rank=range(count)[::-1], strict=True)


@pytest.mark.parametrize("policy", [backwards, halting])
@pytest.mark.parametrize("workers", [1, 2])
def test_a_schedule_that_cannot_go_on_is_given_up(
    policy: Policy, workers: int, scripted: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduler, "POLICIES", {"cache_aware": policy})
    one = scripted(said, max_num_seqs=2, workers=workers)
    one.con.execute(DOCUMENTS)
    deeper = MAP_REDUCE.replace("'merge '", "'merge ' || LLM_GENERATE('x ' || LLM_GENERATE('{n}'))")
    assert len(one.con.sql(deeper).fetchall()) == 24
    assert len(one.con.sql(RECURSION).fetchall()) > 5


# engines ---------------------------------------------------------------------------------------


class Plain:
    """An engine that shows no workers and keeps nothing; it answers in `advance`."""

    slots = 3

    def __init__(self) -> None:
        self.inner = SimulatedEngine({"max_num_seqs": 3}, said)
        self.most = 0

    def start(self) -> None:
        self.inner.start()

    def submit(self, spec: CallSpec, requests: pa.RecordBatch, deliver: Deliver) -> None:
        self.inner.submit(spec, requests, deliver)
        self.most = max(self.most, sum(c.finished is None for c in self.inner.log))

    def advance(self) -> None:
        self.inner.advance()

    def cancel(self, calls: Sequence[bytes]) -> None:
        self.inner.cancel(calls)

    def close(self) -> None:
        self.inner.close()


@every_policy
def test_an_engine_without_workers_is_taken_for_one(policy: str) -> None:
    engine = Plain()
    with heliumql.connect() as con:
        con.register_model("m", engine)
        con.execute(DOCUMENTS)
        con.set("llm_scheduler", policy)
        assert len(con.sql(MAP_REDUCE).fetchall()) == 24
    # Three, and one that need not wait for us; one query at a time has two calls side by side.
    assert engine.most == (2 if policy == "query_wise" else 4)
