"""The workloads of the Helium paper as calls: their shapes and lengths, no texts.

Each function makes the calls of `batch` rows from a seed, six queries a row where there are six
questions on a context. Lengths are chosen so that prompt and
output tokens of a row come to the paper's (`TOKENS`); what is not known is in between.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

from conversations import MOST, Conversations, Part, Text

from heliumql.scheduling.workload import Workload

# Prompt and output tokens of a row in the paper, each as many calls as stand in the third place.
TOKENS = {
    "map_reduce_mmlu": (6_691, 4_286, 15),
    "map_reduce_tatqa": (44_710, 17_941, 48),
    "debate_mmlu": (3_855, 1_974, 6),
    "debate_tatqa": (42_300, 14_035, 36),
    "reflection": (25_143, 6_169, 24),
    "iterative": (7_693, 1_906, 6),
    "parallel": (92_882, 22_346, 50),
    "trading": (304_221, 44_745, 88),
}

# system, context, question, output tokens
MIXES = {
    "P1": (1024, 128, 128, 64),
    "P2": (1024, 512, 512, 256),
    "P3": (1024, 1024, 1024, 512),
    "P4": (2048, 256, 256, 128),
    "P5": (2048, 1024, 1024, 512),
    "P6": (2048, 2048, 2048, 1024),
}

_QUESTIONS = 6  # on a context of TAT-QA
_PIECES = 6  # of the reviews of an item


def _mean(suite: str) -> float:
    _, output, calls = TOKENS[suite]
    return output / calls


def map_reduce_mmlu(batch: int, seed: int = 0, merge: bool = False, branches: int = 14) -> Workload:
    """Experts answer a question, a summarizer reads them. Every role is listed twice."""
    made = Conversations(seed, merge)
    mean = _mean("map_reduce_mmlu")
    roles = (branches + 1) // 2
    for row in range(batch):
        question: Text = (("question", row), made.length(85, 40))
        answers = [
            made.ask(
                row, f"expert {n}", [("system", 15), question, (("role", n % roles), 88)], mean
            )
            for n in range(branches)
        ]
        made.ask(row, "summarizer", [("summarizer", 18), *answers, ("merge", 45)], mean)
    return made.workload()


def map_reduce_tatqa(batch: int, seed: int = 0, merge: bool = False, branches: int = 7) -> Workload:
    """The same over six questions on each context; the context stands before the question."""
    made = Conversations(seed, merge)
    mean = _mean("map_reduce_tatqa")
    for row in range(batch):
        context: Text = (("context", row), made.length(520, 390))
        for asked in range(_QUESTIONS):
            query = row * _QUESTIONS + asked
            question: Text = (("question", row, asked), made.length(56, 15))
            answers = [
                made.ask(
                    query,
                    f"expert {n}",
                    [("system", 15), context, question, (("role", n), 88)],
                    mean,
                )
                for n in range(branches)
            ]
            made.ask(
                query,
                "summarizer",
                [("summarizer", 18), *answers, ("merge", 45)],
                mean,
            )
    return made.workload()


def _debate(
    made: Conversations,
    row: int,
    opening: Callable[[int], list[Part]],
    mean: float,
    agents: int,
    rounds: int,
    most: int = MOST,
) -> None:
    last = [made.ask(row, f"agent {n}", opening(n), mean, most=most) for n in range(agents)]
    for turn in range(1, rounds):
        last = [
            made.ask(
                row,
                f"agent {n}, round {turn + 1}",
                [*(a for m, a in enumerate(last) if m != n), ("revise", 40)],
                mean,
                history=last[n],
                most=most,
            )
            for n in range(agents)
        ]


def debate_mmlu(
    batch: int, seed: int = 0, merge: bool = False, branches: int = 3, rounds: int = 2
) -> Workload:
    """Agents answer, hear the others and go on in the same conversation."""
    made = Conversations(seed, merge)
    for row in range(batch):
        question: Text = (("question", row), made.length(108, 50))
        _debate(
            made,
            row,
            lambda n, q=question: [(("agent", n), 20), q],  # type: ignore[misc]
            _mean("debate_mmlu"),
            branches,
            rounds,
        )
    return made.workload()


def debate_tatqa(
    batch: int, seed: int = 0, merge: bool = False, branches: int = 3, rounds: int = 2
) -> Workload:
    """The same over six questions on each context."""
    made = Conversations(seed, merge)
    for row in range(batch):
        context: Text = (("context", row), made.length(520, 390))
        for asked in range(_QUESTIONS):
            query = row * _QUESTIONS + asked
            question: Text = (("question", row, asked), made.length(30, 10))
            _debate(
                made,
                query,
                lambda n, c=context, q=question: [(("agent", n), 20), c, q],  # type: ignore[misc]
                _mean("debate_tatqa"),
                branches,
                rounds,
            )
    return made.workload()


def reflection(batch: int, seed: int = 0, merge: bool = False) -> Workload:
    """An analyst answers, two critics look at it, the analyst revises in its conversation."""
    made = Conversations(seed, merge)
    mean = _mean("reflection")
    for row in range(batch):
        context: Text = (("context", row), made.length(520, 390))
        for asked in range(_QUESTIONS):
            query = row * _QUESTIONS + asked
            question: Text = (("question", row, asked), made.length(40, 10))
            draft = made.ask(query, "analyst", [("analyst", 190), context, question], mean)
            about: list[Part] = [context, question, draft]
            extraction = made.ask(query, "extraction critic", [("extraction", 115), *about], mean)
            calculation = made.ask(
                query, "calculation critic", [("calculation", 110), *about], mean
            )
            made.ask(
                query,
                "revision",
                [extraction, calculation, ("revise", 40)],
                mean,
                history=draft,
            )
    return made.workload()


def iterative(batch: int, seed: int = 0, merge: bool = False) -> Workload:
    """A summary is refined piece by piece."""
    made = Conversations(seed, merge)
    summary: list[Part] = []
    for row in range(batch):
        summary = []
        for piece in range(_PIECES):
            text: Text = (("piece", row, piece), made.length(830, 170))
            prompt = [("refine" if summary else "summarize", 185), *summary, text]
            summary = [made.ask(row, f"summary {piece}", prompt, _mean("iterative"))]
    return made.workload()


def parallel(batch: int, seed: int = 0, merge: bool = False, branches: int = 7) -> Workload:
    """Each expert extracts from each piece and sums up; a writer reads all experts."""
    made = Conversations(seed, merge)
    mean = _mean("parallel")
    for row in range(batch):
        product: Text = (("product", row), made.length(300, 100))
        pieces: list[Text] = [(("piece", row, p), made.length(930, 190)) for p in range(_PIECES)]
        reports: list[Part] = []
        for role in range(branches):
            system: Text = (("role", role), 262)
            notes = [
                made.ask(
                    row,
                    f"expert {role}, piece {n}",
                    [system, ("extract", 140), product, piece],
                    mean,
                )
                for n, piece in enumerate(pieces)
            ]
            reports.append(
                made.ask(row, f"expert {role}", [system, ("sum up", 100), product, *notes], mean)
            )
        made.ask(row, "writer", [("writer", 100), product, *reports], mean)
    return made.workload()


_DOCUMENTS = {
    "fundamentals": (1200, 17000, 5000, 900),
    "market": (5000, 2500),
    "news": (17000, 5000, 2000, 1500, 1200),
    "social": (2400, 2000, 1600),
}
_SEATS = ("aggressive", "conservative", "neutral")


def trading(
    batch: int, seed: int = 0, merge: bool = False, branches: int = 8, rounds: int = 2
) -> Workload:
    """Analysts, a debate, traders of four styles, risk analysts and judges: queries/trading.hql.

    88 calls a stock with eight traders and two rounds, 56 of them distinct.
    """
    made = Conversations(seed, merge)
    mean = _mean("trading")
    for row in range(batch):
        reports: list[Part] = []
        for analyst, lengths in _DOCUMENTS.items():
            system: Text = (analyst, 30)
            notes = [
                made.ask(
                    row,
                    f"{analyst} note {n}",
                    [system, ((analyst, row, n), made.length(length, length / 10)), ("note", 25)],
                    mean,
                )
                for n, length in enumerate(lengths)
            ]
            prompt = [system, *notes, ("report", 30)]
            reports.append(made.ask(row, f"{analyst} report", prompt, mean))
        bull = made.ask(row, "bull", [("bull", 20), *reports, ("buy", 25)], mean)
        bear = made.ask(row, "bear", [("bear", 20), *reports, ("sell", 30), bull], mean)
        said: list[Part] = [bull, bear]
        for turn in range(2, rounds + 1):
            bull = made.ask(row, f"bull, round {turn}", [bear, ("reply", 15)], mean, history=bull)
            bear = made.ask(row, f"bear, round {turn}", [bull, ("reply", 15)], mean, history=bear)
            said += [bull, bear]
        prompt = [("manager", 20), *reports, *said, ("recommend", 40)]
        manager = made.ask(row, "manager", prompt, mean)
        orders = [_trader(made, row, n, reports, manager, rounds, mean) for n in range(branches)]
        made.ask(row, "fund manager", [("fund", 20), *orders, ("decide", 30)], mean)
    return made.workload()


def _trader(
    made: Conversations,
    row: int,
    number: int,
    reports: list[Part],
    manager: int,
    rounds: int,
    mean: float,
) -> int:
    """The plan of a trader, argued about; returns the judge's call."""
    system: Text = (("style", number % 4), 25)
    plan = made.ask(row, f"trader {number}", [system, *reports, manager, ("act", 30)], mean)
    last = [
        made.ask(row, f"{seat} {number}", [(seat, 30), *reports, plan, ("risk", 20)], mean)
        for seat in _SEATS
    ]
    said: list[Part] = [*last]
    for turn in range(2, rounds + 1):
        last = [
            made.ask(
                row,
                f"{seat} {number}, round {turn}",
                [*(a for m, a in enumerate(last) if m != n), ("reply", 15)],
                mean,
                history=last[n],
            )
            for n, seat in enumerate(_SEATS)
        ]
        said += last
    return made.ask(row, f"judge {number}", [("judge", 20), plan, *said, ("settle", 35)], mean)


