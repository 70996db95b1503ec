"""The examples of README.md and docs/ run as they stand, with simulated answers.

What an example shows below a command is compared with what comes out; where answers of a model are
in it, only the names of the columns are. Blocks that docs/generate.py makes
(below a comment) are no examples; test_generated.py compares them.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import heliumql

ROOT = Path(__file__).parents[2]
# Their examples run one after the other, in tests of their own.
ONE_SESSION = ("language.md", "tutorial.md")
SIMULATED = "CREATE MODEL simulated WITH (engine = 'simulated')"


@dataclass(frozen=True)
class Example:
    """A fenced block: its language, its text, and the block of plain text that follows it."""

    place: str
    language: str
    text: str
    shown: str


def examples(language: str) -> Iterator[Example]:
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        if path.name in ONE_SESSION:
            continue
        text = path.read_text()
        for block in re.finditer(r"(?ms)^```(\w+)\n(.*?)^```\n(?:\n```text\n(.*?)^```)?", text):
            if block[1] == language and not text[: block.start()].endswith(" -->\n"):
                line = text.count("\n", 0, block.start()) + 1
                place = f"{path.relative_to(ROOT)}:{line}"
                yield Example(place, language, block[2], block[3] or "")


def of(language: str) -> pytest.MarkDecorator:
    found = list(examples(language))
    return pytest.mark.parametrize("example", found, ids=[e.place for e in found])


def link_data(folder: Path) -> None:
    """What examples read, as it lies in the repository."""
    for name in ("queries", "catalog"):
        (folder / name).symlink_to(ROOT / name)


@of("sql")
def test_sql_runs_and_has_the_columns_shown(
    example: Example, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    link_data(tmp_path)
    monkeypatch.chdir(tmp_path)  # some write files
    with heliumql.connect() as connection:
        connection.execute(SIMULATED)
        connection.set("llm_default_model", "simulated")
        for statement in connection.statements(example.text):
            result = connection.run(statement, {})
            if result is not None:
                rows = result.arrow()
                if example.shown:
                    names = [c.strip() for c in example.shown.splitlines()[1].strip("│").split("│")]
                    assert rows.schema.names == names


@of("python")
def test_python_runs(
    example: Example,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    connect: Callable[..., heliumql.Connection] = heliumql.connect

    def connect_simulated(*arguments: object) -> heliumql.Connection:
        connection = connect(*arguments)
        connection.execute(SIMULATED)
        connection.set("llm_default_model", "simulated")
        return connection

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(heliumql, "connect", connect_simulated)
    exec(compile(example.text, example.place, "exec"), {})
    assert ("print(" in example.text) == bool(capsys.readouterr().out)


@of("console")
def test_commands_print_what_is_shown(example: Example, tmp_path: Path) -> None:
    link_data(tmp_path)
    with heliumql.connect(str(tmp_path / "simulated.duckdb")) as connection:
        connection.execute(SIMULATED)
    for block in example.text.removeprefix("$ ").split("\n$ "):
        command, _, shown = block.partition("\n")
        match shlex.split(command, comments=True):
            case ["make", target, *_]:
                assert re.search(rf"(?m)^{target}:", (ROOT / "Makefile").read_text())
            case ["heliumql", *arguments]:
                program = [sys.executable, "-m", "heliumql.cli.main", *arguments]
                if any(argument.endswith(".hql") for argument in arguments):
                    program += ["--database", "simulated.duckdb", "--model", "simulated"]
                done = subprocess.run(
                    program, cwd=tmp_path, capture_output=True, text=True, timeout=60
                )
                assert done.returncode == 0, done.stderr
                assert shown.strip("\n") in ("", done.stdout.strip("\n"))
            case other:
                pytest.fail(f"no way to check {other}")
