"""Where the nodes of a plan stand in a picture: in layers, inputs above what reads them.

Layers from the inputs, no layer wider than `MOST_BESIDE` nodes; an edge that passes layers gets a
place in each of them (a bend); nodes of a layer are ordered so that few edges cross, and stand as
near to their neighbours as their order and their widths allow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

MOST_BESIDE = 6
GAP_X, GAP_Y = 30.0, 54.0  # between nodes, in pixels; labels of edges stand in the gap below nodes
_BEND, _GAP_BENDS = 8.0, 6.0  # width of an edge that passes a layer, and between two
_ROUNDS = 8
_LIGHT = 0.05  # of what reads nothing: it goes where there is room, so that trunks stay straight

Edge = tuple[int, int]  # from an input to what reads it


@dataclass(frozen=True)
class Box:
    """A node's place: its upper left corner and its size."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height


@dataclass(frozen=True)
class Route:
    """An edge: the points that it passes, downwards; it is a curve between layers, else straight.

    Points are in pairs, where a curve begins and where it ends.
    """

    start: int
    end: int
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Layout:
    """Boxes in the order of the nodes. All of it lies in 0 .. width and 0 .. height."""

    boxes: tuple[Box, ...]
    routes: tuple[Route, ...]
    width: float
    height: float


def laid_out(
    sizes: Sequence[tuple[float, float]], inputs: Sequence[Sequence[int]], most: int = MOST_BESIDE
) -> Layout:
    """Places nodes of these sizes; inputs are numbers of earlier nodes, each named once."""
    layer_of = _layers(inputs, most)
    count = len(sizes)
    widths = {n: sizes[n][0] for n in range(count)}
    layers: list[list[int]] = [[] for _ in range(max(layer_of, default=-1) + 1)]
    for number, layer in enumerate(layer_of):
        layers[layer].append(number)
    chains: dict[Edge, list[int]] = {}  # of an edge: both ends, and its bends between them
    above: dict[int, list[int]] = {n: [] for n in range(count)}
    below: dict[int, list[int]] = {n: [] for n in range(count)}
    for number, before in enumerate(inputs):
        for i in before:
            chain = [i]
            for layer in range(layer_of[i] + 1, layer_of[number]):
                bend = len(widths)
                widths[bend] = _BEND
                above[bend], below[bend] = [], []
                layers[layer].append(bend)
                chain.append(bend)
            chain.append(number)
            chains[i, number] = chain
            for upper, lower in pairwise(chain):
                below[upper].append(lower)
                above[lower].append(upper)
    layers = _ordered(layers, above, below)
    middles = _middles(layers, widths, above, below, count)
    left = min((middles[n] - w / 2 for n, w in widths.items()), default=0.0)
    middles = {n: x - left for n, x in middles.items()}
    tops, bottoms, y = [], [], 0.0
    for nodes in layers:
        tops.append(y)
        y += max((sizes[n][1] for n in nodes if n < count), default=0.0)
        bottoms.append(y)
        y += GAP_Y
    boxes = tuple(
        Box(middles[n] - w / 2, tops[layer_of[n]], w, h) for n, (w, h) in enumerate(sizes)
    )
    routes = tuple(
        _route(chain, boxes, middles, tops, bottoms, layer_of[chain[0]], above, below)
        for chain in chains.values()
    )
    width = max((middles[n] + w / 2 for n, w in widths.items()), default=0.0)
    return Layout(boxes, routes, width, bottoms[-1] if bottoms else 0.0)


def _layers(inputs: Sequence[Sequence[int]], most: int) -> list[int]:
    """A node stands below all its inputs; one without inputs right above its first reader."""
    readers: list[list[int]] = [[] for _ in inputs]
    for number, before in enumerate(inputs):
        for i in before:
            readers[i].append(number)
    layer: list[int] = []
    taken: dict[int, int] = {}
    for before in inputs:
        place = max((layer[i] + 1 for i in before), default=0)
        while taken.get(place, 0) >= most:
            place += 1
        taken[place] = taken.get(place, 0) + 1
        layer.append(place)
    for number, before in reversed(list(enumerate(inputs))):
        if before or not readers[number]:
            continue
        place = min(layer[r] for r in readers[number]) - 1
        while place > layer[number] and taken.get(place, 0) >= most:
            place -= 1
        if place > layer[number]:
            taken[layer[number]] -= 1
            taken[place] = taken.get(place, 0) + 1
            layer[number] = place
    used = {old: new for new, old in enumerate(sorted(set(layer)))}
    return [used[place] for place in layer]


