"""Conversations as segments: a workload is put together call by call, as rows ask."""

from __future__ import annotations

import random
from collections.abc import Hashable, Sequence

from heliumql.scheduling.prefix_tree import tree_of_segments
from heliumql.scheduling.workload import Workload

MOST = 512  # output tokens of a call
_SPREAD = 6.0  # the greater, the closer outputs are to their mean

Text = tuple[Hashable, int]  # equal names are equal texts; a length in tokens
Part = Text | int  # an int is a call, whose answer stands there


class Conversations:
    """Calls of one workload. Equal prompts have equal answers; `merge` asks them once."""

    def __init__(self, seed: int, merge: bool = False) -> None:
        self._random = random.Random(seed)
        self._merge = merge
        self._operators: dict[str, int] = {}
        self._known: dict[tuple[Hashable, ...], int] = {}  # prompts, and who asked first
        self._same: list[int] = []  # the first call with the same prompt
        self._segments: list[list[Text]] = []
        self._query: list[int] = []
        self._operator: list[int] = []
        self._output: list[int] = []
        self._needs: list[list[int]] = []

    def length(self, mean: float, deviation: float) -> int:
        """A length in tokens of a text of the data: skewed, as lengths of texts are."""
        shape = (mean / deviation) ** 2
        return max(16, round(self._random.gammavariate(shape, mean / shape)))

    def ask(
        self,
        query: int,
        operator: str,
        prompt: Sequence[Part],
        mean: float,
        history: int | None = None,
        most: int = MOST,
    ) -> int:
        """A call that draws `mean` tokens or so; with `history` it goes on with that call's."""
        number = self._operators.setdefault(operator, len(self._operators))
        segments: list[Text] = []
        needs: list[int] = []
        if history is not None:
            segments += self._segments[history]
            needs.append(history)
        for part in prompt:
            if isinstance(part, int):
                segments.append((("answer", self._same[part]), self._output[part]))
                needs.append(part)
            else:
                segments.append(part)
        content = tuple(name for name, _ in segments)
        same = self._known.get(content)
        if same is not None and self._merge:
            return same
        call = len(self._query)
        if same is None:
            same = self._known[content] = call
            drawn = self._drawn(mean, most)
        else:
            drawn = self._output[same]
        self._same.append(same)
        self._segments.append([*segments, (("answer", same), drawn)])
        self._query.append(query)
        self._operator.append(number)
        self._output.append(drawn)
        self._needs.append(needs)
        return call

    def workload(self) -> Workload:
        """The calls so far, as columns."""
        prompt = [sum(tokens for _, tokens in s[:-1]) for s in self._segments]
        return Workload(
            query=self._query,
            operator=self._operator,
            prompt=prompt,
            output=self._output,
            needs=self._needs,
            tree=tree_of_segments(self._segments),
            engine=[0] * len(self._query),
        )

    def _drawn(self, mean: float, most: int) -> int:
        """Output tokens: never more than `most`, where many end whose mean is close to it."""
        part = min(mean / most, 0.999)
        return max(1, round(most * self._random.betavariate(part * _SPREAD, (1 - part) * _SPREAD)))
