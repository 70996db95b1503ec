"""An explanation as one HTML page that needs nothing else: EXPLAIN (FORMAT html)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from heliumql.explain import schedule_html, timeline_svg
from heliumql.explain.explanation import Explanation, OperatorShown
from heliumql.explain.layout import LINE, MARGIN, Line, lines, placed
from heliumql.explain.mermaid import label
from heliumql.explain.text import (
    duration,
    expected_lines,
    happened_lines,
    money,
    pass_lines,
    rule_lines,
)
from heliumql.explain.timeline import lane_lines
from heliumql.explain.tree import NodeShown, tokens_of, tops
from heliumql.logical import Dag, Fetch, Generate, Output
from heliumql.prompts import Parts, Placeholder, Role, Text

_STYLE = (
    """
:root { color-scheme: light dark; --line: #8884; --ink: #1a1a1a; --soft: #666; --paper: #fff;
  --call: #e8f0fe; --done: #e6f4ea; --box: #f6f6f6; --hole: #b3540a; --role: #1a56b0; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e6e6; --soft: #a0a0a0; --paper: #16181c;
  --call: #1d2b45; --done: #1b3324; --box: #23262c; --hole: #f0a35e; --role: #8ab4f8; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.3rem } h2 { font-size: 1.05rem; margin-top: 2rem; }
pre, code, svg text { font-family: ui-monospace, monospace; font-size: 12px; }
pre { background: var(--box); padding: .8rem; border-radius: 6px; overflow-x: auto; }
.graph, .wide { overflow-x: auto; }
table { border-collapse: collapse; } td, th { text-align: left; padding: .3rem .8rem .3rem 0;
  border-bottom: 1px solid var(--line); vertical-align: top; } td.n { text-align: right; }
svg text { fill: var(--ink); } svg rect { stroke: var(--soft); fill: var(--box); }
svg .generate rect, svg .fetch rect { fill: var(--call); } svg .output rect { fill: var(--done); }
svg path { fill: none; stroke: var(--soft); }
ul.tree, ul.tree ul { list-style: none; border-left: 1px solid var(--line); padding-left: 1rem; }
.hole { color: var(--hole); } .role { color: var(--role); font-weight: 600; margin-left: .4rem; }
.leaf, .weight { color: var(--soft); } .part { white-space: pre-wrap; }
"""
    + schedule_html.STYLE
    + timeline_svg.STYLE
)


def as_html(explanation: Explanation) -> str:
    """The page: the sections of the text, and pictures of the plan and of the run."""
    did = explanation.happened is not None
    parts = [
        f"<h1>What this statement {'did' if did else 'is going to do'}</h1>",
        f"<pre>{escape(explanation.statement)}</pre>",
    ]
    if explanation.happened is not None:  # what the page is opened for
        told = [*happened_lines(explanation.happened), *lane_lines(explanation.timelines)]
        parts += ["<h2>What happened</h2>", _lines(told)]
        if explanation.timelines:
            parts.append("<h2>Timeline</h2>")
            parts += map(timeline_svg.as_svg, explanation.timelines)
    if explanation.plan is None:
        parts.append(f"<p>It is evaluated call by call: {escape(explanation.call_by_call)}.</p>")
    else:
        parts += ["<h2>Plan</h2>", _graph(explanation.plan, explanation.operators)]
    if explanation.rules:
        parts += ["<h2>Rules</h2>", _lines(rule_lines(explanation))]
    parts += ["<h2>LLM operators</h2>", _operators(explanation.operators)]
    if explanation.plan is not None:
        parts += ["<h2>Passes</h2>", _lines(pass_lines(explanation))]
        parts += ["<h2>Prompt tree</h2>", _tree(explanation.prompt_tree)]
        if explanation.schedule is not None:
            parts += ["<h2>Schedule</h2>", schedule_html.as_html(explanation.schedule)]
        parts += ["<h2>Expected</h2>", _lines(expected_lines(explanation))]
    body = "\n".join(parts)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8"/>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>\n'
        f"<title>HeliumQL plan</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n{body}\n</body>\n</html>"
    )


def _lines(lines: Iterable[str]) -> str:
    return f"<pre>{escape(chr(10).join(lines))}</pre>"


def _operators(operators: Sequence[OperatorShown]) -> str:
    heads = ("operator", "model", "returns", "rows", "calls to run", "remembered",
             "tokens in", "tokens out", "static prefix", "one call", "price", "run")  # fmt: skip
    rows = []
    for o in operators:
        texts = (o.name, o.model, o.returns)
        figures = (o.rows, o.calls, o.fetched, o.prompt_tokens, o.output_tokens)
        cells = [f"<td>{escape(t)}</td>" for t in texts]
        cells += [f'<td class="n">{"" if f is None else f}</td>' for f in figures]
        cells += [f'<td class="n">{o.static_prefix_tokens}</td>']
        cells += [f'<td class="n">{"" if o.seconds is None else duration(o.seconds)}</td>']
        cells += [f'<td class="n">{"" if o.price is None else money(o.price)}</td>']
        cells += [f'<td class="n">{"" if o.spent is None else f"{o.spent.run:,}"}</td>']
        rows.append(f"<tr>{''.join(cells)}</tr>")
    head = "".join(f"<th>{h}</th>" for h in heads)
    return f'<div class="wide"><table><tr>{head}</tr>{"".join(rows)}</table></div>'


def _tree(root: NodeShown) -> str:
    return f'<ul class="tree">{"".join(_node(top) for top in tops(root))}</ul>'


def _node(node: NodeShown) -> str:
    ends = f' <span class="weight">{tokens_of(node)}</span>'
    if node.operators:
        ends += f' <span class="leaf">\u2192 {escape(", ".join(node.operators))}</span>'
    if node.reads:
        ends += f' <span class="leaf">(reads: {escape(", ".join(node.reads))})</span>'
    below = f"<ul>{''.join(_node(c) for c in node.children)}</ul>" if node.children else ""
    return f"<li>{_parts(node.parts)}{ends}{below}</li>"


def _parts(parts: Parts) -> str:
    texts = []
    for part in parts:
        match part:
            case Role(name):
                texts.append(f'<span class="role">{escape(name)}</span> ')
            case Text(text):
                texts.append(f'<span class="part">{escape(text)}</span>')
            case Placeholder(name):
                texts.append(f'<span class="hole">{{{escape(name)}}}</span>')
    return "".join(texts)


# the graph --------------------------------------------------------------------------------


def _graph(plan: Dag, operators: Sequence[OperatorShown]) -> str:
    by_site = {o.site: o for o in operators}
    labels = [label(node, by_site) for node in plan.nodes]
    boxes = placed(labels, [node.inputs for node in plan.nodes])
    drawn_lines = lines(boxes, [node.inputs for node in plan.nodes])
    width = max([b.x + b.width for b in boxes] + [line.widest for line in drawn_lines]) + 2
    height = max(b.y + b.height for b in boxes) + 2
    drawn = [_path(line) for line in drawn_lines]
    for node, texts, box in zip(plan.nodes, labels, boxes, strict=True):
        kind = type(node).__name__.lower()
        round_corner = 14 if isinstance(node, Output) else 4
        written = "".join(
            f'<text x="{box.x + MARGIN:.0f}" y="{box.y + MARGIN + LINE * (n + 0.75):.0f}">'
            f"{escape(line)}</text>"
            for n, line in enumerate(texts)
        )
        heavy = 1.5 if isinstance(node, Generate | Fetch) else 1
        drawn.append(
            f'<g class="{kind}"><rect x="{box.x:.0f}" y="{box.y:.0f}" width="{box.width:.0f}"'
            f' height="{box.height:.0f}" rx="{round_corner}" stroke-width="{heavy}"/>{written}</g>'
        )
    return (
        f'<div class="graph"><svg xmlns="http://www.w3.org/2000/svg" role="img"'
        f' aria-label="plan" width="{width:.0f}" height="{height:.0f}"'
        f' viewBox="-1 -1 {width:.0f} {height:.0f}">{"".join(drawn)}</svg></div>'
    )


def _path(line: Line) -> str:
    points = (line.start, line.first, line.second, line.end)
    start, *rest = (f"{x:.0f} {y:.0f}" for x, y in points)
    return f'<path d="M{start} C{" ".join(rest)}"/>'
