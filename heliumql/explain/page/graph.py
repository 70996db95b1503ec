"""The plan as a drawing: nodes in layers, edges with the rows and calls that go along them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from heliumql.explain.explanation import Explanation, Figure, OperatorShown
from heliumql.explain.layout import Box, Layout, Route, laid_out
from heliumql.explain.page.markup import COLOURS, fitting, one_line, text
from heliumql.logical import Fetch, Generate, Node, Output, Query, Recurse, described
from heliumql.prompts import Parts, Placeholder, Text

_WIDTH, _PAD, _LINE, _TITLE = 236.0, 12.0, 16.0, 18.0  # of a node, in pixels
_LETTERS = 30.5  # of average width, on a line inside a node
_MOST_LINES = 3
_LABEL, _LETTER = 14.0, 6.8  # height of a line at an edge, width of its letters
_MANY = 40  # nodes; of more the LLM operators alone are shown first
_MARGIN = 6.0


@dataclass(frozen=True)
class Drawn:
    """A node as it is drawn: what it is called, lines below that, and a figure in its corner."""

    place: int  # in the plan
    kind: str
    title: str
    lines: tuple[str, ...]
    figure: str = ""
    waits: bool = False
    colour: int | None = None

    @property
    def size(self) -> tuple[float, float]:
        return _WIDTH, 2 * _PAD + _TITLE + _LINE * len(self.lines)


@dataclass(frozen=True)
class Flow:
    """What goes along an edge, and what was saved on it."""

    rows: str
    saved: str = ""
    weight: float = 0.0  # rows


@dataclass(frozen=True)
class Picture:
    """Nodes and their inputs (by place among the nodes), with what goes along each edge."""

    nodes: tuple[Drawn, ...]
    inputs: tuple[tuple[int, ...], ...]
    flows: Mapping[tuple[int, int], Flow]


def as_html(explanation: Explanation) -> str:
    """The plan in a frame that scrolls; where it has many blocks of DuckDB's also without them."""
    whole = picture(explanation)
    brief = without_blocks(whole)
    views = [("all", "all nodes", whole)]
    if brief.nodes != whole.nodes and len(brief.nodes) > 2:
        views.append(("llm", "LLM operators", brief))
    first = "llm" if len(whole.nodes) > _MANY and len(views) > 1 else "all"
    drawn = "".join(
        f'<div class="view {key}">{_svg(shown, f"plan, {name}")}</div>'
        for key, name, shown in views
    )
    choices = ""
    if len(views) > 1:
        choices = _radios("view", [(key, name) for key, name, _ in views], first, "what is shown")
    sizes = [("fit", "fit"), ("whole", "whole"), ("full", "100 %")]
    return (
        f'<div class="plan" data-view="{first}" data-size="fit"><div class="tools">'
        f"{choices}{_radios('size', sizes, 'fit', 'size of the plan')}</div>"
        f'<div class="frame graph" role="region" aria-label="plan" tabindex="0">{drawn}</div></div>'
    )


def picture(explanation: Explanation) -> Picture:
    """Every node of the plan."""
    assert explanation.plan is not None
    plan = explanation.plan
    operators = {o.site: o for o in explanation.operators}
    colours = {o.name: n % COLOURS for n, o in enumerate(explanation.operators)}
    flows = explanation.flows or tuple(Figure(0, False) for _ in plan.nodes)
    nodes = tuple(_drawn(n, node, operators, colours) for n, node in enumerate(plan.nodes))
    inputs = tuple(tuple(dict.fromkeys(node.inputs)) for node in plan.nodes)
    along = {
        (i, number): _flow(plan.nodes[number], flows[i], operators, explanation)
        for number, before in enumerate(inputs)
        for i in before
    }
    return Picture(nodes, inputs, along)


def without_blocks(whole: Picture) -> Picture:
    """LLM operators, loops and the result; an edge for every way between two of them."""
    kept = [n for n, node in enumerate(whole.nodes) if node.kind != "query"]
    place = {old: new for new, old in enumerate(kept)}
    sources: list[dict[int, tuple[int, int]]] = []  # of each node: kept ones above, first edges
    for number, before in enumerate(whole.inputs):
        found: dict[int, tuple[int, int]] = {}
        for i in before:
            if i in place:
                found.setdefault(i, (i, number))
            else:
                for source, _ in sources[i].items():
                    found.setdefault(source, (i, number))
        sources.append(found)
    inputs = tuple(tuple(place[s] for s in sorted(sources[n])) for n in kept)
    flows = {
        (place[s], place[n]): whole.flows[edge] for n in kept for s, edge in sources[n].items()
    }
    return Picture(tuple(whole.nodes[n] for n in kept), inputs, flows)


