"""Answers of a model whose weights are random: invented words, drawn by the prompt.

A logits processor of vLLM. The model computes every logit, then the token that was drawn for this
place of this prompt's answer is made the greatest. Equal prompts have equal answers in any batch,
whatever the number format; other prompts have others, as real models' answers would be.

It is loaded into vLLM's process, so this folder holds nothing else and it imports nothing of
HeliumQL. The tokens to draw from are in the model's config.json (gpu/model.py).
"""

from __future__ import annotations

import array
import hashlib
import random
from collections.abc import Sequence
from typing import Any

import torch
from vllm.v1.sample.logits_processor import BatchUpdate, LogitsProcessor
from vllm.v1.sample.logits_processor.builtin import process_dict_updates


class DrawnAnswers(LogitsProcessor):  # type: ignore[misc]  # vLLM is untyped here
    """One for all requests of an engine."""

    def __init__(self, vllm_config: Any, device: torch.device, is_pin_memory: bool) -> None:
        self._words: Sequence[int] = vllm_config.model_config.hf_config.answer_token_ids
        self._device = device
        self._pinned = is_pin_memory
        # By place in the batch: the answer, and the tokens of it that were given so far.
        self._answers: dict[int, tuple[Sequence[int], Sequence[int]]] = {}

    def is_argmax_invariant(self) -> bool:
        return False

    def update_state(self, batch_update: BatchUpdate | None) -> None:
        process_dict_updates(
            self._answers,
            batch_update,
            lambda params, prompt, given: (
                drawn(prompt or [], params.max_tokens or 1, self._words),
                given,
            ),
        )

    def apply(self, logits: torch.Tensor) -> torch.Tensor:
        if not self._answers:
            return logits
        # A step computed ahead may go beyond an answer's end; what comes then is thrown away.
        tokens = [a[min(len(given), len(a) - 1)] for a, given in self._answers.values()]
        places = torch.tensor([list(self._answers), tokens], pin_memory=self._pinned)
        # Not waited for: the next steps are prepared meanwhile.
        rows, columns = places.to(self._device, non_blocking=True)
        logits[rows, columns] = torch.finfo(logits.dtype).max
        return logits


def drawn(prompt: Sequence[int], length: int, words: Sequence[int]) -> Sequence[int]:
    """`length` of the words, the same for the same prompt."""
    name = hashlib.blake2b(array.array("q", prompt).tobytes(), digest_size=16).digest()
    return random.Random(name).choices(words, k=length)
