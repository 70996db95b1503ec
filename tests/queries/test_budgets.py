"""Budgets: the statement fails, or what was not run is NULL; nothing is paid for twice."""

from __future__ import annotations

import time

import pytest
from scripted_connection import Made, Scripted

import heliumql
from heliumql.engines.engine import CallSpec
from heliumql.engines.simulated import ScriptedAnswer
from heliumql.errors import BudgetError, CatalogError, ExecutionError
from heliumql.physical import loops

MODES = ["on", "small", "off", "call by call"]
SAY = "SELECT i, LLM_GENERATE('say {i}') AS g FROM range(10) r(i) ORDER BY i"
CHOSEN = SAY.replace(" ORDER", " WHERE NOT LLM_FILTER('bad {i}?') ORDER")  # who knows how many


def echo(messages: list[tuple[str, str]], spec: CallSpec) -> ScriptedAnswer:
    """The last word; yes-or-no questions are denied."""
    if spec.returns.name == "BOOLEAN":
        return ScriptedAnswer("false")
    return ScriptedAnswer(messages[-1][1].split()[-1])


def query(mode: str, text: str = SAY) -> str:
    """The query; one with a volatile column beside the calls runs call by call."""
    return text.replace(" AS g", " AS g, random() < 2 AS v") if mode == "call by call" else text


def set_up(one: Scripted, mode: str, **settings: object) -> None:
    one.con.set("llm_optimizer", "off" if mode == "off" else "on")
    one.con.set("llm_batch_rows", 2 if mode == "small" else 1024)
    one.con.set("llm_verify", mode in ("on", "small"))
    for name, value in settings.items():
        one.con.set(f"llm_{name}", value)


def adds_up(stats: heliumql.Stats) -> bool:
    run = stats.calls_run - stats.calls_wasted
    return stats.calls_asked == stats.calls_shared + stats.calls_cached + run


@pytest.mark.parametrize("mode", MODES)
def test_a_budget_of_calls_fails_the_statement(mode: str, scripted: Made) -> None:
    one = scripted(echo)
    set_up(one, mode, max_calls=14)
    relation = one.con.sql(query(mode, CHOSEN))
    assert relation is not None
    with pytest.raises(BudgetError) as caught:
        relation.fetchall()
    assert caught.value.exit_status == 4
    assert caught.value.message == (
        "llm_max_calls = 14 does not allow another call: 14 calls were run, at least 6 are left"
    )
    assert relation.stats.calls_run == 14
    assert adds_up(relation.stats)


@pytest.mark.parametrize("mode", MODES)
def test_too_many_calls_are_refused_before_the_first_one(mode: str, scripted: Made) -> None:
    one = scripted(echo)
    set_up(one, mode, max_calls=4)
    relation = one.con.sql(query(mode))
    with pytest.raises(BudgetError) as caught:
        relation.fetchall()
    least = "" if mode in ("on", "small") else "at least "
    assert caught.value.exit_status == 4
    assert caught.value.message == (
        f"llm_max_calls = 4 does not allow that many calls: {least}10 are to be run, none was"
    )
    assert relation.stats.calls_run == 0
    assert len(one.con.sql(query(mode, SAY.replace("10", "3"))).fetchall()) == 3
    if mode == "off":  # nothing is fetched or shared there
        return
    one.con.set("llm_max_calls", 7)  # three are stored
    assert len(one.con.sql(query(mode)).fetchall()) == 10
    shared = SAY.replace("'say {i}'", "'mod ' || (i % 5)")
    one.con.set("llm_max_calls", 5)
    assert len(one.con.sql(query(mode, shared)).fetchall()) == 10


def test_what_is_certain_is_refused_though_more_may_come(scripted: Made) -> None:
    one = scripted(echo)
    set_up(one, "on", max_calls=9)
    relation = one.con.sql(CHOSEN)
    with pytest.raises(BudgetError, match="that many calls: at least 10 are to be run, none was"):
        relation.fetchall()
    assert relation.stats.calls_run == 0


