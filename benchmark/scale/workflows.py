"""The workflows that are run at growing sizes, and their tables.

Texts are hexadecimal digits of hashes, so that no two of them begin alike by accident, and every
call is another one. A report has 128 tokens of four characters, a question 8.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from heliumql.connection import Connection

OUTPUT_TOKENS = 16  # of every answer
_HASHES = 16  # of 32 characters, in a report


@dataclass(frozen=True)
class Workflow:
    """A query over `questions` and `reports`. A question takes `calls` calls, all different."""

    name: str
    what: str
    calls: int
    together: int  # questions about one report
    rows: int = 1  # of the result, for a question
    shuffled: bool = False

    def text(self) -> str:
        return Path(__file__).with_name(f"{self.name}.hql").read_text("utf-8")

    def create_tables(self, con: Connection, calls: int) -> None:
        """Those of a run with so many calls, a multiple of `self.calls`."""
        questions = calls // self.calls
        order = "hash(i)" if self.shuffled else "i"
        con.duckdb.execute(
            "CREATE TABLE reports AS SELECT i AS report, "
            f"list_aggregate(list_transform(range({_HASHES}), lambda k: md5(i || ' report ' || k)),"
            f" 'string_agg', '') AS body FROM range({-(-questions // self.together)}) AS r(i)"
        )
        con.duckdb.execute(
            f"CREATE TABLE questions AS SELECT i AS question, i // {self.together} AS report, "
            f"md5(i || ' question') AS body FROM range({questions}) AS r(i) ORDER BY {order}"
        )


WORKFLOWS = {
    workflow.name: workflow
    for workflow in (
        Workflow("map_reduce", "seven experts, one sums up", 8, 5),
        Workflow("debate", "four agents, two rounds", 8, 5, rows=4),
        Workflow("reflection", "an analyst, two critics, the analyst again", 4, 5),
        Workflow("table", "one operator over a shuffled table", 1, 16, shuffled=True),
    )
}
