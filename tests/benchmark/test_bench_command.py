"""`heliumql bench SUITE` and its report, on the simulated engine at small sizes."""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
from dataclasses import fields
from pathlib import Path

import pytest
from measured_rows import made_row, sql
from started_program import heliumql

SIZE = ("--engine", "simulated", "--scale", "0.2", "--rows", "2", "--repeat", "2")


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("results")
    systems = "heliumql,random,op_wise,oracle,one_row"
    done = heliumql("bench", "all", *SIZE, "--systems", systems, "--output", folder)
    assert done.returncode == 0, done.stderr
    return folder


def table(text: str, suite: str) -> dict[str, dict[str, str]]:
    """The cells of a suite's table in the report, by system and column."""
    section = text.split(f"## {suite}: ", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    head, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {row[0]: dict(zip(head, row, strict=True)) for row in rows}


def test_without_merging_equal_calls_are_run_each(tmp_path: Path) -> None:
    systems = "heliumql:unmerged,heliumql"
    run = heliumql("bench", "trading", *SIZE, "--systems", systems, "--output", tmp_path)
    assert run.returncode == 0, run.stderr
    found = sql(tmp_path, "SELECT DISTINCT system, calls_run FROM measured ORDER BY 1")
    assert found == [("heliumql", 2 * 56), ("heliumql:unmerged", 2 * 88)]


def test_the_report_begins_with_the_ratios_of_all_suites(results: Path) -> None:
    done = heliumql("bench", "report", results)
    head, *rows = [
        [cell.strip(" *") for cell in line.strip("|").split("|")]
        for line in done.stdout.split("## Against HeliumQL: ")[1].split("\n## ")[0].splitlines()
        if line.startswith("| ")
    ]
    assert head == ["suite", "heliumql:random", "heliumql:op_wise"]
    pairs = """SELECT suite, median(o.seconds / h.seconds) FROM measured AS h JOIN measured AS o
        USING (run, suite, turn) WHERE h.system = 'heliumql' AND o.system = 'heliumql:random'
        GROUP BY suite"""
    wanted = {suite: f"{ratio:.2f}" for suite, ratio in sql(results, pairs)}
    found = {row[0]: row[1] for row in rows}
    assert found.pop("suites") == "11"
    of_all = [found.pop(name) for name in ("geometric mean", "mean", "least", "greatest")]
    assert found == wanted
    assert float(of_all[2]) <= float(of_all[0]) <= float(of_all[1]) <= float(of_all[3])
    assert of_all[3] == max(wanted.values(), key=float)


def test_the_report_says_what_gaps_to_the_limit_consist_of(results: Path) -> None:
    done = heliumql("bench", "report", results)
    head, *rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in done.stdout.split("## To the limit")[1].split("\n## ")[0].splitlines()
        if line.startswith("| ")
    ]
    median = """SELECT suite, median(seconds) FILTER (system = 'heliumql'),
        greatest(median(seconds) FILTER (system = 'oracle'),
                 median(seconds) FILTER (system = 'one_row')) FROM measured GROUP BY suite"""
    wanted = {suite: values for suite, *values in sql(results, median)}
    assert {row[0] for row in rows} == set(wanted)
    for row in (dict(zip(head, cells, strict=True)) for cells in rows):
        seconds, least = (float(str(v)) for v in wanted[row["suite"]])
        assert row["to the limit"] == f"{seconds / least:.2f}"
        assert row["gap"] == f"{seconds - least:+.2f}"
        assert row["of it planning"] == "0.00"  # virtual seconds do not pass meanwhile
        assert float(row["steps, to the fewest"]) >= 1


def test_every_run_is_a_row(results: Path) -> None:
    from measured.row import Row
    from suites.suite import SUITES

    columns = [name for name, *_ in sql(results, "DESCRIBE measured")]
    assert columns == [field.name for field in fields(Row)]
    found = sql(results, "SELECT suite, system, count(DISTINCT turn) FROM measured GROUP BY ALL")
    systems = ("heliumql", "heliumql:random", "heliumql:op_wise", "oracle", "one_row")
    suites = [suite for suite in SUITES if not suite.startswith("prefix_")]
    assert set(found) == {(suite, system, 2) for suite in suites for system in systems}
    assert sql(results, "SELECT bool_and(equal), count(DISTINCT run) FROM measured") == [(True, 1)]
    assert sql(results, "FROM measured WHERE hit_tokens > prompt_tokens OR calls_run = 0") == []
    [(csv,)] = sql(results, f"SELECT count(*) FROM '{results}/*.csv'")
    assert sql(results, "SELECT count(*) FROM measured") == [(csv,)]


