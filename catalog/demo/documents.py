"""Test reports: long documents, one section for each aspect, each with one verdict.

A report is a review (`reviews.py`) written at length: the same questions can be asked of it.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from catalog.demo.reviews import Opinion, Review, clause, sentence

_INTRODUCTION = (
    "This report describes our test of the {p}.",
    "We bought the {p} in an ordinary shop in {c} and paid for it ourselves.",
    "The maker learnt of this test only after it was finished.",
    "{n} people took part, {m} of them for the first time.",
    "The test ran from {month} to the end of the season.",
    "Each section below ends when we have said what we found.",
    "Earlier reports of this series can be ordered from our office in {c}.",
    "All that follows is our own finding.",
    "We wrote down every result on the day it was made.",
)
_FILLER = (
    "We repeated this part {n} times on {m} different days.",
    "Two of our testers in {c} worked side by side and compared their notes.",
    "The tables at the end of the printed edition hold all {n} readings.",
    "For this part we followed the same plan as in last year's test.",
    "A retired teacher from {c} wrote to us about this, and we invited her to join.",
    "The first round took place in {month}, the second one {n} days later.",
    "We asked {n} readers the same question by post; {m} of them replied.",
    "Our laboratory keeps the room at {m} degrees for such work.",
    "One tester had to leave early, so that only {m} records remain.",
    "We looked at this point with special care, because readers ask about it often.",
    "Three pages of notes were made and are kept in our archive.",
    "A second copy was bought in {c} to rule out chance.",
    "The {p} was left switched off for {n} hours before we went on.",
    "We used a calendar, a ruler and a stopwatch, nothing more.",
    "It was a rainy week in {month}, which made no difference to the records.",
    "Whoever wants to repeat this needs about {n} minutes and some patience.",
    "The readings of the two groups differed by less than one in {n}.",
    "Our youngest tester is {m} years old, our oldest one eighty-{o}.",
    "We wrote to the maker in {c} and put its letter on file.",
    "The same protocol was used for {n} other products this year.",
    "Every tester filled in a form with {m} questions.",
    "The forms were collected on a Monday and counted twice.",
    "None of our testers knew what the others had written.",
    "At this point we took a break of {n} days.",
    "We noted the date, the hour and the name of the tester each time.",
    "A visitor from {c} watched us for an afternoon.",
    "This section was written by two authors and read by a third.",
    "Our method has not changed since the {n}th edition.",
    "In {month} we went through all records once more.",
    "Of the {n} households that took part, {m} live in {c}.",
    "The {p} stood on the same table in the same corner all the while.",
    "We marked each day with a pencil on the wall calendar.",
)  # fmt: skip
_ENDING = (
    "This ends the report.",
    "The next report of this series follows in {month}.",
    "Readers may copy this page for their own use.",
    "Questions can be sent to our office in {c}.",
    "We thank all {n} testers for their time.",
)
_CITIES = ("Lyon", "Graz", "Porto", "Ghent", "Turku", "Bergen", "Cork", "Malmo", "Basel", "Verona")
_MONTHS = ("January", "February", "March", "April", "May", "June", "September", "October")


def write_document(
    rng: random.Random,
    product: str,
    aspects: Sequence[str],
    filler: int,
    held_out: bool | None = None,
) -> Review:
    """A report on these aspects in this order; each section holds `filler` more sentences."""

    def say(lines: Sequence[str], count: int) -> str:
        return " ".join(_filled(rng, line, product) for line in rng.sample(lines, count))

    opinions = tuple(Opinion(a, rng.random() < 0.5) for a in aspects)
    paragraphs = [say(_INTRODUCTION, min(filler + 1, len(_INTRODUCTION)))]
    clauses = tuple(clause(rng, opinion, held_out) for opinion in opinions)
    for opinion, said in zip(opinions, clauses, strict=True):
        verdict = sentence(said)
        before = rng.randint(0, filler)
        parts = [say(_FILLER, before), verdict, say(_FILLER, filler - before)]
        paragraphs.append(f"{opinion.aspect.capitalize()}. {' '.join(p for p in parts if p)}")
    paragraphs.append(say(_ENDING, min(filler, 3)))
    return Review("\n\n".join(p for p in paragraphs if p), opinions, clauses)


def _filled(rng: random.Random, line: str, product: str) -> str:
    return line.format(
        p=product,
        c=rng.choice(_CITIES),
        month=rng.choice(_MONTHS),
        n=rng.randint(12, 60),
        m=rng.randint(5, 11),
        o=rng.choice(("one", "two", "three", "four")),
    )