@pytest.mark.parametrize("mode", ["on", "small", "call by call"])
def test_running_again_goes_on_and_is_charged_anew(mode: str, scripted: Made) -> None:
    one = scripted(echo)
    set_up(one, mode, max_calls=13)
    for run, cached in ((13, 0), (7, 13)):
        relation = one.con.sql(query(mode, CHOSEN))
        assert relation is not None
        try:
            rows = relation.fetchall()
        except BudgetError:
            rows = []
        assert (relation.stats.calls_run, relation.stats.calls_cached) == (run, cached)
    assert [row[1] for row in rows] == [str(i) for i in range(10)]


@pytest.mark.parametrize("mode", MODES)
def test_in_part_the_rest_is_null(mode: str, scripted: Made) -> None:
    one = scripted(echo)
    set_up(one, mode, max_calls=4, on_budget="partial")
    relation = one.con.sql(query(mode))
    assert relation is not None
    rows = relation.fetchall()
    there = [row[1] for row in rows if row[1] is not None]
    assert len(rows) == 10
    assert len(there) == 4
    assert all(row[1] in (None, str(row[0])) for row in rows)
    assert (relation.stats.calls_run, relation.stats.calls_refused) == (4, 6)
    assert relation.stats.calls_failed == 0
    assert adds_up(relation.stats)


def test_what_was_not_run_says_so(scripted: Made) -> None:
    one = scripted(echo)
    set_up(one, "on", max_calls=1, on_budget="partial", on_error="fail")
    rows = one.con.sql(
        "SELECT g.llm.status, g.llm.error FROM range(2) r(i), "
        "LATERAL LLM_GENERATE('say {r.i}') g ORDER BY i"
    ).fetchall()
    assert rows == [(0, None), (1, "not run: llm_max_calls = 1 is used up")]


@pytest.mark.parametrize("mode", MODES)
def test_conditions_that_were_not_asked_let_no_row_through(mode: str, scripted: Made) -> None:
    one = scripted(lambda messages, spec: ScriptedAnswer("true"))
    set_up(one, mode, max_calls=3, on_budget="partial")
    text = "SELECT i, 1 AS g FROM range(10) r(i) WHERE LLM_FILTER('good {i}?')"
    assert len(one.con.sql(query(mode, text)).fetchall()) == 3


@pytest.mark.parametrize("mode", MODES)
def test_a_chain_of_calls_breaks_where_the_budget_ends(mode: str, scripted: Made) -> None:
    one = scripted(echo)
    set_up(one, mode, max_calls=13, on_budget="partial")
    text = (
        "SELECT i, LLM_GENERATE('b ' || LLM_GENERATE('a {i}')) AS g FROM range(10) r(i) ORDER BY i"
    )
    rows = one.con.sql(query(mode, text)).fetchall()
    assert len(rows) == 10
    assert all(row[1] in (None, str(row[0])) for row in rows)
    assert any(row[1] is None for row in rows)


def test_fetched_and_shared_calls_cost_nothing(scripted: Made) -> None:
    one = scripted(echo)
    one.con.sql("SELECT LLM_GENERATE('say {i}') FROM range(5) r(i)").fetchall()
    one.con.set("llm_max_calls", 2)
    rows = one.con.sql("SELECT LLM_GENERATE('say ' || (i % 7)) FROM range(70) r(i)").fetchall()
    assert len(rows) == 70
    assert one.con.last_stats is not None
    assert one.con.last_stats.calls_run == 2


