"""Questions about one review, in many wordings, free and typed, with the answers that are right.

`dialogs.py` puts them under system messages and into conversations; the forms of typed answers
are those of `heliumql.types`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from catalog.demo.draw import Draw, deal
from catalog.demo.reviews import Review, listed
from heliumql.types import BOOLEAN, TEXT, SqlType


@dataclass(frozen=True)
class Question:
    """What is asked about a text (the text not included), the type asked for, and the answer."""

    task: str
    instruction: str
    answer: str
    returns: SqlType = TEXT


INTEGER, DOUBLE = SqlType("INTEGER"), SqlType("DOUBLE")
TEXTS = SqlType("LIST", item=TEXT)
_NOUNS = (
    "this review",
    "the review",
    "the following review",
    "this text",
    "this comment",
    "this customer review",
    "this feedback",
    "what the customer wrote",
    "this product review",
    "the text",
    "this message",
    "this document",
    "this report",
    "the document",
    "it",
    "the customer's message",
)

_SENTIMENT = deal("""
    What is the sentiment of {r}?
    Sentiment of {r}?
    Classify the sentiment of {r}.
    Classify {r} by sentiment.
    Is {r} positive, negative or mixed?
    Determine the overall sentiment of {r}.
    Tell me whether {r} is positive, negative or mixed.
    Label {r} as positive, negative or mixed.
    How does the customer feel?
    How does the writer of {r} feel about it?
    Sentiment?
    Sentiment:
    Give the sentiment of {r}.
    Give the overall sentiment of {r} in one word.
    Which sentiment does {r} express?
    What is the tone of {r}?
    Judge the sentiment of {r}.
    Positive, negative or mixed?
    What sentiment does {r} have?
    Decide on the sentiment of {r}.
    Find the sentiment of {r}.
    What is the overall mood of {r}?
    Say in one word how the customer feels.
    Read {r} and name its sentiment.
    The sentiment of {r} is
    Analyze the sentiment of {r}.
    Please classify {r} as positive, negative, or mixed.
    Detect the sentiment.
""")
_TOPICS = deal("""
    List the topics of {r}.
    Which topics does {r} mention?
    What are the topics of {r}?
    What is {r} about?
    Topics of {r}?
    Topics:
    Name the topics in {r}.
    Name the aspects that {r} talks about.
    Which aspects are mentioned?
    What aspects of the product does {r} mention?
    Extract the topics from {r}.
    Find all topics in {r}.
    List the aspects that the customer mentions.
    Tag {r} with its topics.
    Give the topics of {r} as a list.
    Which features does the customer talk about?
    Which subjects come up in {r}?
    What does the customer talk about?
    Collect the topics of {r}.
    Return the topics mentioned in {r}.
    Enumerate the topics.
    What topics are there in {r}?
""")
_LIKES = deal("""
    What does the customer like?
    What does the customer like about it?
    List what {r} praises.
    Which aspects are praised in {r}?
    What are the good points?
    What are the pros?
    Name the strengths that {r} mentions.
    List the advantages.
    What is good according to {r}?
    Which things does the writer of {r} like?
    What pleased the customer?
    Find the positive points in {r}.
""")
_DISLIKES = deal("""
    What does the customer dislike?
    What does the customer dislike about it?
    List what {r} criticizes.
    Which aspects are criticized in {r}?
    What are the bad points?
    What are the cons?
    Name the weaknesses that {r} mentions.
    List the drawbacks.
    List the problems that {r} reports.
    What is bad according to {r}?
    What does the customer complain about?
    What annoyed the customer?
    Find the negative points in {r}.
    What should be improved?
""")
_COMPLAINT = deal("""
    Is {r} a complaint?
    Is this a complaint?
    Does {r} complain?
    Does the customer complain?
    Is the customer complaining?
    Is {r} mainly a complaint?
    Should we treat {r} as a complaint?
    Complaint?
    Decide whether {r} is a complaint.
    Tell me if {r} is a complaint.
    Is {r} a complaint that needs an answer?
    Does {r} count as a complaint?
    Is the customer dissatisfied overall?
    Would you call {r} a complaint?
    Does the bad outweigh the good in {r}?
    Is it a complaint?
    Check whether {r} is a complaint.
    True or false: {r} is a complaint.
    The customer is complaining.
