"""Prompts of the verbs that choose labels and give scores, asked about reviews.

Their layouts are those of HeliumQL, to the letter. `extraction.py` has the questions of
LLM_EXTRACT, `aggregates.py` the texts of LLM_AGG.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from catalog.demo.aspects import BY_NAME
from catalog.demo.dialogs import Dialog, Turn, frame, quoted, with_hint
from catalog.demo.draw import Draw, deal
from catalog.demo.prompts import (
    DOUBLE,
    SCALES,
    SCORE,
    SCORE_TEN,
    Question,
    ask,
    check,
    compact,
    scale,
)
from catalog.demo.reviews import Review
from catalog.demo.roles import system_message

Label = tuple[str, str]  # its name, and its description or ''

_SENTIMENT = deal("""
    What is the sentiment?
    Which sentiment does the review express?
    How does the customer feel?
    How does the customer feel about the product?
    Judge the sentiment of the review.
    Classify by sentiment.
    Sentiment of the review
    What is the overall sentiment of this review?
    What is the tone of the text?
    Is the customer happy?
""")
_TOPIC = deal("""
    Which topic is the review about?
    Which topic does the review mention first?
    Which topic does the text mention?
    What is the review about?
    What is it about?
    Which aspect does the customer talk about?
    Which topic fits?
    Which topic comes first?
    Which product aspect is it about?
    Classify by topic.
    The topic of the review
    What is the main topic?
""")
_TOPICS = deal("""
    Which topics does the review mention?
    Which topics are mentioned?
    Which aspects does the customer talk about?
    What is the review about?
    Which topics come up?
    All topics of the review
    Which product aspects are mentioned?
    Tag the review with its topics.
    Which of these does the customer mention?
""")
_LIKED = deal("""
    What does the customer like?
    Which topics are praised?
    Which aspects are praised?
    What is praised?
    Name the strengths.
    What is the customer happy with?
    Only what the customer likes.
    Which of these are good?
""")
_DISLIKED = deal("""
    What does the customer dislike?
    Which topics are criticized?
    Which aspects are criticised?
    What is criticized?
    What does the customer complain about?
    Name the weaknesses.
    What is the customer unhappy with?
    Only what the customer dislikes.
    Which of these are bad?
""")
_KIND = deal("""
    What kind of complaint is it?
    What kind of complaint is this?
    Which kind of problem does the customer have?
    What does the customer complain about?
    What is the complaint about?
    Kind of complaint
    Who has to deal with the complaint?
    What went wrong?
    Classify the complaint.
""")
_ANGER = deal("""
    How angry is the customer, SCALE?
    How angry is {r}, SCALE?
    How angry does the customer sound, SCALE?
    How upset is the customer, SCALE?
    How annoyed is the customer, SCALE?
    How unhappy is the customer, SCALE?
    How negative is {r}, SCALE?
    On a scale of SCALE, how angry is the customer?
    On a scale of SCALE, how negative is {r}?
    Rate the anger in {r}, SCALE.
