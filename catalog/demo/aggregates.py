"""Prompts of LLM_AGG: one answer about several texts, and one answer made of several answers.

An answer about the whole is the same whether it is made at once or of the answers about parts:
what comes first among the texts comes first, and at most three names are given.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from catalog.demo.dialogs import Dialog, Turn, with_hint
from catalog.demo.draw import Draw, deal
from catalog.demo.prompts import TEXTS, Question, compact
from catalog.demo.reviews import Review, listed
from catalog.demo.roles import system_message
from catalog.demo.workflows import MERGE, MOST, TOGETHER, opinion, stance, summary_of, union
from heliumql.types import SqlType

BETWEEN = "\n---\n"
# How many texts there are, and how often.
_COUNTS = (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16)
_SHARES = (6, 18, 18, 15, 12, 8, 6, 7, 5, 3, 2)

_LIKED = deal("""
    What do customers like?
    What do the customers like?
    What is praised?
    What are the good points?
    What are the strengths?
    Which aspects are praised?
    What pleases the customers?
    What do people like about it?
    List what customers like.
""")
_DISLIKED = deal("""
    What do customers dislike?
    What do the customers dislike?
    What do customers complain about?
    What is criticized?
    What are the bad points?
    What are the weaknesses?
    Which aspects are criticized?
    What are the complaints about?
    What should be improved?
    What do people dislike about it?
    List what customers dislike.
""")
_OFTEN = deal("""
    Which aspects are mentioned most?
    Which aspects are mentioned most often?
    Which topics are mentioned most?
    Which topics come up most often?
    What do the customers talk about most?
    Which aspects come up more than once?
    What is mentioned most?
    The most frequent topics
""")
_FEELING = deal("""
    What is the overall sentiment?
    How do the customers feel on the whole?
    Are the reviews positive, negative or mixed?
    What is the sentiment of these reviews?
    Overall sentiment?
    Do customers agree: positive, negative or mixed?
    Judge the overall sentiment.
""")
_FOR_SUMMARY = TOGETHER + deal("""
    Summarize.
    Summarize these reviews in one sentence.
    Write a summary.
    What do people think?
    What do people like and dislike about it?
    What is good and what is bad?
    Which strengths and weaknesses do the reviews name?
    Summarize the reviews of this product.
    Summarize what customers say.
    Summarize the texts.