def _drawn(
    place: int, node: Node, operators: Mapping[int, OperatorShown], colours: Mapping[str, int]
) -> Drawn:
    match node:
        case Generate(site) | Fetch(site):
            operator = operators[site]
            lines = [f"{operator.model} \N{RIGHTWARDS ARROW} {operator.returns}", *_said(operator)]
            ran = operator.spent
            figure = f"{ran.run:,}" if ran is not None else str(operator.calls)
            return Drawn(
                place, "llm fetch" if isinstance(node, Fetch) else "llm", operator.name,
                tuple(lines), figure, colour=colours[operator.name],
            )  # fmt: skip
        case Query(work):
            shown = list(work[:_MOST_LINES])
            if len(work) > _MOST_LINES:
                shown[-1:] = [f"and {len(work) - _MOST_LINES + 1} more"]
            return Drawn(place, "query", "DuckDB", tuple(shown), waits=bool(node.waits))
        case Recurse(name):
            return Drawn(place, "loop", f"repeat {name}", ("until a step gives no rows",))
        case Output(columns):
            return Drawn(place, "output", "result", (", ".join(columns),))
        case _:
            return Drawn(place, "query", described(node), ())


def _said(operator: OperatorShown) -> Iterator[str]:
    """The beginning of the last message of a prompt, in a line."""
    said = "".join(_part(part) for part in operator.template[_last_role(operator.template) :])
    if said.strip():
        yield f"\N{LEFT DOUBLE QUOTATION MARK}{said.strip()}\N{RIGHT DOUBLE QUOTATION MARK}"


def _last_role(template: Parts) -> int:
    roles = [n for n, p in enumerate(template) if not isinstance(p, Text | Placeholder)]
    return roles[-1] + 1 if roles else 0


def _part(part: object) -> str:
    match part:
        case Text(said):
            return said
        case Placeholder(name):
            return f"{{{name}}}"
        case _:
            return ""


def _flow(
    node: Node, rows: Figure, operators: Mapping[int, OperatorShown], explanation: Explanation
) -> Flow:
    """What goes into a node."""
    if isinstance(node, Output) and explanation.happened is not None:
        return Flow(_rows(Figure(explanation.happened.rows)), weight=explanation.happened.rows)
    if not isinstance(node, Generate | Fetch):
        return Flow(_rows(rows), weight=rows.value)
    operator = operators[node.site]
    asked, stored = operator.rows or rows, operator.fetched or Figure(0)
    calls = operator.calls or Figure(0)
    merged = Figure(
        max(0.0, asked.value - calls.value - stored.value), asked.exact and stored.exact
    )
    saved = [f"{merged} equal"] if merged.value >= 0.5 else []
    saved += [f"{stored} remembered"] if stored.value >= 0.5 else []
    if operator.spent is not None:
        calls = Figure(operator.spent.run)
    label = f"{_rows(asked)} \N{RIGHTWARDS ARROW} {calls} {'call' if calls.value == 1 else 'calls'}"
    return Flow(label, ", ".join(saved), asked.value)


def _rows(rows: Figure) -> str:
    return f"{rows} {'row' if rows.value == 1 else 'rows'}"


# SVG --------------------------------------------------------------------------------------


def _svg(shown: Picture, label: str) -> str:
    layout = laid_out([n.size for n in shown.nodes], shown.inputs)
    edges = "".join(_edge(route, shown.flows[route.start, route.end]) for route in layout.routes)
    labels = "".join(
        _label(route, shown.flows[route.start, route.end], len(shown.inputs[route.end]))
        for route in layout.routes
    )
    nodes = "".join(_node(n, box) for n, box in zip(shown.nodes, layout.boxes, strict=True))
    beside = _beside(layout, shown)  # as much on both sides, so that the nodes stay in the middle
    width, height = layout.width + 2 * (_MARGIN + beside), layout.height + 2 * _MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="group" aria-label="{text(label)}"'
        f' style="--w:{width:.0f};--h:{height:.0f}"'
        f' viewBox="{-_MARGIN - beside:.0f} {-_MARGIN:.0f} {width:.0f} {height:.0f}">'
        f"<g>{edges}</g><g>{labels}</g>{nodes}</svg>"
    )