""")
_SUMMARY = deal("""
    Summarize {r}.
    Summarize {r} in one line.
    Summarize in one line:
    Summarize in one sentence.
    Summarise {r} briefly.
    Give a one-line summary of {r}.
    Write a one-line summary of {r}.
    Write a short summary.
    Sum up {r} in one sentence.
    What does {r} say, in one line?
    Gist of {r}:
    Give the gist of {r}.
    In one line, what does the customer think?
    Condense {r} to one sentence.
    Shorten {r} to a line.
    TL;DR of {r}?
    Summary:
    A one-sentence summary of {r}, please.
    Put {r} in a nutshell.
    Please summarize what the customer says.
    Boil {r} down to one line.
    Summarize this.
""")
SCORE = deal("""
    Rate {r} from 1 to 5.
    How many stars does {r} give, 1 to 5?
    How satisfied is the customer, from 1 to 5?
    Give {r} a score from 1 to 5.
    Score {r} from 1 (bad) to 5 (good).
    Guess the star rating of {r}.
    How many stars would the customer give?
    On a scale from 1 to 5, how happy is the customer?
    Rating from 1 to 5?
    What star rating fits {r}?
    Estimate the rating that belongs to {r}.
    Predict the stars of {r}.
    How positive is {r}, 1 to 5?
    Rate {r}.
    Score {r}.
    Stars (1-5):
""")
SCORE_TEN = deal("""
    How positive is {r}, 0 to 10?
    Rate {r} from 0 to 10.
    How satisfied is the customer, 0 to 10?
    Score {r} from 0 to 10.
    On a scale from 0 to 10, how happy is the customer?
    How good does it sound, 0 to 10?
    Give {r} a score between 0 and 10.
    How likely is the customer to recommend it, 0 to 10?
    How enthusiastic is {r}, 0 to 10?
""")
_REPLY = deal("""
    Write a short reply to {r}.
    Write a reply to the customer.
    Answer the customer.
    Reply to {r}.
    Reply to the customer in two sentences.
    Write a polite answer to {r}.
    Draft a reply to {r}.
    Draft an answer to the customer.
    Respond to {r}.
    What should we answer?
    Compose a friendly reply to the customer.
    Write back to the customer.
    Write a short grateful reply to {r}.
    Write a short sorry reply to {r}.
    Write a short polite reply to {r}.
    Write a grateful answer to the customer.
    Write a sorry answer to the customer.
""")
_POSITIVE = deal("""
    Is {r} positive?
    Is it positive?
    Is this positive?
    Does {r} sound positive?
    Is the sentiment of {r} positive?
    Is {r} entirely positive?
    Is it a positive review?
    Does {r} only praise?
    True or false: {r} is positive.
    The customer is happy with everything.
""")
_NEGATIVE = deal("""
    Is {r} negative?
    Is it negative?
    Is this negative?
    Does {r} sound negative?
    Is the sentiment of {r} negative?
    Is {r} entirely negative?
    Is it a negative review?
    Does {r} only criticize?
    True or false: {r} is negative.
    The customer is unhappy with everything.
""")
_MIXED = deal("""
    Is {r} mixed?
    Is it a mixed review?
    Is the sentiment of {r} mixed?
    Does {r} both praise and criticize?
    Does {r} name good and bad points?
""")
_RECOMMEND = deal("""
    Would the customer recommend it?
    Would the writer of {r} buy it again?
    Is the customer satisfied?
    Is the customer happy?
    Is the customer happy on the whole?
    Does the customer recommend the product?
    Does the good outweigh the bad in {r}?
    Is the customer satisfied on the whole?
""")
_MENTIONS = deal("""
    Does {r} mention the {x}?
    Does it mention the {x}?
    Is {r} about the {x}?
    Is it about the {x}?
    Is the {x} mentioned?
    Does the customer talk about the {x}?
    Does {r} say anything about {x}?
    Is {x} a topic of {r}?
    Does {r} touch on the {x}?
    Is this about {x}?
    The review mentions the {x}.
    The text above or below is about the {x}.
    True or false: {r} mentions the {x}.
    The review is about {x}.
""")
_PRAISES = deal("""
    Does the customer like the {x}?
    Does {r} praise the {x}?
    Is the customer happy with the {x}?
    Is the {x} praised?
    Does {r} say that the {x} is good?
    Is the {x} good?
    The customer likes the {x}.
    True or false: {r} praises the {x}.
