"""Rows come in batches that begin small, so that the first are seen soon."""

from __future__ import annotations

from heliumql.connection import Connection


def test_the_first_batch_is_small_and_the_setting_bounds_the_others(connection: Connection) -> None:
    connection.set("llm_batch_rows", 40)
    relation = connection.sql("SELECT i, LLM_GENERATE('row {i}') AS t FROM range(200) r(i)")
    assert relation is not None
    batches = list(relation.batches())
    assert [b.num_rows for b in batches] == [16, 32, 40, 40, 40, 32]
    assert [i for b in batches for i in b.column("i").to_pylist()] == list(range(200))
