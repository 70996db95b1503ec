"""Where the nodes of a plan stand in a picture: in layers, inputs above what reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

LINE, CHARACTER, MARGIN = 17, 7.0, 10  # of the text in a box, in pixels
_GAP_X, _GAP_Y = 28, 44
_BESIDE = 18  # between lines that go past boxes
_ROUNDS = 4


@dataclass(frozen=True)
class Box:
    """A node's place: its upper left corner and its size."""

    x: float
    y: float
    width: float
    height: float


def placed(labels: Sequence[Sequence[str]], inputs: Sequence[Sequence[int]]) -> list[Box]:
    """The boxes of nodes with these labels; inputs are numbers of earlier nodes."""
    sizes = [
        (max((len(line) for line in lines), default=1) * CHARACTER + 2 * MARGIN,
         len(lines) * LINE + 2 * MARGIN)
        for lines in labels
    ]  # fmt: skip
    layers = _ordered(_layers(inputs), inputs)
    widths = [sum(sizes[n][0] for n in layer) + _GAP_X * (len(layer) - 1) for layer in layers]
    boxes: dict[int, Box] = {}
    y = 0.0
    for layer, width in zip(layers, widths, strict=True):
        x = (max(widths) - width) / 2
        for number in layer:
            boxes[number] = Box(x, y, *sizes[number])
            x += sizes[number][0] + _GAP_X
        y += max(sizes[n][1] for n in layer) + _GAP_Y
    return [boxes[n] for n in range(len(labels))]


@dataclass(frozen=True)
class Line:
    """A curve from one box to another: where it begins and ends, and the points it bends to."""

    start: tuple[float, float]
    first: tuple[float, float]
    second: tuple[float, float]
    end: tuple[float, float]

    @property
    def widest(self) -> float:
        """How far to the right it comes, halfway."""
        return (self.start[0] + 3 * self.first[0] + 3 * self.second[0] + self.end[0]) / 8


def lines(boxes: Sequence[Box], inputs: Sequence[Sequence[int]]) -> list[Line]:
    """The lines from inputs to what reads them; past boxes in between on their right."""
    drawn: list[Line] = []
    aside = 0
    for number, before in enumerate(inputs):
        for i in before:
            above, below = boxes[i], boxes[number]
            between = [
                b for b in boxes if above.y + above.height <= b.y and b.y + b.height <= below.y
            ]
            if not between:
                drawn.append(_down(above, below))
                continue
            clear = max(b.x + b.width for b in (above, below, *between)) + _BESIDE * (aside + 1)
            aside += 1
            drawn.append(_around(above, below, clear))
    return drawn


def _down(above: Box, below: Box) -> Line:
    x1, y1 = above.x + above.width / 2, above.y + above.height
    x2, y2 = below.x + below.width / 2, below.y
    middle = (y1 + y2) / 2
    return Line((x1, y1), (x1, middle), (x2, middle), (x2, y2))


def _around(above: Box, below: Box, clear: float) -> Line:
    """From right side to right side, as far out as `clear` halfway."""
    x1, y1 = above.x + above.width, above.y + above.height / 2
    x2, y2 = below.x + below.width, below.y + below.height / 2
    out = (8 * clear - x1 - x2) / 6
    return Line((x1, y1), (out, y1), (out, y2), (x2, y2))


def _layers(inputs: Sequence[Sequence[int]]) -> list[list[int]]:
    """A node stands one layer below the lowest of its inputs."""
    depth: list[int] = []
    for before in inputs:
        depth.append(max((depth[i] + 1 for i in before), default=0))
    layers: list[list[int]] = [[] for _ in range(max(depth, default=-1) + 1)]
    for number, layer in enumerate(depth):
        layers[layer].append(number)
    return layers


def _ordered(layers: list[list[int]], inputs: Sequence[Sequence[int]]) -> list[list[int]]:
    """Nodes near the middle of their neighbours, so that few lines cross."""
    neighbours: dict[int, list[int]] = {n: list(before) for n, before in enumerate(inputs)}
    for number, before in enumerate(inputs):
        for other in before:
            neighbours[other].append(number)
    for turn in range(_ROUNDS):
        place = {n: i / max(1, len(layer)) for layer in layers for i, n in enumerate(layer)}

        def middle(number: int, place: dict[int, float] = place) -> float:
            near = [place[n] for n in neighbours[number]]
            return sum(near) / len(near) if near else place[number]

        layers = [sorted(layer, key=middle) for layer in layers]
        if turn and all(layer == sorted(layer, key=middle) for layer in layers):
            break
    return layers
