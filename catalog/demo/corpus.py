"""The stream of conversations to train on, and its form in tokens.

`train.py` reads batches of it; `measure.py` draws conversations from it that training never sees.
"""

from __future__ import annotations

import random
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from catalog.demo.aggregates import AGGREGATES
from catalog.demo.aspects import ASPECTS
from catalog.demo.dialogs import Dialog, document_dialog, question_dialog
from catalog.demo.draw import Draw
from catalog.demo.extraction import EXTRACTION
from catalog.demo.small_talk import SMALL_TALK
from catalog.demo.verbs import CHOICES
from catalog.demo.workflows import WORKFLOWS

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_ASPECTS = tuple(a.name for a in ASPECTS)
OPINIONS = 2 * len(_ASPECTS)
END = "<|im_end|>"
CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


@dataclass(frozen=True)
class Sample:
    """A conversation in tokens.

    The answers are the tokens to learn, as (start, end, task). The marks are the tokens that end
    a clause of a review, with the number of the opinion that the clause expresses.
    """

    tokens: tuple[int, ...]
    answers: tuple[tuple[int, int, str], ...]
    marks: tuple[tuple[int, int], ...]


def any_dialog(draw: Draw) -> Dialog:
    """A conversation of any kind, in the proportions that training uses."""
    kind = draw.rng.random()
    if kind < 0.012:
        return document_dialog(draw)
    if kind < 0.22:
        return question_dialog(draw, draw.rng.choices((1, 2, 4, 6), (40, 20, 20, 20))[0])
    makers_of = (*CHOICES, *EXTRACTION) if kind < 0.62 else AGGREGATES if kind < 0.77 else WORKFLOWS
    weights, makers = zip(*(makers_of if kind < 0.92 else SMALL_TALK), strict=True)
    dialog: Dialog = draw.rng.choices(makers, weights)[0](draw)
    return dialog


def rendered(dialog: Dialog) -> list[tuple[str, str | None]]:
    """The text in pieces, as CHAT_TEMPLATE writes it; an answer comes with its task."""
    pieces: list[tuple[str, str | None]] = []
    before = "" if dialog.system is None else f"<|im_start|>system\n{dialog.system}{END}\n"
    for turn in dialog.turns:
        pieces.append(
            (
                f"{before}<|im_start|>user\n{turn.user}{END}\n<|im_start|>assistant\n",
                None,
            )
        )
        pieces.append((f"{turn.answer}{END}", turn.task))
        before = "\n"
    return pieces


def in_tokens(dialog: Dialog, tokenizer: Tokenizer) -> Sample:
    tokens: list[int] = []
    answers = []
    marks: list[tuple[int, int]] = []
    for text, task in rendered(dialog):
        start = len(tokens)
        encoding = tokenizer.encode(text, add_special_tokens=False)
        tokens += encoding.ids
        if task is not None:
            answers.append((start, len(tokens), task))
        if start == 0:
            ends = [end for _, end in encoding.offsets]
            marks += [(bisect_left(ends, at), label) for at, label in _clause_ends(text, dialog)]
    return Sample(tuple(tokens), tuple(answers), tuple(marks))


def _clause_ends(text: str, dialog: Dialog) -> Iterator[tuple[int, int]]:
    """Where clauses of the quoted reviews end in the text, and which opinions they express."""
    text = text.lower()
    for review in dialog.reviews:
        at = text.find(review.body.lower())
        if at < 0:  # quoted as a summary only
            continue
        for opinion, clause in zip(review.opinions, review.clauses, strict=True):
            at = text.index(clause.lower(), at) + len(clause)
            yield at, 2 * _ASPECTS.index(opinion.aspect) + opinion.liked


def batches(tokenizer: Tokenizer, seed: int, size: int) -> Iterator[list[Sample]]:
    """Batches without end, each of about `size` tokens and of conversations of like length."""
    rng = random.Random(seed)
    draw = Draw(rng, held_out_phrases=False, held_out_wordings=False)
    while True:
        pool = [in_tokens(any_dialog(draw), tokenizer) for _ in range(1024)]
        pool.sort(key=lambda s: len(s.tokens))
        cut: list[list[Sample]] = [[]]
        for sample in pool:
            if (len(cut[-1]) + 1) * len(sample.tokens) > size and cut[-1]:
                cut.append([])
            cut[-1].append(sample)
        rng.shuffle(cut)
        yield from cut