""")
_BLAMES = deal("""
    Does the customer dislike the {x}?
    Does {r} criticize the {x}?
    Does {r} complain about the {x}?
    Does the customer complain about the {x}?
    Is the customer unhappy with the {x}?
    Is the {x} criticized?
    Does {r} say that the {x} is bad?
    Is the {x} bad?
    The customer dislikes the {x}.
    True or false: {r} criticizes the {x}.
""")
_ABOUT = deal("""
    What does {r} say about the {x}?
    What does the customer think of the {x}?
    How does {r} judge the {x}?
    What is said about the {x}?
    How is the {x}?
    And the {x}?
    What about the {x}?
    Sentiment towards the {x}?
    What is the sentiment about the {x} in {r}?
""")
_MAIN = deal("""
    What is the main topic of {r}?
    What is {r} mostly about?
    Which topic comes first in {r}?
    What is the first thing that {r} mentions?
    Main topic?
    Name the main topic of {r}.
""")
_LABEL = deal("""
    Classify {r} by topic.
    Which department should read {r}?
    What is it about?
    Choose the topic of {r}.
    Assign a category to {r}.
    Which label fits {r} best?
    Classify this.
""")
_ANALYZE = deal("""
    Rate {r}.
    Analyze {r}.
    Analyse {r}.
    Describe {r}.
    Read {r} and fill in the form.
    Extract the facts from {r}.
    Extract the fields from {r}.
    Extract information from {r}.
    Evaluate {r}.
    What does {r} say?
    Process {r}.
    Examine {r}.
    Look at {r} and answer.
    Judge {r}.
    Tell me about {r}.
    Read {r}.
    Fill in the fields for {r}.
    Break {r} down.
    Assess {r}.
    Classify {r}.
""")
_EACH = deal("""
    List every topic of {r} with its sentiment.
    For each topic of {r}, give the sentiment.
    List the aspects and how the customer judges them.
    Break {r} down by topic.
    Which topics does {r} mention, and how does the customer feel about each?
    Analyze {r} topic by topic.
    One entry per topic of {r}.
    Extract all opinions from {r}.
""")
SCALES = (
    ("positive", "negative", "mixed", "neutral"),
    ("positive", "negative", "mixed", "neutral"),
    ("positive", "negative", "mixed", "neutral"),
    ("Positive", "Negative", "Mixed", "Neutral"),
    ("POSITIVE", "NEGATIVE", "MIXED", "NEUTRAL"),
    ("good", "bad", "mixed", "neutral"),
    ("pos", "neg", "mixed", "neutral"),
    ("happy", "unhappy", "mixed", "neutral"),
    ("praise", "complaint", "mixed", "none"),
    ("grateful", "sorry", "mixed", "neutral"),
    ("satisfied", "dissatisfied", "mixed", "neutral"),
)


def compact(value: Any) -> str:
    """JSON without spaces, as typed answers are written."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def reply(review: Review) -> str:
    """The shop's answer to a review."""
    parts = ["Thank you for your review!"]
    if review.likes:
        parts.append(f"We are glad that you like {listed(review.likes)}.")
    if review.dislikes:
        parts.append(f"We are sorry about {listed(review.dislikes)}.")
    return " ".join(parts)


def sentiment(draw: Draw, review: Review) -> Question:
    return Question("sentiment", ask(draw, _SENTIMENT), review.sentiment)


def sentiment_enum(draw: Draw, review: Review) -> Question:
    returns, answer = scale(draw, review)
    return Question("sentiment ENUM", ask(draw, _SENTIMENT), answer, returns)


def topics(draw: Draw, review: Review) -> Question:
    answer = ", ".join(review.topics) or "none"
    return Question("topics", ask(draw, _TOPICS), answer)


def topics_list(draw: Draw, review: Review) -> Question:
    return Question("topics VARCHAR[]", ask(draw, _TOPICS), compact(review.topics), TEXTS)


def sides(draw: Draw, review: Review) -> Question:
    """Likes or dislikes, in words."""
    options, names = draw.choice(((_LIKES, review.likes), (_DISLIKES, review.dislikes)))
    return Question("likes", ask(draw, options), listed(names) if names else "nothing")


