"""A statement that fails before its first row leaves standard output, and files, as they were."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_program import Run

MODEL = (
    "CREATE TEMP MODEL m WITH (engine = 'openai', base_url = 'http://127.0.0.1:9/v1', "
    "model = 'x', retries = 0);"
)
QUERY = "SELECT LLM_GENERATE('Say {i}') AS said FROM range(2) AS t(i)"


@pytest.mark.parametrize("form", ["csv", "json", "jsonl", "markdown", "table", "arrow", "parquet"])
def test_nothing_is_on_standard_output(run: Run, form: str) -> None:
    done = run("-c", f"{MODEL} {QUERY}", "--format", form)
    assert done.status == 5
    assert done.out_bytes == b""
    assert "unreachable" in done.err


def test_a_file_stays_as_it_was(run: Run, tmp_path: Path) -> None:
    (tmp_path / "out.csv").write_text("kept")
    assert run("-c", f"{MODEL} {QUERY}", "--output", "out.csv").status == 5
    assert (tmp_path / "out.csv").read_text() == "kept"


def test_the_help_says_that_a_file_is_replaced(run: Run) -> None:
    for command in ("run", "explain"):
        assert "replaced if it is there" in " ".join(run("help", command).out.split())


def test_a_result_without_rows_has_its_header(run: Run) -> None:
    assert run("-c", "SELECT 1 AS a WHERE false").out == "a\n"
