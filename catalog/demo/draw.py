"""Random choices with a held-out part: what training sees, and what only measuring sees.

Every generator of prompts takes a `Draw`. In training, phrases and wordings that are held out are
never drawn; in measuring, at least one of them is.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from catalog.demo.aspects import ASPECTS
from catalog.demo.documents import write_document
from catalog.demo.reviews import Review, write_review

T = TypeVar("T")
_NAMES = tuple(a.name for a in ASPECTS)


@dataclass(frozen=True)
class Draw:
    """A source of random choices. None for a part: held out or not does not matter."""

    rng: random.Random
    held_out_phrases: bool | None = None
    held_out_wordings: bool | None = None

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def choice(self, options: Sequence[T]) -> T:
        return self.rng.choice(options)

    def wording(self, options: Sequence[str]) -> str:
        """One of the wordings of an instruction; one wording in eight is held out."""
        if self.held_out_wordings is None:
            return self.rng.choice(options)
        fit = [o for o in options if (zlib.crc32(o.encode()) % 8 == 0) == self.held_out_wordings]
        return self.rng.choice(fit or options)

    def review(self, aspects: Sequence[str] = _NAMES) -> Review:
        return write_review(self.rng, aspects, self.held_out_phrases)

    def aspects(self, count: int) -> list[str]:
        """Some aspects, each once."""
        return self.rng.sample(_NAMES, count)

    def document(self, product: str) -> Review:
        """A report on the product with 3 to 8 sections, short or long."""
        aspects = self.rng.sample(_NAMES, self.rng.randint(3, 8))
        filler = self.choice((0, 1, 2, 3, 4, 6, 8, 10))
        return write_document(self.rng, product, aspects, filler, self.held_out_phrases)

    def aspect(self) -> str:
        return self.rng.choice(_NAMES)

    def others(self, review: Review, count: int) -> list[str]:
        """Aspects that the review does not mention."""
        return self.rng.sample([n for n in _NAMES if n not in review.topics], count)


def deal(options: str) -> tuple[str, ...]:
    """The wordings in a text, one per line."""
    return tuple(line.strip() for line in options.strip().splitlines())
