"""Every query with calls gives the rows that plain DuckDB gives when it asks the model row by row.

The queries are in the `.sql` files beside this one: a heading (`---- ..`) and the query; after
`-- plain` a translation by hand, where the mechanical one does not reach.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from scripted_model import HashModel
from ways import Ways

SETUP = (
    "CREATE OR REPLACE TABLE t AS SELECT i AS id, "
    "CASE WHEN i % 5 = 4 THEN NULL ELSE 'b' || (i % 4) END AS body, i % 3 AS grp, i * 2 AS val "
    "FROM range(14) r(i)",
    "CREATE OR REPLACE TABLE p (grp INTEGER, name VARCHAR)",
    "INSERT INTO p VALUES (0, 'zero'), (1, 'one'), (3, 'three'), (NULL, 'nul')",
)


@dataclass(frozen=True)
class Case:
    title: str
    query: str
    plain: str | None


def cases() -> Iterator[Case]:
    for path in sorted(Path(__file__).parent.glob("*.sql")):
        for part in re.split(r"(?m)^---- ", path.read_text("utf-8"))[1:]:
            title, _, text = part.partition("\n")
            query, _, plain = text.partition("-- plain\n")
            yield Case(f"{path.stem}: {title}", query.strip(), plain.strip() or None)


CASES = list(cases())


@pytest.fixture(scope="module")
def ways() -> Iterator[Ways]:
    with Ways() as made:
        made.prepare(SETUP, HashModel(seed=2))
        yield made


@pytest.mark.parametrize("case", CASES, ids=[c.title for c in CASES])
def test_rows_are_those_of_plain_duckdb(case: Case, ways: Ways) -> None:
    ways.check(case.query, plain=case.plain)


def test_every_title_is_used_once() -> None:
    assert len({c.title for c in CASES}) == len(CASES) >= 200
