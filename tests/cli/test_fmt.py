"""`heliumql fmt`: what it writes, what it leaves alone, and what it returns."""

from __future__ import annotations

from pathlib import Path

from cli_program import Run

UGLY = "select a,b\nfrom t"
NEAT = "SELECT a, b\nFROM t\n"


def test_files_are_laid_out_in_place(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.hql").write_text(UGLY)
    (tmp_path / "b.hql").write_text(NEAT)
    done = run("fmt", "a.hql", "b.hql")
    assert (done.status, done.out, done.err) == (0, "", "a.hql laid out\n")
    assert (tmp_path / "a.hql").read_text() == (tmp_path / "b.hql").read_text() == NEAT


def test_standard_input_goes_to_standard_output(run: Run) -> None:
    done = run("fmt", "-", stdin=UGLY.encode())
    assert (done.status, done.out, done.err) == (0, NEAT, "")


def test_check_changes_nothing_and_tells(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.hql").write_text(UGLY)
    (tmp_path / "b.hql").write_text(NEAT)
    done = run("fmt", "--check", "a.hql", "b.hql")
    assert (done.status, done.out, done.err) == (1, "", "a.hql would change\n")
    assert run("fmt", "--check", "b.hql").status == 0
    assert (tmp_path / "a.hql").read_text() == UGLY


def test_diff_shows_what_would_change(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.hql").write_text(UGLY)
    done = run("fmt", "--diff", "a.hql")
    assert (done.status, done.err) == (0, "")
    assert "-select a,b\n" in done.out
    assert "+SELECT a, b\n" in done.out
    assert (tmp_path / "a.hql").read_text() == UGLY
    assert run("fmt", "--diff", "--check", "a.hql").status == 1


def test_a_mistake_leaves_its_file_alone_and_the_others_are_laid_out(
    run: Run, tmp_path: Path
) -> None:
    (tmp_path / "bad.hql").write_text("select 1;\nselect (2")
    (tmp_path / "a.hql").write_text(UGLY)
    done = run("fmt", "bad.hql", "a.hql")
    assert (done.status, done.out) == (1, "")
    assert "error: this '(' is never closed" in done.err
    assert "bad.hql:2" in done.err
    assert (tmp_path / "bad.hql").read_text() == "select 1;\nselect (2"
    assert (tmp_path / "a.hql").read_text() == NEAT


def test_wrong_command_lines(run: Run) -> None:
    assert run("fmt").status == 2
    done = run("fmt", "nowhere.hql")
    assert (done.status, done.err) == (
        2,
        "error: cannot read nowhere.hql: No such file or directory\n",
    )
    assert run("fmt", "-", "-", stdin=b"").status == 2
    assert "--check" in run("fmt", "--help").out
