"""What the program shows on a terminal: tables that fit, colours, the progress line."""

from __future__ import annotations

import io

import pyarrow as pa
import pytest
from cli_program import Run
from hypothesis import given, settings
from hypothesis import strategies as st
from stub_server import Reply, StubServer

from heliumql.cli import progress as progress_module
from heliumql.cli.progress import ProgressLine, clock, describe
from heliumql.cli.report import describe as describe_stats
from heliumql.cli.table import ROWS, Look, write_table
from heliumql.source import display_width
from heliumql.stats import Progress, Stats

DIM_NULL = "\x1b[2mNULL\x1b[0m"


def table(columns: dict[str, object], width: int | None, *, batch: int = 7) -> list[str]:
    rows = pa.table(columns)
    sink = io.BytesIO()
    batches = iter(rows.to_batches(max_chunksize=batch))
    write_table(rows.schema, batches, sink, Look(width, rows=None if width is None else ROWS))
    return sink.getvalue().decode().splitlines()


def test_a_result_is_a_table_with_dim_nulls(on_terminal: Run) -> None:
    done = on_terminal("-c", "SELECT 1 AS a, NULL AS b")
    assert done.status == 0
    assert done.out.splitlines()[-2] == f"│       1 │ {DIM_NULL} │"


def test_no_color_is_respected(on_terminal: Run) -> None:
    assert "\x1b" not in on_terminal("-c", "SELECT NULL AS b", NO_COLOR="1").out
    assert "\x1b" not in on_terminal("-c", "SELECT nothing", NO_COLOR="1").out
    assert "\x1b[1;31m" in on_terminal("-c", "SELECT nothing").out


def test_what_servers_and_data_say_does_not_order_the_terminal_about(on_terminal: Run) -> None:
    order = "\x1b]0;title\x07"
    with StubServer() as server:
        server.reply = lambda seen: Reply(status=400, error={"message": f"no {order}"})
        model = f"CREATE MODEL m WITH (engine = 'openai', base_url = '{server.url}', model = 'x')"
        asking = "SELECT LLM_GENERATE('{b}') AS a FROM (SELECT chr(27) || ']0;title' AS b)"
        for statement in (
            asking,
            asking.replace("')", "', on_error => 'fail')", 1),
            f"EXPLAIN {asking}",
            f"EXPLAIN ANALYZE {asking}",
            "SELECT error(chr(27) || ']0;title')",
        ):
            done = on_terminal("-c", model, "-c", statement, NO_COLOR="1")
            assert "\N{SYMBOL FOR ESCAPE}]0;title" in done.out, statement
            assert "\x1b]0" not in done.out, statement


@pytest.mark.parametrize("columns", [30, 80, 200])
def test_a_table_fits_the_terminal(on_terminal: Run, columns: int) -> None:
    query = """SELECT i, repeat('長い text ', 30) AS long, i AS a,
                       i AS b, i AS c, i AS d, 'e' AS last
               FROM range(100) t(i)"""
    lines = on_terminal("-c", query, columns=columns, NO_COLOR="1").out.splitlines()
    assert max(map(display_width, lines[:-1])) <= columns
    assert lines[-1].startswith("100 rows (40 shown)")


def test_binary_formats_are_refused(on_terminal: Run) -> None:
    done = on_terminal("-c", "SELECT 1", "--format", "parquet")
    assert done.status == 2
    assert "--output PATH" in done.out


def test_run_without_statements_says_how_it_is_used(on_terminal: Run) -> None:
    done = on_terminal("run")
    assert done.status == 2
    assert "give a FILE, or -c SQL" in done.out


def test_a_long_result_shows_its_first_and_last_rows() -> None:
    lines = table({"i": list(range(1000))}, 80)
    shown = [int(line.strip("│ ")) for line in lines if line.strip("│ ").isdigit()]
    assert shown == [*range(20), *range(980, 1000)]
    assert lines[-1] == "1,000 rows (40 shown)"


@pytest.mark.parametrize("count", [39, 40, 41, 47])
def test_rows_are_left_out_beyond_forty(count: int) -> None:
    lines = table({"i": list(range(count))}, 80)
    shown = [int(line.strip("│ ")) for line in lines if line.strip("│ ").isdigit()]
    left_out = count > 40
    assert shown == ([*range(20), *range(count - 20, count)] if left_out else [*range(count)])
    assert ("shown" in lines[-1]) == left_out


def test_columns_in_the_middle_are_left_out_first() -> None:
    lines = table({f"column_{i:02}": [i] for i in range(30)}, 60)
    names = [name.strip() for name in lines[1].strip("│").split("│")]
    assert names[0] == "column_00"
    assert names[-1] == "column_29"
    assert "…" in names
    assert lines[-1] == f"30 columns ({len(names) - 1} shown)"
    assert len({len(line) for line in lines[:-1]}) == 1


