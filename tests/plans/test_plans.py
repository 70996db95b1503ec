"""Queries and their plans, as recorded: `pytest --record` rewrites what stands behind `-->`.

A `.hql` file here is a sequence of statements. Behind a query with calls stand its call sites, the
rules that fired, cuts and columns, and the passes and calls that a run took on a model that answers
from a script. Every query runs without remembered answers, but where a line above it begins with
`-- remembered:` and says `answers` or `statistics`: these of the queries before are kept. It runs
once more with the optimizer off, which must give the same rows.

A file of `verbs/` shows one LLM function in all its places. A file of `rules/` shows one rule at
work; below a heading that begins with `---- Not` it must not fire.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from plan_text import plan_lines, run_lines

import heliumql
from heliumql.connection import Connection, Parsed
from heliumql.engines.engine import CallSpec
from heliumql.engines.simulated import ScriptedAnswer, SimulatedEngine
from heliumql.optimizer import RULES
from heliumql.relations.plain import PlainRelation
from heliumql.relations.relation import Relation

HERE = Path(__file__).parent
REPOSITORY = HERE.parent.parent
FILES = sorted(HERE.glob("**/*.hql"))
WORKFLOWS = sorted((REPOSITORY / "queries" / "workflows").glob("*.hql"))
RESULT = "--> "
REMEMBERED = "-- remembered: "
FORGET = {"answers": None, "statistics": "CLEAR CACHE WHERE true", "": "CLEAR CACHE"}


def answer(messages: tuple[tuple[str, str], ...], spec: CallSpec) -> str | ScriptedAnswer | None:
    """What the model says: a draft more than it was told of; from the third on it is DONE.

    Yes to what is about apples, 7 to what asks for a number; other types are invented. What is
    about something broken fails.
    """
    said = messages[-1][1]
    if "broken" in said:
        return ScriptedAnswer(error="broken")
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
    """A query of a file: its title, what its plan and its run turned out to be, its heading."""

    title: str
    lines: tuple[str, ...]
    heading: str = ""


def with_model() -> Connection:
    connection = heliumql.connect()
    connection.register_model("m", SimulatedEngine({"instant": True, "log": False}, answer))
    return connection


def observed(connection: Connection, parsed: Parsed, before: str) -> Seen | None:
    """Runs a statement, with what stands before it; None where it has no calls."""
    forget = FORGET[remembered(before)]
    if forget is not None:
        connection.execute(forget)
    connection.last_stats = None
    result = connection.run(parsed)
    statement = parsed.statement
    if not isinstance(result, Relation) or isinstance(result, PlainRelation):
        stats = connection.last_stats
        made = stats and stats.calls_asked
        return Seen(title(before), tuple(run_lines(stats))) if stats and made else None
    planned = connection._session.planned(statement.text, None, statement.span.start)
    rows, stats = result.fetchall(), result.stats
    lines = (*plan_lines(planned), *run_lines(stats))
    assert stats.calls_asked == (
        stats.calls_shared + stats.calls_cached + stats.calls_run - stats.calls_wasted
    )
    connection.set("llm_verify", True)
    if not remembered(before):
        connection._session.shared.learnt.clear()  # else the second plan may be another one
    again = connection.run(parsed)
    assert isinstance(again, Relation)
    assert again.fetchall() == rows
    anew = any(site.sampled or site.cache != "use" for site in planned.sites.values())
    once = again.stats.calls_run <= stats.calls_failed
    assert once or anew, f"{title(before)}: a second run asks again"
    connection.set("llm_verify", False)
    connection.set("llm_optimizer", "off")
    reference = connection.run(parsed)
    assert isinstance(reference, Relation)
    assert Counter(map(repr, reference.fetchall())) == Counter(map(repr, rows)), title(before)
    connection.set("llm_optimizer", "on")
    return Seen(title(before), lines)


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
    comments = [x for x in lines if x.startswith("-- ") and not x.startswith(REMEMBERED)]
    return " ".join(x.removeprefix("-- ") for x in comments)


def remembered(before: str) -> str:
    """What is kept of the queries above a statement, as its comment says."""
    lines = before.rstrip("\n").split("\n\n")[-1].split("\n")
    said = [x.removeprefix(REMEMBERED) for x in lines if x.startswith(REMEMBERED)]
    return said[0] if said else ""


def recorded(path: Path) -> tuple[str, str, list[Seen]]:
    """The file as it is, as it would be recorded now, and what was seen on the way."""
    seen = []
    with with_model() as connection:
        whole, heading = "", ""
        for parsed, before, behind in statements(connection, path):
            whole = whole or before
            found = observed(connection, parsed, before)
            for line in before.split("\n"):
                heading = line.removeprefix("---- ") if line.startswith("---- ") else heading
            end, *rest = behind.split("\n")
            rest = [x for x in rest if not x.startswith(RESULT)]
            if found is not None:
                seen.append(replace(found, heading=heading))
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
                assert not by_call or path.parent != HERE, query


def test_rules_fire_where_their_files_say(file: tuple[Path, str, list[Seen]]) -> None:
    path, _, seen = file
    if path.parent.name != "rules":
        return
    for query in seen:
        fired = any(x.startswith(f"rule {path.stem}:") for x in query.lines)
        assert fired != query.heading.startswith("Not"), f"{path.stem}: {query.title}"
    must_not = sum(query.heading.startswith("Not") for query in seen)
    assert len(seen) - must_not >= 2
    assert must_not >= 4


def test_every_rule_has_a_file() -> None:
    assert {path.stem for path in (HERE / "rules").glob("*.hql")} == set(RULES)


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
