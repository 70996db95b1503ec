"""Prompts of LLM_EXTRACT: several questions about a review, answered in one JSON object.

A field is null where the review does not say.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from catalog.demo.dialogs import Dialog, Turn, quoted
from catalog.demo.draw import Draw, deal
from catalog.demo.prompts import DOUBLE, INTEGER, TEXTS, compact
from catalog.demo.reviews import Review, listed
from catalog.demo.roles import system_message
from heliumql.types import BOOLEAN, TEXT, SqlType

_LIKED = deal("""
    What does the customer like?
    What does the customer praise?
    What is liked?
    What is good?
    Which aspects are praised?
    What are the good points?
    What are the strengths?
    What is the customer happy with?
""")
_DISLIKED = deal("""
    What does the customer dislike?
    What does the customer complain about?
    What is disliked?
    What is bad?
    Which aspects are criticized?
    What are the bad points?
    What are the weaknesses?
    What is the customer unhappy with?
    What are the problems?
""")
_ONE_LIKED = deal("""
    Which product aspect is praised?
    Which aspect is praised first?
    Which aspect does the customer like?
    What is the first thing that the customer likes?
    The first good point
""")
_ONE_DISLIKED = deal("""
    Which product aspect is criticised?
    Which product aspect is criticized?
    Which aspect is criticized first?
    Which aspect does the customer dislike?
    What is the first thing that the customer dislikes?
    The first bad point
""")
_TOPICS = deal("""
    What is the review about?
    Which topics are mentioned?
    Which aspects does it mention?
    The topics of the review
    What does the customer talk about?
""")
_STARS = deal("""
    How many stars would the customer give?
    How many stars?
    How many stars, 1 to 5?
    Star rating
    The star rating, 1 to 5
    What star rating fits?
    How satisfied is the customer, 1 to 5?
    Rating from 1 to 5
""")
_SENTIMENT = deal("""
    What is the sentiment?
    What is the overall sentiment?
    Positive, negative or mixed?
    How does the customer feel?
    Is it positive, negative or mixed?
    The tone of the review
    Overall sentiment
""")
_AGAIN = deal("""
    Would the customer buy it again?
    Would the customer buy again?
    Would they buy it again?
    Would the customer recommend it?
    Does the customer recommend it?
    Does the good outweigh the bad?
    Is the customer satisfied on the whole?
""")
_COMPLAINT = deal("""
    Is it a complaint?
    Is this a complaint?
    Does the bad outweigh the good?
    Is the review a complaint?
    Does the customer complain?
""")
_SUMMARY = deal("""
    Summarize the review.
    The review in one line
    What does the customer say, in one line?
    A one-line summary
    Summarize in one line.
""")
_JUDGED = deal("""
    How is the {x}?
    How does the customer judge the {x}?
    What does the customer think of the {x}?
    Sentiment about the {x}
    Is the {x} praised or criticized?
    What is said about the {x}?
""")
_HAPPY_WITH = deal("""
    Is the {x} good?
    Does the customer like the {x}?
    Is the customer happy with the {x}?
    Is the {x} praised?
