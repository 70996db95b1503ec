"""Conversations to train on and to measure with: a review put into a prompt, and what follows.

The text may stand before or after the instruction and be introduced in many ways; a typed
question ends with the hint of its type, as the engine sends it.
"""

from __future__ import annotations

from dataclasses import dataclass

from catalog.demo.draw import Draw
from catalog.demo.prompts import Question, any_question
from catalog.demo.reviews import Review
from catalog.demo.roles import system_message


@dataclass(frozen=True)
class Turn:
    """A user message and the right answer."""

    task: str
    user: str
    answer: str


@dataclass(frozen=True)
class Dialog:
    """A conversation: the system message, if any, the turns, and the reviews that they quote."""

    system: str | None
    turns: tuple[Turn, ...]
    reviews: tuple[Review, ...] = ()

    def messages(self) -> list[dict[str, str]]:
        """As chat templates take it, answers included."""
        made = [] if self.system is None else [{"role": "system", "content": self.system}]
        for turn in self.turns:
            made.append({"role": "user", "content": turn.user})
            made.append({"role": "assistant", "content": turn.answer})
        return made


_FRAMES = (
    "{i} {b}",
    "{i} {b}",
    "{i} {b}",
    "{i}\n{b}",
    "{i}\n{b}",
    "{i}\n\n{b}",
    "{i}\n\n{b}",
    "{i} Review: {b}",
    "{i}\nReview: {b}",
    "{i}\n\nReview: {b}",
    "{i}\n\nReview:\n{b}",
    "{i}\nText: {b}",
    '{i} "{b}"',
    '{i}\n"{b}"',
    "{i}\n---\n{b}\n---",
    "{i}\n<review>\n{b}\n</review>",
    "{i}\n<review>{b}</review>",
    "{i} The review: {b}",
    "{i} Here it is: {b}",
    "{i} Customer: {b}",
    "{b} {i}",
    "{b}\n{i}",
    "{b}\n\n{i}",
    "{b}\n\n{i}",
    "Review: {b}\n{i}",
    "Review: {b}\n\n{i}",
    "Review:\n{b}\n\n{i}",
    "Text: {b}\nQuestion: {i}",
    '"{b}"\n{i}',
    '"{b}" {i}',
    "Here is a review: {b}\n{i}",
    "A customer writes: {b}\n\n{i}",
    "Read this review.\n\n{b}\n\n{i}",
    "<review>{b}</review>\n{i}",
    "Customer review: {b}\n{i}",
)
_NAMES = (
    "Mia",
    "Tom",
    "Lena",
    "Raj",
    "Aiko",
    "Sam",
    "Olga",
    "Luis",
    "Nora",
    "Finn",
    "Zoe",
    "Ivan",
)
_FIRST = (
    "Aero",
    "Luma",
    "Nordic",
    "Solo",
    "Terra",
    "Volt",
    "Casa",
    "Polar",
    "Zen",
    "Prime",
)
_SECOND = ("Kettle", "Lamp", "Headphones", "Backpack", "Tent", "Chair", "Phone", "Speaker", "Film",
           "Blender", "Watch", "Hotel")  # fmt: skip


def question_dialog(draw: Draw, turns: int = 1) -> Dialog:
    """Questions about one review; the first message holds the review."""
    review = draw.review()
    return _asked(draw, review, review.body, turns)


def document_dialog(draw: Draw) -> Dialog:
    """Questions about a report, which is a long review."""
    document = draw.document(product_name(draw))
    return _asked(draw, document, document.body, draw.choice((2, 3, 4)))


def _asked(draw: Draw, review: Review, body: str, turns: int) -> Dialog:
    body = quoted(draw, body)
    made = []
    for number in range(turns):
        question = any_question(draw, review)
        user = question.instruction
        if number == 0:
            user = frame(draw, user, body)
        made.append(Turn(question.task, with_hint(user, question), question.answer))
    return Dialog(system_message(draw), tuple(made), (review,))


def frame(draw: Draw, instruction: str, body: str) -> str:
    """The instruction and the text in one message."""
    if instruction.endswith((".", "?")) and draw.chance(0.12):
        instruction = f"{instruction[:-1]}:" if draw.chance(0.7) else instruction[:-1]
    if draw.chance(0.06):
        instruction = f"{instruction[:1].lower()}{instruction[1:]}"
    if draw.chance(0.04):
        instruction = f"Please {instruction[:1].lower()}{instruction[1:]}"
    return draw.wording(_FRAMES).format(i=instruction, b=body)


def with_hint(user: str, question: Question) -> str:
    """The message as the engine sends it."""
    hint = question.returns.hint()
    return f"{user}\n{hint}" if hint else user


def product_name(draw: Draw) -> str:
    return f"{draw.choice(_FIRST)} {draw.choice(_SECOND)}"


def quoted(draw: Draw, body: str) -> str:
    """The text as a template puts it in: now and then after some facts about it."""
    return f"{_about_what(draw)}{body}" if draw.chance(0.12) else body


def _about_what(draw: Draw) -> str:
    """Facts that a template may put before the text."""
    product, author = product_name(draw), draw.choice(_NAMES)
    return draw.choice(
        (
            f"{product}: ",
            f"Product: {product}\nReview: ",
            f"Product: {product}\nAuthor: {author}\nReview: ",
            f"{author} writes about the {product}: ",
            f"Review of the {product} by {author}: ",
            f"{author}: ",
            f"{product} ({author}): ",
        )
    )
