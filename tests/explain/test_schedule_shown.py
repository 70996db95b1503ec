"""The schedule and the weighed prompt tree in an explanation."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import pytest
from to_explain import explained

import heliumql
from heliumql.connection import Connection
from heliumql.explain import Explanation
from heliumql.explain.schedule import ScheduleShown, schedule_shown
from heliumql.explain.text import schedule_lines
from heliumql.explain.tree import weights
from heliumql.physical.scheduler import PlannedCalls
from heliumql.prompts import Placeholder, Role, Text
from heliumql.scheduling.prefix_tree import tree_of_segments
from heliumql.scheduling.schedule import ANY, Pin, Schedule
from heliumql.scheduling.workload import Worker, Workload
from heliumql.statements.explaining import look_at

SHARED = (
    "SELECT LLM_GENERATE('Read all of what follows with care, think about it for as long as you"
    " need, and then tell in one short line what the point of it is. Here: {body}') FROM reviews"
)
TWO = """WITH drafts AS (
  SELECT r.id, a.text FROM reviews AS r,
         LATERAL LLM_GENERATE('{r.body} {r.body} {r.body} {r.body} Think.') AS a
) SELECT d.id, b.text FROM drafts AS d, LATERAL LLM_GENERATE('Shorten: {d.text}') AS b"""


@pytest.fixture
def two_workers(tables: Connection) -> Connection:
    tables.execute("DROP MODEL m")
    tables.execute("CREATE TEMP MODEL m WITH (engine = 'simulated', workers = 2)")
    return tables


def explanation(connection: Connection, query: str) -> Explanation:
    return look_at(connection._session, query, None, 0).explanation


def crafted(schedule: Schedule) -> ScheduleShown:
    """Six calls on two workers. Calls 0 to 3 share 100 tokens; call 4 goes on after call 0's answer
    (10 tokens), call 5 has a prompt of its own."""
    conversations = [[("doc", 100), (n, 20), (f"answer {n}", 10)] for n in range(4)]
    conversations.append([*conversations[0], ("more", 15), ("answer 4", 10)])
    conversations.append([("alone", 30), ("answer 5", 10)])
    workload = Workload(
        query=[0, 1, 2, 3, 0, 4],
        operator=[0, 0, 0, 0, 1, 1],
        prompt=[120, 120, 120, 120, 145, 30],
        output=[10] * 6,
        needs=[(), (), (), (), (0,), ()],
        tree=tree_of_segments(conversations),
        engine=[0] * 6,
    )
    planned = PlannedCalls(
        [7, 7, 7, 7, 8, 8], workload, [Worker(), Worker()], [(44, 0), (44, 1)], schedule
    )
    return schedule_shown(planned, {7: "draft", 8: "revise"}, {44: "m"})


def test_workers_have_their_calls_tokens_and_what_repeats() -> None:
    found = crafted(Schedule("helium", range(6), [0, 0, 0, 1, 0, 1]))
    first, second = found.workers
    assert (first.name, first.calls, first.prompt_tokens) == ("m worker 0", 4, 505)
    # the document twice again, and all of call 0 with its answer, in blocks of 16 tokens
    assert first.repeated_tokens == 96 + 96 + 128
    assert (second.name, second.calls, second.repeated_tokens) == ("m worker 1", 2, 0)
    assert (first.groups, second.groups) == (1, 0)
    (group,) = found.groups
    assert (group.tokens, group.calls, group.operators) == (100, 5, ("draft", "revise"))
    assert group.workers == ("m worker 0", "m worker 1")


def test_calls_that_go_anywhere_are_told_as_such() -> None:
    found = crafted(Schedule("fcfs", range(6), [ANY] * 6))
    assert [(w.name, w.calls) for w in found.workers] == [("m, any worker", 6)]
    assert found.order == (
        "ready calls in the order in which rows asked for them, on any worker that has room"
    )
    text = "\n".join(schedule_lines(found))
    assert "m, any worker: 6 calls in 1 prefix group" in text
    assert "by the event model" not in text  # this policy expects nothing


def test_a_worker_without_calls_is_there() -> None:
    found = crafted(Schedule("helium", range(6), [1] * 6))
    assert [w.calls for w in found.workers] == [0, 6]


def test_kept_prefixes_and_the_order_that_was_chosen() -> None:
    looked_at = (("one", 2.0), ("other", 2.5), ("one; 1 prefixes kept", 1.5))
    pins = (Pin(1, 0, 100, (0, 1, 2)),)
    found = crafted(
        Schedule("cache_aware", range(6), [0, 0, 0, 1, 0, 1], pins=pins, looked_at=looked_at,
                 order="one; 1 prefixes kept", seconds=1.5, hit_tokens=131)
    )  # fmt: skip
    assert found.order == "one; 1 prefixes kept"
    assert found.others == looked_at[:2]
    assert (found.kept[0].calls, found.kept[0].workers) == (3, ("m worker 0",))
    assert schedule_lines(found) == [
        "cache_aware: one; 1 prefixes kept",
        "of the 6 calls known before answers come; ~1.5 s by the event model, ~20 % of ~655 prompt"
        " tokens",
        "  in prefix caches",
        "2 other orders looked at: ~2 s to ~2.5 s",
        "m worker 0: 4 calls in 1 prefix group, ~505 prompt tokens, ~63 % repeated",
        "m worker 1: 2 calls, ~150 prompt tokens, ~0 % repeated",
        "prefix: ~100 tokens in 5 calls of draft, revise; m worker 0, m worker 1",
        "kept: ~100 tokens in 3 calls of draft; m worker 0",
    ]


def test_the_schedule_covers_the_calls_that_are_known(two_workers: Connection) -> None:
    found = explanation(two_workers, TWO).schedule
    assert found is not None
    assert found.calls == sum(w.calls for w in found.workers) == 24
    behind = "SELECT LLM_GENERATE('x {body}') FROM reviews WHERE LLM_FILTER('ok? {body}')"
    found = explanation(two_workers, behind).schedule
    assert found is not None
    assert found.calls == 12  # of the filter; what it lets through is not known
    assert "of the 12 calls known before answers come" in explained(two_workers, behind)


def test_the_policy_that_is_set_is_shown(two_workers: Connection) -> None:
    two_workers.set("llm_scheduler", "op_wise")
    assert "\n  op_wise: an operator begins when" in explained(two_workers, TWO)
    document = json.loads(explained(two_workers, TWO, "(FORMAT json)"))
    assert document["schedule"]["policy"] == "op_wise"
    assert document["schedule"]["others"] == []


def test_json_has_the_schedule(two_workers: Connection) -> None:
    document = json.loads(explained(two_workers, SHARED, "(FORMAT json)"))["schedule"]
    found = explanation(two_workers, SHARED).schedule
    assert found is not None
    assert document["groups"][0]["tokens"] == found.groups[0].tokens > 16
    found = explanation(two_workers, TWO).schedule
    assert found is not None
    document = json.loads(explained(two_workers, TWO, "(FORMAT json)"))["schedule"]
    assert document["order"] == found.order
    assert document["seconds_expected"] == found.seconds
    assert document["hit_tokens_expected"] == found.hit_tokens
    assert len(document["others"]) == len(found.others) > 0
    assert sum(w["calls"] for w in document["workers"]) == document["calls"] == 24


def test_there_is_none_where_no_calls_are_known(two_workers: Connection) -> None:
    for query in (
        "SELECT LLM_GENERATE('{body}') FROM reviews WHERE id < 0",
        "UPDATE reviews SET body = LLM_GENERATE('{body}')",  # call by call
    ):
        assert json.loads(explained(two_workers, query, "(FORMAT json)"))["schedule"] is None
        assert "\nSchedule\n" not in explained(two_workers, query)
        assert "<h2>Schedule</h2>" not in explained(two_workers, query, "(FORMAT html)")


def test_engines_go_by_the_names_of_their_models() -> None:
    with heliumql.connect() as connection:
        connection.execute("CREATE MODEL slow WITH (engine = 'simulated', step_seconds = 0.02)")
        connection.execute("CREATE MODEL fast WITH (engine = 'simulated', workers = 2)")
        query = """SELECT LLM_GENERATE('a {i}', model => 'slow'),
                          LLM_GENERATE('b {i}', model => 'fast') FROM range(8) AS t(i)"""
        found = explanation(connection, query).schedule
        assert found is not None
        calls: dict[str, int] = {}
        for worker in found.workers:
            calls[worker.engine] = calls.get(worker.engine, 0) + worker.calls
        assert calls == {"slow": 8, "fast": 8}
        text = explained(connection, query, "ANALYZE").partition("What happened")[2]
        assert "slow worker 0: 8 calls" in text
        assert "fast worker 0:" in text


class Tables(HTMLParser):
    """The rows of the tables inside the section of the schedule."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.chosen: list[int] = []
        self.widths: list[float] = []
        start = page.index('<div class="schedule">')
        self.feed(page[start : page.index("</section>", start)])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "tr":
            self.rows.append([])
            if given.get("class") == "chosen":
                self.chosen.append(len(self.rows) - 1)
        elif tag in ("td", "th"):
            self.rows[-1].append("")
        elif tag == "i" and "width" in (given.get("style") or ""):
            style = given.get("style") or ""
            self.widths.append(float(style.removeprefix("width:").removesuffix("%")))

    def handle_data(self, data: str) -> None:
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data