def _ordered(
    layers: list[list[int]], above: Mapping[int, list[int]], below: Mapping[int, list[int]]
) -> list[list[int]]:
    """Each node near the middle of its neighbours, down and up in turn; the best order found."""
    best, fewest = layers, _crossings(layers, below)
    for turn in range(_ROUNDS):
        if fewest == 0:
            break
        near = above if turn % 2 == 0 else below
        sweep = list(layers) if turn % 2 == 0 else list(reversed(layers))
        done = [sweep[0]]
        for layer in sweep[1:]:
            place = {n: i for i, n in enumerate(done[-1])}
            done.append(_near(layer, near, place))
        layers = done if turn % 2 == 0 else list(reversed(done))
        crossings = _crossings(layers, below)
        if crossings < fewest:
            best, fewest = layers, crossings
    return best


def _near(
    layer: Sequence[int], near: Mapping[int, list[int]], place: Mapping[int, int]
) -> list[int]:
    """The nodes of a layer, each as far along as its neighbours in the layer beside it are."""
    wanted = []
    for at, number in enumerate(layer):
        found = [place[n] for n in near[number] if n in place]
        wanted.append((sum(found) / len(found) if found else float(at), at, number))
    return [number for _, _, number in sorted(wanted)]


def _crossings(layers: Sequence[Sequence[int]], below: Mapping[int, list[int]]) -> int:
    found = 0
    for upper, lower in pairwise(layers):
        place = {n: i for i, n in enumerate(lower)}
        ends = [place[b] for n in upper for b in sorted(below[n], key=place.__getitem__)]
        found += sum(a > b for i, a in enumerate(ends) for b in ends[i + 1 :])
    return found


def _middles(
    layers: Sequence[Sequence[int]],
    widths: Mapping[int, float],
    above: Mapping[int, list[int]],
    below: Mapping[int, list[int]],
    count: int,
) -> dict[int, float]:
    """Where the middle of each node and bend is: never nearer to the next one than it may be."""
    middles: dict[int, float] = {}
    apart: list[list[float]] = []
    for layer in layers:
        x, offsets = 0.0, []
        for number, left in zip(layer, [None, *layer], strict=False):
            if left is not None:
                gap = GAP_X if min(left, number) < count else _GAP_BENDS
                x += (widths[left] + widths[number]) / 2 + gap
            offsets.append(x)
        apart.append(offsets)
        for number, offset in zip(layer, offsets, strict=True):
            middles[number] = offset - x / 2
    for turn in range(2 * _ROUNDS):
        order = range(len(layers)) if turn % 2 == 0 else range(len(layers) - 1, -1, -1)
        for at in order:
            layer = layers[at]
            wanted, weights = [], []
            for number in layer:
                near = above[number] if turn % 2 == 0 else below[number]
                near = near or (below[number] if turn % 2 == 0 else above[number])
                pulls = [(middles[n], 1.0 if above[n] else _LIGHT) for n in near]
                whole = sum(pull for _, pull in pulls)
                wanted.append(
                    sum(x * pull for x, pull in pulls) / whole if pulls else middles[number]
                )
                steady = 1.0 if above[number] else _LIGHT
                weights.append(steady if number < count else 4.0)  # bends are to be straight
            for number, x in zip(layer, _apart(wanted, weights, apart[at]), strict=True):
                middles[number] = x
    return middles


def _apart(
    wanted: Sequence[float], weights: Sequence[float], offsets: Sequence[float]
) -> list[float]:
    """Positions nearest to the wanted ones that are as far apart as the offsets (least squares)."""
    blocks: list[list[float]] = []  # mean, weight, how many
    for want, weight, offset in zip(wanted, weights, offsets, strict=True):
        blocks.append([want - offset, weight, 1])
        while len(blocks) > 1 and blocks[-2][0] >= blocks[-1][0]:
            mean, more, number = blocks.pop()
            last = blocks[-1]
            last[0] = (last[0] * last[1] + mean * more) / (last[1] + more)
            last[1] += more
            last[2] += number
    levels = [mean for mean, _, number in blocks for _ in range(int(number))]
    return [level + offset for level, offset in zip(levels, offsets, strict=True)]


def _route(
    chain: Sequence[int],
    boxes: Sequence[Box],
    middles: Mapping[int, float],
    tops: Sequence[float],
    bottoms: Sequence[float],
    layer: int,
    above: Mapping[int, list[int]],
    below: Mapping[int, list[int]],
) -> Route:
    """From a port below a node, straight through the layers between, to a port above the other."""
    first, last = chain[0], chain[-1]
    points = [(_port(boxes[first], below[first], chain[1], middles), boxes[first].bottom)]
    for place, bend in enumerate(chain[1:-1], layer + 1):
        points += [(middles[bend], tops[place]), (middles[bend], bottoms[place])]
    points.append((_port(boxes[last], above[last], chain[-2], middles), boxes[last].y))
    return Route(first, last, tuple(points))


def _port(box: Box, ends: Sequence[int], end: int, middles: Mapping[int, float]) -> float:
    """Edges of one side of a node are spread over it, in the order of where they come from."""
    order = sorted(ends, key=lambda n: (middles[n], n))
    return box.x + box.width * (order.index(end) + 1) / (len(order) + 1)
