"""The suites by name, with the sizes at which they are run on a CPU. Sizes are fixed."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from suites import tables

_HERE = Path(__file__).parent
_TRADING_QUERY = _HERE.parents[1] / "queries" / "trading.hql"


@dataclass(frozen=True)
class Suite:
    """A workflow, its tables, and how much of it is run.

    Every answer has `output` tokens at scale 1, the mean of the original's answers; the model is
    told so (its max_tokens), the queries need not say it.
    """

    name: str
    query: Path
    tables: tables.Generator
    rows: int  # questions, contexts, items, stocks
    scale: float  # of all lengths; 1 is the original's
    output: int
    shared: str = ""  # the end of a prompt that several rows have in common, to the last word
    number: str = ""  # what tells these rows apart
    before: tables.Generator | None = None  # tables that the query was run on before, if others
    rewritten: Callable[[str], str] | None = None  # the query, made another one

    def text(self, apart: bool = False) -> str:
        """The query, without the statements that would fetch its tables from files.

        `apart`: no two of its calls are equal; the prompts that were end with a number.
        """
        query = re.sub(r"(?m)^CREATE TEMP VIEW .*;$", "", self.query.read_text("utf-8"))
        query = self.rewritten(query) if self.rewritten else query
        if apart and self.shared:
            assert query.count(self.shared) == 1
            query = query.replace(self.shared, f"{self.shared} {self.number}")
        return query

    def max_tokens(self, scale: float | None = None) -> int:
        return max(2, round(self.output * (scale or self.scale)))


_TRADERS = (  # those of one style ask the same
    "What do you do with {r.stock}? End with BUY, HOLD or SELL.", "{t.trader}",
)  # fmt: skip

SUITES = {
    suite.name: suite
    for suite in (
        Suite("mixed", _HERE / "mixed.hql", tables.mixed, 16, 1.0, 8),
        Suite(
            "map_reduce_questions",
            _HERE / "map_reduce_questions.hql",
            tables.map_reduce_questions, 20, 0.5, 286,
            "{q.body}\n{e.role}", "{e.expert}",
        ),
        Suite("map_reduce", _HERE / "map_reduce.hql", tables.map_reduce, 5, 0.25, 374),
        Suite("debate", _HERE / "debate.hql", tables.debate, 6, 0.25, 390),
        Suite("reflection", _HERE / "reflection.hql", tables.reflection, 10, 0.25, 257),
        Suite("iterative", _HERE / "iterative.hql", tables.iterative, 40, 0.25, 318),
        Suite("parallel", _HERE / "parallel.hql", tables.parallel, 5, 0.15, 447),
        Suite("trading", _TRADING_QUERY, tables.trading, 4, 0.1, 508, *_TRADERS),
        Suite(
            "trading_next_day", _TRADING_QUERY, tables.trading_next_day, 4, 0.1, 508, *_TRADERS,
            before=tables.trading,
        ),
        Suite(
            "debate_questions", _HERE / "debate_questions.hql",
            tables.debate_questions, 30, 0.5, 329,
        ),
        Suite("tables", _HERE / "tables.hql", tables.tables, 8, 0.25, 64),
        *(
            Suite(
                f"prefix_{number}_map_reduce", _HERE / "prefix_map_reduce.hql",
                mix.map_reduce, 10, 0.1, mix.output,
            )
            for number, mix in tables.MIXES.items()
        ),
        *(
            Suite(
                f"prefix_{number}_debate", _HERE / "prefix_debate.hql",
                mix.debate, 10, 0.1, mix.output,
            )
            for number, mix in tables.MIXES.items()
        ),
    )
}  # fmt: skip
