"""What one rule makes of a query, in SQL that a person can read: for the doctests of rules.

The queries are over t(id, body, k), 2,000 rows, and u(k, name), 3 rows. They call models as
llm(text), other_llm(text) (another site, the same model and parameters) and dear_llm(text) (the
same at a price).
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import duckdb
import pyarrow as pa

from heliumql.binder import tree
from heliumql.binder.bind import bind, column_types, estimated_rows, printed
from heliumql.binder.cuts import ENOUGH
from heliumql.optimizer import Generate, Knowledge, Optimized, Plan, Rule, optimize
from heliumql.optimizer.phase import Phase
from heliumql.optimizer.rule import Rewrite
from heliumql.syntax import CALL_FUNCTION, HISTORY_TYPE, Core
from heliumql.syntax.core import SourceMap

SITES = {"llm": 1, "other_llm": 2, "dear_llm": 3}
TABLES = """
CREATE TABLE t AS SELECT i AS id, 'body ' || i AS body, i % 7 AS k FROM range(2000) AS r(i);
CREATE TABLE u AS SELECT i AS k, 'name ' || i AS name FROM range(3) AS r(i);
CREATE SEQUENCE numbers;
"""


class Known:
    """Statistics that say the same of every predicate."""

    def __init__(self, share: float | None = None) -> None:
        self.share = share

    def selectivity(self, predicate: bytes) -> float | None:
        return self.share

    def order(self, block: bytes) -> tuple[tuple[bytes, ...], float | None] | None:
        return None


def generates() -> dict[int, Generate]:
    plain = Generate(1, "llm", "m", b"kind", b"template", returns="VARCHAR", seconds=1.0)
    other = replace(plain, number=2, name="other_llm")
    dear = replace(plain, number=3, name="dear_llm", template=b"dear", price=0.1, kind=b"dear")
    return {1: plain, 2: other, 3: dear}


def connection() -> duckdb.DuckDBPyConnection:
    """A database with the tables, and models that cannot be asked."""

    def asked(site: pa.Array, prompt: pa.Array, system: pa.Array, history: pa.Array) -> pa.Array:
        raise RuntimeError("a model was asked")

    con = duckdb.connect()
    types = ["BIGINT", "VARCHAR", "VARCHAR", HISTORY_TYPE]
    con.create_function(
        CALL_FUNCTION, asked, types, "VARCHAR", type="arrow", null_handling="special"
    )
    con.execute(TABLES)
    for name, number in SITES.items():
        con.execute(f"CREATE MACRO {name}(x) AS {CALL_FUNCTION}({number}, x::VARCHAR, NULL, NULL)")
    return con


def after(
    con: duckdb.DuckDBPyConnection,
    rules: tuple[Rewrite, ...],
    sql: str,
    known: Known | None = None,
    changed: Mapping[int, Generate] | None = None,
) -> Optimized:
    """The plan of the query after these rules, with what they did."""
    core = Core(sql, (), SourceMap(()))
    bound = bind(con, core, None)
    aggregates = con.execute(
        "SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_type = 'aggregate'"
    ).fetchall()
    knowledge = Knowledge(
        known or Known(),
        frozenset(row[0] for row in aggregates),
        lambda query: estimated_rows(con, query),
        lambda query: column_types(con, query),
    )
    plan = Plan(bound.tree, {**generates(), **(changed or {})})
    phase = Phase("shown", tuple(Rule(r) for r in rules), until_stable=True)
    return optimize(plan, knowledge, (phase,))


def readable(value: Any) -> Any:
    """The tree without what only DuckDB needs to read."""
    match value:
        case {"class": "CAST", "child": {"class": "CONSTANT"} as constant}:
            return constant
        case {"class": "CAST", "child": {"class": "FUNCTION"} as call}:
            return readable(call)
        case {"class": "FUNCTION", "function_name": name, "arguments": arguments}:
            shown = [readable(a) for a in arguments]
            if name == CALL_FUNCTION:
                number = tree.constant_integer(arguments[0]["expression"])
                name = next(n for n, site in SITES.items() if site == number)
                shown = shown[1:2]
            elif name == ENOUGH:
                name, shown = "enough", shown[3:]
            plain = {**value, "arguments": shown, "schema": "", "catalog": ""}
            path = {"path": [name]}
            operator = name == "||"
            return {**plain, "function_name": name, "qualified_name": path, "is_operator": operator}
        case dict():
            return {k: readable(v) for k, v in value.items()}
        case list():
            return [readable(v) for v in value]
        case _:
            return value


def shown(rule: Rewrite, sql: str, *, lets_through: float | None = None, stored: int = 0) -> None:
    """Prints the query after the rule, or what it did otherwise; 'nothing' where it did not fire.

    `lets_through` is the share of rows that predicates let through in earlier runs, `stored` the
    number of answers that the store has of each kind.
    """
    changed = {n: replace(g, stored=stored) for n, g in generates().items()}
    with connection() as con:
        sql = textwrap.dedent(sql).strip()
        result = after(con, (rule,), sql, Known(lets_through), changed)
        if not result.firings:
            print("nothing")
            return
        if result.plan.tree is result.firings[0].before.tree:
            print("\n".join(what for firing in result.firings for what in firing.what))
            return
        text = printed(con, readable(result.plan.tree))
        text = re.sub(r"77000000000000000\d\d", "<bound>", text.replace("memory.main.", ""))
        text = text.replace('"system".main.', "")
        print(textwrap.fill(text, 88, break_long_words=False, break_on_hyphens=False))
