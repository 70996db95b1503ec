"""The statement as it was written, with its LLM calls marked in the colours of their operators."""

from __future__ import annotations

from collections.abc import Iterator

from heliumql.explain.explanation import Explanation, Written
from heliumql.explain.page.markup import COLOURS, text
from heliumql.logical import Fetch, Generate
from heliumql.syntax import tokens

_WORDS = """
SELECT FROM WHERE AS AND OR NOT ON JOIN LEFT RIGHT INNER FULL CROSS LATERAL GROUP ORDER BY LIMIT
OFFSET WITH RECURSIVE UNION ALL DISTINCT VALUES CASE WHEN THEN ELSE END CREATE TABLE TEMP VIEW
INSERT INTO COPY TO HAVING QUALIFY USING IN IS NULL DESC ASC OVER FILTER
"""
_MOST = 100_000  # characters


def as_html(explanation: Explanation) -> str:
    """The text in a frame; pointing at a call tells its operator."""
    statement = explanation.statement
    if len(statement) > _MOST:
        return f"<pre>{text(statement, _MOST)}</pre>"
    colours = {o.site: n % COLOURS for n, o in enumerate(explanation.operators)}
    nodes: dict[int, int] = {}
    if explanation.plan is not None:
        for number, node in enumerate(explanation.plan.nodes):
            if isinstance(node, Generate | Fetch):
                nodes.setdefault(node.site, number)
    calls = {o.site: o for o in explanation.operators}

    def opening(call: Written) -> str:
        if not call.runs:
            told = "made one with an equal call, or needed by nobody"
            return f'<mark class="gone" title="{text(call.name)}: {told}">'
        operator = calls[call.site]
        figure = f"{operator.calls} calls to run" if operator.calls is not None else "a call"
        if operator.spent is not None:
            figure = f"{operator.spent.run:,} calls run"
        link = ""
        if call.site in nodes:
            link = f' data-node="node-{nodes[call.site]}" tabindex="0" role="button"'
        return (
            f'<mark class="o{colours[call.site]}" title="{text(call.name)}: {figure}"'
            f' aria-label="{text(call.name)}: {figure}"{link}>'
        )

    pieces = list(_pieces(statement))
    opens: dict[int, list[Written]] = {}
    closes: dict[int, int] = {}
    for call in explanation.written:
        opens.setdefault(call.span.start, []).append(call)
        closes[call.span.end] = closes.get(call.span.end, 0) + 1
    cuts = sorted({*opens, *closes})
    said: list[str] = []
    for start, end, kind in pieces:
        at = start
        for cut in [c for c in cuts if start <= c < end] + [end]:
            if cut > at:
                said.append(_piece(statement[at:cut], kind))
                at = cut
            if cut < end:
                said.append("</mark>" * closes.get(cut, 0))
                outer_first = sorted(opens.get(cut, []), key=lambda w: -w.span.end)
                said += map(opening, outer_first)
    said.append("</mark>" * closes.get(len(statement), 0))
    return f'<pre class="sql" tabindex="0" aria-label="statement">{"".join(said)}</pre>'


def _piece(words: str, kind: str) -> str:
    return f'<span class="{kind}">{text(words)}</span>' if kind else text(words)


def _pieces(statement: str) -> Iterator[tuple[int, int, str]]:
    """All of the text in order: words of SQL, strings, comments (between tokens), and the rest."""
    at, words = 0, frozenset(_WORDS.split())
    for token in tokens.tokenize(statement):
        if token.start > at:
            gap = statement[at : token.start]
            yield at, token.start, "comment" if gap.strip() else ""
        kind = ""
        if token.word in words:
            kind = "word"
        elif token.text[:1] in "'$" and len(token.text) > 1:
            kind = "string"
        yield token.start, token.end, kind
        at = token.end
    if at < len(statement):
        yield at, len(statement), "comment" if statement[at:].strip() else ""
