"""Prompts of workflows: opinions by role, debates, merged opinions, drafts and their critics.

The answers are functions of the review as well, so that a workflow over the demonstration data
reads sensibly; see `dialogs.py` for the plain questions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from catalog.demo.dialogs import Dialog, Turn, frame, with_hint
from catalog.demo.draw import Draw, deal
from catalog.demo.prompts import Question, compact
from catalog.demo.reviews import Review, listed, summarize
from catalog.demo.roles import expert, role, system_message
from heliumql.types import BOOLEAN, TEXT, SqlType

MOST = 3  # names in an answer about several texts
_OPINION = deal("""
    What do you think of this review?
    Give your opinion on this review.
    What is your opinion of the product?
    What is your view?
    Give your view in one sentence.
    What do you make of this review?
    Your opinion?
    State your opinion.
    As an expert, what do you say?
    Judge the product by this review.
    What do you conclude from this review?
    Assess the product.
    Tell us your expert opinion.
    Discuss this review.
    Argue from your point of view.
""")
_REVISE = deal("""
    The others said: {o} Revise your answer.
    The others said:|{o}|Revise your answer.
    Other experts said: {o}|Revise your opinion.
    These are the other opinions: {o} Update your answer.
    Your colleagues said: {o} What do you say now?
    Here is what the others think: {o} Reconsider your answer.
    The other agents answered: {o} Give your revised answer.
    Others said: {o} Revise your view.
""")
MERGE = deal("""
    Give the final answer.
    Give the final answer
    Merge these opinions.
    Combine these opinions into one.
    Combine the answers.
    Summarize the opinions.
    What do the experts agree on?
    Write the conclusion.
    Draw a conclusion from these opinions.
    Merge the answers into one answer.
    Make one answer of these.
    Give the overall verdict.
    Write a final verdict.
    Summarize what the experts say.
    Aggregate the answers.
    Decide on the final answer.
""")
TOGETHER = deal("""
    Summarize these reviews.
    Summarize these reviews in one line.
    What do the customers say?
    What do customers like and dislike?
    Summarize what the customers think.
    Sum up the reviews.
    Write one summary of all reviews.
    Combine these reviews into a summary.
    Give an overall summary.
    Merge these summaries.
    Combine these summaries into one.
    Summarize these summaries.
""")
_AGREE = deal("""
    Do these two reviews agree?
    Do both customers feel the same?
    Do the two reviews have the same sentiment?
    Are the two customers of one opinion?
""")
_SAME_TOPIC = deal("""
    Do these two reviews share a topic?
    Are these two reviews about the same thing?
    Do both customers mention the same aspect?
    Is there a topic that both reviews mention?
""")
_DRAFT = deal("""
    Draft a summary of this review.
    Write a first draft of a summary.
    Write a draft summary.
    Draft a one-line summary.
    Write a rough draft of a summary.
""")
_CRITIC = deal("""
    Criticize this draft: {d}
    Criticize the draft. Draft: {d}
    What is missing in this draft? {d}
    What does the draft leave out? Draft: {d}
    Review this draft: {d}
    Give feedback on the draft: {d}
    Check this summary: {d}
    What is wrong with this summary? {d}
""")
_COMPLETE = deal("""
    Is the draft complete? Draft: {d}
    Is this summary complete? {d}
    Does the draft cover everything? Draft: {d}
    Good enough? {d}
    Is the draft good enough? {d}
    Is the summary good enough? Summary: {d}
""")
_REDO = deal("""
    Revise the draft. Draft: {d} Criticism: {c}
    Improve the draft. Draft: {d} Criticism: {c}
    Draft: {d} Critic: {c} Write a better draft.
    Rewrite the summary. Summary: {d} Feedback: {c}
    Draft: {d}|Criticism: {c}|Revise the draft.
    Draft: {d}|Criticism: {c}|Write the final version.
    Revise this draft: {d} The critic says: {c}
""")
_REDO_TURN = deal("""
    A critic says: {c} Revise your draft.
    Criticism: {c} Revise the draft.
    The critic said: {c} Revise your answer.
    Feedback: {c} Improve your draft.
    {c} Revise your draft.
