"""The tests of DB-API drivers by Stuart Bishop (dbapi-compliance on PyPI), as they are."""

from __future__ import annotations

from pathlib import Path

import dbapi20
import pytest

from heliumql import dbapi


class TestCompliance(dbapi20.DatabaseAPI20Test):
    driver = dbapi

    @pytest.fixture(autouse=True)
    def _database(self, tmp_path: Path) -> None:
        self.connect_args = (str(tmp_path / "a.duckdb"),)

    def test_nextset(self) -> None:
        """To be written for each driver: a statement has one set of rows here, which is allowed."""
        con = self._connect()
        assert not hasattr(con.cursor(), "nextset")
        assert not hasattr(con.cursor(), "callproc")

    def test_setoutputsize(self) -> None:
        """To be written for each driver: it may do nothing."""
        cursor = self._connect().cursor()
        cursor.setoutputsize(1)
        assert cursor.execute("SELECT repeat('x', 100)").fetchone() == ("x" * 100,)
