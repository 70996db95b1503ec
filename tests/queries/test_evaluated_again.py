"""A statement evaluated again gives the same rows and calls; what is volatile is evaluated once."""

from __future__ import annotations

import pytest
from scripted_connection import Made

from heliumql.engines.engine import CallSpec
from heliumql.stats import Stats


def echo(messages: list[tuple[str, str]], spec: CallSpec) -> str:
    prompt = messages[-1][1].split("\n")[0]
    if spec.returns.name == "BOOLEAN":
        return "true"
    return prompt.removeprefix("echo ")


# Over several row groups: DuckDB's threads would give the rows in any order.
AGAIN = {
    "string_agg without an order": (
        "SELECT k, LLM_GENERATE('all ' || md5(string_agg(v, ','))) AS a FROM big GROUP BY k"
    ),
    "a join": (
        "SELECT LLM_GENERATE('all ' || md5(string_agg(a.v || b.k, ','))) AS a "
        "FROM big a JOIN big b ON a.id = b.id + 1 GROUP BY a.k"
    ),
    "first and list without an order": (
        "SELECT k, LLM_GENERATE('a ' || first(v) || len(list(v))) AS a FROM big GROUP BY k"
    ),
}


@pytest.mark.parametrize("inside", ["alone", "in a transaction"])
@pytest.mark.parametrize("kind", AGAIN)
def test_an_order_that_nobody_asked_for_stays_from_pass_to_pass(
    kind: str, inside: str, scripted: Made
) -> None:
    one = scripted(echo, instant=True)
    one.con.execute(
        "CREATE TABLE big AS SELECT i AS id, i % 7 AS k, 'v' || hash(i) AS v "
        "FROM range(250000) r(i)"
    )
    one.con.set("llm_verify", "on")
    threads = one.con.sql("SELECT current_setting('threads')").fetchall()
    if inside == "in a transaction":
        one.con.execute("BEGIN")
    rows = one.con.sql(f"SELECT * FROM ({AGAIN[kind]}) WHERE a LIKE 'a%'").fetchall()
    stats = one.con.last_stats or Stats()
    assert len(rows) == 7
    assert len(one.engine.log) == stats.calls_run == 7
    # Inside a transaction such a query runs call by call: evaluated once.
    assert stats.passes >= 2 if inside == "alone" else stats.passes == 1
    assert one.con.sql("SELECT current_setting('threads')").fetchall() == threads


VOLATILE = {
    "random()": "SELECT r, LLM_GENERATE('echo {r}') AS t FROM (SELECT random() AS r FROM range(9))",
    "uuid()": "SELECT r, LLM_GENERATE('echo {r}') AS t FROM (SELECT uuid() AS r FROM range(9))",
    "a sample": "SELECT r, LLM_GENERATE('echo {r}') AS t FROM range(5000) s(r) USING SAMPLE 9",
    "a sampled table": (
        "SELECT r, LLM_GENERATE('echo {r}') AS t FROM (FROM range(5000) s(r) USING SAMPLE 9)"
    ),
    "a limit without an order": (
        "SELECT r, LLM_GENERATE('echo {r}') AS t FROM (SELECT i AS r FROM big LIMIT 9)"
    ),
    "random() and a condition on an answer": (
        "SELECT r, t FROM (SELECT r, LLM_GENERATE('echo {r}') AS t "
        "FROM (SELECT random() AS r FROM range(9))) WHERE t LIKE '0%' OR t LIKE '%e-%'"
    ),
    "a sequence": (
        "SELECT r, LLM_GENERATE('echo {r}') AS t FROM (SELECT nextval('s') AS r FROM range(9))"
    ),
    "a CTE": (
        "WITH x AS (SELECT random() AS r FROM range(9)) "
        "SELECT r, LLM_GENERATE('echo {r}') AS t FROM x"
    ),
}


@pytest.mark.parametrize("kind", VOLATILE)
def test_a_volatile_value_is_the_same_in_the_row_and_in_its_prompt(
    kind: str, scripted: Made
) -> None:
    one = scripted(echo)
    one.con.execute("CREATE SEQUENCE s")
    one.con.execute("CREATE TABLE big AS SELECT i FROM range(300000) r(i)")
    rows = one.con.sql(VOLATILE[kind]).fetchall()
    assert len(rows) == 9
    assert all(text == str(value) for value, text in rows)


def test_a_sampled_call_is_made_for_every_row(scripted: Made) -> None:
    one = scripted()
    rows = one.con.sql(
        "SELECT LLM_GENERATE('the same', temperature => 1.0) FROM range(5)"
    ).fetchall()
    assert len(one.engine.log) == 5
    assert len(set(rows)) == 5


def test_a_sampled_call_with_a_seed_is_one_call(scripted: Made) -> None:
    one = scripted()
    rows = one.con.sql(
        "SELECT LLM_GENERATE('the same', temperature => 1.0, seed => 7) FROM range(5)"
    ).fetchall()
    assert len(one.engine.log) == 1
    assert len(set(rows)) == 1