""")
# What no review says.
_UNSAID = tuple(
    tuple(line.split(" | "))
    for line in deal("""
        director | Who directed it? | Who is the director?
        year | Release year? | In which year was it made? | The year
        author | Who wrote it? | Who is the author?
        country | Where was it made? | Country of origin
        amount | How much did it cost? | What did the customer pay?
        phone_number | What is the phone number? | The customer's phone number
        email | What is the e-mail address? | The customer's e-mail
        order_number | What is the order number? | Order number
        age | How old is the customer? | The customer's age
        city | In which city does the customer live? | Which city?
        actor | Who plays the lead? | Which actor is named?
        genre | Which genre is it? | The genre
        language | Which language is spoken?
        date | When was it bought? | Date of purchase
        warranty | How long is the warranty? | Warranty in years
        competitor | Which competitor is named? | Which other brand is named?
        serial_number | What is the serial number?
        capital | What is the capital of France?
    """)
)
_KINDS = (TEXT, TEXT, TEXT, INTEGER, BOOLEAN, DOUBLE, TEXTS)


@dataclass(frozen=True)
class Fact:
    """A field to extract: the names that it may have, questions for it, its type and value.

    `otherwise` is the value where the review does not say and the field may not be null; None
    where there is no such value.
    """

    names: tuple[str, ...]
    questions: tuple[str, ...]
    returns: SqlType
    value: Any
    otherwise: Any = None


def extract(fields: Sequence[tuple[str, str]], returns: SqlType, text: str) -> str:
    """The prompt of LLM_EXTRACT for fields and their questions ('' for none)."""
    questions = "\n".join(f"- {name}: {asked}" if asked else f"- {name}" for name, asked in fields)
    return (
        f"Answer the questions from the text, with null where it does not say.\n{questions}\n"
        f"Answer with a JSON object: {returns.shape()}.\n\nText: {text}"
    )


def extract_dialog(draw: Draw) -> Dialog:
    """Some facts of a review, or what it does not say."""
    review = draw.review()
    fields, types, answer = [], [], {}
    strict = draw.chance(0.12)  # no field may be null
    asked_all = draw.chance(0.85)  # fields without a question have telling names
    for fact in _facts(draw, review, draw.rng.choices((1, 2, 3, 4), (15, 40, 30, 15))[0]):
        name = draw.choice(fact.names)
        asked = draw.wording(fact.questions) if asked_all else ""
        if asked and draw.chance(0.2):
            asked = f"{asked[:1].lower()}{asked[1:]}"
        total = strict and fact.otherwise is not None
        fields.append((name, asked))
        types.append((name, replace(fact.returns, nullable=not total)))
        answer[name] = fact.otherwise if total and fact.value is None else fact.value
    returns = SqlType("STRUCT", fields=tuple(types))
    user = extract(fields, returns, quoted(draw, review.body))
    turn = Turn("LLM_EXTRACT", user, compact(answer))
    return Dialog(system_message(draw), (turn,), (review,))


def _facts(draw: Draw, review: Review, count: int) -> list[Fact]:
    """Facts with names that differ from each other in all spellings."""
    makers = (_liked, _disliked, _one_liked, _one_disliked, _topics, _stars, _sentiment, _again,
              _complaint, _summary, _judged, _unsaid)  # fmt: skip
    weights = (10, 10, 5, 8, 5, 10, 10, 8, 6, 4, 14, 10)
    chosen: dict[str, Fact] = {}
    while len(chosen) < count:
        fact: Fact = draw.rng.choices(makers, weights)[0](draw, review)
        chosen.setdefault(fact.names[0], fact)
    return list(chosen.values())


def _liked(draw: Draw, review: Review) -> Fact:
    return _names(draw, ("likes", "liked", "praise", "strengths", "pros"), _LIKED, review.likes)


def _disliked(draw: Draw, review: Review) -> Fact:
    names = ("dislikes", "disliked", "criticism", "weaknesses", "cons", "problems")
    return _names(draw, names, _DISLIKED, review.dislikes)


def _names(
    draw: Draw, names: tuple[str, ...], questions: tuple[str, ...], value: Sequence[str]
) -> Fact:
    if draw.chance(0.4):
        return Fact(names, questions, TEXTS, list(value) or None, [])
    return Fact(names, questions, TEXT, listed(value) if value else None, "nothing")


def _one_liked(draw: Draw, review: Review) -> Fact:
    names = ("praised", "best", "good_aspect", "strength")
    return Fact(names, _ONE_LIKED, TEXT, next(iter(review.likes), None))


def _one_disliked(draw: Draw, review: Review) -> Fact:
    names = ("criticised", "criticized", "problem", "bad_aspect", "weakness")
    return Fact(names, _ONE_DISLIKED, TEXT, next(iter(review.dislikes), None))


def _topics(draw: Draw, review: Review) -> Fact:
    names = ("topics", "aspects")
    if draw.chance(0.5):
        return Fact(names, _TOPICS, TEXTS, list(review.topics) or None, [])
    return Fact(names, _TOPICS, TEXT, ", ".join(review.topics) or None, "none")


def _stars(draw: Draw, review: Review) -> Fact:
    returns = draw.choice((INTEGER, INTEGER, TEXT, DOUBLE))
    otherwise = _number(returns, review.score)
    return Fact(("stars", "rating", "score"), _STARS, returns,
                otherwise if review.opinions else None, otherwise)  # fmt: skip


def _number(returns: SqlType, value: int) -> Any:
    return str(value) if returns == TEXT else float(value) if returns == DOUBLE else value


def _sentiment(draw: Draw, review: Review) -> Fact:
    value = review.sentiment if review.opinions else None
    values = ["positive", "negative", "mixed"]
    if draw.chance(0.5):
        draw.rng.shuffle(values)
    returns = SqlType("ENUM", values=tuple(values)) if draw.chance(0.4) else TEXT
    otherwise = "neutral" if returns == TEXT else None
    return Fact(("sentiment", "mood", "tone"), _SENTIMENT, returns, value, otherwise)


def _again(draw: Draw, review: Review) -> Fact:
    names = ("again", "buy_again", "recommended", "would_buy_again")
    return _verdict(draw, names, _AGAIN, len(review.likes) > len(review.dislikes), review)


def _complaint(draw: Draw, review: Review) -> Fact:
    return _verdict(draw, ("complaint", "is_complaint"), _COMPLAINT, review.complaint, review)


def _verdict(
    draw: Draw, names: tuple[str, ...], questions: tuple[str, ...], holds: bool, review: Review
) -> Fact:
    returns = draw.choice((BOOLEAN, TEXT))
    value = holds if returns == BOOLEAN else "yes" if holds else "no"
    return Fact(names, questions, returns, value if review.opinions else None, value)


def _summary(draw: Draw, review: Review) -> Fact:
    value = review.summary if review.opinions else None
    return Fact(("summary", "gist", "one_line"), _SUMMARY, TEXT, value, review.summary)


def _judged(draw: Draw, review: Review) -> Fact:
    """How one aspect fares."""
    aspect = draw.others(review, 1)[0]
    if review.topics and draw.chance(0.65):
        aspect = draw.choice(review.topics)
    liked = aspect in review.likes if aspect in review.topics else None
    if draw.chance(0.3):
        questions = tuple(q.format(x=aspect) for q in _HAPPY_WITH)
        return Fact((aspect,), questions, BOOLEAN, liked)
    value = None if liked is None else "positive" if liked else "negative"
    returns = TEXT
    if draw.chance(0.4):
        returns = SqlType("ENUM", values=("positive", "negative"))
    return Fact((aspect,), tuple(q.format(x=aspect) for q in _JUDGED), returns, value)


def _unsaid(draw: Draw, review: Review) -> Fact:
    name, *questions = draw.choice(_UNSAID)
    return Fact((name,), tuple(questions), draw.choice(_KINDS), None)


EXTRACTION: tuple[tuple[float, Callable[[Draw], Dialog]], ...] = ((3.6, extract_dialog),)
