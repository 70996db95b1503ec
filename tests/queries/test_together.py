"""Several queries evaluated together: equal calls are one, and no query waits for another."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest
import workflows
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scripted_connection import Made, Scripted
from scripted_model import HashModel
from ways import Ways

import heliumql
from heliumql.connection import Connection
from heliumql.engines.engine import CallSpec
from heliumql.engines.simulated import ScriptedAnswer, SimulatedEngine
from heliumql.errors import EngineError
from heliumql.relations.relation import Relation
from heliumql.stats import Stats

Messages = list[tuple[str, str]]


def words(messages: Messages, spec: CallSpec) -> ScriptedAnswer:
    """Says the last word; `slow ..` takes its time, `bad ..` fails."""
    prompt = messages[-1][1]
    error = "boom" if prompt.startswith("bad") else None
    seconds = 1000.0 if prompt.startswith("slow") else 1.0
    return ScriptedAnswer(prompt.split()[-1], error=error, seconds=seconds)


def check_stats(relations: list[Relation], con: Connection) -> Stats:
    """What each of them did adds up, by itself and in all; the total."""
    total = sum((r.stats for r in relations), Stats())
    for stats in [*(r.stats for r in relations), total]:
        assert stats.calls_asked == stats.calls_shared + stats.calls_cached + stats.calls_run
    assert (total.calls_run, total.calls_asked, total.output_tokens) == (
        con.total_stats.calls_run, con.total_stats.calls_asked, con.total_stats.output_tokens
    )  # fmt: skip
    return total


def per_row(word: str, rows: int = 9, extra: str = "") -> str:
    return f"SELECT i, LLM_GENERATE('{word} {{i}}'{extra}) AS a FROM range({rows}) r(i)"


def answers(rows: int = 9) -> list[tuple[int, str]]:
    return [(i, str(i)) for i in range(rows)]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_equal_calls_are_run_once_in_whatever_order_rows_are_read(
    order: tuple[int, ...], scripted: Made
) -> None:
    one = scripted(words)
    one.con.set("llm_cache", "off")
    chain = f"SELECT i, LLM_GENERATE('then ' || a) FROM ({per_row('say')})"
    relations = one.con.sql_many([per_row("say"), chain, per_row("say", 5)])
    assert one.prompts == []
    rows = {number: relations[number].fetchall() for number in order}
    assert rows == {0: answers(), 1: answers(), 2: answers(5)}
    total = check_stats(relations, one.con)
    assert (len(one.prompts), total.calls_run, total.calls_asked) == (18, 18, 9 + 18 + 5)
    assert sum(r.stats.output_tokens for r in relations) == sum(
        c.answer.output_tokens for c in one.engine.log if c.answer
    )


def test_queries_without_a_common_call_take_the_time_of_the_longest(scripted: Made) -> None:
    slow = [per_row("slow a", 3), per_row("slow b", 3), per_row("slow c", 3)]
    apart = scripted(words)
    for text in slow:
        apart.con.sql(text).fetchall()
    one = scripted(words)
    for relation in one.con.sql_many(slow):
        assert relation.fetchall() == answers(3)
    assert one.engine.now * 2.5 < apart.engine.now


def test_the_engine_never_waits_between_queries_of_several_passes(scripted: Made) -> None:
    """A query that inspects goes on while another one's slow call is awaited."""
    one = scripted(words)
    inspecting = f"SELECT LLM_GENERATE('second {{a}}') FROM ({per_row('first')}) WHERE a <> '3'"
    slow, other = one.con.sql_many([per_row("slow", 1), inspecting])
    assert slow.fetchall() == answers(1)
    late = [c.prompt for c in one.engine.log if c.submitted > 500]
    assert late == []
    assert other.fetchall() == [(str(i),) for i in range(9) if i != 3]
    assert (other.stats.passes, len(one.prompts)) == (2, 1 + 9 + 8)


def test_rows_come_before_the_calls_of_later_queries_are_answered(scripted: Made) -> None:
    one = scripted(words)
    first, slow = one.con.sql_many([per_row("say"), per_row("slow", 3)])
    assert first.fetchall() == answers()
    assert one.engine.now < 500
    assert len(one.prompts) == 12  # the slow ones are on their way
    assert slow.fetchall() == answers(3)


def test_rows_of_two_relations_can_be_read_in_turns(scripted: Made) -> None:
    one = scripted(words)
    one.con.set("llm_batch_rows", 1)
    left, right = one.con.sql_many([per_row("say"), per_row("say")])
    pairs = list(zip(left.batches(), right.batches(), strict=True))
    assert [a.to_pylist() == b.to_pylist() for a, b in pairs] == [True] * 9
    assert len(one.prompts) == 9
    check_stats([left, right], one.con)