def test_the_widest_column_is_cut_and_the_space_is_used() -> None:
    lines = table({"id": [1], "text": ["word " * 50], "short": ["abc"]}, 60)
    assert {display_width(line) for line in lines} == {60}
    assert "…" in lines[4]
    assert "abc" in lines[4]


def test_wide_and_combining_characters_keep_the_columns_straight() -> None:
    lines = table({"s": ["日本語", "e\u0301a", "👩‍🚀", "plain"], "t": ["x"] * 4}, 80)
    edges = {display_width(line) for line in lines}
    assert len(edges) == 1


cells = st.none() | st.text(max_size=40) | st.text(alphabet="日本🦆e\u0301ab \n", max_size=60)


@given(
    rows=st.integers(1, 12).flatmap(
        lambda width: st.lists(st.lists(cells, min_size=width, max_size=width), max_size=50)
    ),
    width=st.integers(25, 120),
)
@settings(max_examples=60, deadline=None)
def test_any_table_fits_and_is_straight(rows: list[list[str | None]], width: int) -> None:
    columns = {f"c{i}": pa.array(c, pa.string()) for i, c in enumerate(zip(*rows, strict=True))}
    lines = table(columns or {"none": []}, width)
    edges = {display_width(line) for line in lines if line[0] in "┌│├└"}
    assert len(edges) == 1
    assert edges.pop() <= width


def test_answers_cannot_give_orders_to_the_terminal() -> None:
    text = "".join(table({"s": ["\x1b[2Jcleared\r\n\x07\u202eabc"]}, 80))
    assert not set(text) & set("\x1b\r\x07\u202e")
    assert "\\x1b[2Jcleared\\r\\n\\x07" in text


def test_progress_is_one_line() -> None:
    shown = describe(Progress(120, 400, 8, 23_100, 10_000, 7_100, 10.0))
    assert shown == "calls 120/400 · 8 failed · 2,310 tok/s · prefix hits 71 % · 0:23 left"
    assert describe(Progress(0, 5)) == "calls 0/5"
    assert [clock(s) for s in (3, 75, 3723)] == ["0:03", "1:15", "1:02:03"]


def test_progress_is_redrawn_in_place_and_cleared() -> None:
    stream = io.StringIO()
    line = ProgressLine(stream)
    line(Progress(1, 2, seconds=0.1))
    assert stream.getvalue() == "", "a quick statement shows nothing"
    line(Progress(1, 2, seconds=1.0))
    line(Progress(2, 2, seconds=2.0))
    line.clear()
    line.clear()
    assert stream.getvalue() == "\rcalls 1/2 · 0:01 left\x1b[K\rcalls 2/2\x1b[K\r\x1b[K"


def test_progress_never_wraps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    stream = io.StringIO()
    ProgressLine(stream)(Progress(120, 400, 8, 23_100, 10_000, 7_100, 10.0))
    assert stream.getvalue() == "\rcalls 120/400 · 8 failed\x1b[K"
    assert progress_module.percent(1, 3) == "33 %"


def test_stats_add_up_over_statements() -> None:
    first = Stats(calls_asked=3, calls_run=2, calls_cached=1, seconds=2.0, failures=("x",))
    second = Stats(calls_asked=1, calls_run=1, first_row_seconds=0.5, seconds=1.0, failures=("x",))
    both = first + second
    assert (both.calls_asked, both.calls_run, both.calls_cached, both.seconds) == (4, 3, 1, 3.0)
    assert both.first_row_seconds == 2.5
    assert both.failures == ("x",)


def test_stats_read_like_sentences() -> None:
    stats = Stats(
        *(400, 120, 80, 200, 0, 8, 0, 212, 12_310, 8_740, 4_200, 2),
        planning_seconds=0.4,
        first_row_seconds=1.2,
        seconds=12.34,
    )
    assert describe_stats(stats).splitlines() == [
        "calls   400 asked: 120 shared, 80 cached, 200 run (8 failed, 212 requests sent)",
        "tokens  12,310 prompt (71 % prefix hits), 4,200 output",
        "time    12.34 s (0.40 s planning, first row after 1.20 s); 2 passes",
    ]


def test_stats_say_what_a_budget_left_undone() -> None:
    stats = Stats(calls_asked=5, calls_run=5, calls_refused=3, requests_sent=5)
    assert describe_stats(stats).splitlines()[0] == (
        "calls   5 asked: 0 shared, 0 cached, 5 run, 3 not run (0 failed, 5 requests sent)"
    )
