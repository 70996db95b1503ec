"""What the page tells of each node of the plan, beside the drawing: prompt, SQL, counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from heliumql.explain.explanation import Explanation, Figure, OperatorShown, Written
from heliumql.explain.page.markup import COLOURS, table, text
from heliumql.explain.text import duration, money
from heliumql.logical import Fetch, Generate, Node, Output, Query, Recurse
from heliumql.prompts import Parts, Placeholder, Role, Text

_MOST_SQL = 4_000


def as_html(explanation: Explanation) -> str:
    """A block for each node, `node-0` and so on; the script shows one of them at a time."""
    assert explanation.plan is not None
    operators = {o.site: (n, o) for n, o in enumerate(explanation.operators)}
    written = {w.site: w for w in explanation.written}
    flows = explanation.flows
    blocks = "".join(
        _block(
            number,
            node,
            operators,
            written,
            explanation.statement,
            flows[number] if flows else None,
        )
        for number, node in enumerate(explanation.plan.nodes)
    )
    return f'<div class="details" aria-live="polite">{blocks}</div>'


def _block(
    number: int,
    node: Node,
    operators: Mapping[int, tuple[int, OperatorShown]],
    written: Mapping[int, Written],
    statement: str,
    rows: Figure | None,
) -> str:
    colour = ""
    match node:
        case Generate(site) | Fetch(site):
            place, operator = operators[site]
            colour = f" o{place % COLOURS}"
            kind = "LLM operator"
            if isinstance(node, Fetch):
                kind += ", answers that are remembered are fetched"
            name = operator.name
            body = "".join(_operator(operator, written.get(site), statement))
        case Query(work, waits=waits):
            name, kind = "DuckDB", "relational work"
            body = f"<ol>{''.join(f'<li>{text(w)}</li>' for w in work)}</ol>"
            for wait in waits:
                body += (
                    f'<p class="wait">waits for answers: {text(wait.clause)}: {text(wait.text)}</p>'
                )
            body += _rows(rows)
        case Recurse(of):
            name, kind = f"repeat {of}", "loop"
            body = "<p>until a step gives no rows</p>" + _rows(rows)
        case Output(columns):
            name, kind = "result", "columns"
            body = f"<ol>{''.join(f'<li>{text(c)}</li>' for c in columns)}</ol>" + _rows(rows)
    return (
        f'<article class="node{colour}" id="node-{number}"><h3>{text(name)}</h3>'
        f'<p class="kind">{kind}</p>{body}</article>'
    )


def _rows(rows: Figure | None) -> str:
    return "" if rows is None else f"<p>gives {rows} {'row' if rows.value == 1 else 'rows'}</p>"


def _operator(operator: OperatorShown, place: Written | None, statement: str) -> Iterator[str]:
    yield f'<div class="prompt">{parts_html(operator.template)}</div>'
    facts = [("model", text(operator.model)), ("returns", text(operator.returns))]
    expected = [
        ("rows that ask", operator.rows),
        ("calls to run", operator.calls),
        ("remembered", operator.fetched),
        ("prompt tokens", operator.prompt_tokens),
        ("answer tokens", operator.output_tokens),
        ("static prefix, tokens", operator.static_prefix_tokens),
    ]
    facts += [(name, str(figure)) for name, figure in expected if figure is not None]
    if operator.seconds is not None:
        facts.append(("one call", duration(operator.seconds)))
    if operator.price is not None:
        facts.append(("price", money(operator.price)))
    yield _facts(facts)
    if (spent := operator.spent) is not None:
        yield "<h4>what happened</h4>" + _facts(
            [
                ("calls run", f"{spent.run:,}"),
                ("failed", f"{spent.failed:,}"),
                ("prompt tokens", f"{spent.prompt_tokens:,}"),
                ("of these prefix hits", f"{spent.prefix_hit_tokens:,}"),
                ("answer tokens", f"{spent.output_tokens:,}"),
            ]
        )
    for cut in operator.cuts:
        yield f'<p class="wait">waited for: {text(cut)}</p>'
    if place is not None:
        sql = statement[place.span.start : place.span.end]
        yield f"<details><summary>as written</summary><pre>{text(sql, _MOST_SQL)}</pre></details>"


def _facts(facts: list[tuple[str, str]]) -> str:
    return f"<dl>{''.join(f'<dt>{n}</dt><dd>{v}</dd>' for n, v in facts)}</dl>"


def parts_html(parts: Parts) -> str:
    """A template: roles, texts as they are, placeholders marked."""
    said = []
    for part in parts:
        match part:
            case Role(name):
                said.append(f'<span class="role">{text(name)}</span>')
            case Text(words):
                said.append(f'<span class="words">{text(words)}</span>')
            case Placeholder(name, operators):
                kind = "hole answers" if operators else "hole"
                said.append(f'<span class="{kind}">{text(name, 400)}</span>')
    return "".join(said)


def operators_table(explanation: Explanation) -> str:
    """All LLM operators with their figures, a row each."""
    did = explanation.happened is not None
    heads = ["operator", "model", "returns", "rows", "calls to run", "remembered", "tokens in",
             "tokens out", "one call"]  # fmt: skip
    priced = any(o.price is not None for o in explanation.operators)
    heads += ["price"] if priced else []
    heads += ["run", "hits", "failed"] if did else []
    rows = []
    for number, o in enumerate(explanation.operators):
        figures = (o.rows, o.calls, o.fetched, o.prompt_tokens, o.output_tokens)
        cells = [f'<i class="key o{number % COLOURS}"></i>{text(o.name, 200)}', text(o.model)]
        cells += [f"<code>{text(o.returns, 200)}</code>"]
        cells += ["" if f is None else str(f) for f in figures]
        cells.append("" if o.seconds is None else duration(o.seconds))
        if priced:
            cells.append("" if o.price is None else money(o.price))
        if did:
            spent = o.spent
            cells += (
                ["", "", ""] if spent is None
                else [f"{spent.run:,}", f"{spent.prefix_hit_tokens:,}", f"{spent.failed:,}"]
            )  # fmt: skip
        rows.append(cells)
    return table(heads, rows, range(3, len(heads)), "LLM operators")
