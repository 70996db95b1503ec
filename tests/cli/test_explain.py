"""`heliumql explain`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_program import Run

MODEL = "CREATE TEMP MODEL m WITH (engine = 'simulated');"
QUERY = "SELECT i, LLM_GENERATE('Say {i}') AS said FROM range(3) AS t(i)"


def test_a_file_is_explained_and_what_it_makes_is_made(run: Run, tmp_path: Path) -> None:
    text = f"{MODEL} CREATE TABLE t AS SELECT 7 AS x; SELECT LLM_GENERATE('{{x}}') FROM t;"
    (tmp_path / "a.hql").write_text(text)
    done = run("explain", "a.hql")
    assert done.status == 0, done.err
    assert "prompt: user: {t.x}" in done.out
    assert "rows: 1; calls to run: 1" in done.out
    assert done.err == ""


def test_several_are_told_one_after_another(run: Run) -> None:
    done = run("explain", "-c", f"{MODEL} {QUERY}; {QUERY} WHERE i > 0")
    assert done.out.count("LLM operators") == 2
    assert "-" * 80 in done.out


def test_statements_with_calls_are_not_run(run: Run, tmp_path: Path) -> None:
    made = f"{MODEL} CREATE TABLE made AS {QUERY}"
    assert run("explain", "-c", made, "--database", "a.duckdb").status == 0
    done = run("-c", "SELECT count(*) FROM duckdb_tables()", "--database", "a.duckdb")
    assert done.out.split() == ["count_star()", "0"]
    named = made.replace("TABLE made", "TABLE main.made")
    done = run("explain", "-c", f"{named}; SELECT LLM_GENERATE(said) FROM made")
    assert done.status == 1
    assert "--analyze runs it too" in done.err
    assert "LLM operators" in done.out  # of the statement that could be explained


def test_analyze_runs_them(run: Run) -> None:
    made = f"{MODEL} CREATE TABLE made AS {QUERY}; SELECT LLM_GENERATE(said) FROM made"
    done = run("explain", "-c", made, "--analyze")
    assert done.status == 0, done.err
    assert done.out.count("What happened") == 2
    assert "calls asked: 3; shared: 0; remembered: 0; run: 3" in done.out


def test_stages(run: Run) -> None:
    done = run("explain", "-c", f"{MODEL} {QUERY}", "--stages")
    assert done.out.startswith("1. The text, as written.")
    assert run("explain", "-c", f"{MODEL} {QUERY}", "--stages").out == done.out


def test_formats_and_files(run: Run, tmp_path: Path) -> None:
    text = f"{MODEL} {QUERY}"
    done = run("explain", "-c", text, "--format", "json")
    assert json.loads(done.out)["operators"][0]["calls_expected"] == 3
    assert run("explain", "-c", text, "--format", "mermaid").out.startswith("flowchart TD")
    assert run("explain", "-c", text, "--output", "plan.html").out == ""
    assert (tmp_path / "plan.html").read_text().startswith("<!DOCTYPE html>")
    done = run("explain", "-c", f"{text}; {QUERY}", "--output", "plan.json")
    assert (done.status, "cannot hold 2" in done.err) == (2, True)


def test_parameters_settings_and_models(run: Run) -> None:
    text = f"{MODEL} CREATE TEMP MODEL k WITH (engine = 'simulated'); {QUERY} WHERE i < $n"
    done = run("explain", "-c", text, "--param", "n=2", "--model", "k")
    assert "rows: 2; calls to run: 2" in done.out
    assert "model k" in done.out
    assert run("explain", "-c", QUERY, "--param", "n=2").status == 2


def test_a_query_without_calls_is_duckdbs_to_explain(run: Run) -> None:
    done = run("explain", "-c", "SELECT 42 AS answer")
    assert done.status == 0
    assert "dummy scan" in done.out.lower()


@pytest.mark.parametrize("arguments", [["--stages", "--format", "json"], ["--format", "pdf"]])
def test_usage(run: Run, arguments: list[str]) -> None:
    assert run("explain", "-c", QUERY, *arguments).status == 2


def test_a_mistake_is_shown_in_its_place(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.hql").write_text(f"{MODEL}\nSELECT LLM_GENERATE('{{nope}}') FROM range(3) t(i)")
    done = run("explain", "a.hql")
    assert done.status == 1
    assert "a.hql:2" in done.err
    assert "nope" in done.err
    assert "Traceback" not in done.err