""")


def opinion(likes: Sequence[str], dislikes: Sequence[str], start: str) -> str:
    """`As a buyer, I see strengths in the battery, weaknesses in the price.`"""
    parts = []
    if likes:
        parts.append(f"strengths in {listed(likes)}")
    if dislikes:
        parts.append(f"weaknesses in {listed(dislikes)}")
    if not parts:
        return (
            f"{start.removesuffix('see')}have no opinion."
            if " see" in start
            else f"{start} nothing."
        )
    return f"{start} {', '.join(parts)}."


def opinion_dialog(draw: Draw) -> Dialog:
    """An expert's opinion, and often a second round after the others' opinions."""
    review = draw.review()
    who, likes, dislikes = stance(draw, review)
    start = f"As {who}, I see" if who else "I see"
    system = f"You are {who}." if who else None
    if who and draw.chance(0.3):
        system = f"{system} {draw.choice(_MANNERS)}"
    instruction = draw.wording(_OPINION)
    if who and draw.chance(0.3):  # the role in the prompt, as map-reduce templates have it
        if draw.chance(0.5):
            instruction = f"You are {who}. {instruction}"
            user = frame(draw, instruction, review.body)
        else:
            user = f"{review.body}\n{instruction} You are {who}."
        system = draw.choice((None, "You are a helpful assistant."))
    else:
        user = frame(draw, instruction, review.body)
    turns = [Turn("opinion", user, opinion(likes, dislikes, start))]
    if draw.chance(0.5):
        others = [stance(draw, review) for _ in range(draw.choice((1, 2, 2, 3)))]
        said = [opinion(p, c, f"As {w}, I see" if w else "I see") for w, p, c in others]
        likes = union([likes, *(p for _, p, _ in others)])
        dislikes = union([dislikes, *(c for _, _, c in others)])
        start = f"As {who}, I now see" if who else "I now see"
        text = draw.wording(_REVISE).replace("|", "\n")
        user = text.format(o=draw.choice((" ", "\n")).join(said))
        turns.append(Turn("debate", user, opinion(likes, dislikes, start)))
    return Dialog(system, tuple(turns), (review,))


def merge_dialog(draw: Draw) -> Dialog:
    """One conclusion from several opinions on one review."""
    review = draw.review()
    parts = [stance(draw, review) for _ in range(draw.choice((2, 2, 3, 3, 4, 5)))]
    now = draw.choice(("", "now "))
    said = [opinion(p, c, f"As {w}, I {now}see" if w else f"I {now}see") for w, p, c in parts]
    answer = opinion(
        union([p for _, p, _ in parts]),
        union([c for _, _, c in parts]),
        "All in all,",
    )
    user = _collection(draw, draw.wording(MERGE), said)
    return Dialog(system_message(draw), (Turn("merge", user, answer),))


def together_dialog(draw: Draw) -> Dialog:
    """One summary of several reviews, or of several summaries of reviews."""
    reviews = [draw.review() for _ in range(draw.choice((2, 2, 3, 3, 4)))]
    as_summaries = draw.chance(0.5)
    texts = [r.summary if as_summaries else r.body for r in reviews]
    user = _collection(draw, draw.wording(TOGETHER), texts)
    answer = summary_of(reviews)
    return Dialog(system_message(draw), (Turn("summary of several", user, answer),), tuple(reviews))


def pair_dialog(draw: Draw) -> Dialog:
    """A question that joins two reviews."""
    first, second = draw.review(), draw.review()
    options, holds = _AGREE, first.sentiment == second.sentiment
    if draw.chance(0.5):
        options, holds = _SAME_TOPIC, bool(set(first.topics) & set(second.topics))
    question = Question("pair BOOLEAN", draw.wording(options), compact(holds), BOOLEAN)
    text = draw.choice(("{i} A: {a} B: {b}", "{i}\nA: {a}\nB: {b}", "{a}\n{b}\n{i}",
                        "First: {a}\nSecond: {b}\n{i}", "{i}\n1. {a}\n2. {b}"))  # fmt: skip
    user = text.format(i=question.instruction, a=first.body, b=second.body)
    turn = Turn(question.task, with_hint(user, question), question.answer)
    return Dialog(system_message(draw), (turn,), (first, second))


def draft_dialog(draw: Draw) -> Dialog:
    """A draft, which names one thing only, and its revision after the criticism."""
    review = draw.review()
    draft, criticism = _first_draft(review), _criticism(review, review.topics[:1])
    turns = [Turn("draft", frame(draw, draw.wording(_DRAFT), review.body), draft)]
    if draw.chance(0.7):
        user = draw.wording(_REDO_TURN).format(c=criticism)
        turns.append(Turn("revise", user, review.summary))
    return Dialog(system_message(draw), tuple(turns), (review,))


def critic_dialog(draw: Draw) -> Dialog:
    """Criticism of a draft, a check of it, or its revision in one message."""
    review = draw.review()
    complete = draw.chance(0.4)
    named = review.topics if complete else review.topics[:1]
    draft = review.summary if complete else _first_draft(review)
    criticism = _criticism(review, named)
    whole = len(named) == len(review.topics)
    kind = draw.rng.random()
    if kind < 0.4:
        instruction = draw.wording(_CRITIC).format(d=draft)
        question = Question("criticism", instruction, criticism)
        if draw.chance(0.3):
            verdict = SqlType("STRUCT", fields=(("verdict", TEXT), ("score", SqlType("INTEGER"))))
            answer = compact({"verdict": criticism, "score": 5 if whole else 2})
            question = Question("criticism STRUCT", instruction, answer, verdict)
    elif kind < 0.7:
        instruction = draw.wording(_COMPLETE).format(d=draft)
        question = Question("draft BOOLEAN", instruction, compact(whole), BOOLEAN)
    else:
        instruction = draw.wording(_REDO).replace("|", "\n").format(d=draft, c=criticism)
        question = Question("revise", instruction, review.summary)
    text = draw.choice(("{i} Review: {b}", "{i}\nReview: {b}", "{i}\n\nReview: {b}",
                        "Review: {b}\n{i}", "Review: {b}\n\n{i}"))  # fmt: skip
    user = text.format(i=question.instruction, b=review.body)
    system = system_message(draw)
    turn = Turn(question.task, with_hint(user, question), question.answer)
    return Dialog(system, (turn,), (review,))


_MANNERS = ("Answer briefly.", "Be brief.", "Answer in one sentence.", "Speak plainly.",
            "Use only what the text says.", "You take part in a discussion.")  # fmt: skip

WORKFLOWS: tuple[tuple[float, Callable[[Draw], Dialog]], ...] = (
    (2.0, opinion_dialog),
    (1.0, merge_dialog),
    (0.7, together_dialog),
    (0.7, draft_dialog),
    (1.2, critic_dialog),
    (0.3, pair_dialog),
)


def summary_of(reviews: Sequence[Review]) -> str:
    """What is liked and what is disliked, in order of mention, at most three of each."""
    return summarize(
        union([r.likes for r in reviews])[:MOST], union([r.dislikes for r in reviews])[:MOST]
    )


def stance(draw: Draw, review: Review) -> tuple[str, Sequence[str], Sequence[str]]:
    """A role and what it sees: an expert for one aspect sees no other."""
    kind = draw.rng.random()
    if kind < 0.35:
        aspect = draw.others(review, 1)[0]
        if review.topics and draw.chance(0.75):
            aspect = draw.choice(review.topics)
        return (
            expert(draw, aspect),
            [n for n in review.likes if n == aspect],
            [n for n in review.dislikes if n == aspect],
        )
    return role(draw) if kind < 0.9 else "", review.likes, review.dislikes


def _collection(draw: Draw, instruction: str, texts: Sequence[str]) -> str:
    style = draw.choice(("{t}", "{t}", "{t}", "- {t}", "{n}. {t}", "[{n}] {t}", "{n}: {t}"))
    lines = [style.format(t=t, n=n) for n, t in enumerate(texts, 1)]
    body = draw.choice(("\n", "\n", "\n\n")).join(lines)
    return draw.choice(("{i}\n{b}", "{i}\n\n{b}", "{b}\n{i}", "{b}\n\n{i}", "{i} {b}")).format(
        i=instruction, b=body
    )


def union(parts: Sequence[Sequence[Any]]) -> list[Any]:
    return list(dict.fromkeys(name for part in parts for name in part))


def _first_draft(review: Review) -> str:
    first = review.opinions[:1]
    return summarize([o.aspect for o in first if o.liked], [o.aspect for o in first if not o.liked])


def _criticism(review: Review, named: Sequence[str]) -> str:
    missing = [t for t in review.topics if t not in named]
    return f"The draft leaves out {listed(missing)}." if missing else "The draft is complete."