def test_the_page_compares_the_orders(two_workers: Connection) -> None:
    found = explanation(two_workers, TWO).schedule
    assert found is not None
    tables = Tables(explained(two_workers, TWO, "(FORMAT html)"))
    assert ["worker", "calls", "prefix groups", "prompt tokens", "repeated"] in tables.rows
    calls = [int(row[1]) for row in tables.rows if row[0].startswith("m worker")]
    assert sum(calls) == 24
    (chosen,) = tables.chosen
    assert tables.rows[chosen][3] == found.order
    assert len(tables.widths) == len(found.others) + 1
    assert max(tables.widths) == 100
    longest = max(seconds for _, seconds in (*found.others, (found.order, found.seconds or 0)))
    assert min(tables.widths) == pytest.approx(100 * (found.seconds or 0) / longest, abs=1)


# the prompt tree --------------------------------------------------------------------------


def test_what_a_call_holds_is_shared_out_among_placeholders() -> None:
    template = (
        Role("user"), Text("12345678"), Placeholder("a"), Placeholder("b"),
        Role("assistant"), Placeholder("g", ("g",)),
    )  # fmt: skip
    found = weights(template, 0.25, 8 + 40, 2, 50)
    assert found.of(template[:2]) == 2
    assert (found.column, found.answers) == (5, 100)
    assert found.of(template) == 2 + 2 * 5 + 100


