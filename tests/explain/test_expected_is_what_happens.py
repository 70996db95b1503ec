"""What EXPLAIN says is exact is what a run then does: tests/plans, tests/queries, workflows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from scripted_model import HashModel
from test_same_rows import CASES, SETUP, Case

import heliumql
from heliumql import syntax
from heliumql.connection import Connection, Parsed
from heliumql.engines.engine import CallSpec
from heliumql.engines.simulated import SimulatedEngine
from heliumql.explain import Explanation
from heliumql.optimizer.check import sites
from heliumql.statements.explaining import look_at
from heliumql.stats import Stats

ROOT = Path(__file__).parents[2]
FILES = [*sorted((ROOT / "tests" / "plans").glob("*.hql")),
         *sorted((ROOT / "queries" / "workflows").glob("*.hql"))]  # fmt: skip


def answer(messages: tuple[tuple[str, str], ...], spec: CallSpec) -> str | None:
    """Yes to what is about apples, the third draft is DONE; other types are invented."""
    said = messages[-1][1]
    match spec.returns.sql():
        case "BOOLEAN":
            return "true" if "apple" in said else "false"
        case "VARCHAR":
            drafts = said.count("draft") + 1
            return "draft " * drafts + ("DONE" if drafts >= 3 else said[-5:])
        case _:
            return None


def queries(path: Path) -> Iterator[tuple[Connection, Parsed]]:
    """The queries of a file that have calls; what stands between them is run."""
    with heliumql.connect() as connection:
        connection.register_model("m", SimulatedEngine({"instant": True, "log": False}, answer))
        for parsed in connection.statements(path.read_text("utf-8"), path.name):
            text = parsed.statement.text
            if isinstance(parsed.statement, syntax.LlmSql) and syntax.shell(text).kind == "select":
                yield connection, parsed
            else:
                connection.run(parsed)


def explained(connection: Connection, parsed: Parsed) -> Explanation:
    statement = parsed.statement
    return look_at(connection._session, statement.text, None, statement.span.start).explanation


def run(connection: Connection, parsed: Parsed) -> Stats:
    relation = connection.run(parsed)
    assert relation is not None
    relation.fetchall()
    return relation.stats


def totals(explanation: Explanation) -> tuple[float, float]:
    """Calls to run and calls remembered, of all operators."""
    return (
        sum(o.calls.value for o in explanation.operators if o.calls is not None),
        sum(o.fetched.value for o in explanation.operators if o.fetched is not None),
    )


def check(before: Explanation, stats: Stats, text: str) -> None:
    """Nothing was remembered when it was explained."""
    if before.plan is None:
        return
    if all(o.calls is not None and o.calls.exact for o in before.operators):
        assert totals(before) == (stats.calls_run, 0), text
    if before.passes.exact:
        assert before.passes.value == stats.passes, text


@pytest.fixture(scope="module")
def scripted() -> Iterator[Connection]:
    with heliumql.connect() as connection:
        for statement in SETUP:
            connection.execute(statement)
        model = HashModel(seed=2, failing=0, wild=0)
        engine = SimulatedEngine({"instant": True, "log": False}, model.script)
        connection.register_model("m", engine)
        yield connection


@pytest.mark.parametrize("case", CASES, ids=[c.title for c in CASES])
def test_exact_figures_of_single_queries(case: Case, scripted: Connection) -> None:
    scripted.execute("CLEAR CACHE")
    (parsed,) = scripted.statements(case.query)
    found = look_at(scripted._session, case.query, None, parsed.statement.span.start)
    before = found.explanation
    if found.planned.optimized is not None:
        there = sites(found.planned.optimized.plan.tree)
        assert {o.site for o in before.operators} == there
    check(before, run(scripted, parsed), case.query)


@pytest.mark.parametrize("path", FILES, ids=[p.stem for p in FILES])
def test_exact_figures_of_files(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    for connection, parsed in queries(path):
        connection.execute("CLEAR CACHE")
        before = explained(connection, parsed)
        check(before, run(connection, parsed), parsed.statement.text)


@pytest.mark.parametrize("path", FILES, ids=[p.stem for p in FILES])
def test_once_answers_are_remembered_all_is_exact(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    for connection, parsed in queries(path):
        run(connection, parsed)
        after = explained(connection, parsed)
        if after.plan is None or "Nothing was evaluated" in "".join(after.notes):
            continue
        stats = run(connection, parsed)
        text = parsed.statement.text
        if stats.calls_run:
            continue  # its calls are not remembered (cache => 'off', failed ones)
        assert all(o.calls is not None and o.calls.exact for o in after.operators), text
        assert totals(after)[0] == 0, text
        assert (after.passes.value, after.passes.exact) == (stats.passes, True), text
