"""The prompt tree: what prompts begin with alike, as bars that are as long as their tokens.

A branch begins where what it continues ends, so a column is the same place in every prompt. What a
run found in prefix caches is marked, on average over the calls.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from heliumql.explain.explanation import Explanation, OperatorShown
from heliumql.explain.page.details import parts_html
from heliumql.explain.page.markup import COLOURS, text
from heliumql.explain.tree import NodeShown, tokens_of, tops
from heliumql.explain.words import counted
from heliumql.prompts import Parts, Placeholder, Role, Text

_WORD = re.compile(r"\w+\Z")


@dataclass(frozen=True)
class Hits:
    """Of an operator: prompt tokens of a call, and how many were in the prefix cache."""

    prompt: float
    cached: float


def as_html(explanation: Explanation) -> str:
    """The tree with its bars."""
    root = explanation.prompt_tree
    whole = max((_longest(top) for top in tops(root)), default=0.0)
    colours = {o.name: n % COLOURS for n, o in enumerate(explanation.operators)}
    hits = dict(_hits(explanation.operators))
    tools = (
        '<div class="tools scripted"><button type="button" data-open="yes">open all</button>'
        '<button type="button" data-open="no">close all</button></div>'
    )
    keys = [("fixed", "the same in every call"), ("varied", "filled in")]
    keys += [("hit", "found in the prefix cache")] if hits else []
    legend = "".join(f'<li><i class="{kind}"></i>{said}</li>' for kind, said in keys)
    body = "".join(_node(top, 0.0, whole or 1.0, colours, hits, 0) for top in tops(root))
    return f'{tools}<ul class="legend">{legend}</ul><div class="tree">{body}</div>'


def _hits(operators: tuple[OperatorShown, ...]) -> Iterator[tuple[str, Hits]]:
    for o in operators:
        if o.spent is not None and o.spent.run and o.spent.prompt_tokens:
            yield (
                o.name,
                Hits(o.spent.prompt_tokens / o.spent.run, o.spent.prefix_hit_tokens / o.spent.run),
            )


def _longest(node: NodeShown) -> float:
    return node.tokens + max((_longest(child) for child in node.children), default=0.0)


def _ends(node: NodeShown) -> list[str]:
    return [*node.operators, *(name for child in node.children for name in _ends(child))]


def _node(
    node: NodeShown,
    before: float,
    whole: float,
    colours: Mapping[str, int],
    hits: Mapping[str, Hits],
    depth: int,
    word: str = "",
) -> str:
    """`word` is the beginning of the word in which the branch above ends."""
    tail = word + _text(node.parts)
    last = _WORD.search(tail)
    below = "".join(
        _node(child, before + node.tokens, whole, colours, hits, depth + 1, last[0] if last else "")
        for child in node.children
    )
    shared = _ends(node)
    said = [tokens_of(node)] if tokens_of(node) else []
    if len(shared) > 1:
        said.append(f"begins {counted(len(shared), 'operator')}")
    ends = "".join(
        f'<span class="ends-here o{colours.get(name, 0)}"><i class="key"></i>'
        f"{text(name, 200)}</span>"
        for name in node.operators
    )
    reads = (
        f'<span class="reads">reads {text(", ".join(node.reads), 400)}</span>' if node.reads else ""
    )
    begun = text(word) if _text(node.parts)[:1].isalnum() else ""
    carried = f'<span class="carried">{begun}</span>' if begun else ""
    line = (
        f'<span class="parts">{carried}{parts_html(node.parts)}</span>'
        f'<span class="about">{ends}<span>{", ".join(said)}</span>{reads}</span>'
        f"{_bar(node, before, whole, hits, depth)}"
    )
    if not below:
        return f'<div class="branch leaf">{line}</div>'
    return f'<details class="branch" open="open"><summary>{line}</summary>{below}</details>'


def _text(parts: Parts) -> str:
    """Texts as they are, anything else as a mark that ends words."""
    return "".join(part.text if isinstance(part, Text) else " " for part in parts)


def _bar(node: NodeShown, before: float, whole: float, hits: Mapping[str, Hits], depth: int) -> str:
    """Where the node lies in its prompts; what of it was found, where that is known."""
    if node.tokens < 0.5:
        return ""
    left, wide = 100 * before / whole, max(0.4, 100 * node.tokens / whole)
    varied = any(isinstance(p, Placeholder) for p in node.parts)
    fixed = any(not isinstance(p, Placeholder | Role) for p in node.parts)
    kind = "mixed" if varied and fixed else "varied" if varied else "fixed"
    found = ""
    known = [hits[name] for name in _ends(node) if name in hits]
    if known:
        cached = sum(h.cached for h in known) / len(known)
        part = min(1.0, max(0.0, (cached - before) / node.tokens))
        if part * node.tokens >= 0.5:
            found = (
                f'<i class="hit" style="width:{100 * part:.1f}%"'
                f' title="~{part * node.tokens:.0f} tokens found in the prefix cache"></i>'
            )
    place = f"margin-left:{left:.2f}%;width:{min(wide, 100 - left):.2f}%"
    return (
        f'<span class="track" style="--d:{depth}"><i class="bar {kind}" style="{place}">{found}</i>'
        "</span>"
    )