def test_rows_are_read_as_they_were_written(tmp_path: Path, results: Path) -> None:
    from measured.files import read, write

    rows = read(results)
    write(tmp_path / "deeper", "again", rows)
    assert read(tmp_path / "deeper") == rows


def test_the_report_has_every_suite_and_its_ratios_are_those_of_sql(results: Path) -> None:
    done = heliumql("bench", "report", results)
    assert done.returncode == 0, done.stderr
    by_pairs = """
        SELECT m.suite, m.system, median(m.seconds / b.seconds), min(m.seconds / b.seconds),
            max(m.seconds / b.seconds)
        FROM measured AS m JOIN measured AS b USING (run, suite, turn)
        WHERE b.system = 'heliumql' AND m.system LIKE 'heliumql%' GROUP BY ALL
    """
    found = sql(results, by_pairs)
    assert len(found) == 11 * 3
    for suite, system, *expected in found:
        cells = table(done.stdout, str(suite))[str(system)]
        told = [cells[c] for c in ("ratio", "least ratio", "greatest ratio")]
        assert told == [f"{value:.2f}" for value in expected]
    by_limit = """
        WITH medians AS (SELECT suite, system, median(seconds) AS m FROM measured GROUP BY ALL),
        limits AS (SELECT suite, max(m) AS least FROM medians
            WHERE system IN ('oracle', 'one_row') GROUP BY ALL)
        SELECT suite, system, m / least FROM medians JOIN limits USING (suite)
        WHERE system LIKE 'heliumql%'
    """
    for suite, system, expected in sql(results, by_limit):
        assert table(done.stdout, str(suite))[str(system)]["to the limit"] == f"{expected:.2f}"


def test_the_tokens_of_the_report_are_those_of_the_rows(results: Path) -> None:
    done = heliumql("bench", "report", results)
    computed = """
        SELECT suite, system, median(prompt_tokens - hit_tokens),
            sum(hit_tokens) / sum(prompt_tokens) FROM measured GROUP BY ALL
    """
    for suite, system, tokens, hits in sql(results, computed):
        cells = table(done.stdout, str(suite))[str(system)]
        assert cells["tokens computed"] == f"{tokens:,.0f}"
        assert cells["hits"] == f"{hits:.1%}"


def test_a_seed_gives_other_texts_and_apart_other_calls(tmp_path: Path) -> None:
    for number, more in enumerate((["--seed", "1"], ["--apart"], ["--kept"])):
        folder = tmp_path / str(number)
        arguments = ("map_reduce_questions", *SIZE, "--systems", "heliumql", *more)
        done = heliumql("bench", *arguments, "--output", folder)
        assert done.returncode == 0, done.stderr
        assert "| heliumql |" in done.stdout
    seeded = sql(tmp_path / "0", "SELECT DISTINCT seed, apart, calls_run FROM measured")
    apart = sql(tmp_path / "1", "SELECT DISTINCT seed, apart, calls_run FROM measured")
    assert seeded == [(1, False, 2 * (7 + 1))]  # fourteen experts, seven roles
    assert apart == [(0, True, 2 * (14 + 1))]


def test_quick_says_what_it_is_and_writes_nothing() -> None:
    done = heliumql("bench", "all", "--quick", "--engine", "simulated")
    assert done.returncode == 0, done.stderr
    assert "a small part: mixed (rows: 4), map_reduce (rows: 2)" in done.stderr
    assert re.findall(r"(?m)^### (\w+):", done.stdout) == ["mixed", "map_reduce"]
    assert "written" not in done.stderr


