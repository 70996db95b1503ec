"""Reviews and what is true of them by construction: `prompts.py` asks, `data.py` saves some.

A review is a list of opinions (an aspect, liked or not) written out as sentences. Everything that
the model is asked for (sentiment, score, topics, summary ..) is a function of the opinions.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from catalog.demo.aspects import (
    ADVERBS,
    BLAME,
    BLAME_ADJECTIVES,
    BLAME_CLOSERS,
    BLAME_FRAMES,
    BLAME_OPENERS,
    BY_NAME,
    MIXED_CLOSERS,
    NEUTRAL,
    PLAIN_OPENERS,
    PRAISE,
    PRAISE_ADJECTIVES,
    PRAISE_CLOSERS,
    PRAISE_FRAMES,
    PRAISE_OPENERS,
    PRODUCT_BLAME,
    PRODUCT_PRAISE,
    Aspect,
)


@dataclass(frozen=True)
class Opinion:
    """One aspect, liked or disliked."""

    aspect: str
    liked: bool


@dataclass(frozen=True)
class Review:
    """A text, the opinions that it was written from in order of mention, and how each is put."""

    body: str
    opinions: tuple[Opinion, ...]
    clauses: tuple[str, ...] = ()

    @property
    def likes(self) -> tuple[str, ...]:
        return tuple(o.aspect for o in self.opinions if o.liked)

    @property
    def dislikes(self) -> tuple[str, ...]:
        return tuple(o.aspect for o in self.opinions if not o.liked)

    @property
    def topics(self) -> tuple[str, ...]:
        return tuple(o.aspect for o in self.opinions)

    @property
    def sentiment(self) -> str:
        if not self.opinions:
            return "neutral"
        if self.likes and self.dislikes:
            return "mixed"
        return "positive" if self.likes else "negative"

    @property
    def score(self) -> int:
        """1 to 5: all bad, more bad than good, balanced, more good than bad, all good."""
        likes, dislikes = len(self.likes), len(self.dislikes)
        if likes == dislikes:
            return 3
        if likes > dislikes:
            return 4 if dislikes else 5
        return 2 if likes else 1

    @property
    def complaint(self) -> bool:
        """The bad outweighs the good."""
        return len(self.dislikes) > len(self.likes)

    @property
    def summary(self) -> str:
        return summarize(self.likes, self.dislikes)


def listed(names: Sequence[str]) -> str:
    """`the a`, `the a and the b`, `the a, the b and the c`."""
    words = [f"the {n}" for n in names]
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def summarize(likes: Sequence[str], dislikes: Sequence[str]) -> str:
    """The one-line summary: `Likes the battery, dislikes the price.`"""
    if likes and dislikes:
        return f"Likes {listed(likes)}, dislikes {listed(dislikes)}."
    if likes:
        return f"Likes {listed(likes)}."
    return f"Dislikes {listed(dislikes)}." if dislikes else "No opinion."


def write_review(
    rng: random.Random, aspects: Sequence[str], held_out: bool | None = None
) -> Review:
    """A review about some of the aspects.

    One phrase in eight is `held out`: with False none of these is used, with True at least one
    is, with None it does not matter.
    """
    count = rng.choices((1, 2, 3, 4), (30, 35, 25, 10))[0]
    chosen = rng.sample(list(aspects), min(count, len(aspects)))
    tone = rng.random()
    if tone < 0.3:
        likes = [True] * len(chosen)
    elif tone < 0.6:
        likes = [False] * len(chosen)
    else:
        likes = [rng.random() < 0.5 for _ in chosen]
    opinions = tuple(Opinion(a, liked) for a, liked in zip(chosen, likes, strict=True))
    if rng.random() < 0.04:
        opinions = ()
    special = rng.randrange(len(opinions)) if held_out and opinions else -1
    clauses = [
        clause(rng, o, True if i == special else False if held_out is False else None)
        for i, o in enumerate(opinions)
    ]
    return Review(_text(rng, opinions, clauses), opinions, tuple(clauses))


def clause(rng: random.Random, opinion: Opinion, held_out: bool | None) -> str:
    """One statement of the opinion, without capital and full stop."""
    while True:
        made = _said(rng, BY_NAME[opinion.aspect], opinion.liked)
        if held_out is None or (zlib.crc32(made.encode()) % 8 == 0) == held_out:
            return made


def _said(rng: random.Random, aspect: Aspect, liked: bool) -> str:
    adjectives = PRAISE_ADJECTIVES if liked else BLAME_ADJECTIVES
    if aspect.name == "product" and rng.random() < 0.6:
        phrase = rng.choice(PRODUCT_PRAISE if liked else PRODUCT_BLAME)
        return phrase.format(a=rng.choice(adjectives))
    subject = rng.choice(aspect.subjects)
    kind = rng.random()
    if kind < 0.4:
        return f"{subject} {rng.choice(aspect.praise if liked else aspect.blame)}"
    if kind < 0.5:
        return f"{subject} {rng.choice(PRAISE if liked else BLAME)}"
    if kind < 0.75:
        return f"{subject} {_judged(rng, liked)}"
    frame = rng.choice(PRAISE_FRAMES if liked else BLAME_FRAMES)
    adjective = rng.choice([a for a in adjectives if not a.startswith("a ")])
    noun = subject.removeprefix("the ").removeprefix("this ")
    return frame.format(x=subject, n=noun, a=adjective)


def _judged(rng: random.Random, liked: bool) -> str:
    verb = rng.choice(("is", "is", "was"))
    kind = rng.random()
    if kind < 0.12:  # the opposite, negated
        adjective = rng.choice(BLAME_ADJECTIVES if liked else PRAISE_ADJECTIVES)
        return f"{verb} {rng.choice(('not', 'anything but', 'never'))} {adjective}"
    adjective = rng.choice(PRAISE_ADJECTIVES if liked else BLAME_ADJECTIVES)
    if kind < 0.4 and not adjective.startswith("a "):
        return f"{verb} {rng.choice(ADVERBS)} {adjective}"
    return f"{verb} {adjective}"


def _text(rng: random.Random, opinions: Sequence[Opinion], clauses: Sequence[str]) -> str:
    sentences: list[str] = []
    at = 0
    while at < len(clauses):
        pair = at + 1 < len(clauses) and rng.random() < 0.4
        if pair:
            same = opinions[at].liked == opinions[at + 1].liked
            spoken = _joined(rng, clauses[at], clauses[at + 1], same)
        else:
            spoken = clauses[at]
            if rng.random() < 0.2:
                tone = PRAISE_OPENERS if opinions[at].liked else BLAME_OPENERS
                opener = rng.choice(tone if rng.random() < 0.5 else PLAIN_OPENERS)
                spoken = f"{opener} {spoken}"
        sentences.append(sentence(spoken, "!" if rng.random() < 0.08 else "."))
        at += 2 if pair else 1
    if not sentences or rng.random() < 0.3:
        sentences.insert(rng.randint(0, len(sentences)), rng.choice(NEUTRAL))
    if not opinions or rng.random() < 0.1:
        sentences.insert(rng.randint(0, len(sentences)), rng.choice(NEUTRAL))
    if opinions and rng.random() < 0.15:
        good = sum(o.liked for o in opinions)
        closers: tuple[str, ...] = MIXED_CLOSERS
        if good == len(opinions):
            closers = PRAISE_CLOSERS
        elif good == 0:
            closers = BLAME_CLOSERS
        sentences.append(rng.choice(closers))
    return _careless(rng, " ".join(sentences))


def _careless(rng: random.Random, text: str) -> str:
    """Some people type without care."""
    kind = rng.random()
    if kind < 0.04:
        return text.lower()
    if kind < 0.08:
        return text.rstrip(".")
    return text.upper() if kind < 0.09 else text


def _joined(rng: random.Random, first: str, second: str, same: bool) -> str:
    if same:
        return first + rng.choice((" and ", " and ", ", and ", "; ", ", ", ", and also ")) + second
    return rng.choice(
        (
            f"{first}, but {second}",
            f"{first} but {second}",
            f"{first}, although {second}",
            f"{first}; {second}",
            f"{first}, {second}",
            f"{first}, yet {second}",
            f"while {first}, {second}",
            f"even though {first}, {second}",
            f"{first}. However, {second}",
        )
    )


def sentence(text: str, end: str = ".") -> str:
    return f"{text[:1].upper()}{text[1:]}{end}"
