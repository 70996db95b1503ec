"""Prompts of LLM_AGG: an instruction and texts, cut into parts and put together again.

A prompt is the instruction, a line `---`, and the texts with such lines between them. Where it is
longer than the context it becomes a tree of prompts: one for each of some consecutive chunks of
the texts, and one that has their answers for texts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from heliumql.syntax.verbs.agg import SEPARATOR, merge_sentence

_MARGIN = 0.9  # of the room that is counted on: texts are not equally dense
_DENSE = 3.0  # bytes of a token, as long as nothing is known of them: most texts have more


@dataclass(frozen=True)
class Aggregate:
    """A prompt taken apart; its `text` is the prompt again."""

    instruction: str
    texts: tuple[str, ...]

    @property
    def text(self) -> str:
        return SEPARATOR.join((self.instruction, *self.texts))

    @property
    def bytes(self) -> int:
        return len(self.text.encode())

    def chunks(self, room: int) -> list[Aggregate]:
        """Its texts in order, in as few prompts as have at most `room` bytes each.

        A text that is longer has a prompt to itself.
        """
        before = len(self.instruction.encode())
        cut: list[list[str]] = []
        filled = 0
        for text in self.texts:
            size = len(SEPARATOR) + len(text.encode())
            if not cut or filled + size > room:
                cut.append([])
                filled = before
            cut[-1].append(text)
            filled += size
        return [Aggregate(self.instruction, tuple(texts)) for texts in cut]

    def merging(self, answers: Sequence[str]) -> Aggregate:
        """The prompt that makes one answer of those about its chunks."""
        sentence = merge_sentence()
        instruction = self.instruction.removesuffix(sentence) + sentence  # a merge says it already
        return Aggregate(instruction, tuple(answers))


def taken_apart(prompt: str) -> Aggregate:
    """The instruction is what stands before the first separator."""
    instruction, *texts = prompt.split(SEPARATOR)
    return Aggregate(instruction, tuple(texts))


def room(
    prompt_bytes: int, whole_bytes: int, tokens: int, context: int | None, answer_tokens: int
) -> int:
    """How many bytes a part may have of a prompt that does not fit, so that it does.

    `whole_bytes` and `tokens` (0: not known) are those of all messages, the prompt among them, as
    are those of `context` (None: not known). Room for the answer is left, up to half of the
    context. Always less than the prompt has; half of it where nothing is known.
    """
    half = prompt_bytes // 2
    if context is None:
        return half
    left = context - min(answer_tokens, context // 2)
    a_token = whole_bytes / tokens if tokens else _DENSE
    beside = whole_bytes - prompt_bytes  # a system message, a history
    fits = int(left * a_token * _MARGIN) - beside
    return fits if 0 < fits < prompt_bytes else half
