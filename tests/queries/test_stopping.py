"""What inspects an answer waits for it: loops end, and nothing raises over a value not there."""

from __future__ import annotations

import re

import pytest
from scripted_connection import Made

import heliumql
from heliumql.engines.engine import CallSpec


def counting(messages: list[tuple[str, str]], spec: CallSpec) -> str:
    """`round 3 ..` is answered 3; LLM_FILTER is true from 4 on."""
    number = int(re.search(r"\d+", messages[-1][1])[0])  # type: ignore[index]
    if spec.returns.name == "BOOLEAN":
        return "true" if number >= 4 else "false"
    return f"{number} DONE" if number == 5 and "stop" in messages[-1][1] else str(number)


LOOPS = {
    "LIKE": ("'stop {n}'", "d NOT LIKE '%DONE%'", 6),
    "a cast": ("'round {n}'", "CAST(d AS INTEGER) < 3", 4),
    "LLM_FILTER": ("'round {n}'", "NOT LLM_FILTER('good? {d}')", 5),
    "length": ("'round {n}'", "length(d) < 2 AND n < 12", 11),
}


@pytest.mark.parametrize("kind", LOOPS)
def test_a_recursion_ends_when_answers_say_so(kind: str, scripted: Made) -> None:
    prompt, condition, rounds = LOOPS[kind]
    query = (
        f"WITH RECURSIVE l AS (SELECT 1 AS n, '0' AS d UNION ALL "
        f"SELECT n + 1, LLM_GENERATE({prompt}) FROM l WHERE {condition}) SELECT count(*) FROM l"
    )
    assert scripted(counting).con.sql(query).fetchall() == [(rounds,)]


HARMLESS = {
    "a cast": ("SELECT CAST(LLM_GENERATE('n {i}') || '' AS INTEGER) FROM r", [(1,), (2,)]),
    "an index": ("SELECT ['a', LLM_GENERATE('n {i}')][2] FROM r", [("1",), ("2",)]),
    "a string index": ("SELECT string_split(LLM_GENERATE('n {i}'), 'x')[1] FROM r",
                       [("1",), ("2",)]),
    "error()": ("SELECT CASE WHEN LLM_GENERATE('n {i}') IN ('1', '2') THEN 'ok' "
                "ELSE error('no') END FROM r", [("ok",), ("ok",)]),
    "a division": ("SELECT 10 // length(LLM_GENERATE('n {i}')) FROM r", [(10,), (10,)]),
    "a division above a cut": (
        "SELECT 10 // (count(*) - 1) FROM r WHERE LLM_GENERATE('n {i}') IN ('1', '2')", [(10,)],
    ),
    "a scalar subquery above a cut": (
        "SELECT (SELECT i FROM r WHERE LLM_GENERATE('n {i}') = '2')", [(2,)],
    ),
    "a list of more rows above a cut": (
        "SELECT list(i ORDER BY i)[1:2] FROM r WHERE LLM_GENERATE('n {i}') <> '7'", [([1, 2],)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", HARMLESS)
def test_nothing_raises_over_an_answer_that_is_not_there_yet(kind: str, scripted: Made) -> None:
    query, rows = HARMLESS[kind]
    one = scripted(counting)
    one.con.execute("CREATE TABLE r AS SELECT i FROM range(1, 3) r(i)")
    assert one.con.sql(query).fetchall() == rows


MISTAKES = {
    "a cast": ("SELECT CAST(LLM_GENERATE('stop 5') || '' AS INTEGER)", "5 DONE"),
    "error()": ("SELECT CASE WHEN LLM_GENERATE('n 1') = '1' THEN error('no way') END", "no way"),
    "two rows for one": (
        "SELECT (SELECT i FROM range(3) r(i) WHERE LLM_GENERATE('n {i}') <> '7')",
        "More than one row",
    ),
}


@pytest.mark.parametrize("mode", ["on", "off"])
@pytest.mark.parametrize("kind", MISTAKES)
def test_what_does_raise_with_the_answers_there_is_the_users_error(
    kind: str, mode: str, scripted: Made
) -> None:
    query, message = MISTAKES[kind]
    one = scripted(counting)
    one.con.set("llm_optimizer", mode)
    with pytest.raises(heliumql.HeliumQLError, match=message):
        one.con.sql(query).fetchall()
    assert one.con.sql("SELECT 1").fetchall() == [(1,)]


@pytest.mark.parametrize("mode", ["on", "off"])
@pytest.mark.parametrize("text", ["early", "late"])
def test_an_error_after_many_rows_is_told_as_one_of_the_first_row(
    text: str, mode: str, scripted: Made
) -> None:
    one = scripted(counting, instant=True)
    one.con.set("llm_optimizer", mode)
    one.con.execute(
        "CREATE TABLE big AS SELECT i, CASE WHEN i = ? THEN 'word' ELSE '1' END AS v "
        "FROM range(20000) r(i)",
        [3 if text == "early" else 19999],
    )
    query = "SELECT LLM_GENERATE('n {n}'), CAST(v AS INTEGER) FROM (SELECT i % 3 AS n, v FROM big)"
    with pytest.raises(heliumql.HeliumQLError, match="'word'"):
        one.con.sql(query).fetchall()
    assert one.con.sql("SELECT 1").fetchall() == [(1,)]


def test_an_error_late_above_a_cut_is_nobodys_error(scripted: Made) -> None:
    one = scripted(counting, instant=True)
    one.con.execute("CREATE TABLE big AS SELECT i FROM range(20000) r(i)")
    query = (
        "SELECT i, CASE WHEN n < 1 THEN error('none') ELSE n END FROM big, "
        "(SELECT count(*) AS n FROM range(3) r(j) WHERE LLM_GENERATE('n {j}') = '2')"
    )
    assert len(one.con.sql(query).fetchall()) == 20000
