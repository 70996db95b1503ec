"""Which worker of an engine a call goes to; vllm.py asks when it has more than one."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

_CHUNK = 256  # characters; about two blocks of a KV cache
_REMEMBERED = 1 << 16  # chunks


class PrefixPlacement:
    """Sends a prompt where the longest prefix of it went before, if that worker has room.

    Prompts are cut into chunks, each known by the hash of everything up to its end, with the set
    of workers (bits) that were given it. A prefix that all share is soon on all workers; one that
    a group shares stays on its worker until that one is clearly busier than the idlest. Then the
    call goes there, and what follows of its group finds the prefix on both.
    """

    def __init__(self, slots: int) -> None:
        self._slack = max(1, slots // 4)  # calls more than the idlest that a known prefix is worth
        self._holders: OrderedDict[int, int] = OrderedDict()

    def place(self, prompt: str, loads: Sequence[int]) -> int:
        """The number of the worker, given how many calls each has in flight."""
        chain = []
        known = 0
        code = 0
        for start in range(0, len(prompt) - _CHUNK + 1, _CHUNK):
            code = hash((code, prompt[start : start + _CHUNK]))
            chain.append(code)
            known = self._holders.get(code, 0) or known
        idlest = min(range(len(loads)), key=loads.__getitem__)
        holders = [w for w in range(len(loads)) if known >> w & 1]
        chosen = min(holders, key=loads.__getitem__, default=idlest)
        if loads[chosen] > loads[idlest] + self._slack:
            chosen = idlest
        for code in chain:
            self._holders[code] = self._holders.pop(code, 0) | 1 << chosen
        while len(self._holders) > _REMEMBERED:
            self._holders.popitem(last=False)
        return chosen
