"""Which calls are the same: one of two is asked, in a statement and across statements."""

from __future__ import annotations

import json

import pytest
from scripted_connection import Made, Scripted

from heliumql.engines.engine import CallSpec
from heliumql.types import SqlType

G, C, E = "LLM_GENERATE", "LLM_CLASSIFY", "LLM_EXTRACT"
SAMPLES = "SELECT g.text FROM LLM_GENERATE('s', n => {}, seed => {}, temperature => 1) AS g"
ALL_LABELS = (
    "Choose all labels that fit the text.\nLabels: a, b\nAnswer with a JSON array of labels.\n\n"
    "Text: t"
)
OF_ENUMS = """Answer with a JSON array: ["a" | "b", ...]."""

SAME = [
    (f"{G}('s')", f"{G}('s', temperature => 0)"),
    (f"{G}('s')", f"{G}('s', max_tokens => 256)"),
    (f"{G}('s')", f"{G}('s', retries => 5, on_error => 'fail')"),
    (f"{G}('s')", f"{G}('s', system => NULL, history => [])"),
    (f"{G}('s')", f"{G}('s', model => 'm')"),
    (f"{G}('s')", "SELECT g.text FROM LLM_GENERATE('s', n => 3) AS g"),
    (SAMPLES.format(2, 5), SAMPLES.format(1, 5)),
    (SAMPLES.format(2, 5), SAMPLES.format(1, 6)),
    (f"{G}('s', returns => 'STRUCT(a INTEGER)')", f"{G}('s' RETURNS STRUCT(\"a\" INT NOT NULL))"),
    (f"{G}('s') > 3", f"{G}('s', returns => 'DOUBLE')"),
    (f"{G}('s') = 3", f"{G}('s', returns => 'INTEGER')"),
    (f"{G}('s')::DATE", f"{G}('s', returns => 'DATE')"),
    ("LLM_SCORE('s')", f"{G}('s', returns => 'DOUBLE')"),
    ("LLM_FILTER('s')", f"{G}('s', returns => 'BOOLEAN')"),
    (f"{C}('t', ['a', 'b'])", f"{C}('t', labels => ['a', 'b'], instruction => '')"),
    (f"{C}('t', ['a', 'b'])", f"{C}('t', ['a', 'b'], multi => false)"),
    (f"{E}('t', ['a'])", f"{E}('t', ['a'], returns => 'STRUCT(a VARCHAR NULL)')"),
    (f"{E}('t', ['a'])", f"SELECT g.a FROM {E}('t', ['a']) AS g"),
    ("LLM_AGG('t', 's')", "LLM_AGG(DISTINCT 't', 's')"),
    ("LLM_AGG('', 's')", "LLM_AGG(DISTINCT '' || '', 's')"),
    ("LLM_SIMILARITY('s', 's')", "LLM_EMBED('s')"),
]
DIFFERENT = [
    (f"{G}('s')", f"{G}('s ')"),
    (f"{G}('s')", f"{G}('s', max_tokens => 255)"),
    (f"{G}('s')", f"{G}('s', stop => ['x'])"),
    (f"{G}('s')", f"{G}('s', system => '')"),
    (f"{G}('s')", f"{G}('s', thinking => 'on')"),
    (f"{G}('s', thinking => 'on')", f"{G}('s', thinking => 'off')"),
    (f"{G}('s')", f"{G}('s', seed => 1)"),
    (f"{G}('s', seed => 1)", f"{G}('s', seed => 2)"),
    (SAMPLES.format(1, 5), SAMPLES.format(1, 6)),
    (f"{G}('s', history => [{{'role': 'user', 'content': 'a'}}])",
     f"{G}('s', history => [{{'role': 'assistant', 'content': 'a'}}])"),
    (f"{G}('s', returns => 'INTEGER')", f"{G}('s', returns => 'BIGINT')"),
    (f"{G}('s', returns => 'STRUCT(a INTEGER)')", f"{G}('s', returns => 'STRUCT(a INTEGER NULL)')"),
    (f"{G}('s', returns => 'DECIMAL(5,2)')", f"{G}('s', returns => 'DECIMAL(6,2)')"),
    (f"{G}('s', returns => 'ENUM(''a'',''b'')')", f"{G}('s', returns => 'ENUM(''b'',''a'')')"),
    (f"{G}('s') = 3", f"{G}('s', returns => 'VARCHAR')"),
    (f"{C}('t', ['a', 'b'])", f"{C}('t', ['b', 'a'])"),
    (f"{C}('t', ['a', 'b'])", f"{C}('t', ['a', 'b', 'c'])"),
    (f"{C}('t', ['a', 'b'])", f"{C}('t', ['a', 'b'], 'Be quick.')"),
    (f"{C}('t', ['a', 'b'])", f"{C}('t', ['a', 'b'], multi => true)"),
    (f"{C}('t', ['a', 'b'])", f"{C}('t', {{'a': 'first', 'b': 'second'}})"),
    (f"{C}('t', ['a, b', 'c'])", f"{C}('t', ['a', 'b, c'])"),
    # the labels that fit are put in order without duplicates, what is generated is taken as it is
    (f"{C}('t\n{OF_ENUMS}', ['a', 'b'], multi => true)",
     f"{G}('{ALL_LABELS}', returns => 'ENUM(''a'',''b'')[]')"),
    (f"{E}('t', ['a'])", f"{E}('t', {{'a': 'Which?'}})"),
    (f"{E}('t', ['a'])", f"{E}('t', ['a'], returns => 'STRUCT(a INTEGER)')"),
    ("LLM_AGG('t', 's')", "LLM_AGG('t', 's', returns => 'INTEGER')"),
    ("LLM_AGG('t', 's')", f"{G}('s\n---\nt')"),  # which never becomes a tree
    ("LLM_EMBED('s')", f"{G}('s', returns => 'FLOAT[]')"),
]  # fmt: skip


