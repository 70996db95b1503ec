"""The tables of the suites, generated from a seed; lengths are tokens of vocabulary.py.

Each function takes how many rows there are at the top, and the scale: 1 is as long as in the
original data (means and deviations; the texts themselves are invented). No text begins like
another one, so that nothing is shared by accident. The rows that stand for an item each come in an
order drawn from the seed, as the harness of the Helium paper does: tables are seldom sorted by what
prompts share.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import pyarrow as pa

from suites.vocabulary import text

Tables: TypeAlias = Mapping[str, pa.Table]
Generator: TypeAlias = Callable[[int, float, int], Tables]

QUESTIONS = 6  # about each context
PIECES = 6  # of the reviews of each item
_CONTEXT = (520, 390)  # mean and standard deviation


def _table(**columns: Sequence[object]) -> pa.Table:
    return pa.table({name: list(values) for name, values in columns.items()})


def _one_row(**columns: str) -> pa.Table:
    return _table(**{name: [value] for name, value in columns.items()})


def _long(tokens: float, scale: float) -> int:
    return max(4, round(tokens * scale))


def _numbered(
    name: str, count: int, column: str, tokens: float, scale: float, seed: int
) -> pa.Table:
    """Rows of a number and a text."""
    texts = [text(_long(tokens, scale), seed, name, n) for n in range(count)]
    return _table(**{name: range(count), column: texts})


def _shuffled(table: pa.Table, seed: int) -> pa.Table:
    order = list(range(table.num_rows))
    random.Random(repr((seed, "order of rows"))).shuffle(order)
    return table.take(order)


def _context_length(scale: float, seed: int, number: int) -> int:
    mean, deviation = _CONTEXT
    draw = random.Random(repr((seed, "length of context", number)))
    length = draw.gammavariate(mean**2 / deviation**2, deviation**2 / mean)
    return _long(min(max(length, mean / 8), mean * 4), scale)


def _contexts(rows: int, scale: float, seed: int) -> dict[str, pa.Table]:
    """Reports and six questions about each."""
    bodies = [text(_context_length(scale, seed, n), seed, "context", n) for n in range(rows)]
    asked = [(n, q) for n in range(rows) for q in range(QUESTIONS)]
    return {
        "contexts": _table(context=range(rows), body=bodies),
        "questions": _shuffled(
            _table(
                context=[n for n, _ in asked],
                question=[q for _, q in asked],
                body=[text(_long(60, scale), seed, "question", *key) for key in asked],
            ),
            seed,
        ),
    }


def mixed(rows: int, scale: float, seed: int = 0) -> Tables:
    def texts(what: str, tokens: float) -> list[str]:
        return [text(_long(tokens, scale), seed, what, n) for n in range(rows)]

    long = _long(640, scale)
    asked = {f"question_{n}": texts(f"question {n}", 64) for n in range(1, 9)}
    rules = {f"rules_{n}": text(long, seed, "rules", n) for n in range(1, 9)}
    return {
        "documents": _shuffled(
            _table(
                document=range(rows), body=texts("document", 640), note=texts("note", 64), **asked
            ),
            seed,
        ),
        "instructions": _one_row(**rules),
    }


def map_reduce(rows: int, scale: float, seed: int = 0, experts: int = 7) -> Tables:
    roles = _numbered("expert", experts, "role", 60, scale, seed)
    return {**_contexts(rows, scale, seed), "experts": roles}


def map_reduce_questions(rows: int, scale: float, seed: int = 0) -> Tables:
    roles = [text(_long(12, scale), seed, "role", n % 7) for n in range(14)]
    return {
        "questions": _shuffled(_numbered("question", rows, "body", 80, scale, seed), seed),
        "experts": _table(expert=range(14), role=roles),
    }


def debate(rows: int, scale: float, seed: int = 0) -> Tables:
    agents = _numbered("agent", 3, "role", 60, scale, seed)
    return {**_contexts(rows, scale, seed), "agents": agents}


def debate_questions(rows: int, scale: float, seed: int = 0) -> Tables:
    return {
        "questions": _shuffled(_numbered("question", rows, "body", 80, scale, seed), seed),
        "agents": _numbered("agent", 3, "role", 12, scale, seed),
    }


@dataclass(frozen=True)
class Mix:
    """Lengths of a prefix mix, in tokens at scale 1."""

    system: int
    context: int
    question: int
    output: int

    def map_reduce(self, rows: int, scale: float, seed: int = 0) -> Tables:
        experts = _numbered("expert", 7, "role", self.system, scale, seed)
        summarizer = text(_long(self.system, scale), seed, "summarizer")
        asked = self._questions(rows, scale, seed)
        return {**asked, "experts": experts, "summarizers": _one_row(role=summarizer)}

    def debate(self, rows: int, scale: float, seed: int = 0) -> Tables:
        agents = _numbered("agent", 3, "role", self.system, scale, seed)
        return {**self._questions(rows, scale, seed), "agents": agents}

    def _questions(self, rows: int, scale: float, seed: int) -> Tables:
        def texts(what: str, tokens: int) -> list[str]:
            return [text(_long(tokens, scale), seed, what, n) for n in range(rows)]

        contexts, bodies = texts("context", self.context), texts("question", self.question)
        asked = _table(question=range(rows), context=contexts, body=bodies)
        return {"questions": _shuffled(asked, seed)}


MIXES = {  # P1 to P6 by number
    1: Mix(1024, 128, 128, 64),
    2: Mix(1024, 512, 512, 256),
    3: Mix(1024, 1024, 1024, 512),
    4: Mix(2048, 256, 256, 128),
    5: Mix(2048, 1024, 1024, 512),
    6: Mix(2048, 2048, 2048, 1024),
}


def tables(rows: int, scale: float, seed: int = 0) -> Tables:
    """Sixteen requests about each of `rows` subjects, shuffled.

    Twelve differ, three are among those twelve once more, one is NULL.
    """
    requests: list[tuple[str, str | None]] = []
    for n in range(rows):
        subject = text(_long(640, scale), seed, "subject", n)
        asked = [text(_long(640, scale), seed, "request", n, r) for r in range(12)]
        requests += [(subject, request) for request in (*asked, *asked[:3], None)]
    random.Random(repr((seed, "order of requests"))).shuffle(requests)
    return {
        "requests": _table(
            number=range(len(requests)),
            subject=[subject for subject, _ in requests],
            request=[request for _, request in requests],
        )
    }


def reflection(rows: int, scale: float, seed: int = 0) -> Tables:
    lengths = {"analyst": 190, "extraction": 115, "calculation": 110}
    told = {name: text(_long(n, scale), seed, name) for name, n in lengths.items()}
    return {**_contexts(rows, scale, seed), "critics": _one_row(**told)}


def _items(rows: int, scale: float, seed: int) -> dict[str, pa.Table]:
    """Items, and six pieces of ten reviews each."""
    keys = [(n, p) for n in range(rows) for p in range(1, PIECES + 1)]
    return {
        "items": _shuffled(_numbered("item", rows, "description", 326, scale, seed), seed),
        "pieces": _table(
            item=[n for n, _ in keys],
            piece=[p for _, p in keys],
            reviews=[text(_long(890, scale), seed, "reviews", *key) for key in keys],
        ),
    }


def iterative(rows: int, scale: float, seed: int = 0) -> Tables:
    told = {name: text(_long(185, scale), seed, name) for name in ("summarize", "refine")}
    return {**_items(rows, scale, seed), "instructions": _one_row(**told)}


def parallel(rows: int, scale: float, seed: int = 0) -> Tables:
    return {
        **_items(rows, scale, seed),
        "experts": _numbered("expert", 7, "role", 262, scale, seed),
        "instructions": _one_row(extract=text(_long(140, scale), seed, "extract")),
    }


def trading(rows: int, scale: float, seed: int = 0) -> Tables:
    """Those of benchmark/trading, in which a token is a word."""
    return _trading(rows, scale, seed, day=1)


def trading_next_day(rows: int, scale: float, seed: int = 0) -> Tables:
    """The same stocks a day later: fundamentals and a third of the posts are as they were."""
    return _trading(rows, scale, seed, day=2)


def _trading(rows: int, scale: float, seed: int, day: int) -> Tables:
    from trading.tables import generate

    made = generate(rows, scale=scale, day=day, seed=seed)
    found = {
        name: pa.table([list(v) for v in zip(*getattr(made, name), strict=True)], names=columns)
        for name, columns in _TRADING.items()
    }
    return {**found, "stocks": _shuffled(found["stocks"], seed)}


_TRADING = {
    "stocks": ["stock", "name", "sector"],
    "documents": ["stock", "analyst", "part", "title", "body"],
    "posts": ["stock", "platform", "post", "body"],
}
