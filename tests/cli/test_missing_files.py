"""Files that are not there: what was probably meant, and the place in the statement."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_program import Run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "queries").mkdir()
    (tmp_path / "queries/hello.hql").write_text("SELECT 1")
    (tmp_path / "data.csv").write_text("a\n1\n")
    (tmp_path / "my.duckdb").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("queries/helo.hql", "No such file or directory\nhint: did you mean queries/hello.hql?"),
        ("querys/hello.hql", "hint: there is no folder querys; did you mean queries?"),
        ("my.duckdbb", "hint: did you mean my.duckdb?"),
        ("other/new.duckdbb", "hint: there is no folder other"),
        ("x.dukdb", "hint: heliumql x.duckdb opens a database, or makes it"),
        ("queries", "Is a directory\nhint: name a file in it, such as queries/hello.hql"),
        ("queries/zzz.hql", "No such file or directory\nhint: the folder has queries/hello.hql\n"),
        ("zzz.hql", "No such file or directory\n"),
    ],
)
def test_a_file_of_statements(run: Run, folder: Path, given: str, told: str) -> None:
    if given != "x.dukdb":
        assert (folder / "my.duckdb").exists()
    else:
        (folder / "my.duckdb").unlink()
    done = run(given)
    assert (done.status, done.out) == (2, "")
    assert f"error: cannot read {given}: " in done.err
    assert told in done.err


@pytest.mark.parametrize("what", ["a", "LLM_GENERATE('{a}')"])
@pytest.mark.parametrize("command", ["run", "explain"])
def test_a_file_of_data(run: Run, folder: Path, what: str, command: str) -> None:
    text = f"CREATE TEMP MODEL m WITH (engine = 'simulated');\nSELECT {what}\nFROM 'dat.csv'"
    (folder / "a.hql").write_text(text)
    done = run(command, "a.hql")
    assert (done.status, done.out) == (1, "")
    assert done.err == (
        'IO Error: No files found that match the pattern "dat.csv"\n'
        "  at a.hql:3\n"
        "3 | FROM 'dat.csv'\n"
        "  |      ^^^^^^^^^\n"
        "hint: did you mean data.csv?\n"
    )


def test_files_of_a_pattern_have_no_names_near_it(run: Run, folder: Path) -> None:
    done = run("-c", "FROM read_csv('dat*.cvs')")
    assert done.status == 1
    assert "1 | FROM read_csv('dat*.cvs')" in done.err
    assert "hint" not in done.err