def script(messages: object, spec: CallSpec) -> str:
    """The smallest answer that fits."""
    value = fitting(spec.returns)
    return value if isinstance(value, str) else json.dumps(value)


def fitting(returns: SqlType) -> object:
    match returns.name:
        case "ENUM":
            return returns.values[0]
        case "LIST":
            assert returns.item is not None
            return [fitting(returns.item)]
        case "STRUCT":
            return {name: fitting(kind) for name, kind in returns.fields}
        case "BOOLEAN":
            return True
        case "DATE":
            return "2024-02-29"
        case "VARCHAR":
            return "7"
        case _:
            return 7


def query(part: str) -> str:
    return part if part.startswith("SELECT") else f"SELECT {part}"


def both(pair: tuple[str, str]) -> str:
    """One statement that holds both; calls that are written alike would not be two expressions."""
    a, b = (f"SELECT list(x)::VARCHAR FROM ({query(part)}) AS q(x)" for part in pair)
    return f"{a} UNION ALL {b}"


def calls_run(one: Scripted, text: str) -> int:
    relation = one.con.sql(text)
    assert relation is not None
    relation.fetchall()
    return relation.stats.calls_run


@pytest.mark.parametrize("pair", SAME, ids=" is ".join)
def test_the_same_call_is_asked_once(pair: tuple[str, str], scripted: Made) -> None:
    one = scripted(script)
    first = calls_run(one, query(pair[0]))
    assert first > 0
    assert calls_run(one, query(pair[1])) == 0
    one.con.execute("CLEAR CACHE")
    assert calls_run(one, both(pair)) == first


@pytest.mark.parametrize("pair", DIFFERENT, ids=" is not ".join)
def test_different_calls_are_asked_each(pair: tuple[str, str], scripted: Made) -> None:
    one = scripted(script)
    assert calls_run(one, query(pair[0])) == 1
    assert calls_run(one, query(pair[1])) == 1
    one.con.execute("CLEAR CACHE")
    assert calls_run(one, both(pair)) == 2