def test_quick_has_few_rows_of_every_suite() -> None:
    from bench.chosen import chosen
    from suites.suite import SUITES

    from heliumql.cli.bench.suite import suite_parser

    for suite in SUITES.values():
        given = suite_parser(suite.name).parse_args(["--quick", "--engine", "simulated"])
        quick = chosen(given)
        assert (quick.suites, quick.repeat) == ((suite.name,), 1)
        assert 1 <= quick.rows_of(suite) < suite.rows
        assert quick.scale_of(suite) == suite.scale
    done = heliumql("bench", "debate", "--quick", "--engine", "simulated")
    assert done.returncode == 0, done.stderr
    assert "a small part: debate (rows: 1)" in done.stderr


def test_other_answers_are_told_and_ratios_are_of_pairs() -> None:
    from report.tables import compared

    rows = [
        made_row("heliumql", 0, 2.0),
        made_row("other", 0, 3.0, equal=False),
        made_row("heliumql", 1, 4.0),
    ]
    lines = compared(rows).splitlines()
    cells = [cell.strip() for cell in lines[3].strip("|").split("|")]
    assert cells[:7] == ["other", "3.00", "3.00", "3.00", "1.50", "1.50", "1.50"]  # one pair
    assert cells[-1] == "DIFFER"
    assert "80" in cells  # tokens computed


def test_own_prompts_are_not_compared_and_settings_are_told_apart(tmp_path: Path) -> None:
    from measured.files import read, write
    from report.tables import compared

    rows = [
        made_row("lotus", 0, 3.0, equal=None, setting="tuned"),
        made_row("heliumql", 0, 2.0),
        made_row("langgraph", 0, 3.0, setting="default"),
        made_row("langgraph", 0, 4.0, equal=False, setting="tuned"),
        made_row("raw", 0, 4.0),
    ]
    write(tmp_path, "again", rows)
    assert read(tmp_path) == rows
    shown = compared(rows)
    cells = [[c.strip() for c in line.strip("|").split("|")] for line in shown.splitlines()[2:7]]
    assert {line[0]: line[-1] for line in cells} == {
        "lotus (tuned)": "own prompts",
        "heliumql": "equal",
        "langgraph (default)": "equal",
        "langgraph (tuned)": "DIFFER",
        "raw": "equal",
    }
    assert "answers are compared with those of heliumql." in shown


def test_a_name_is_a_system_and_its_best_or_another_setting() -> None:
    from bench.named import Named, named, others, shortest

    assert named("langgraph") == Named("langgraph", "tuned")
    assert named("langgraph:default") == Named("langgraph", "default")
    assert named("lotus") == Named("lotus", "tuned", own_prompts=True)
    assert named("raw") == Named("raw", "default")
    assert named("heliumql:random") == Named("heliumql:random", "default")
    assert named("oracle") == Named("oracle", "default")
    names = set(others())
    assert {"daft", "raw", "docetl", "docetl:default", "docetl:tuned"} <= names
    assert not {"daft:tuned", "raw:default", "heliumql"} & names
    assert [shortest(f"lotus:{s}") for s in ("tuned", "default")] == ["lotus", "lotus:default"]


def options(suite: str, systems: str | None = None, engine: str = "server") -> argparse.Namespace:
    from heliumql.cli.bench.suite import suite_parser

    given = ["--engine", engine, *(["--systems", systems] if systems else [])]
    return suite_parser(suite).parse_args(given)


@pytest.mark.usefixtures("vllm_seems_installed")
def test_systems_of_tables_are_compared_on_tables_once_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bench.chosen import chosen
    from suites.suite import SUITES
    from systems.system import SYSTEMS, _place

    monkeypatch.setenv("HELIUMQL_BENCH_ENVIRONMENTS", str(tmp_path))
    of_tables = {name for name, system in SYSTEMS.items() if system.tier == "B"}
    assert of_tables == {"daft", "lotus", "docetl", "blendsql"}
    assert not of_tables & set(chosen(options("tables")).systems)
    place = _place(SYSTEMS["lotus"])
    place.mkdir()
    (place / "complete").touch()
    everything = chosen(options("all"))
    assert of_tables & set(everything.systems) == {"lotus"}
    assert "lotus" in everything.systems_of(SUITES["tables"])
    assert "lotus" not in everything.systems_of(SUITES["mixed"])
    named = chosen(options("all", "heliumql,daft,lotus:default,langgraph:tuned"))
    assert named.systems_of(SUITES["tables"]) == ["heliumql", "daft", "lotus:default", "langgraph"]
    assert named.systems_of(SUITES["debate"]) == ["heliumql", "langgraph"]


