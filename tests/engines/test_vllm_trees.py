"""Aggregates that are longer than the context of a vLLM model."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

import heliumql

QUERY = """
    SELECT i % 3 AS part, LLM_AGG('note ' || i, 'Sum up.' ORDER BY i, max_tokens => 6) AS said
    FROM range(60) AS notes(i) WHERE i % 3 > 0 OR i < 6 GROUP BY part ORDER BY part
"""


@pytest.mark.skipif(importlib.util.find_spec("vllm") is None, reason="vLLM is not installed")
def test_a_long_group_is_a_tree_and_is_remembered(checkpoint: Path) -> None:
    with heliumql.connect() as con:
        con.execute(
            f"CREATE MODEL m WITH (engine = 'vllm', model = '{checkpoint}', max_model_len = 160)"
        )
        first = con.sql(QUERY)
        rows, stats = first.fetchall(), first.stats
        assert len(rows) == 3
        assert all(said is not None for _, said in rows)
        assert stats.calls_failed == 0
        assert stats.calls_run == stats.requests_sent
        assert stats.calls_asked == stats.calls_run + stats.calls_shared
        assert stats.calls_asked >= 1 + 2 * 3  # two chunks and a merge at least of long groups
        again = con.sql(QUERY)
        assert again.fetchall() == rows
        assert (again.stats.calls_asked, again.stats.calls_cached) == (3, 3)
        con.execute("SET llm_optimizer = 'off'")
        assert con.sql(QUERY).fetchall() == rows
