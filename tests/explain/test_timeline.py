"""The timeline of EXPLAIN ANALYZE: rows, idle time, pictures of few calls and of many."""

from __future__ import annotations

import json
import random
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from to_explain import explained

import heliumql
from heliumql.connection import Connection
from heliumql.explain.page.timeline import as_svg, running, ticks
from heliumql.explain.timeline import Timeline, idle_between, lane_line, packed, timelines
from heliumql.stats import CallTimes

OWNERS = [("sum", "demo"), ("<rate>", "demo"), ("sum up", "other")]


def call(
    site: int, worker: int, started: float | None, finished: float | None, **more: object
) -> CallTimes:
    """A call whose first token comes a tenth of its time after it began."""
    first = None
    if started is not None and finished is not None:
        first = started + (finished - started) / 10
    values = {"first_token": first, "prompt_tokens": 100, "cached_tokens": 40, "output_tokens": 9,
              "failed": False, **more}  # fmt: skip
    return CallTimes(site, worker, started=started, finished=finished, **values)  # type: ignore[arg-type]


CRAFTED = [
    call(0, 0, 1000.0, 1002.0),
    call(0, 0, 1001.0, 1003.0),
    call(1, 0, 1003.0, 1004.0, failed=True),  # as the second one ends: no idle time
    call(1, 0, 1006.0, 1010.0),  # two seconds later
    call(1, 1, 1005.0, 1008.0, cached_tokens=100),  # idle 5 s before and 2 s behind
]


def test_idle_time_is_what_no_call_covers() -> None:
    (found,) = timelines(CRAFTED, OWNERS, [("demo", 0), ("demo", 1), ("demo", 2)])
    first, second, third = found.lanes
    assert found.seconds == 10
    assert first.idle == ((4.0, 6.0),)
    assert first.busy == pytest.approx(0.8)
    assert second.idle == ((0.0, 5.0), (8.0, 10.0))
    assert second.busy == pytest.approx(0.3)
    assert (third.calls, third.busy, third.idle) == (0, 0.0, ((0.0, 10.0),))
    assert lane_line(first) == (
        "demo worker 0: 4 calls, busy 80 % of 10 s,"
        " 160 of 400 prompt tokens were prefix hits (40 %)"
    )
    assert lane_line(third).startswith("demo worker 2: 0 calls, busy 0 % of 10 s")


def test_engines_have_a_timeline_and_a_clock_each() -> None:
    found = timelines([*CRAFTED, call(2, 0, 5.0, 6.5)], OWNERS)
    assert [(t.engine, t.seconds, t.operators) for t in found] == [
        ("demo", 10.0, ("sum", "<rate>")),
        ("other", 1.5, ("sum up",)),
    ]
    assert found[1].lanes[0].bars[0].started == 0


def test_calls_without_times_are_counted_and_not_drawn() -> None:
    (found,) = timelines([call(0, 0, None, None), call(0, 0, 3.0, 4.0)], OWNERS)
    (lane,) = found.lanes
    assert (lane.calls, len(lane.bars), lane.busy) == (2, 1, None)
    assert "busy" not in lane_line(lane)
    (silent,) = timelines([call(0, 0, None, None)], OWNERS)
    assert "does not say when its calls ran" in as_svg(silent)


spans = st.lists(
    st.tuples(st.integers(0, 200), st.integers(1, 40)).map(lambda s: (s[0] / 4, (s[0] + s[1]) / 4)),
    max_size=40,
).map(sorted)


@given(spans)
def test_rows_hold_calls_one_after_the_other_and_are_as_few_as_can_be(
    given_spans: list[tuple[float, float]],
) -> None:
    rows = packed(given_spans)
    for n, (start, end) in enumerate(given_spans):
        for (other_start, other_end), row in zip(given_spans[:n], rows, strict=False):
            assert row != rows[n] or other_end <= start or end <= other_start
    at_once = max((sum(s <= t < e for s, e in given_spans) for t, _ in given_spans), default=0)
    assert max(rows, default=-1) + 1 == at_once