@pytest.mark.usefixtures("vllm_seems_installed")
@pytest.mark.parametrize(
    ("suite", "told"),
    [
        ("debate", "daft cannot run debate: call .* depends on first_0, "),
        ("iterative", "daft cannot run iterative: call summary_2 .* depends on summary_1, "),
        ("mixed", "daft cannot run mixed: there are 16 operators, "),
    ],
)
def test_what_is_no_table_is_not_for_systems_of_tables(suite: str, told: str) -> None:
    from bench.chosen import chosen

    from heliumql.cli.parser import UsageError

    with pytest.raises(UsageError, match=told):
        chosen(options(suite, "heliumql,daft"))


@pytest.mark.usefixtures("vllm_seems_installed")
@pytest.mark.parametrize("name", ["daft:tuned", "raw:default", "langgraph:fast"])
def test_settings_that_there_are_not_are_told(name: str) -> None:
    from bench.chosen import chosen

    from heliumql.cli.parser import UsageError

    with pytest.raises(UsageError, match=f"no system '{name}'"):
        chosen(options("tables", f"heliumql,{name}"))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("mixd", "did you mean mixed?"),
        ("mixed --systems heliumq", "did you mean heliumql?"),
        ("mixed --engine sglang", "--engine: invalid choice: 'sglang'"),
        ("mixed --rows 0", "--rows: '0' is not a whole number above zero"),
        ("report /nowhere", "/nowhere is no folder"),
        ("report docs", "no result files in docs"),
    ],
)
def test_wrong_usage_is_told(arguments: str, told: str) -> None:
    done = heliumql("bench", *arguments.split())
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_without_vllm_the_other_engine_is_named(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util as u\n"
        "find = u.find_spec\n"
        "u.find_spec = lambda name, *a: None if name == 'vllm' else find(name, *a)\n"
    )
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    done = heliumql("bench", "mixed", PYTHONPATH=path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "needs vLLM" in done.stderr
    assert "--engine simulated" in done.stderr


def test_the_list_has_every_suite() -> None:
    from suites.suite import SUITES

    listed = re.findall(r"(?m)^  (\w+) +\w", heliumql("bench").stdout)
    assert {*SUITES, "all", "optimality", "ablation", "sensitivity", "report"} <= set(listed)


def test_plots_need_matplotlib_and_the_report_does_not(tmp_path: Path, results: Path) -> None:
    done = heliumql("bench", "report", results, "--output", tmp_path / "report")
    if importlib.util.find_spec("matplotlib") is None:
        assert done.returncode == 0, done.stderr
        assert "no plots, as matplotlib is not installed" in done.stderr
        assert "pip install -e '.[bench]'" in done.stderr
        tables = heliumql("bench", "report", results).stdout
        assert (tmp_path / "report" / "report.md").read_text() == tables
    else:
        assert done.returncode == 0, done.stderr
        text = (tmp_path / "report" / "report.md").read_text()
        pictures = re.findall(r"!\[.*?\]\((.*?)\)", text)
        assert len(pictures) == 1 + 11  # the ratios, and each suite
        assert all((tmp_path / "report" / name).stat().st_size for name in pictures)


@pytest.mark.parametrize("option", [("--apart",), ("--kept",), ("--workers", "2")])
def test_a_server_takes_one_worker_and_calls_as_they_are(option: tuple[str, ...]) -> None:
    done = heliumql("bench", "mixed", "--engine", "server", *option)
    assert done.returncode == 2
    assert "--engine server takes one worker, and neither --apart nor --kept" in done.stderr


def test_the_simulated_engine_needs_nothing_of_vllm(tmp_path: Path) -> None:
    for name in ("psutil", "torch", "transformers", "vllm", "openai"):
        (tmp_path / f"{name}.py").write_text("raise ImportError(__name__)")
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    small = ("--engine", "simulated", "--rows", "1", "--repeat", "1", "--systems", "heliumql")
    done = heliumql("bench", "tables", *small, PYTHONPATH=path)
    assert done.returncode == 0, done.stderr
