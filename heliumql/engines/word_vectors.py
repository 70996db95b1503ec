"""Embeddings made of the words of a text: those of the simulated engine.

A word is a direction drawn from its hash, a text the sum of its words: texts with words in common
are alike, others are not.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from functools import lru_cache
from hashlib import blake2b

from heliumql.vectors import vector_text

DIMENSIONS = 64


def embed(text: str) -> str:
    """The vector of the text, of length 1, as an answer."""
    words = Counter(re.findall(r"\w+", text.lower())) or Counter([text])
    total = [0.0] * DIMENSIONS
    for word, times in sorted(words.items()):  # in one order: sums of floats depend on it
        weight = math.sqrt(times)
        total = [a + weight * b for a, b in zip(total, _direction(word), strict=True)]
    length = math.hypot(*total)
    return vector_text([a / length for a in total])


@lru_cache(4096)
def _direction(word: str) -> tuple[int, ...]:
    """Whole numbers from -128 to 127 that look random, the same for the same word."""
    data = blake2b(word.encode("utf-8", "surrogatepass"), digest_size=DIMENSIONS).digest()
    return tuple(byte - 128 for byte in data)
