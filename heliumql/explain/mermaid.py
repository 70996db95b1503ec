"""An explanation as a Mermaid flowchart: EXPLAIN (FORMAT mermaid)."""

from __future__ import annotations

from heliumql.explain.explanation import Explanation, OperatorShown
from heliumql.logical import Fetch, Generate, Node, Output, Query, described

_LONGEST = 60


def as_mermaid(explanation: Explanation) -> str:
    """The plan, from tables at the top to the result; operators carry their calls."""
    lines = ["flowchart TD"]
    if explanation.plan is None:
        for number, operator in enumerate(explanation.operators, 1):
            lines.append(f'  n{number}[["{escaped(operator.name)}<br/>call by call"]]')
        return "\n".join(lines)
    by_site = {o.site: o for o in explanation.operators}
    for number, node in enumerate(explanation.plan.nodes, 1):
        lines.append(f"  n{number}{_shape(node, label(node, by_site))}")
        lines += [f"  n{i + 1} --> n{number}" for i in node.inputs]
    return "\n".join(lines)


def label(node: Node, operators: dict[int, OperatorShown]) -> list[str]:
    """The lines of a node in a picture."""
    match node:
        case Generate(site) | Fetch(site):
            operator = operators[site]
            return [described(node), f"{operator.calls} calls, {operator.fetched} remembered"]
        case Query(work):
            return [w if len(w) <= _LONGEST else w[: _LONGEST - 2] + ".." for w in work]
        case Output(columns):
            return ["result", ", ".join(columns)[:_LONGEST]]
        case _:
            return [described(node)]


def _shape(node: Node, lines: list[str]) -> str:
    text = "<br/>".join(escaped(line) for line in lines)
    match node:
        case Generate() | Fetch():
            return f'[["{text}"]]'
        case Output():
            return f'(["{text}"])'
        case _:
            return f'["{text}"]'


def escaped(text: str) -> str:
    """Text inside a quoted label: what Mermaid or HTML would read is written as a code."""
    return "".join(f"#{ord(c)};" if c in '"<>&#`{}[]|\\;' else c for c in text.replace("\n", " "))