def sides_list(draw: Draw, review: Review) -> Question:
    options, names = draw.choice(((_LIKES, review.likes), (_DISLIKES, review.dislikes)))
    return Question("likes VARCHAR[]", ask(draw, options), compact(names), TEXTS)


def complaint(draw: Draw, review: Review) -> Question:
    return Question("complaint", ask(draw, _COMPLAINT), "yes" if review.complaint else "no")


def complaint_boolean(draw: Draw, review: Review) -> Question:
    answer = compact(review.complaint)
    return Question("complaint BOOLEAN", ask(draw, _COMPLAINT), answer, BOOLEAN)


def check(draw: Draw, review: Review) -> Question:
    """A yes-or-no question of another kind, in words or typed."""
    aspect = draw.others(review, 1)[0]
    if review.topics and draw.chance(0.65):
        aspect = draw.choice(review.topics)
    options, holds = draw.choice(
        (
            (_POSITIVE, review.sentiment == "positive"),
            (_NEGATIVE, review.sentiment == "negative"),
            (_MIXED, review.sentiment == "mixed"),
            (_RECOMMEND, len(review.likes) > len(review.dislikes)),
            (_MENTIONS, aspect in review.topics),
            (_PRAISES, aspect in review.likes),
            (_BLAMES, aspect in review.dislikes),
        )
    )
    instruction = ask(draw, options, aspect)
    if draw.chance(0.25):
        return Question("check", instruction, "yes" if holds else "no")
    return Question("check BOOLEAN", instruction, compact(holds), BOOLEAN)


def about(draw: Draw, review: Review) -> Question:
    """How one aspect fares."""
    aspect = draw.others(review, 1)[0]
    if review.topics and draw.chance(0.75):
        aspect = draw.choice(review.topics)
    fares = 0 if aspect in review.likes else 1 if aspect in review.dislikes else 2
    instruction = ask(draw, _ABOUT, aspect)
    if draw.chance(0.5):
        verdict = ("praised", "criticized", "not mentioned")[fares]
        return Question("about", instruction, f"The {aspect} is {verdict}.")
    values = ["positive", "negative", draw.choice(("not mentioned", "none", "neutral"))]
    answer = values[fares]
    draw.rng.shuffle(values)
    return Question("about ENUM", instruction, answer, SqlType("ENUM", values=tuple(values)))


def main_topic(draw: Draw, review: Review) -> Question:
    """The first topic, in words or as one of some labels."""
    if draw.chance(0.2):
        instruction = ask(draw, _MAIN)
        return Question("main topic", instruction, review.topics[0] if review.topics else "none")
    instruction = ask(draw, _MAIN + _LABEL)
    labels = list(review.topics[:1]) if draw.chance(0.85) else []
    labels += draw.others(review, draw.choice((1, 2, 3, 4, 5)))
    draw.rng.shuffle(labels)
    labels.append("other")
    answer = next((t for t in review.topics[:1] if t in labels), "other")
    if draw.chance(0.3):  # the labels in the instruction as well
        instruction = f"{instruction} {draw.choice(('Labels', 'Topics', 'Choose from'))}: "
        instruction += ", ".join(labels) + "."
    returns = SqlType("ENUM", values=tuple(labels))
    return Question("main topic ENUM", instruction, answer, returns)


def summary(draw: Draw, review: Review) -> Question:
    return Question("summary", ask(draw, _SUMMARY), review.summary)


def score(draw: Draw, review: Review) -> Question:
    if draw.chance(0.4):
        return Question("score", ask(draw, SCORE), str(review.score))
    if draw.chance(0.7):
        return Question("score INTEGER", ask(draw, SCORE), str(review.score), INTEGER)
    return Question("score DOUBLE", ask(draw, SCORE_TEN), f"{review.score * 2}.0", DOUBLE)


def answer_customer(draw: Draw, review: Review) -> Question:
    return Question("reply", ask(draw, _REPLY), reply(review))


