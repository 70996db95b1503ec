"""How a vLLM worker embeds; vllm_worker.py runs it. Nothing of HeliumQL is imported."""

from __future__ import annotations

import json
from typing import Any


def parameters() -> Any:
    """One vector for each text, of length 1 where the model does not say otherwise."""
    from vllm import PoolingParams

    return PoolingParams(task="embed")


def answer(output: Any) -> str:
    """The vector that a finished request has, as text."""
    return json.dumps(output.outputs.data.tolist())


class Texts:
    """Texts to token ids: no chat template, but what the tokenizer puts around a text.

    Text that looks like a control token stays text.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    def tokens(
        self, messages: list[tuple[str, str]], thinking: str = "auto", *, typed: bool = False
    ) -> tuple[list[int], bool]:
        """The text, in the place of a prompt; it begins no thoughts."""
        ids: list[int] = self._tokenizer(messages[-1][1], split_special_tokens=True)["input_ids"]
        return ids, False