def test_relations_can_be_read_by_several_threads(scripted: Made) -> None:
    one = scripted(words)
    relations = one.con.sql_many([per_row(f"say {n % 2}", 50) for n in range(6)])
    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(Relation.fetchall, relations)) == [answers(50)] * 6
    assert len(one.prompts) == 100


def test_a_relation_read_again_is_evaluated_again(scripted: Made) -> None:
    one = scripted(words)
    one.con.execute("CREATE TABLE t AS SELECT 0 AS i")
    relations = one.con.sql_many(["SELECT i, LLM_GENERATE('say {i}') FROM t", per_row("say")])
    assert [r.fetchall() for r in relations] == [answers(1), answers()]
    one.con.execute("INSERT INTO t VALUES (1)")
    assert relations[0].fetchall() == answers(2)
    assert (relations[0].stats.calls_cached, relations[0].stats.calls_run) == (2, 0)


# errors ---------------------------------------------------------------------------------------


def test_a_query_that_must_not_fail_fails_alone(scripted: Made) -> None:
    one = scripted(words)
    good, bad, null, last = one.con.sql_many(
        [
            per_row("say"),
            per_row("bad", 3, ", on_error => 'fail'"),
            per_row("bad", 3),
            per_row("say", 4),
        ]
    )
    assert last.fetchall() == answers(4)
    assert null.fetchall() == [(i, None) for i in range(3)]
    with pytest.raises(heliumql.HeliumQLError, match="boom") as raised:
        bad.fetchall()
    assert raised.value.span is not None
    assert good.fetchall() == answers()


@pytest.mark.parametrize("first", [0, 1])
def test_a_call_that_has_failed_for_another_query_fails_one_that_must_not(
    first: int, scripted: Made
) -> None:
    """Also where it is asked for after it failed."""
    one = scripted(words)
    later = (
        "SELECT LLM_GENERATE('bad 1', on_error => 'fail') FROM range(2) r(i) "
        "WHERE LLM_GENERATE('say {i}') = '1'"
    )
    relations = one.con.sql_many(["SELECT LLM_GENERATE('bad 1')", later])
    for number in (first, 1 - first):
        if number == 0:
            assert relations[0].fetchall() == [(None,)]
        else:
            with pytest.raises(heliumql.HeliumQLError, match="boom"):
                relations[1].fetchall()


@pytest.mark.parametrize("where", ["start", "submit", "advance", "deliver"])
def test_an_engine_that_fails_ends_the_queries_that_need_it(where: str, scripted: Made) -> None:
    one = scripted(words)
    broken = SimulatedEngine(
        {"engine": "simulated"}, lambda m, s: EngineError("broken") if where == "deliver" else "x"
    )
    if where != "deliver":

        def raises(*_: object) -> None:
            raise ValueError("broken")

        setattr(broken, where, raises)
    one.con.register_model("b", broken)
    one.con.set("llm_default_model", "m")
    calls = per_row("say", 9, ", model => 'b'")
    left, failing, right = one.con.sql_many([per_row("say"), calls, per_row("say", 4)])
    assert left.fetchall() == answers()
    with pytest.raises(heliumql.HeliumQLError, match="broken"):
        failing.fetchall()
    assert right.fetchall() == answers(4)
    assert one.con.sql(per_row("say")).fetchall() == answers()  # type: ignore[union-attr]


def test_an_error_of_the_data_is_told_by_the_relation_that_has_it(scripted: Made) -> None:
    one = scripted(words)
    casting = "SELECT CAST(CASE WHEN i > 2 THEN 'x' ELSE '1' END AS INT), LLM_GENERATE('s {i}') "
    left, bad, right = one.con.sql_many(
        [per_row("say"), casting + "FROM range(9) r(i)", per_row("and", 4)]
    )
    assert right.fetchall() == answers(4)
    assert left.fetchall() == answers()
    with pytest.raises(heliumql.HeliumQLError, match="'x'"):
        bad.fetchall()
    assert one.con.sql("SELECT 1").fetchall() == [(1,)]  # type: ignore[union-attr]


def test_a_mistake_in_one_of_the_texts_is_told_at_once(scripted: Made) -> None:
    one = scripted(words)
    with pytest.raises(heliumql.HeliumQLError, match="nobody"):
        one.con.sql_many([per_row("say"), "SELECT LLM_GENERATE('{nobody}') FROM range(2) r(i)"])
    with pytest.raises(heliumql.HeliumQLError, match="one statement"):
        one.con.sql_many(["SELECT 1; SELECT 2"])
    assert one.prompts == []


