"""The words of the benchmark's texts: each is one token of the model in checkpoint.py.

Texts and answers are made of invented words that come with the blank before them, so an answer that
stands in a later prompt has as many tokens there as it had when it was drawn.
"""

from __future__ import annotations

import itertools
import random
import re
import string
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

SPECIAL = ("<|pad|>", "<|system|>", "<|user|>", "<|assistant|>", "<|end|>")
PIECE = r" [A-Za-z]+|[\s\S]"
"""What is looked up in the vocabulary; where it is not there, its characters are."""

_ROOT = Path(__file__).parents[2]
_WRITTEN = (
    *sorted(Path(__file__).parent.glob("*.hql")),
    _ROOT / "queries" / "trading.hql",
    _ROOT / "benchmark" / "trading" / "tables.py",
)
_PIECE = re.compile(PIECE)


@cache
def invented() -> Sequence[str]:
    """The invented words, a blank before each: four characters to a token."""
    vowels, others = "aeiou", "bcdfghjklmnpqrstvwxyz"
    return [f" {''.join(word)}" for word in itertools.product(others, vowels, others)]


@cache
def vocabulary() -> Sequence[str]:
    """All tokens by id: special ones, characters, the words of the queries, invented words."""
    written = {w for f in _WRITTEN for w in re.findall(r"[A-Za-z]{2,}", f.read_text("utf-8"))}
    characters = [c for c in string.printable if c not in "\r\x0b\x0c"]
    words = [f" {w}" for w in sorted(written)]
    return list(dict.fromkeys([*SPECIAL, *characters, *words, *invented()]))


@cache
def _known() -> frozenset[str]:
    return frozenset(vocabulary())


def tokens(text: str) -> list[str]:
    """The tokens of a text as the model's tokenizer cuts it."""
    found: list[str] = []
    for piece in _PIECE.findall(text):
        found += [piece] if piece in _known() else piece
    return found


def conversation(messages: Iterable[tuple[str, str]]) -> list[str]:
    """The tokens of a prompt as the chat template lays it out: (role, content) each."""
    found: list[str] = []
    for role, content in messages:
        found += [f"<|{role}|>", *tokens(content), "<|end|>"]
    return [*found, "<|assistant|>"]


def text(length: int, *seed: object) -> str:
    """So many tokens of invented words, the same for the same seed and another for any other."""
    draw = random.Random(repr(seed))
    return "".join(draw.choices(invented(), k=length))
