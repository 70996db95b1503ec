"""The excerpt of a long line keeps the place in sight."""

import pytest

from heliumql.cli.excerpts import fitted
from heliumql.source import Source, Span, display_width, render


def drawn(marked: str, columns: int) -> tuple[str, str]:
    """The line and the carets below it; `[` and `]` mark the place."""
    text = marked.replace("[", "").replace("]", "")
    span = Span(marked.index("["), marked.index("]") - 1)
    shown = fitted(render("wrong", Source(text), span, "try again"), columns)
    message, _, line, below, hint = shown.split("\n")
    assert (message, hint) == ("wrong", "hint: try again")
    assert max(display_width(line), display_width(below)) <= columns
    return line, below


def test_what_fits_stays_as_it_is() -> None:
    assert drawn("SELECT [x] FROM t", 80) == ("1 | SELECT x FROM t", "  |        ^")


def test_the_end_is_cut_where_the_place_stands_before_it() -> None:
    line, below = drawn("SELECT [x] FROM " + "t, " * 30, 40)
    assert line == "1 | SELECT x FROM t, t, t, t, t, t, t, …"
    assert below == "  |        ^"


@pytest.mark.parametrize("before", ["a, " * 50, "日本" * 40, "a日b" * 40])
def test_the_place_stands_over_its_caret(before: str) -> None:
    line, below = drawn(f"SELECT {before} [wrong] FROM " + "t, " * 50, 60)
    assert line.startswith("1 | …")
    assert line.endswith("…")
    assert below.endswith("^^^^^")
    assert display_width(line[: line.index("wrong")]) == below.index("^")


def test_a_place_that_is_too_long_is_marked_as_far_as_it_is_shown() -> None:
    line, below = drawn("SELECT " + "a, " * 50 + "[" + "b" * 200 + "] FROM t", 60)
    assert display_width(line) == len(below) == 60