def fields(draw: Draw, review: Review) -> Question:
    """A struct of some facts, in any order and under several names."""
    makers: list[Callable[[], tuple[str, SqlType, Any]]] = [
        lambda: _field(draw, ("sentiment", "mood", "tone"), *_plain_scale(draw, review)),
        lambda: _field(draw, ("score", "rating", "stars"), INTEGER, review.score),
        lambda: _field(draw, ("topics", "aspects"), TEXTS, review.topics),
        lambda: _field(draw, ("complaint", "is_complaint"), BOOLEAN, review.complaint),
        lambda: _field(draw, ("summary", "gist", "one_line"), TEXT, review.summary),
        lambda: _field(draw, ("likes", "pros", "strengths"), TEXTS, review.likes),
        lambda: _field(draw, ("dislikes", "cons", "weaknesses"), TEXTS, review.dislikes),
        lambda: _field(draw, ("reply", "answer"), TEXT, reply(review)),
        lambda: _field(draw, ("recommended",), BOOLEAN, len(review.likes) > len(review.dislikes)),
        lambda: _field(draw, ("main_topic", "topic"), TEXT, next(iter(review.topics), "none")),
    ]
    weights = (6, 5, 5, 4, 3, 2, 2, 1, 1, 2)
    count = draw.rng.choices((1, 2, 3, 4), (2, 4, 4, 1))[0]
    chosen: list[tuple[str, SqlType, Any]] = []
    while len(chosen) < count:
        made = draw.rng.choices(makers, weights)[0]()
        if made[0] not in {c[0] for c in chosen}:
            chosen.append(made)
    returns = SqlType("STRUCT", fields=tuple((n, t) for n, t, _ in chosen))
    answer = compact({n: v for n, _, v in chosen})
    instruction = ask(draw, _ANALYZE)
    if draw.chance(0.3):
        names = [n.replace("_", " ") for n, _, _ in chosen]
        instruction += f" {draw.choice(('Give', 'Say', 'Find', 'Note'))} "
        instruction += " and ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)
        instruction += "."
    return Question("STRUCT", instruction, answer, returns)


def each_topic(draw: Draw, review: Review) -> Question:
    """One entry per topic: a list of structs, or of labels."""
    topic = draw.choice(("topic", "aspect", "name"))
    feeling = draw.choice(("sentiment", "opinion", "label"))
    kind = SqlType("ENUM", values=("positive", "negative")) if draw.chance(0.5) else TEXT
    item = SqlType("STRUCT", fields=((topic, TEXT), (feeling, kind)))
    entries = [
        {topic: o.aspect, feeling: "positive" if o.liked else "negative"} for o in review.opinions
    ]
    returns = SqlType("LIST", item=item)
    return Question("STRUCT[]", ask(draw, _EACH), compact(entries), returns)


QUESTIONS: tuple[tuple[float, Callable[[Draw, Review], Question]], ...] = (
    (1.0, sentiment),
    (1.4, sentiment_enum),
    (0.8, topics),
    (1.2, topics_list),
    (0.6, sides),
    (0.8, sides_list),
    (0.6, complaint),
    (1.0, complaint_boolean),
    (2.4, check),
    (2.2, about),
    (0.9, main_topic),
    (1.6, summary),
    (1.4, score),
    (0.7, answer_customer),
    (3.0, fields),
    (0.6, each_topic),
)


def any_question(draw: Draw, review: Review) -> Question:
    weights, makers = zip(*QUESTIONS, strict=True)
    maker: Callable[[Draw, Review], Question] = draw.rng.choices(makers, weights)[0]
    return maker(draw, review)


def ask(draw: Draw, options: tuple[str, ...], aspect: str = "") -> str:
    return draw.wording(options).format(r=draw.choice(_NOUNS), x=aspect)


def scale(draw: Draw, review: Review) -> tuple[SqlType, str]:
    """Sentiment labels (two, three or four of them, in any order) and the right one."""
    names = draw.choice(SCALES)
    right = ("positive", "negative", "mixed", "neutral").index(review.sentiment)
    size = draw.rng.choices((2, 3, 4), (15, 55, 30))[0]
    if size == 2 and right > 1:
        right = 1 if review.complaint else 0
    if size == 3 and right > 2:
        right = 2
    values = list(names[:size])
    if draw.chance(0.5):
        draw.rng.shuffle(values)
    return SqlType("ENUM", values=tuple(values)), names[right]


def _plain_scale(draw: Draw, review: Review) -> tuple[SqlType, str]:
    return scale(draw, review) if draw.chance(0.7) else (TEXT, review.sentiment)


def _field(
    draw: Draw, names: tuple[str, ...], returns: SqlType, value: Any
) -> tuple[str, SqlType, Any]:
    return draw.choice(names), returns, value
