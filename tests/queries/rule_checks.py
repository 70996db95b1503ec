"""One random query with all rules, without each of those that fired, without any, and by DuckDB.

`python tests/queries/rule_checks.py 1000 2000 3` checks the queries of these numbers, with at most
three of the rules that fired disabled in turn.
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass, field
from random import Random

import asking
from scripted_model import TEXTS, HashModel
from ways import Ways

from heliumql.optimizer import RULES
from heliumql.stats import Stats

# Where nothing is known of what predicates let through and they keep the user's order, these never
# ask more than is asked without them. (join_then_ask and what makes CTEs may: DuckDB looks at then
# inputs of a join that it leaves alone where another has no rows.)
NEVER_ASK_MORE = (
    "pull_up_llm_predicate", "group_then_ask", "limit_stops_early", "merge_equal_generates",
)  # fmt: skip
ORDER = "order_llm_predicates"
# What is forgotten before each run: everything; answers but not what was learnt; nothing.
MEMORIES = {
    "none": "CLEAR CACHE",
    "learnt": "CLEAR CACHE WHERE true",
    "stored": "CLEAR CACHE WHERE false",
}
SPAN = 100  # queries one after another with one kind of memory


@dataclass
class Report:
    """What was run and found."""

    queries: int = 0
    refused: int = 0  # by plain DuckDB
    runs: int = 0
    fired: Counter[str] = field(default_factory=Counter)


def check(ways: Ways, number: int, report: Report, most_rules: int = 99) -> None:
    """Checks the query of a number; of the rules that fired at most so many are disabled."""
    random = Random(number)
    memory = list(MEMORIES)[number // SPAN % 3]
    model = HashModel(number // SPAN // 3, failing=11, wild=13, texts=TEXTS[:4])
    ways.prepare(asking.tables(random), model)
    query = asking.query(random)
    expected = ways.outcome(query, "plain")
    report.queries += 1
    if expected.rows is None:
        report.refused += 1
        return
    way = random.choice(("on", "small"))

    def run(*disabled: str) -> Stats:
        ways.connection.set("llm_disabled_rules", ",".join(disabled))
        outcome = ways.outcome(query, "unverified" if disabled else way, MEMORIES[memory])
        report.runs += 1
        where = f"query {number} ({memory}, {way}), disabled: {', '.join(disabled)}\n{query}"
        assert outcome.error is None, f"{outcome.error}: {where}"
        assert outcome.rows == expected.rows, f"other rows: {where}"
        stats = outcome.stats
        assert stats is not None
        assert stats.calls_asked == (
            stats.calls_shared + stats.calls_cached + stats.calls_run - stats.calls_wasted
        ), f"{stats}: {where}"
        return stats

    def asks_more(whole: Stats, without: Stats) -> bool:
        return whole.calls_run > without.calls_run

    try:
        if memory != "none":  # now there is something to be remembered
            run()
        ways.connection.set("llm_disabled_rules", "")
        ways.connection.execute(MEMORIES[memory])
        fired = list(dict.fromkeys(ways.fired(query)))
        report.fired.update(fired)
        whole = run()
        random.shuffle(fired)
        for rule in fired[:most_rules]:
            more = asks_more(whole, run(rule))
            if more and memory == "none" and rule in NEVER_ASK_MORE:
                more = ORDER not in fired or asks_more(run(ORDER), run(rule, ORDER))
                assert not more, f"{rule} asks more: query {number}\n{query}"
        if fired:
            run(*RULES)
    finally:
        ways.connection.set("llm_disabled_rules", "")


def main() -> None:
    first, last, most_rules = (*map(int, sys.argv[1:]), 99)[:3]
    report, wrong = Report(), 0
    with Ways() as ways:
        for number in range(first, last):
            try:
                check(ways, number, report, most_rules)
            except AssertionError as error:
                wrong += 1
                print(f"{error}\n", flush=True)
            if report.queries % SPAN == 0:
                print(report, flush=True)
    print(report, f"{wrong} wrong")


if __name__ == "__main__":
    main()
