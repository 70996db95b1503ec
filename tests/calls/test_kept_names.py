"""Which answers a later session uses again: those of calls that nothing tells apart."""

from __future__ import annotations

from pathlib import Path

import pytest

import heliumql

_MODEL = "CREATE MODEL m WITH (engine = 'simulated', model = 'small')"
_CALL = "LLM_GENERATE('say {i}')"


def run(path: Path, definitions: str, call: str) -> tuple[int, int]:
    """Runs five calls in a session of its own; how many an engine answered, and the store."""
    with heliumql.connect(path) as con:
        con.execute(definitions)
        relation = con.sql(f"SELECT {call} FROM range(5) t(i)")
        assert relation is not None
        relation.fetchall()
        return relation.stats.calls_run, relation.stats.calls_cached


@pytest.mark.parametrize(
    ("definitions", "call"),
    [
        ("SELECT 1", _CALL),
        ("SELECT 1", "LLM_GENERATE('say ' || i)"),  # the same messages
        ("SELECT 1", "LLM_GENERATE('say {i}', retries => 5, on_error => 'null')"),
        ("SELECT 1", "LLM_GENERATE('say {i}', max_tokens => 256, temperature => 0)"),
        (f"CREATE OR REPLACE {_MODEL[7:]}", _CALL),
        ("DROP MODEL m; " + _MODEL.replace("MODEL m", "MODEL other"), _CALL),
        (_MODEL.replace("CREATE", "CREATE OR REPLACE").replace(")", ", concurrency = 3)"), _CALL),
    ],
)  # fmt: skip
def test_answers_are_used_again(tmp_path: Path, definitions: str, call: str) -> None:
    path = tmp_path / "my.duckdb"
    assert run(path, _MODEL, _CALL) == (5, 0)
    assert run(path, definitions, call) == (0, 5)


@pytest.mark.parametrize(
    ("definitions", "call"),
    [
        (_MODEL.replace("CREATE", "CREATE OR REPLACE").replace("small", "large"), _CALL),
        (_MODEL.replace("CREATE", "CREATE OR REPLACE").replace(")", ", revision = 'b')"), _CALL),
        (_MODEL.replace("CREATE", "CREATE OR REPLACE").replace(")", ", max_tokens = 9)"), _CALL),
        ("SELECT 1", "LLM_GENERATE('say {i}', max_tokens => 9)"),
        ("SELECT 1", "LLM_GENERATE('say {i}', seed => 1)"),
        ("SELECT 1", "LLM_GENERATE('say {i}', top_p => 0.5)"),
        ("SELECT 1", "LLM_GENERATE('say {i}', stop => '.')"),
        ("SELECT 1", "LLM_GENERATE('say {i}', system => 'be brief')"),
        ("SELECT 1", "LLM_GENERATE('say {i}', system => '')"),
        ("SELECT 1", "LLM_GENERATE('say {i}', history => [{role: 'user', content: 'hi'}])"),
        ("SELECT 1", "LLM_GENERATE('say {i}', returns => 'INTEGER')"),
        ("SELECT 1", "LLM_GENERATE('say  {i}')"),
    ],
)
def test_what_can_change_an_answer_asks_anew(tmp_path: Path, definitions: str, call: str) -> None:
    path = tmp_path / "my.duckdb"
    assert run(path, _MODEL, _CALL) == (5, 0)
    assert run(path, definitions, call) == (5, 0)
    assert run(path, definitions.replace("DROP MODEL m; ", "").replace(
        "CREATE MODEL", "CREATE OR REPLACE MODEL"), call) == (0, 5)  # fmt: skip