@pytest.mark.parametrize("mode", MODES)
def test_tokens_stay_within_their_budget(mode: str, scripted: Made) -> None:
    one = scripted(echo)
    set_up(one, mode, max_tokens=90)
    text = SAY.replace("say {i}'", "say something about {i}', max_tokens => 20")
    relation = one.con.sql(query(mode, text))
    assert relation is not None
    with pytest.raises(BudgetError, match="llm_max_tokens = 90 does not allow another call"):
        relation.fetchall()
    stats = relation.stats
    spent = stats.prompt_tokens + stats.output_tokens
    # What was reserved and not used is there for others, up to the longest possible call.
    longest = stats.prompt_tokens / stats.calls_run + 20
    assert 90 - longest <= spent <= 90


def test_a_call_that_may_be_too_long_is_not_sent(scripted: Made) -> None:
    one = scripted(echo)
    one.con.set("llm_max_tokens", 100)
    with pytest.raises(BudgetError) as caught:
        one.con.sql("SELECT LLM_GENERATE('hello')").fetchall()
    assert caught.value.hint == "SET llm_max_tokens to more, or to NULL for no limit"
    assert one.con.sql("SELECT LLM_GENERATE('hello', max_tokens => 50)").fetchall() == [("hello",)]


def test_money_is_counted_by_the_prices_of_the_model(scripted: Made) -> None:
    one = scripted(echo)
    con = one.con
    con.execute(
        "CREATE MODEL dear WITH (engine = 'simulated', price_in = 1000, price_out = 2000,"
        " max_tokens = 10)"
    )
    con.set("llm_default_model", "dear")
    con.set("llm_max_cost", 0.2)
    relation = con.sql("SELECT LLM_GENERATE('say {i}') FROM range(1000) r(i)")
    assert relation is not None
    with pytest.raises(BudgetError, match=r"llm_max_cost = 0\.2 does not allow"):
        relation.fetchall()
    stats = relation.stats
    assert stats.calls_run > 2
    assert (stats.prompt_tokens * 1000 + stats.output_tokens * 2000) / 1e6 <= 0.2


def test_answers_that_are_asked_for_again_count(scripted: Made) -> None:
    one = scripted(lambda messages, spec: ScriptedAnswer("not a number"))
    one.con.set("llm_max_calls", 3)
    one.con.set("llm_on_budget", "partial")
    relation = one.con.sql(
        "SELECT LLM_GENERATE('say {i}', returns => 'INTEGER') FROM range(2) r(i)"
    )
    assert relation is not None
    assert relation.fetchall() == [(None,), (None,)]
    assert relation.stats.requests_sent == 3
    assert relation.stats.calls_refused >= 1


def test_an_answer_cut_off_is_asked_for_again_within_the_budget(scripted: Made) -> None:
    """With twice the room, which must not be had before others have given back theirs."""

    def grows(messages: list[tuple[str, str]], spec: CallSpec) -> ScriptedAnswer:
        return ScriptedAnswer('{"a": "one two three four five six"}')

    one = scripted(grows)
    one.con.set("llm_max_tokens", 400)
    rows = one.con.sql(
        "SELECT g.a FROM range(4) r(i), LATERAL LLM_GENERATE('say {r.i}',"
        " returns => 'STRUCT(a VARCHAR)', max_tokens => 5) g"
    ).fetchall()
    assert rows == [("one two three four five six",)] * 4