def mixed_map_reduce(mix: str, batch: int = 100, seed: int = 0, branches: int = 7) -> Workload:
    """Map and reduce with the lengths of a prefix mix."""
    system, context, question, output = MIXES[mix]
    made = Conversations(seed)
    for row in range(batch):
        texts: list[Part] = [(("context", row), context), (("question", row), question)]
        answers = [
            made.ask(row, f"expert {n}", [(("role", n), system), *texts], output, most=2 * output)
            for n in range(branches)
        ]
        prompt = [("summarizer", system), *answers, ("merge", 45)]
        made.ask(row, "summarizer", prompt, output, most=2 * output)
    return made.workload()


def mixed_debate(mix: str, batch: int = 100, seed: int = 0, rounds: int = 2) -> Workload:
    """A debate with the lengths of a prefix mix."""
    system, context, question, output = MIXES[mix]
    made = Conversations(seed)
    for row in range(batch):
        texts: list[Part] = [(("context", row), context), (("question", row), question)]
        _debate(
            made,
            row,
            lambda n, t=texts: [(("agent", n), system), *t],  # type: ignore[misc]
            output,
            3,
            rounds,
            most=2 * output,
        )
    return made.workload()


SUITES: dict[str, Callable[..., Workload]] = {
    "map_reduce_mmlu": map_reduce_mmlu,
    "map_reduce_tatqa": map_reduce_tatqa,
    "debate_mmlu": debate_mmlu,
    "debate_tatqa": debate_tatqa,
    "reflection": reflection,
    "iterative": iterative,
    "parallel": parallel,
    "trading": trading,
}


def shuffled(workload: Workload, seed: int = 42) -> Workload:
    """The same calls where rows ask in another order. No call is one of two queries."""
    queries = sorted(set(workload.query))
    places = list(range(len(queries)))
    random.Random(seed).shuffle(places)
    place = dict(zip(queries, places, strict=True))
    order = sorted(range(len(workload)), key=lambda c: (place[workload.query[c]], c))
    number = {call: n for n, call in enumerate(order)}
    return Workload(
        query=[place[workload.query[c]] for c in order],
        operator=[workload.operator[c] for c in order],
        prompt=[workload.prompt[c] for c in order],
        output=[workload.output[c] for c in order],
        needs=[[number[n] for n in workload.needs[c]] for c in order],
        tree=replace(workload.tree, leaf=[workload.tree.leaf[c] for c in order]),
        engine=[workload.engine[c] for c in order],
    )