""")
_MEANINGS = {name: at for names in SCALES for at, name in enumerate(names)}
_FEELINGS = (  # what each sentiment means, in the order of SCALES
    ("the customer likes everything", "only praise", "nothing is disliked", "all is good",
     "the customer is happy"),
    ("the customer dislikes everything", "only criticism", "nothing is liked", "all is bad",
     "the customer is unhappy"),
    ("good and bad points", "both praise and criticism", "some things are liked, others are not",
     "partly good, partly bad"),
    ("no opinion", "neither praise nor criticism", "nothing good and nothing bad"),
)  # fmt: skip
_LABEL_TEXTS = ("about the {x}", "the {x}", "speaks of the {x}", "everything about the {x}",
                "the customer mentions the {x}", "the text is about the {x}")  # fmt: skip
# Kinds of complaint: names, descriptions, and the aspects that belong to them.
KINDS: tuple[tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]], ...] = (
    (("delivery", "shipping", "late delivery", "logistics"),
     ("delivery and packaging", "delivery or packaging", "shipping", "shipping and the box"),
     ("delivery", "packaging")),
    (("service", "people", "customer service", "bad service"),
     ("support and staff", "support or staff", "customer service or staff", "people"),
     ("support", "staff")),
    (("price", "cost", "money", "too expensive"),
     ("the price", "what it costs", "the cost"),
     ("price",)),
    (("technical", "technology", "technical problem", "defect"),
     ("battery, screen, sound or software", "battery, screen, sound and software",
      "everything technical"),
     ("battery", "screen", "sound", "software")),
)  # fmt: skip
_NO_KIND = (("no complaint", "nothing is criticized"), ("none", "the customer does not complain"))


@dataclass(frozen=True)
class Choice:
    """A question for labels, the labels that there are, and those that fit."""

    task: str
    instruction: str
    labels: tuple[Label, ...]
    fit: tuple[str, ...]


def one_label(instruction: str, labels: Sequence[Label], text: str) -> str:
    """The prompt of LLM_CLASSIFY."""
    space = " " if instruction else ""
    return (
        f"Choose the label that fits the text best.{space}{instruction}\n"
        f"Labels: {_written(labels)}\n\nText: {text}"
    )


def some_labels(instruction: str, labels: Sequence[Label], text: str) -> str:
    """The prompt of LLM_CLASSIFY with `multi => true`."""
    space = " " if instruction else ""
    return (
        f"Choose all labels that fit the text.{space}{instruction}\n"
        f"Labels: {_written(labels)}\nAnswer with a JSON array of labels.\n\nText: {text}"
    )


def classify_dialog(draw: Draw) -> Dialog:
    """One label for a review."""
    review = draw.review()
    made: Choice = draw.rng.choices((by_sentiment, by_topic, by_kind, by_check), (30, 40, 20, 10))[
        0
    ](draw, review)
    made = _respelt(draw, made)
    user = one_label(made.instruction, made.labels, quoted(draw, review.body))
    turn = Turn(f"LLM_CLASSIFY {made.task}", user, made.fit[0])
    return Dialog(system_message(draw), (turn,), (review,))


def classify_multi_dialog(draw: Draw) -> Dialog:
    """All labels that fit a review."""
    review = draw.review()
    made = _respelt(draw, all_topics(draw, review))
    user = some_labels(made.instruction, made.labels, quoted(draw, review.body))
    turn = Turn(f"LLM_CLASSIFY {made.task}", user, compact(made.fit))
    return Dialog(system_message(draw), (turn,), (review,))


def score_dialog(draw: Draw) -> Dialog:
    """A number from 0 to 10 or from 1 to 5: how satisfied, or how angry."""
    review = draw.review()
    question = rating(draw, review)
    user = with_hint(frame(draw, question.instruction, quoted(draw, review.body)), question)
    return Dialog(system_message(draw), (Turn(question.task, user, question.answer),), (review,))


def by_sentiment(draw: Draw, review: Review) -> Choice:
    returns, answer = scale(draw, review)
    described = draw.chance(0.3)
    labels = tuple(
        (name, draw.choice(_FEELINGS[_MEANINGS[name]]) if described else "")
        for name in returns.values
    )
    instruction = "" if draw.chance(0.35) else _instruction(draw, _SENTIMENT)
    return Choice("sentiment", instruction, labels, (answer,))


def by_topic(draw: Draw, review: Review) -> Choice:
    """The label that the review speaks of first; 'other' where it speaks of none."""
    shown = _some(draw, review.topics, 0.9)
    named = shown + draw.others(review, draw.rng.randint(1, 5))
    draw.rng.shuffle(named)
    labels = _topic_labels(draw, named)
    by_name = dict(zip(named, (name for name, _ in labels), strict=True))
    fit = [by_name[topic] for topic in review.topics if topic in by_name]
    if not fit or draw.chance(0.7):
        labels.append(_other(labels))
    instruction = "" if draw.chance(0.3) else _instruction(draw, _TOPIC)
    return Choice("topic", instruction, tuple(labels), (fit[0] if fit else "other",))


def all_topics(draw: Draw, review: Review) -> Choice:
    """The labels that the review speaks of, or likes, or dislikes, in the order of the labels."""
    wanted, wordings = draw.rng.choices(
        ((review.topics, _TOPICS), (review.likes, _LIKED), (review.dislikes, _DISLIKED)),
        (60, 20, 20),
    )[0]
    if draw.chance(0.2):
        return _all_kinds(draw, wanted, _instruction(draw, wordings))
    shown = _some(draw, review.topics, 0.95)
    named = shown + draw.others(review, draw.rng.randint(max(0, 2 - len(shown)), 5))
    draw.rng.shuffle(named)
    labels = _topic_labels(draw, named)
    fit = tuple(label for topic, (label, _) in zip(named, labels, strict=True) if topic in wanted)
    if draw.chance(0.35):
        labels.append(_other(labels))
        fit = fit or ("other",)
    bare = wordings is _TOPICS and draw.chance(0.3)
    return Choice("multi", "" if bare else _instruction(draw, wordings), tuple(labels), fit)


def _all_kinds(draw: Draw, wanted: Sequence[str], instruction: str) -> Choice:
    """Labels that stand for several aspects; their descriptions say for which."""
    labels, fit = [], []
    for names, texts, aspects in draw.rng.sample(KINDS, draw.rng.randint(2, len(KINDS))):
        labels.append((draw.choice(names[:2]), draw.choice(texts)))
        if set(aspects) & set(wanted):
            fit.append(labels[-1][0])
    return Choice("multi", instruction, tuple(labels), tuple(fit))


def by_kind(draw: Draw, review: Review) -> Choice:
    """The kind of the first complaint: 'other' where it is of no kind, or else no complaint."""
    kinds = draw.rng.sample(KINDS, draw.rng.randint(2, len(KINDS)))
    described = draw.chance(0.5)
    labels, fit = [], "other" if review.dislikes else ""
    for names, texts, aspects in kinds:
        name = draw.choice(names)
        labels.append((name, draw.choice(texts) if described else ""))
        if review.dislikes and review.dislikes[0] in aspects:
            fit = name
    labels.append(("other", "any other complaint" if described else ""))
    if not fit or draw.chance(0.5):
        none, text = draw.choice(_NO_KIND)
        labels.append((none, text if described else ""))
        fit = fit or none
    return Choice("complaint", _instruction(draw, _KIND), tuple(labels), (fit,))


def by_check(draw: Draw, review: Review) -> Choice:
    """A yes-or-no question with labels for yes and no."""
    question = check(draw, review)
    names = draw.choice((("yes", "no"), ("yes", "no"), ("true", "false"), ("right", "wrong")))
    fit = names[question.answer in ("no", "false")]
    labels = [(name, "") for name in names]
    draw.rng.shuffle(labels)
    return Choice("yes or no", question.instruction, tuple(labels), (fit,))


def rating(draw: Draw, review: Review) -> Question:
    """Satisfaction or anger, from 0 to 10 or from 1 to 5."""
    of_ten = draw.chance(0.6)
    if draw.chance(0.6):
        instruction = ask(draw, SCORE_TEN if of_ten else SCORE)
        value = review.score * 2 if of_ten else review.score
    else:
        scales = ("0 to 10", "from 0 to 10") if of_ten else ("1 to 5", "from 1 to 5")
        instruction = ask(draw, _ANGER).replace("SCALE", draw.choice(scales))
        value = 10 - 2 * review.score if of_ten else 6 - review.score
    return Question("LLM_SCORE", instruction, f"{value}.0", DOUBLE)


CHOICES: tuple[tuple[float, Callable[[Draw], Dialog]], ...] = (
    (3.0, classify_dialog),
    (3.6, classify_multi_dialog),
    (0.9, score_dialog),
)


def _instruction(draw: Draw, wordings: Sequence[str]) -> str:
    """One of the wordings, now and then carelessly typed."""
    made = draw.wording(wordings)
    if draw.chance(0.1):
        made = f"{made[:1].lower()}{made[1:]}"
    return made.rstrip("?.") if draw.chance(0.1) else made


def _some(draw: Draw, topics: Sequence[str], probability: float) -> list[str]:
    """Some of the topics, one at least; none with the rest of the probability."""
    if not topics or not draw.chance(probability):
        return []
    return draw.rng.sample(list(topics), draw.rng.randint(1, len(topics)))


def _topic_labels(draw: Draw, named: Sequence[str]) -> list[Label]:
    """Labels for these aspects: their names, other words for them, or letters with descriptions."""
    kind = draw.rng.random()
    if kind < 0.03:
        text = draw.choice(_LABEL_TEXTS)
        return [("ABCDEFGHIJKL"[n], text.format(x=x)) for n, x in enumerate(named)]
    names = [_synonym(draw, x) if kind < 0.12 and draw.chance(0.4) else x for x in named]
    if kind < 0.7:
        return [(name, "") for name in names]
    text = draw.choice(_LABEL_TEXTS) if draw.chance(0.5) else ""
    return [
        (name, text.format(x=x) if text else _described(draw, x))
        for name, x in zip(names, named, strict=True)
    ]


def _synonym(draw: Draw, aspect: str) -> str:
    subjects = BY_NAME[aspect].subjects
    return draw.choice([s.removeprefix("the ") for s in subjects if s.startswith("the ")])


def _described(draw: Draw, aspect: str) -> str:
    """`the battery, the battery life`, or what people say of it."""
    known = BY_NAME[aspect]
    if draw.chance(0.5):
        return ", ".join(known.subjects[:2])
    return f"{known.subjects[0]} {draw.choice(known.praise)}, or not"


def _other(labels: Sequence[Label]) -> Label:
    return ("other", "none of these" if labels[0][1] else "")


def _respelt(draw: Draw, made: Choice) -> Choice:
    """Labels in capitals, now and then."""
    if not draw.chance(0.12):
        return made
    spell = draw.choice((str.capitalize, str.capitalize, str.upper))
    labels = tuple((spell(name), text) for name, text in made.labels)
    return Choice(made.task, made.instruction, labels, tuple(spell(name) for name in made.fit))


def _written(labels: Sequence[Label]) -> str:
    if not any(said for _, said in labels):
        return ", ".join(name for name, _ in labels)
    return "".join(f"\n- {name}: {said}" if said else f"\n- {name}" for name, said in labels)
