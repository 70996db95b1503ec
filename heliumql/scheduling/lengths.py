"""How long answers may turn out: the lengths with which orders of calls are compared.

Expected lengths are often a guess, and one for a whole operator. Where all answers are equally long
the event model keeps batches in step, so that orders which end with a batch half empty look as good
as others. Lengths that differ from call to call tell them apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from heliumql.scheduling.workload import Workload

# As expected, and four times as long: what nobody knows is taken for a quarter of what is allowed.
# Lengths that are known are uneven only.
_FACTORS = (1, 4)
_UNEVEN = 0.1  # how much longer or shorter each is
_CALLS = 1000  # the ends of larger workloads weigh little
_GOLDEN = 0.6180339887498949  # its multiples are spread evenly over an interval, however many


def draws(workload: Workload) -> list[Workload]:
    """The workload with several lengths of its answers; a large one as it is. Nothing is random."""
    if len(workload) > _CALLS:
        return [workload]
    return [_drawn(workload, factor, number) for number, factor in enumerate(_FACTORS)]


def _drawn(workload: Workload, factor: int, number: int) -> Workload:
    output = []
    for call, tokens in enumerate(workload.output):
        times = 1 if workload.known and workload.known[call] else factor
        place = ((call + 1) * _GOLDEN + number * _GOLDEN**2) % 1
        output.append(max(1, round(tokens * times * (1 + _UNEVEN * (2 * place - 1)))))
    more = _more(workload, output)
    prompt = [max(1, tokens + extra) for tokens, extra in zip(workload.prompt, more, strict=True)]
    return replace(workload, prompt=prompt, output=output)


def _more(workload: Workload, output: Sequence[int]) -> list[int]:
    """Tokens that each prompt gains by the answers that stand in it, if they are so long."""
    tree, more = workload.tree, [0] * len(workload)
    for call in workload.topological:
        needs = workload.needs[call]
        if not needs:
            continue
        path = set(tree.path(call))
        for need in needs:
            more[call] += output[need] - workload.output[need]
            if tree.leaf[need] in path:  # goes on from that call, whose prompt it repeats
                more[call] += more[need]
    return more
