"""SQL of a bound or rewritten query for people: laid out, without what only DuckDB needs.

Casts of constants, schemas of functions and numbers of statements are left out; calls carry the
names of their operators. It is for looking at only, nothing is evaluated from it.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping

import sqlglot
from sqlglot import exp

from heliumql.binder.cuts import (
    CALL,
    EARLY_BOUND,
    ENOUGH,
    INFO,
    LLM,
    LLM_INFO,
    MAYBE,
    READY,
    TESTED,
)

_SITE = re.compile(rf"\b({LLM}|{LLM_INFO})\(\s*(?:CAST\()?(\d+)(?: AS BIGINT\))?")
_CALL = re.compile(rf"\b({CALL}|{INFO})\(\s*\d+,\s*(?:CAST\()?(\d+)(?: AS BIGINT\))?")
_OF_STATEMENT = re.compile(rf"\b({READY}|{ENOUGH}|{TESTED}|{MAYBE})\(\s*\d+,\s*")
_BOUND = re.compile(rf"\b{str(EARLY_BOUND)[:-3]}(\d{{3}})\b")  # a pass puts a number there
_OPERATORS: dict[str, type[exp.Expr]] = {
    "||": exp.DPipe, "+": exp.Add, "-": exp.Sub, "*": exp.Mul, "/": exp.Div, "%": exp.Mod,
}  # fmt: skip


def for_people(sql: str, names: Mapping[int, str]) -> str:
    """The text of a query, indented; where it cannot be read, as it is in lines."""

    def named(found: re.Match[str]) -> str:
        name = names.get(int(found[2]), found[2]).replace("'", "''")
        return f"{found[1]}('{name}'"

    text = _CALL.sub(named, _SITE.sub(named, sql)).replace('"system".main.', "")
    text = _OF_STATEMENT.sub(r"\1(", text)
    text = _BOUND.sub(lambda found: f"$bound{int(found[1]) or ''}", text)
    try:
        tree = sqlglot.parse_one(text, read="duckdb")
        for change in (_plain, _unwrapped):
            for node in reversed(list(tree.walk())):
                other = change(node)
                if other is not node:
                    node.replace(other)
        laid_out = tree.sql(dialect="duckdb", pretty=True, normalize_functions=False)
        return laid_out.replace("LISTAGG(", "string_agg(")
    except sqlglot.errors.SqlglotError:
        return "\n".join(textwrap.wrap(text, 96, break_long_words=False, break_on_hyphens=False))


def _plain(node: exp.Expr) -> exp.Expr:
    """A cast of a constant is the constant, an operator stands between its arguments."""
    if isinstance(node, exp.Cast):
        inside: exp.Expr = node.this
        target = node.to.this
        if target == exp.DataType.Type.BOOLEAN and isinstance(inside, exp.Literal):
            return exp.Boolean(this=inside.this == "true")
        own = isinstance(inside, exp.Anonymous | exp.DPipe) and target == exp.DataType.Type.TEXT
        if own or isinstance(inside, exp.Literal | exp.Null | exp.Boolean):
            return inside
    if isinstance(node, exp.Anonymous) and len(node.expressions) == 2:
        operator = _OPERATORS.get(node.name)
        if operator is not None:
            left, right = node.expressions
            return operator(this=left, expression=right)
    return node


def _unwrapped(node: exp.Expr) -> exp.Expr:
    """Parentheses only where something in them could be read another way."""
    if not isinstance(node, exp.Paren):
        return node
    inside: exp.Expr = node.this
    above = node.parent
    if not isinstance(above, exp.Binary | exp.Unary) or isinstance(above, exp.Paren):
        return inside
    joins = isinstance(above, exp.And | exp.Or | exp.Not)
    if isinstance(inside, exp.And | exp.Or | exp.DPipe):
        return inside if type(inside) is type(above) else node
    if isinstance(inside, exp.Binary):
        return inside if joins and isinstance(inside, exp.Predicate) else node
    return inside