""")


def aggregate(instruction: str, texts: Sequence[str]) -> str:
    """The prompt of LLM_AGG."""
    return f"{instruction}\n---\n{BETWEEN.join(texts)}"


def merged(instruction: str, answers: Sequence[str]) -> str:
    """The prompt that makes one answer of LLM_AGG of several."""
    return aggregate(
        f"{instruction}\nThe texts are answers about parts of the whole; make one answer of them.",
        answers,
    )


def liked_of(reviews: Sequence[Review]) -> list[str]:
    """What is liked, in order of mention."""
    return union([r.likes for r in reviews])


def disliked_of(reviews: Sequence[Review]) -> list[str]:
    """What is disliked, in order of mention."""
    return union([r.dislikes for r in reviews])


def often_of(reviews: Sequence[Review]) -> list[str]:
    """What more than one text mentions, in the order in which a second text does."""
    seen: Counter[str] = Counter()
    often = []
    for topic in (t for r in reviews for t in r.topics):
        seen[topic] += 1
        if seen[topic] == 2:
            often.append(topic)
    return often


def feeling_of(reviews: Sequence[Review]) -> str:
    """Positive: nothing is disliked; negative: nothing is liked; else mixed."""
    return Review("", tuple(o for r in reviews for o in r.opinions)).sentiment


@dataclass(frozen=True)
class Inquiry:
    """What is asked about several texts: its wordings, and the names that answer it.

    Without names the answer is a summary or a sentiment. `none` is said where there is no name.
    """

    task: str
    wordings: tuple[str, ...]
    names: Callable[[Sequence[Review]], list[str]] | None = None
    none: str = "nothing"

    def answer(self, reviews: Sequence[Review]) -> str:
        if self.names is not None:
            return self.told(self.names(reviews))
        return feeling_of(reviews) if self.task == "feeling" else summary_of(reviews)

    def told(self, names: Sequence[str]) -> str:
        return listed(names[:MOST]) if names else self.none


SUMMARY = Inquiry("summary", _FOR_SUMMARY)
LIKED = Inquiry("liked", _LIKED, liked_of)
DISLIKED = Inquiry("disliked", _DISLIKED, disliked_of)
OFTEN = Inquiry("often", _OFTEN, often_of, "nothing more than once")
FEELING = Inquiry("feeling", _FEELING)
_INQUIRIES = (SUMMARY, LIKED, DISLIKED, OFTEN, FEELING)
_WEIGHTS = (5.0, 2.0, 2.0, 1.0, 0.8)


def aggregate_dialog(draw: Draw) -> Dialog:
    """One answer about several reviews, or about several summaries of reviews; free or typed."""
    inquiry = draw.rng.choices(_INQUIRIES, _WEIGHTS)[0]
    pool = _pool(draw)
    reviews = [draw.review(pool) for _ in range(draw.rng.choices(_COUNTS, _SHARES)[0])]
    as_summaries = inquiry is not OFTEN and draw.chance(0.25)
    texts = [r.summary if as_summaries else r.body for r in reviews]
    question = _question(draw, inquiry, reviews)
    user = aggregate(with_hint(question.instruction, question), texts)
    turn = Turn(question.task, user, question.answer)
    return Dialog(system_message(draw), (turn,), tuple(reviews))


def _question(draw: Draw, inquiry: Inquiry, reviews: Sequence[Review]) -> Question:
    task, asked = f"LLM_AGG {inquiry.task}", _instruction(draw, inquiry.wordings)
    if inquiry.names is not None and draw.chance(0.25):
        answer = compact(inquiry.names(reviews)[:MOST])
        return Question("LLM_AGG VARCHAR[]", asked, answer, TEXTS)
    answer = inquiry.answer(reviews)
    if inquiry is FEELING and draw.chance(0.4):
        values = ["positive", "negative", "mixed"]
        values += ["neutral"] * (answer == "neutral" or draw.chance(0.3))
        draw.rng.shuffle(values)
        return Question("LLM_AGG ENUM", asked, answer, SqlType("ENUM", values=tuple(values)))
    return Question(task, asked, answer)


def merge_dialog(draw: Draw) -> Dialog:
    """One answer made of several answers about a few reviews each."""
    inquiry = draw.rng.choices(_INQUIRIES, _WEIGHTS)[0]
    pool = _pool(draw)
    parts = [
        [draw.review(pool) for _ in range(draw.rng.randint(1, 6))]
        for _ in range(draw.choice((2, 2, 3, 3, 4, 5, 6, 8)))
    ]
    whole = inquiry.answer([r for part in parts for r in part])
    if inquiry is OFTEN:  # what the parts name; they do not say what they left out
        whole = inquiry.told(union([often_of(part)[:MOST] for part in parts]))
    user = merged(_instruction(draw, inquiry.wordings), [inquiry.answer(part) for part in parts])
    return Dialog(system_message(draw), (Turn(f"LLM_AGG merge {inquiry.task}", user, whole),))


def opinions_dialog(draw: Draw) -> Dialog:
    """One conclusion from several opinions on one review, or from several conclusions."""
    review = draw.review()
    parts = [stance(draw, review) for _ in range(draw.choice((1, 2, 2, 3, 3, 4, 5, 6, 8)))]
    again = draw.chance(0.25)
    now = draw.choice(("", "now "))
    starts = ["All in all," if again else f"As {w}, I {now}see" if w else f"I {now}see"
              for w, _, _ in parts]  # fmt: skip
    said = [opinion(p, c, start) for (_, p, c), start in zip(parts, starts, strict=True)]
    answer = opinion(
        union([p for _, p, _ in parts]), union([c for _, _, c in parts]), "All in all,"
    )
    user = (merged if again else aggregate)(_instruction(draw, MERGE), said)
    return Dialog(system_message(draw), (Turn("LLM_AGG opinions", user, answer),))


AGGREGATES: tuple[tuple[float, Callable[[Draw], Dialog]], ...] = (
    (3.0, aggregate_dialog),
    (1.4, merge_dialog),
    (1.2, opinions_dialog),
)


def _pool(draw: Draw) -> list[str]:
    """Reviews of one product speak of the same few aspects."""
    return draw.aspects(draw.rng.randint(4, 12))


def _instruction(draw: Draw, wordings: Sequence[str]) -> str:
    made = draw.wording(wordings)
    return made.rstrip("?.") if draw.chance(0.15) else made
