"""Command lines without a statement."""

from __future__ import annotations

import pytest
from cli_program import Run


@pytest.mark.parametrize("text", ["", " ", "\n"])
@pytest.mark.parametrize("command", [[], ["run"], ["explain"]])
def test_an_empty_text_is_a_slip(run: Run, command: list[str], text: str) -> None:
    done = run(*command, "-c", text)
    assert (done.status, done.out) == (2, "")
    assert done.err == ('error: -c has no statement\nhint: heliumql -c "SELECT 42 AS answer"\n')


def test_one_of_several_may_be_empty(run: Run) -> None:
    assert run("-c", "", "-c", "SELECT 42 AS answer").out == "answer\n42\n"


def test_nothing_on_standard_input_is_done_at_once(run: Run) -> None:
    done = run("run", stdin=b"")
    assert (done.status, done.out, done.err) == (0, "", "")
