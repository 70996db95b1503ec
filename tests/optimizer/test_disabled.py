"""Every query of the project gives the same rows with any rule that fires disabled, and with all.

The queries are those of tests/queries/*.sql, tests/plans and queries/. `OPEN` names those whose
rows SQL itself leaves open, and why.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import test_plans
import test_same_rows
from scripted_model import HashModel
from ways import Ways

from heliumql.connection import Connection, Parsed
from heliumql.optimizer import RULES
from heliumql.relations.plain import PlainRelation
from heliumql.relations.relation import Relation

TESTS = Path(__file__).parent.parent
REPOSITORY = TESTS.parent
OPEN = {
    "queries/complaints.hql": "LIMIT without an order takes any rows of a join",
}
SCRIPTS = [
    *sorted((TESTS / "plans").glob("**/*.hql")),
    *sorted((REPOSITORY / "queries").glob("**/*.hql")),
]


def name(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


def fired(connection: Connection, text: str, offset: int = 0) -> list[str]:
    """The rules that change the plan of a query, each once."""
    planned = connection._session.planned(text, None, offset)
    firings = planned.optimized.firings if planned.optimized is not None else ()
    return list(dict.fromkeys(f.rule for f in firings))


def check(connection: Connection, rules: list[str], rows: Callable[[], Counter[str]]) -> None:
    """The rows are the same without each of the rules, and without any rule there is."""
    expected = rows()
    for disabled in [*rules, ",".join(RULES)] if rules else ():
        connection.set("llm_disabled_rules", disabled)
        assert rows() == expected, f"with {disabled} disabled"
        connection.set("llm_disabled_rules", "")


@pytest.fixture(scope="module")
def ways() -> Iterator[Ways]:
    with Ways() as made:
        made.prepare(test_same_rows.SETUP, HashModel(seed=2))
        yield made


@pytest.mark.parametrize("case", test_same_rows.CASES, ids=lambda c: c.title)
def test_queries_give_the_same_rows(case: test_same_rows.Case, ways: Ways) -> None:
    connection = ways.connection
    connection.execute("CLEAR CACHE")
    if not (rules := fired(connection, case.query)):
        return

    def rows() -> Counter[str]:
        relation = connection.sql(case.query)
        assert relation is not None
        return Counter(map(repr, relation.fetchall()))

    check(connection, rules, rows)


@pytest.mark.parametrize("path", SCRIPTS, ids=name)
def test_scripts_give_the_same_rows(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if name(path) in OPEN:
        pytest.skip(OPEN[name(path)])
    monkeypatch.chdir(REPOSITORY)
    with test_plans.with_model() as connection:
        for parsed, _, _ in test_plans.statements(connection, path):
            if not parsed.statement.text.lstrip("( \n").upper().startswith(("SELECT", "WITH")):
                connection.run(parsed)
                continue
            rules = fired(connection, parsed.statement.text, parsed.statement.span.start)
            check(connection, rules, lambda parsed=parsed: counted(connection, parsed))


def counted(connection: Connection, parsed: Parsed) -> Counter[str]:
    result = connection.run(parsed)
    assert isinstance(result, Relation | PlainRelation)
    return Counter(map(repr, result.fetchall()))


def test_queries_left_out_are_there() -> None:
    assert set(OPEN) <= {name(path) for path in SCRIPTS}
