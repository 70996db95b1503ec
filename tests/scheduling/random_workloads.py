"""Random workloads for hypothesis: conversations over few segments, calls that read answers."""

from __future__ import annotations

from collections.abc import Hashable

from hypothesis import strategies as st

from heliumql.scheduling.prefix_tree import tree_of_segments
from heliumql.scheduling.workload import Workload

SEGMENTS: dict[str, int] = {"s": 32, "t": 7, "u": 300, "v": 64}  # tokens


@st.composite
def workloads(
    draw: st.DrawFn, most: int = 16, engines: int = 1, outputs: tuple[int, ...] = (4, 20, 60)
) -> Workload:
    """Calls in any order: what a call needs may stand behind it, as where rows ask first."""
    count = draw(st.integers(1, most))
    segments: list[list[tuple[Hashable, int]]] = []
    needs: list[list[int]] = []
    output: list[int] = []
    for call in range(count):
        names = draw(st.lists(st.sampled_from([*SEGMENTS]), min_size=1, max_size=3))
        own: list[tuple[Hashable, int]] = [(name, SEGMENTS[name]) for name in names]
        below = draw(st.lists(st.integers(0, call - 1), max_size=2, unique=True)) if call else []
        own += [(("answer", n), output[n]) for n in below]
        output.append(draw(st.sampled_from(outputs)))
        segments.append(own)
        needs.append(below)
    query = list(range(count))  # calls that need each other are of one query
    for call, below in enumerate(needs):
        for need in below:
            one, other = query[call], query[need]
            query = [min(one, other) if q in (one, other) else q for q in query]
    level: list[int] = []
    for below in needs:
        level.append(max((level[n] + 1 for n in below), default=0))
    kind = [draw(st.integers(0, engines - 1)) for _ in range(count)]
    place = draw(st.permutations(range(count)))  # place[call]: where the call stands
    at = sorted(range(count), key=place.__getitem__)
    conversations = [[*segments[c], (("answer", c), output[c])] for c in at]
    return Workload(
        [query[c] for c in at],
        [level[c] * engines + kind[c] for c in at],
        [sum(tokens for _, tokens in segments[c]) for c in at],
        [output[c] for c in at],
        [sorted(place[n] for n in needs[c]) for c in at],
        tree_of_segments(conversations),
        [kind[c] for c in at],
    )
