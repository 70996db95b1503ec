"""Prompts of LLM_AGG: one answer about several texts, and one answer made of several answers.

An answer about the whole is the same whether it is made at once or of the answers about parts:
what comes first among the texts comes first, and at most three names are given.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from catalog.demo.dialogs import Dialog, Turn
from catalog.demo.draw import Draw, deal
from catalog.demo.reviews import Review, listed
from catalog.demo.roles import system_message
from catalog.demo.workflows import MERGE, MOST, TOGETHER, opinion, stance, summary_of, union

BETWEEN = "\n---\n"
_NEVER = "nothing more than once"
# How many texts there are, and how often.
_COUNTS = (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16)
_SHARES = (6, 16, 16, 14, 12, 10, 8, 8, 5, 3, 2)

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


Answer = Callable[[Sequence[Review]], str]


def liked_of(reviews: Sequence[Review]) -> str:
    return _some(union([r.likes for r in reviews]), "nothing")


def disliked_of(reviews: Sequence[Review]) -> str:
    return _some(union([r.dislikes for r in reviews]), "nothing")


def often_of(reviews: Sequence[Review]) -> str:
    return _some(often_names(reviews), _NEVER)


def often_names(reviews: Sequence[Review]) -> list[str]:
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


_KINDS: tuple[tuple[str, tuple[str, ...], Answer, float], ...] = (
    ("summary", _FOR_SUMMARY, summary_of, 5.0),
    ("liked", _LIKED, liked_of, 1.5),
    ("disliked", _DISLIKED, disliked_of, 1.5),
    ("often", _OFTEN, often_of, 1.5),
    ("feeling", _FEELING, feeling_of, 1.0),
)


def aggregate_dialog(draw: Draw) -> Dialog:
    """One answer about several reviews, or about several summaries of reviews."""
    task, wordings, answer = _kind(draw)
    pool = _pool(draw)
    reviews = [draw.review(pool) for _ in range(draw.rng.choices(_COUNTS, _SHARES)[0])]
    as_summaries = answer is not often_of and draw.chance(0.25)
    texts = [r.summary if as_summaries else r.body for r in reviews]
    user = aggregate(_instruction(draw, wordings), texts)
    turn = Turn(f"LLM_AGG {task}", user, answer(reviews))
    return Dialog(system_message(draw), (turn,), tuple(reviews))


def merge_dialog(draw: Draw) -> Dialog:
    """One answer made of several answers about a few reviews each."""
    task, wordings, answer = _kind(draw)
    pool = _pool(draw)
    parts = [
        [draw.review(pool) for _ in range(draw.rng.randint(1, 6))]
        for _ in range(draw.choice((2, 2, 3, 3, 4, 5, 6, 8)))
    ]
    answers = [answer(part) for part in parts]
    whole = answer([r for part in parts for r in part])
    if answer is often_of:  # what the parts have named; no answer says what they left out
        named = [often_names(part)[:MOST] for part in parts]
        whole = _some(union(named), _NEVER)
    user = merged(_instruction(draw, wordings), answers)
    return Dialog(system_message(draw), (Turn(f"LLM_AGG merge {task}", user, whole),))


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


def _kind(draw: Draw) -> tuple[str, tuple[str, ...], Answer]:
    *kinds, weights = zip(*_KINDS, strict=True)
    task, wordings, answer = draw.rng.choices(tuple(zip(*kinds, strict=True)), weights)[0]
    return task, wordings, answer


def _pool(draw: Draw) -> list[str]:
    """Reviews of one product speak of the same few aspects."""
    return draw.aspects(draw.rng.randint(4, 12))


def _instruction(draw: Draw, wordings: Sequence[str]) -> str:
    made = draw.wording(wordings)
    return made.rstrip("?.") if draw.chance(0.15) else made


def _some(names: Sequence[str], none: str) -> str:
    return listed(names[:MOST]) if names else none
