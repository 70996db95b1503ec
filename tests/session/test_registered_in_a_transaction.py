"""A connection of the user's in the middle of a transaction stays in it when HeliumQL joins."""

from __future__ import annotations

import duckdb

import heliumql


def test_joining_a_transaction_does_not_abort_it() -> None:
    with duckdb.connect() as theirs:
        theirs.execute("BEGIN")
        theirs.execute("CREATE TABLE t AS SELECT 1 AS x")
        with heliumql.connect(theirs) as con, heliumql.connect(theirs) as another:
            assert con.execute("FROM t").fetchall() == [(1,)]
            assert another.execute("FROM t").fetchall() == [(1,)]
        theirs.execute("COMMIT")
        assert theirs.execute("FROM t").fetchall() == [(1,)]
