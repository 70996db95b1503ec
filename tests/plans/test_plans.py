"""Queries and their plans, as recorded: `pytest --record` rewrites what stands behind `-->`.

A `.hql` file beside this one is a sequence of statements. Behind a query with calls stand its call
sites, cuts and columns, and the passes and calls that a run took on a model that answers from a
script. Every query runs without remembered answers.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from plan_text import plan_lines, run_lines

import heliumql
from heliumql.connection import Connection, Parsed
from heliumql.engines.engine import CallSpec
from heliumql.engines.simulated import SimulatedEngine
from heliumql.relation import PlainRelation, Relation

HERE = Path(__file__).parent
REPOSITORY = HERE.parent.parent
FILES = sorted(HERE.glob("*.hql"))
WORKFLOWS = sorted((REPOSITORY / "queries" / "workflows").glob("*.hql"))
RESULT = "--> "


def answer(messages: tuple[tuple[str, str], ...], spec: CallSpec) -> str | None:
    """What the model says: a draft more than it was told of; from the third on it is DONE.

    Yes to what is about apples, 7 to what asks for a number; other types are invented.
    """
    said = messages[-1][1]
    match spec.returns.sql():
        case "BOOLEAN":
            return "true" if "apple" in said else "false"
        case "INTEGER":
            return "7"
        case "VARCHAR":
            drafts = said.count("draft") + 1
            return "draft " * drafts + ("DONE" if drafts >= 3 else said[-5:])
        case _:
            return None


@dataclass(frozen=True)
class Seen:
    """A query of a file: its title, and what its plan and its run turned out to be."""

    title: str
    lines: tuple[str, ...]


def with_model() -> Connection:
    connection = heliumql.connect()
    connection.register_model("m", SimulatedEngine({"instant": True, "log": False}, answer))
    return connection


def observed(connection: Connection, parsed: Parsed, title: str) -> Seen | None:
    """Runs a statement; None where it has no calls."""
    connection.execute("CLEAR CACHE")
    connection.last_stats = None
    result = connection.run(parsed)
    statement = parsed.statement
    if not isinstance(result, Relation) or isinstance(result, PlainRelation):
        stats = connection.last_stats
        return Seen(title, tuple(run_lines(stats))) if stats and stats.calls_asked else None
    planned = connection._session.planned(statement.text, None, statement.span.start)
    rows, stats = result.fetchall(), result.stats
    lines = (*plan_lines(planned), *run_lines(stats))
    assert stats.calls_asked == (
        stats.calls_shared + stats.calls_cached + stats.calls_run - stats.calls_wasted
    )
    connection.set("llm_verify", True)
    again = connection.run(parsed)
    assert isinstance(again, Relation)
    assert again.fetchall() == rows
    sampled = any(site.sampled for site in planned.sites.values())
    assert again.stats.calls_run == 0 or sampled, f"{title}: a second run asks again"
    connection.set("llm_verify", False)
    connection.set("llm_optimizer", "off")
    reference = connection.run(parsed)
    assert isinstance(reference, Relation)
    assert Counter(map(repr, reference.fetchall())) == Counter(map(repr, rows)), title
    connection.set("llm_optimizer", "on")
    return Seen(title, lines)


def statements(connection: Connection, path: Path) -> Iterator[tuple[Parsed, str, str]]:
    """Each statement with what stands before it and behind it, up to the next."""
    text = path.read_text("utf-8")
    found = connection.statements(text, path.name)
    starts = [p.statement.span.start for p in found] + [len(text)]
    before = text[: starts[0]]
    for parsed, following in zip(found, starts[1:], strict=True):
        behind = text[parsed.statement.span.end : following]
        yield parsed, before, behind
        before = behind


def title(before: str) -> str:
    """The comment directly above a statement."""
    lines = before.rstrip("\n").split("\n\n")[-1].split("\n")
    return " ".join(x.removeprefix("-- ") for x in lines if x.startswith("-- "))


def recorded(path: Path) -> tuple[str, str, list[Seen]]:
    """The file as it is, as it would be recorded now, and what was seen on the way."""
    seen = []
    with with_model() as connection:
        whole = ""
        for parsed, before, behind in statements(connection, path):
            whole = whole or before
            found = observed(connection, parsed, title(before))
            end, *rest = behind.split("\n")
            rest = [x for x in rest if not x.startswith(RESULT)]
            if found is not None:
                seen.append(found)
                rest = [RESULT + x for x in found.lines] + rest
            whole += "\n".join([parsed.statement.text + end, *rest])
    return path.read_text("utf-8"), whole, seen


@pytest.fixture(scope="module", params=FILES, ids=[p.stem for p in FILES])
def file(request: pytest.FixtureRequest) -> tuple[Path, str, list[Seen]]:
    path: Path = request.param
    there, now, seen = recorded(path)
    if request.config.getoption("record"):
        path.write_text(now, "utf-8")
        there = now
    assert there == now, f"{path.name} is not what is seen now: pytest --record rewrites it"
    return path, there, seen


def test_plans_are_as_recorded(file: tuple[Path, str, list[Seen]]) -> None:
    assert file[2], f"{file[0].name} holds no query with calls"


def test_files_keep_what_their_names_say(file: tuple[Path, str, list[Seen]]) -> None:
    path, _, seen = file
    for query in seen:
        cut = any(x.startswith("cut") for x in query.lines)
        one = query.lines[-1].startswith("1 pass:")
        by_call = any(x.startswith("call by call") for x in query.lines)
        match path.stem:
            case "carried":
                assert (one, cut, by_call) == (True, False, False), query
            case "inspected":
                assert (one, cut, by_call) == (False, True, False), query
            case "call_by_call":
                assert by_call, query
            case _:
                assert not by_call, query


def test_titles_are_used_once(file: tuple[Path, str, list[Seen]]) -> None:
    titles = [query.title for query in file[2]]
    assert all(titles)
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("path", WORKFLOWS, ids=[p.stem for p in WORKFLOWS])
def test_workflows_are_planned_as_recorded(
    path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(REPOSITORY)
    lines = [line for query in recorded(path)[2] for line in query.lines]
    text, record = "\n".join(lines) + "\n", HERE / "workflows" / f"{path.stem}.txt"
    if request.config.getoption("record"):
        record.write_text(text, "utf-8")
    assert record.read_text("utf-8") == text


def test_ci_does_not_record() -> None:
    command = [sys.executable, "-m", "pytest", "--record", "--collect-only", str(HERE)]
    environment = {**os.environ, "CI": "1"}
    done = subprocess.run(command, env=environment, cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "before CI sees them" in done.stderr
