"""Embeddings as texts: what an engine answers where it was asked to embed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import repeat

import pyarrow as pa
import pyarrow.compute as pc


def vector_text(numbers: Sequence[object]) -> str:
    """A compact JSON list of the numbers as FLOAT: the fewest digits that read back the same.

    Raises ValueError where they are not a direction: none, not numbers, not finite, all zero.
    """
    if not numbers:
        raise ValueError("the embedding is empty")
    if not all(map(isinstance, numbers, repeat((int, float)))) or bool in set(map(type, numbers)):
        raise ValueError("the embedding is not a list of numbers")
    try:
        floats = pa.array(map(float, numbers), pa.float32())  # type: ignore[arg-type]
    except OverflowError:
        floats = pa.array([float("inf")], pa.float32())
    if not pc.all(pc.is_finite(floats)).as_py():
        raise ValueError("the embedding is not finite")
    if not pc.any(pc.not_equal(floats, 0)).as_py():
        raise ValueError("the embedding is zero, it has no direction")
    digits = pa.ListArray.from_arrays([0, len(floats)], floats.cast(pa.string()))
    return f"[{pc.binary_join(digits, ',')[0].as_py()}]"


def accept(text: str) -> str:
    """An engine's answer in that form. Raises ValueError that says why it is no embedding."""
    try:
        numbers = json.loads(text)
    except (ValueError, RecursionError):
        numbers = None
    if not isinstance(numbers, list):
        raise ValueError(f"{text[:60]!r} is not an embedding")
    return vector_text(numbers)