def test_text_beside_answers_goes_to_their_placeholder() -> None:
    template = (Role("user"), Text("1234"), Placeholder("x || g", ("g",)))
    assert weights(template, 0.25, 24, 1, 50).of(template) == 1 + 5 + 50


def test_the_tree_has_weights_and_dependencies(two_workers: Connection) -> None:
    found = explanation(two_workers, TWO)
    drafting, shortening = found.prompt_tree.children[0].children
    assert (drafting.operators, drafting.reads) == (("a",), ())
    assert (shortening.operators, shortening.reads) == (("b",), ("a",))
    for node, operator in ((drafting, found.operators[0]), (shortening, found.operators[1])):
        assert operator.prompt_tokens is not None
        assert operator.calls is not None
        of_a_call = operator.prompt_tokens.value / operator.calls.value
        assert node.tokens == pytest.approx(of_a_call)
    text = explained(two_workers, TWO)
    assert "└─ Shorten: {a}  [~66 tokens]  -> b  (reads: a)" in text
    tree = json.loads(explained(two_workers, TWO, "(FORMAT json)"))["tree"]
    leaf = tree["children"][0]["children"][1]
    assert (leaf["tokens"], leaf["reads"]) == (66, ["a"])
    page = explained(two_workers, TWO, "(FORMAT html)")
    assert "<span>~66 tokens</span>" in page
    assert '<span class="reads">reads a</span>' in page


def test_weights_follow_what_is_learnt(two_workers: Connection) -> None:
    def answer_tokens() -> float:
        return explanation(two_workers, TWO).prompt_tree.children[0].children[1].tokens

    assert answer_tokens() == pytest.approx(9 / 4 + 64)  # a quarter of max_tokens
    two_workers.execute(TWO).fetchall()
    assert answer_tokens() < 9 / 4 + 64
