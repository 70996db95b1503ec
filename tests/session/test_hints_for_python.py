"""What is amiss in a program says what next in Python's terms."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import heliumql
from heliumql.errors import ExecutionError


@pytest.fixture
def con() -> heliumql.Connection:
    connection = heliumql.connect()
    connection.execute("CREATE MODEL m WITH (engine = 'simulated')")
    return connection


def test_a_file_that_is_not_there(con: heliumql.Connection, tmp_path: Path) -> None:
    (tmp_path / "hello.hql").write_text("SELECT 1")
    with pytest.raises(ExecutionError, match=r"cannot read .*helo\.hql: No such file") as told:
        con.run_file(tmp_path / "helo.hql")
    assert told.value.hint == f"did you mean {tmp_path / 'hello.hql'}?"


def test_a_file_that_is_no_text(con: heliumql.Connection, tmp_path: Path) -> None:
    (tmp_path / "a.hql").write_bytes(b"SELECT '\xff'")
    with pytest.raises(ExecutionError, match=r"a\.hql is not UTF-8 text"):
        con.run_file(tmp_path / "a.hql")


@pytest.mark.parametrize(("library", "method"), [("pandas", "df"), ("polars", "pl")])
def test_a_library_that_is_not_installed(
    con: heliumql.Connection, monkeypatch: pytest.MonkeyPatch, library: str, method: str
) -> None:
    found = importlib.util.find_spec

    def without(name: str, *given: Any) -> object:
        return None if name == library else found(name, *given)

    monkeypatch.setattr(importlib.util, "find_spec", without)
    relation = con.sql("SELECT LLM_GENERATE('x')")
    assert relation is not None
    with pytest.raises(ExecutionError, match=f"{library} is not installed") as told:
        getattr(relation, method)()
    assert told.value.hint is not None
    assert told.value.hint.startswith(f"pip install {library}; ")
    assert con.total_stats.calls_run == 0  # nothing was paid for


NAMED = 'params={"who": VALUE} gives it one'
WAYS: list[tuple[Callable[[heliumql.Connection], object], str]] = [
    (lambda con: con.sql("SELECT $who"), NAMED),
    (lambda con: con.sql("SELECT LLM_GENERATE($who)"), NAMED),
    (lambda con: con.execute("SELECT LLM_GENERATE($who)"), NAMED),
    (lambda con: con.sql("SELECT ?"), "params=[VALUE, ..] gives each ? one"),
]


@pytest.mark.parametrize(("way", "hint"), WAYS)
def test_a_parameter_without_a_value(
    con: heliumql.Connection, way: Callable[[heliumql.Connection], object], hint: str
) -> None:
    with pytest.raises(ExecutionError, match="Values were not provided") as told:
        way(con)
    assert told.value.hint == hint


def test_a_parameter_of_a_file(con: heliumql.Connection, tmp_path: Path) -> None:
    (tmp_path / "a.hql").write_text("SELECT LLM_GENERATE($who)")
    with pytest.raises(ExecutionError) as told:
        con.run_file(tmp_path / "a.hql")
    assert told.value.hint == NAMED