# what stands between --------------------------------------------------------------------------


def test_other_statements_run_in_their_turn(scripted: Made) -> None:
    one = scripted(words)
    made, left, plain, sampled, right = one.con.sql_many(
        [
            "CREATE TABLE t AS SELECT 7 AS i",
            "SELECT i, LLM_GENERATE('say {i}') FROM t",
            "SELECT count(*) FROM t",
            "SELECT i, LLM_GENERATE('say {i}', temperature => 1) FROM t",
            "SELECT i, LLM_GENERATE('say {i}') FROM t",
        ]
    )
    assert right.fetchall() == sampled.fetchall() == left.fetchall() == [(7, "7")]
    assert plain.fetchall() == [(1,)]
    assert made.fetchall() == [(1,)]  # as DuckDB says it
    assert len(one.prompts) == 2


def test_parameters_go_to_those_that_name_them(scripted: Made) -> None:
    one = scripted(words)
    left, right = one.con.sql_many(
        ["SELECT LLM_GENERATE('say ' || $a)", "SELECT LLM_GENERATE('say ' || $b), $a"],
        {"a": "x", "b": "y"},
    )
    assert (right.fetchall(), left.fetchall()) == ([("y", "x")], [("x",)])


@pytest.mark.parametrize("mode", ["on", "off"])
def test_queries_that_use_the_store_and_that_do_not_keep_apart(mode: str, scripted: Made) -> None:
    one = scripted(words)
    one.con.set("llm_optimizer", mode)
    one.con.sql(per_row("say")).fetchall()  # type: ignore[union-attr]
    texts = [per_row("say"), per_row("say", 9, ", cache => 'refresh'")]
    for relation in one.con.sql_many(texts):
        assert relation.fetchall() == answers()
    assert len(one.prompts) == (18 if mode == "on" else 27)


@pytest.mark.parametrize("own", [True, False])
def test_all_see_one_snapshot(own: bool, scripted: Made, tmp_path: Path) -> None:
    one = scripted(words, database=str(tmp_path / "d.duckdb"))
    one.con.execute("CREATE TABLE t AS SELECT i FROM range(3) r(i)")
    if own:
        one.con.execute("BEGIN; INSERT INTO t VALUES (3)")
    first, second = one.con.sql_many(
        [
            "SELECT i, LLM_GENERATE('say {i}') FROM t",
            "SELECT LLM_GENERATE('n {n}') FROM (SELECT count(*) AS n FROM t, range(1) r(j) "
            "WHERE LLM_GENERATE('say {j}') = '0')",
        ]
    )
    batches = first.batches()
    next(batches)
    if not own:
        with one.con.duckdb.cursor() as other:
            other.execute("INSERT INTO t VALUES (3)")
    batches.close()
    assert second.fetchall() == [("4" if own else "3",)]
    if own:
        one.con.execute("ROLLBACK")
    assert len(one.con.sql("FROM t").fetchall()) == (3 if own else 4)  # type: ignore[union-attr]


# ending ---------------------------------------------------------------------------------------


def half_read(one: Scripted) -> tuple[list[Relation], list[object]]:
    one.con.set("llm_batch_rows", 1)
    relations = one.con.sql_many([per_row("say", 500), per_row("say", 5), per_row("slow", 3)])
    batches = relations[0].batches()
    next(batches)
    return relations, [batches]


def test_calls_of_an_abandoned_relation_are_run_only_where_others_need_them(
    scripted: Made,
) -> None:
    one = scripted(words, max_num_seqs=4)
    relations, held = half_read(one)
    held.clear()
    assert relations[1].fetchall() == answers(5)
    assert relations[2].fetchall() == answers(3)
    assert len(one.prompts) < 30
    total = check_stats(relations, one.con)
    assert total.calls_run == len([c for c in one.engine.log if c.answer and not c.answer.error])


def test_relations_that_nobody_holds_are_not_evaluated(scripted: Made) -> None:
    one = scripted(words)
    assert one.con.sql_many([per_row("say"), per_row("slow")])[0].fetchall() == answers()
    assert len(one.prompts) == 9


def test_another_statement_lets_the_rows_be_read_later(scripted: Made) -> None:
    one = scripted(words)
    relations, held = half_read(one)
    one.con.execute("CREATE TABLE t AS SELECT 1 AS i")
    assert relations[1].fetchall() == answers(5)
    assert relations[2].fetchall() == answers(3)
    assert sum(b.num_rows for b in held[0]) == 499  # type: ignore[attr-defined]
    check_stats(relations, one.con)