def _beside(layout: Layout, shown: Picture) -> float:
    """How far the longest label reaches beyond the nodes."""
    ends = [
        route.points[-1][0] + 12 + _LETTER * len(shown.flows[route.start, route.end].rows)
        for route in layout.routes
        if len(shown.inputs[route.end]) < 3
    ]
    return max(0.0, max(ends, default=0.0) - layout.width)


def path(route: Route) -> str:
    """The way of an edge: curves from layer to layer, straight lines past the nodes of one."""
    (x, y), *rest = route.points
    way = [f"M{x:.1f} {y:.1f}"]
    for number, (next_x, next_y) in enumerate(rest):
        if number % 2 == 0:
            bend = (y + next_y) / 2
            way.append(f"C{x:.1f} {bend:.1f} {next_x:.1f} {bend:.1f} {next_x:.1f} {next_y:.1f}")
        else:
            way.append(f"V{next_y:.1f}")
        x, y = next_x, next_y
    return "".join(way)


def _edge(route: Route, flow: Flow) -> str:
    """As thick as there are rows, within reason."""
    thick = 1.2 + 0.8 * math.log10(1 + max(0.0, flow.weight))
    return f'<path class="edge" stroke-width="{thick:.1f}" d="{path(route)}"/>'


def _label(route: Route, flow: Flow, beside: int) -> str:
    """Above the node that the edge ends at; the shorter, the more edges end there."""
    x, y = route.points[-1]
    shown = flow.rows if beside < 3 else flow.rows.partition(" row")[0]
    told = f'<text class="rows" x="{x + 6:.1f}" y="{y - 8:.1f}">{text(shown)}</text>'
    if flow.saved:
        told = (
            f'<text class="rows" x="{x + 6:.1f}" y="{y - 8 - _LABEL:.1f}">{text(shown)}</text>'
            f'<text class="saved" x="{x + 6:.1f}" y="{y - 8:.1f}">{text(flow.saved)}</text>'
        )
    return told


def _node(node: Drawn, box: Box) -> str:
    x, y = box.x + _PAD, box.y + _PAD
    said = [
        f'<text class="line" x="{x:.1f}" y="{y + _TITLE + _LINE * (n + 0.75):.1f}">'
        f"{fitting(line, _LETTERS)}</text>"
        for n, line in enumerate(node.lines)
    ]
    if node.figure:
        said.append(
            f'<text class="figure" x="{box.right - _PAD:.1f}" y="{y + 12:.1f}">'
            f"{text(node.figure)}</text>"
        )
    if node.waits:
        said.append(
            f'<text class="waits" x="{box.right - _PAD:.1f}" y="{y + 11:.1f}">waits for answers'
            "</text>"
        )
    colour = f" o{node.colour}" if node.colour is not None else ""
    stripe = ""
    if node.colour is not None:
        stripe = (
            f'<rect class="stripe" x="{box.x:.1f}" y="{box.y:.1f}" width="5"'
            f' height="{box.height:.1f}" rx="2.5"/>'
        )
    corner = 16 if node.kind == "output" else 7
    told = ", ".join([node.title, *node.lines, *([f"{node.figure} calls"] if node.figure else [])])
    return (
        f'<a class="{node.kind}{colour}" href="#node-{node.place}" data-node="node-{node.place}"'
        f' aria-label="{one_line(told, 300)}"><rect class="box" x="{box.x:.1f}" y="{box.y:.1f}"'
        f' width="{box.width:.1f}" height="{box.height:.1f}" rx="{corner}"/>{stripe}'
        f'<text class="title" x="{x:.1f}" y="{y + 12:.1f}">'
        f"{fitting(node.title, 19.0 if node.figure else 24.0)}</text>{''.join(said)}</a>"
    )


def _radios(name: str, choices: Sequence[tuple[str, str]], chosen: str, label: str) -> str:
    shown = "".join(
        f'<label><input type="radio" name="{name}" value="{key}"'
        f"{' checked=' + chr(34) + 'checked' + chr(34) if key == chosen else ''}/>"
        f"<span>{said}</span></label>"
        for key, said in choices
    )
    return f'<fieldset class="radios"><legend>{label}</legend>{shown}</fieldset>'
