"""EXPLAIN takes queries; what it does not take it says, with the place."""

from __future__ import annotations

import pytest

from heliumql.connection import Connection
from heliumql.errors import HeliumQLError


@pytest.mark.parametrize(
    "statement",
    ["SHOW CACHE", "CLEAR CACHE", "CREATE MODEL x WITH (engine = 'simulated')",
     "SET llm_cache = 'off'", "CREATE PROMPT p AS 'hello'"],
)  # fmt: skip
@pytest.mark.parametrize("options", ["", "ANALYZE", "(FORMAT json)"])
def test_what_is_no_query_is_not_explained(
    tables: Connection, statement: str, options: str
) -> None:
    with pytest.raises(HeliumQLError, match="EXPLAIN takes a query") as caught:
        tables.execute(f"EXPLAIN {options} {statement}")
    assert f"| EXPLAIN {options} {statement}" in str(caught.value)
    assert "^" * len(statement) in str(caught.value)


def test_stages_are_those_of_calls(tables: Connection) -> None:
    with pytest.raises(HeliumQLError, match="is for statements with LLM calls") as caught:
        tables.execute("EXPLAIN (FORMAT stages) SELECT 1")
    assert "^" * len("stages") in str(caught.value)


@pytest.mark.parametrize("form", ["json", "html", "mermaid"])
def test_other_formats_of_a_plain_statement_are_duckdbs(tables: Connection, form: str) -> None:
    (row,) = tables.execute(f"EXPLAIN (FORMAT {form}) SELECT 42").fetchall()
    assert "42" in row[1]


@pytest.mark.parametrize("before", ["EXPLAIN ", ""])
def test_a_pivot_by_values_of_the_data_says_what_to_write(tables: Connection, before: str) -> None:
    pivot = "PIVOT (SELECT id, LLM_GENERATE('{body}') AS g FROM reviews) ON g USING count(*)"
    with pytest.raises(HeliumQLError, match="takes no values from the data") as caught:
        tables.execute(before + pivot)
    assert "(SQL)" not in str(caught.value)
    assert "ON g IN" in str(caught.value)
    tables.execute(before + pivot.replace("ON g", "ON g IN ('a', 'b')")).fetchall()