@given(spans)
def test_idle_and_covered_time_add_up(given_spans: list[tuple[float, float]]) -> None:
    idle = idle_between(given_spans, 70.0)
    quarters = [n / 4 for n in range(280)]
    covered = sum(any(s <= t < e for s, e in given_spans) for t in quarters)
    assert sum(end - start for start, end in idle) == pytest.approx(70 - covered / 4)
    for start, end in idle:
        assert not any(s < end and start < e for s, e in given_spans)


# pictures ---------------------------------------------------------------------------------


@dataclass
class Worker:
    """A lane as drawn: its height, the boxes of its calls' pieces, its idle strips, its areas.

    Across all is in percent, down in pixels: left, top, right, bottom.
    """

    height: float = 0
    calls: list[tuple[str, list[tuple[str, tuple[float, float, float, float]]]]] = field(
        default_factory=list
    )
    idle: list[tuple[float, float, float, float]] = field(default_factory=list)
    paths: list[tuple[str, str]] = field(default_factory=list)


class Picture(HTMLParser):
    """Reads the lanes of a timeline, its legend and its labels."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.workers: list[Worker] = []
        self.legend: list[str] = []
        self.labels: list[str] = []
        self.titles: list[str] = []
        self.scrolls = False
        self._open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        kind = given.get("class", "")
        inside = self._open[-1] if self._open else ""
        self._open.append(f"{tag} {kind}")
        self.scrolls |= tag == "div" and kind.split() == ["frame"]
        if (tag, kind) == ("svg", "worker"):
            self.workers.append(Worker(float(given["height"])))
        elif kind.startswith("call"):
            self.workers[-1].calls.append((kind, []))
        elif tag == "rect" and "x" in given:
            x, width = (float(given[k].removesuffix("%")) for k in ("x", "width"))
            y, height = (float(given[k]) for k in ("y", "height"))
            place = (x, y, x + width, y + height)
            if inside == "g idle":
                self.workers[-1].idle.append(place)
            elif inside.startswith("g call"):
                self.workers[-1].calls[-1][1].append((kind, place))
        elif tag == "path" and kind in ("computed", "decode"):
            self.workers[-1].paths.append((kind, given["d"]))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop().split(" ")[0] == tag

    def handle_data(self, data: str) -> None:
        inside = self._open[-1].split(" ")[0] if self._open else ""
        if inside == "li":
            self.legend.append(data)
        elif inside == "text":
            self.labels.append(data)
        elif inside == "title":
            self.titles.append(data)


def crafted() -> Timeline:
    (found,) = timelines(CRAFTED, OWNERS, [("demo", 0), ("demo", 1)])
    return found


def test_bars_are_the_calls_and_lie_inside_their_lanes() -> None:
    picture = Picture(as_svg(crafted()))
    first, second = picture.workers
    assert [kind for kind, _ in first.calls] == [
        "call o0", "call o0", "call o1 failed", "call o1",
    ]  # fmt: skip
    assert len(second.calls) == 1
    for worker in picture.workers:
        for _, pieces in worker.calls:
            for _, (x1, y1, x2, y2) in pieces:
                assert 0 <= x1 < x2 <= 100.1
                assert 0 <= y1 < y2 <= worker.height
    assert picture.scrolls


def test_colours_are_those_of_all_operators() -> None:
    picture = Picture(as_svg(crafted(), ["other", "<rate>", "sum"]))
    assert [kind for kind, _ in picture.workers[0].calls] == [
        "call o2", "call o2", "call o1 failed", "call o1",
    ]  # fmt: skip


def test_a_bar_is_as_long_as_its_call_and_shows_its_parts() -> None:
    picture = Picture(as_svg(crafted()))
    second = 10.0  # percent
    cached, computed, decode = picture.workers[0].calls[0][1]
    assert [cached[0], computed[0], decode[0]] == ["cached", "computed", "decode"]
    assert cached[1][0] == 0
    # 2 s, a tenth of them before the first token, 40 of 100 prompt tokens found
    assert computed[1][0] == pytest.approx(0.4 * 0.2 * second, abs=0.01)
    assert decode[1][0] == pytest.approx(0.2 * second, abs=0.01)
    assert decode[1][2] == pytest.approx(2 * second, abs=0.01)
    (_, hit) = picture.workers[1].calls[0]
    assert [kind for kind, _ in hit] == ["cached", "decode"]  # nothing of it was computed


def test_calls_at_the_same_time_stand_below_each_other_and_idle_time_is_shaded() -> None:
    picture = Picture(as_svg(crafted()))
    first = picture.workers[0]
    tops = [pieces[0][1][1] for _, pieces in first.calls]
    assert tops[0] != tops[1]
    assert tops[0] == tops[2] == tops[3]
    ((x1, y1, x2, y2),) = first.idle
    assert (y1, y2) == (0, first.height)
    assert (x1, x2) == pytest.approx((40, 60), abs=0.01)


def test_legend_axis_and_tooltips_say_what_is_what() -> None:
    picture = Picture(as_svg(crafted()))
    assert picture.legend[:2] == ["sum", "<rate>"]
    assert {"failed", "no call runs", "prompt: computed", "answer"} <= set(picture.legend)
    assert [label for label in picture.labels if label.endswith(" s")] == [
        f"{n} s" for n in range(0, 11, 2)
    ]
    assert (
        "<rate> (failed): 3.000 s to 4.000 s, first token at 3.100 s; 100 prompt tokens,"
        " 40 of them prefix hits; 9 out" in picture.titles
    )


def test_a_call_without_a_first_token_is_one_piece() -> None:
    (found,) = timelines([call(0, 0, 1.0, 2.0, first_token=None)], OWNERS)
    picture = Picture(as_svg(found))
    ((_, pieces),) = picture.workers[0].calls
    assert [kind for kind, _ in pieces] == ["whole"]
    assert "answer" not in picture.legend


def test_an_engine_that_takes_no_time_can_be_drawn() -> None:
    (found,) = timelines([call(0, 0, 7.0, 7.0), call(0, 0, 7.0, 7.0)], OWNERS)
    picture = Picture(as_svg(found))
    assert len(picture.workers[0].calls) == 2
    assert found.lanes[0].busy is None


def made(calls: int, slots: int) -> list[CallTimes]:
    """Two workers, each with its slots full all the time."""
    drawn = random.Random(3)
    times = []
    for worker in (0, 1):
        free = [0.0] * slots
        for n in range(calls // 2):
            slot = min(range(slots), key=free.__getitem__)
            end = free[slot] + drawn.uniform(0.5, 2)
            times.append(call(n % 2, worker, free[slot], end))
            free[slot] = end
    return times


def test_many_rows_get_low_and_more_are_added_up() -> None:
    (found,) = timelines(made(400, 60), OWNERS)
    low = Picture(as_svg(found))
    assert [len(w.calls) for w in low.workers] == [200, 200]
    assert all(w.height <= 24 * 14 + 1 for w in low.workers)
    (found,) = timelines(made(600, 150), OWNERS)
    assert not any(w.calls for w in Picture(as_svg(found)).workers)


def test_thousands_of_calls_are_drawn_as_how_many_run() -> None:
    (found,) = timelines(made(5000, 20), OWNERS)
    page = as_svg(found)
    assert len(page) < 500_000
    picture = Picture(page)
    for worker in picture.workers:
        assert not worker.calls
        assert [kind for kind, _ in worker.paths] == ["computed", "decode"] * 2
        for _, d in worker.paths:
            points = [tuple(map(float, p.split())) for p in re.split("[MLZ]", d) if p]
            assert all(0 <= x <= 300 for x, _ in points)
            assert all(-0.1 <= y <= worker.height + 0.1 for _, y in points)
    for lane in found.lanes:
        counts = running(lane, 50)
        size = lane.seconds / 50
        whole = sum(sum(both[0]) + sum(both[1]) for both in counts.values()) * size
        assert whole == pytest.approx(sum(bar.finished - bar.started for bar in lane.bars))
        full = [sum(b[part][5] for b in counts.values()) for part in (0, 1)]
        assert sum(full) == pytest.approx(20)
        assert full[0] == pytest.approx(2, abs=1.5)  # a tenth of the time has no token yet


def test_drawing_single_calls_stays_below_two_megabytes() -> None:
    (found,) = timelines(made(2000, 90), OWNERS)
    page = as_svg(found)
    assert sum(len(w.calls) for w in Picture(page).workers) == 2000
    assert len(page) < 2_000_000


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.0, [0]),
        (0.0037, [0, 0.0005, 0.001, 0.0015, 0.002, 0.0025, 0.003, 0.0035]),
        (1.0, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (11.0, [0, 2, 4, 6, 8, 10]),
        (95.0, [0, 20, 40, 60, 80]),
        (4000.0, [0, 500, 1000, 1500, 2000, 2500, 3000, 3500, 4000]),
    ],
)
def test_ticks_are_round(seconds: float, expected: list[float]) -> None:
    assert ticks(seconds) == pytest.approx(expected)


# whole runs -------------------------------------------------------------------------------

QUERY = "SELECT LLM_GENERATE('Sum up {body}, {stars}') FROM reviews"


@pytest.fixture
def two_workers(tables: Connection) -> Connection:
    tables.execute("DROP MODEL m")
    tables.execute("CREATE TEMP MODEL m WITH (engine = 'simulated', workers = 2)")
    return tables


def test_the_page_of_a_run_draws_all_its_calls(two_workers: Connection) -> None:
    picture = Picture(explained(two_workers, QUERY, "(ANALYZE, FORMAT html)").partition("\n")[2])
    assert sum(len(w.calls) for w in picture.workers) == 12
    assert len(picture.workers) == 2


def test_the_text_of_a_run_has_a_line_for_each_worker(two_workers: Connection) -> None:
    text = explained(two_workers, QUERY, "ANALYZE").partition("What happened")[2]
    lines = re.findall(
        r"m worker (\d): (\d+) calls?, busy (\d+) % of \S+ s, (\d+) of (\d+) prompt tokens", text
    )
    assert [line[0] for line in lines] == ["0", "1"]
    assert sum(int(line[1]) for line in lines) == 12
    stats = two_workers.last_stats
    assert stats is not None
    assert sum(int(line[3]) for line in lines) == stats.prefix_hit_tokens
    assert sum(int(line[4]) for line in lines) == stats.prompt_tokens


def test_the_json_of_a_run_has_its_calls_as_columns(two_workers: Connection) -> None:
    document = json.loads(explained(two_workers, QUERY, "(ANALYZE, FORMAT json)"))
    lanes = document["happened"]["timeline"]
    assert [(lane["engine"], lane["worker"]) for lane in lanes] == [("m", 0), ("m", 1)]
    assert sum(lane["calls"] for lane in lanes) == 12
    for lane in lanes:
        timed = lane["timed"]
        assert {len(timed[k]) for k in timed if k != "failed"} == {lane["calls"]}
        assert timed["failed"] == []
        assert [lane["operators"][n] for n in timed["operator"]] == ["LLM_GENERATE#1"] * lane[
            "calls"
        ]
        for begun, first, done in zip(
            timed["started"], timed["first_token"], timed["finished"], strict=True
        ):
            assert 0 <= begun < first <= done <= lane["seconds"]
        assert sum(timed["prompt_tokens"]) == lane["prompt_tokens"]
    assert json.loads(explained(two_workers, QUERY, "(FORMAT json)"))["happened"] is None


def test_the_timeline_is_written_into_its_own_place() -> None:
    """A statement that speaks of a timeline is not taken for it."""
    with heliumql.connect() as connection:
        connection.execute("CREATE MODEL s WITH (engine = 'simulated')")
        connection.set("llm_default_model", "s")
        query = """SELECT LLM_GENERATE('"timeline": []') AS "timeline: []" """
        document = json.loads(explained(connection, query, "(ANALYZE, FORMAT json)"))
    assert document["statement"].strip() == query.strip()
    assert [lane["calls"] for lane in document["happened"]["timeline"]] == [1]


def test_nothing_that_ran_has_no_timeline(two_workers: Connection) -> None:
    query = "SELECT LLM_GENERATE('Sum up {body}') FROM reviews WHERE id < 0"
    assert 'id="timeline"' not in explained(two_workers, query, "(ANALYZE, FORMAT html)")
    document = json.loads(explained(two_workers, query, "(ANALYZE, FORMAT json)"))
    assert document["happened"]["timeline"] == []