def test_closing_leaves_nothing_running(scripted: Made) -> None:
    one = scripted(words, max_num_seqs=4)
    relations, held = half_read(one)
    asked = len(one.prompts)
    one.con.close()
    assert all(c.finished is not None for c in one.engine.log)
    for relation in relations[1:]:
        with pytest.raises(heliumql.HeliumQLError, match="closed"):
            relation.fetchall()
    with pytest.raises(heliumql.HeliumQLError, match="closed"):
        next(held[0])  # type: ignore[call-overload]
    assert len(one.prompts) == asked


def test_an_interrupt_stops_the_one_that_is_read_and_the_others_can_be_read(
    scripted: Made,
) -> None:
    waiting = threading.Event()

    def answer(messages: Messages, spec: CallSpec) -> ScriptedAnswer:
        if messages[-1][1].startswith("slow"):
            one.con.interrupt()
            waiting.set()
        return words(messages, spec)

    one = scripted(answer, max_num_seqs=4)
    left, right = one.con.sql_many([per_row("slow"), per_row("say")])
    with pytest.raises(heliumql.HeliumQLError, match="interrupted"):
        left.fetchall()
    assert waiting.is_set()
    assert right.fetchall() == answers()


def test_statements_of_another_cursor_share_calls_in_flight(scripted: Made) -> None:
    one = scripted(words)
    relations, _ = half_read(one)
    with one.con.cursor() as other:
        assert other.sql(per_row("say", 9)).fetchall() == answers()  # type: ignore[union-attr]
    assert relations[1].fetchall() == answers(5)
    assert len(one.prompts) == len(set(one.prompts))


# files ----------------------------------------------------------------------------------------


def test_queries_of_a_file_are_evaluated_together(scripted: Made, tmp_path: Path) -> None:
    one = scripted(words)
    path = tmp_path / "f.hql"
    path.write_text(
        f"CREATE TABLE t AS SELECT i FROM range(3) r(i); {per_row('slow', 3)}; SELECT 42; "
        f"SELECT i, LLM_GENERATE('slow {{i}}') FROM t WHERE i < $most; INSERT INTO t VALUES (3); "
        f"SELECT i, LLM_GENERATE('slow more {{i}}') FROM t"
    )
    results = one.con.run_file(path, {"most": 2})
    assert [r.fetchall() for r in results] == [answers(3), [(42,)], answers(2), answers(4)]
    assert [c.submitted > 500 for c in one.engine.log] == [False] * 3 + [True] * 4
    assert check_stats([r for r in results if r.stats.calls_asked], one.con).calls_run == 7


def test_what_stands_before_a_mistake_in_a_file_is_run(scripted: Made, tmp_path: Path) -> None:
    one = scripted(words)
    path = tmp_path / "f.hql"
    path.write_text(f"{per_row('a', 3)}; {per_row('b', 3)}; SELECT LLM_GENERATE('{{nobody}}')")
    running = one.con.run_all([(s, None) for s in one.con.statements(path.read_text())])
    for _ in range(2):
        relation = next(running)[1]
        assert relation is not None
        assert relation.fetchall() == answers(3)
    with pytest.raises(heliumql.HeliumQLError, match="nobody"):
        next(running)
    assert max(c.submitted for c in one.engine.log) == 0


# the same rows --------------------------------------------------------------------------------


@settings(
    max_examples=60,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example],
)
@given(seed=st.integers(0, 2**32), random=st.randoms(use_true_random=False))
def test_random_workflows_give_the_same_rows_together(seed: int, random: Random) -> None:
    model = HashModel(seed, failing=random.choice([0, 11, 17]), wild=random.choice([0, 9, 30]))
    queries = [workflows.workflow(random) for _ in range(random.choice([2, 3]))]
    with Ways() as ways:
        ways.prepare(workflows.tables(random), model)
        apart = [ways.outcome(q, "on") for q in queries]
        ways.connection.execute("CLEAR CACHE")
        ways.connection.set("llm_window_bytes", random.choice([1, 128_000_000]))
        ways.connection.set("llm_batch_rows", random.choice([2, 1024]))
        ways.connection.set("llm_cache", random.choice(["use", "off"]))
        if any(o.error is not None for o in apart):  # an order by a constant: DuckDB refuses it
            queries = [q for q, o in zip(queries, apart, strict=True) if o.error is None]
            apart = [o for o in apart if o.error is None]
        relations = ways.connection.sql_many(queries)
        order = list(range(len(queries)))
        random.shuffle(order)
        together = {n: sorted(map(repr, relations[n].fetchall())) for n in order}
        for number, relation in enumerate(relations):
            assert together[number] == apart[number].rows, queries
            stats = relation.stats
            assert stats.calls_asked == stats.calls_shared + stats.calls_cached + stats.calls_run