@pytest.mark.parametrize("on_budget", ["error", "partial"])
@pytest.mark.parametrize("mode", MODES)
def test_time_that_is_over_ends_calls_in_flight(
    mode: str, on_budget: str, scripted: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every look at the clock is a second later."""
    seconds = iter(range(1_000_000))
    one = scripted(echo)
    set_up(one, mode, max_seconds=3, on_budget=on_budget)
    monkeypatch.setattr(time, "monotonic", lambda: float(next(seconds)))
    relation = one.con.sql(query(mode))
    assert relation is not None
    if on_budget == "error":
        with pytest.raises(BudgetError, match="llm_max_seconds = 3 is over"):
            relation.fetchall()
    else:
        rows = relation.fetchall()
        assert len(rows) == 10
        assert all(row[1] in (None, str(row[0])) for row in rows)
        assert relation.stats.calls_refused == sum(row[1] is None for row in rows) > 0
    assert adds_up(relation.stats)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE t AS SELECT LLM_GENERATE('say {i}') AS g FROM range(10) r(i)",
        "INSERT INTO s SELECT LLM_GENERATE('say {i}') AS g FROM range(10) r(i)",
        "INSERT INTO s SELECT LLM_GENERATE('say {i}') || random() AS g FROM range(10) r(i)",
        "UPDATE s SET g = LLM_GENERATE('say {g}')",
    ],
)
def test_what_writes_is_never_done_in_part(statement: str, scripted: Made) -> None:
    one = scripted(echo)
    one.con.execute("CREATE TABLE s AS SELECT 'x' || i AS g FROM range(10) r(i)")
    set_up(one, "on", max_calls=4, on_budget="partial")
    with pytest.raises(BudgetError):
        one.con.execute(statement)
    assert one.con.execute("SELECT count(*), count(*) FILTER (g LIKE 'x%') FROM s").fetchall() == [
        (10, 10)
    ]
    assert one.con.execute("SELECT count(*) FROM duckdb_tables()").fetchall() == [(1,)]


def test_every_statement_has_a_budget_of_its_own(scripted: Made) -> None:
    one = scripted(echo)
    one.con.set("llm_max_calls", 6)
    two, large, three = one.con.sql_many(
        [
            "SELECT LLM_GENERATE('two {i}') FROM range(5) r(i)",
            "SELECT LLM_GENERATE('large {i}') FROM range(10) r(i)",
            "SELECT LLM_GENERATE('large {i}') FROM range(5) r(i)",
        ]
    )
    assert len(two.fetchall()) == 5
    with pytest.raises(BudgetError):
        large.fetchall()
    assert len(three.fetchall()) == 5
    assert [two.stats.calls_run, large.stats.calls_run] == [5, 6]
    assert three.stats.calls_run + three.stats.calls_shared == 5


def test_a_call_is_paid_by_another_statement_that_needs_it(scripted: Made) -> None:
    one = scripted(echo)
    one.con.set("llm_max_calls", 5)
    first, second = one.con.sql_many(
        [
            "SELECT LLM_GENERATE('say {i}') FROM range(8) r(i)",
            "SELECT LLM_GENERATE('say {i}') FROM range(8) r(i) WHERE i >= 3",
        ]
    )
    with pytest.raises(BudgetError):
        first.fetchall()
    assert [row[0] for row in second.fetchall()] == [str(i) for i in range(3, 8)]


def test_in_part_statements_do_not_learn_of_each_other(scripted: Made) -> None:
    one = scripted(echo)
    set_up(one, "on", max_calls=3, on_budget="partial")
    relations = one.con.sql_many([SAY, SAY])
    for known in (3, 6):
        assert sum(row[1] is not None for row in relations[known // 3 - 1].fetchall()) == known


LOOPS = {
    "each turn reads the last": "SELECT n + 1, LLM_GENERATE('more of {n} {t}') FROM r",
    "each turn by itself": "SELECT n + 1, LLM_GENERATE('more of {n}') FROM r",
    "until the model is content": (
        "SELECT n + 1, LLM_GENERATE('more of {n} {t}') FROM r WHERE NOT LLM_FILTER('good {n} {t}?')"
    ),
    "turns that come to the same": (
        "SELECT n + 1, LLM_GENERATE('more of {t}') FROM r WHERE NOT LLM_FILTER('good {t}?')"
    ),
}


@pytest.mark.parametrize("mode", ["on", "off"])
@pytest.mark.parametrize("turn", LOOPS)
def test_a_loop_without_end_meets_the_limit(
    turn: str, mode: str, scripted: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loops, "_TURNS", 50)
    one = scripted(echo)
    set_up(one, mode, max_calls=8)
    with pytest.raises(BudgetError, match="llm_max_calls = 8"):
        one.con.sql(
            f"WITH RECURSIVE r AS (SELECT 1 AS n, 'x' AS t UNION ALL {LOOPS[turn]}) FROM r"
        ).fetchall()


def test_too_many_failures_fail_the_statement(scripted: Made) -> None:
    def often_fails(messages: list[tuple[str, str]], spec: CallSpec) -> ScriptedAnswer:
        number = int(messages[-1][1].split()[-1])
        return ScriptedAnswer(error="boom") if number % 4 == 0 else ScriptedAnswer("fine")

    one = scripted(often_fails)
    one.con.set("llm_max_error_ratio", 0.2)
    relation = one.con.sql("SELECT LLM_GENERATE('say {i}') FROM range(2000) r(i)")
    assert relation is not None
    with pytest.raises(ExecutionError, match=r"more than llm_max_error_ratio = 0\.2") as caught:
        relation.fetchall()
    assert caught.value.exit_status == 1
    assert 20 <= relation.stats.calls_run < 2000
    one.con.set("llm_max_error_ratio", 0.5)
    assert len(one.con.sql("SELECT LLM_GENERATE('tell {i}') FROM range(99) r(i)").fetchall()) == 99


def test_settings_of_budgets(scripted: Made) -> None:
    con = scripted(echo).con
    con.execute("SET llm_max_calls = 0; SET llm_max_cost = 0.25; SET llm_max_seconds = '1e3'")
    with pytest.raises(BudgetError):
        con.sql(SAY).fetchall()
    for change in (
        "SET llm_max_calls = NULL",
        "SET llm_max_calls = 'none'",
        "RESET llm_max_calls",
    ):
        con.execute("SET llm_max_calls = 0")
        con.execute(change)
        assert len(con.sql(SAY).fetchall()) == 10
    for name, value in (("max_calls", 1.5), ("max_calls", -1), ("max_cost", "much"),
                        ("max_seconds", float("nan")), ("max_error_ratio", 2), ("max_tokens", True),
                        ("max_error_ratio", None), ("on_budget", "stop")):  # fmt: skip
        with pytest.raises(CatalogError):
            con.set(f"llm_{name}", value)


def test_settings_are_shown(scripted: Made) -> None:
    con = scripted(echo).con
    con.execute("SET llm_max_calls = 7; SET llm_max_cost = 0.5")
    assert con.sql("SHOW llm_max_calls").fetchall() == [("7",)]
    assert con.sql("SHOW LLM_Max_Tokens").fetchall() == [("none",)]
    settings = con.sql("SHOW llm_settings").fetchall()
    assert all(meaning for _, _, meaning in settings)
    shown = {name: value for name, value, _ in settings}
    assert (shown["llm_max_cost"], shown["llm_optimizer"], shown["llm_on_budget"]) == (
        "0.5", "on", "error",
    )  # fmt: skip
    for text in ("SHOW llm_max_call", "SELECT current_setting('llm_max_call')"):
        with pytest.raises(CatalogError, match="unknown setting llm_max_call"):
            con.sql(text)
    asked = "SELECT current_setting('llm_max_calls') + 1, CURRENT_SETTING ( 'llm_max_cost' ), "
    asked += "current_setting('llm_on_budget'), current_setting('llm_max_tokens') IS NULL"
    assert con.sql(asked).fetchall() == [(8, 0.5, "error", True)]
    assert con.execute(asked + ", 'current_setting(''llm_x'')'").fetchall() == [
        (8, 0.5, "error", True, "current_setting('llm_x')")
    ]
    assert con.sql(
        "SELECT LLM_GENERATE('say ' || current_setting('llm_max_calls'))"
    ).fetchall() == [("7",)]
    assert con.sql("SELECT current_setting('threads') > 0").fetchall() == [(True,)]
    con.execute("CREATE TABLE llm_settings (a INTEGER)")
    assert con.sql("SHOW llm_settings").fetchall()[0][0] == "a"
