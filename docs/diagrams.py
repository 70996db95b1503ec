"""Railroad diagrams of the grammar, for docs/language.md: `make docs` writes them as SVG.

They are drawn from grammar/heliumql.lark as Lark itself reads it, so they cannot say anything else
than the parser does. What the grammar leaves to DuckDB (its soup of tokens) is one box, `SQL`.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lark import Tree
from lark.load_grammar import GrammarBuilder
from railroad import Choice, Diagram, NonTerminal, OneOrMore, Optional, Terminal, ZeroOrMore
from railroad import Sequence as Row

ROOT = Path(__file__).parent.parent
GRAMMAR = ROOT / "grammar" / "heliumql.lark"
FOLDER = ROOT / "docs" / "railroad"
SHOWN = (
    "create_model", "create_prompt", "drop_model", "drop_prompt", "show", "describe",
    "clear_cache", "set_option", "reset_option", "options", "parameters", "value", "call",
    "argument",
)  # fmt: skip
_SQL = {"soup", "_part", "expression", "group"}  # DuckDB's
_STYLE = """\
svg.railroad-diagram { background-color: #fff; }
svg.railroad-diagram path { stroke-width: 2; stroke: #444; fill: none; }
svg.railroad-diagram text { font: 13px monospace; text-anchor: middle; }
svg.railroad-diagram rect { stroke-width: 2; stroke: #444; fill: #eef4fb; }
svg.railroad-diagram g.terminal rect { fill: #e6f5e6; }
"""


def diagrams() -> dict[Path, str]:
    """The SVG of each rule that is shown, by file."""
    builder = GrammarBuilder()
    builder.load_grammar(GRAMMAR.read_text("utf-8"))
    grammar: Any = builder.build()
    rules = {name: tree for name, _, tree, _ in grammar.rule_defs}
    words = {name: _word(definition[0]) for name, definition in grammar.term_defs}
    return {FOLDER / f"{name}.svg": _svg(_drawn(rules[name], rules, words)) for name in SHOWN}


def _svg(item: Any) -> str:
    text = io.StringIO()
    Diagram(item, css=_STYLE).writeStandalone(text.write, _STYLE)
    return re.sub(r"[ \t]+$", "", text.getvalue(), flags=re.MULTILINE) + "\n"


def _word(definition: Any) -> tuple[str, ...]:
    """What a token is written as, where it is one of a few texts; nothing, where a pattern."""
    (literal,) = (tree.children[0] for tree in definition.find_data("literal"))
    if literal.type == "STRING":
        return (literal[1:-1],)
    pattern = literal.rpartition("/")[0][1:]
    if found := re.fullmatch(r"(\w+)\(\?:([\w|]+)\)", pattern):
        return tuple(found[1] + end for end in found[2].split("|"))
    return tuple(pattern.split("|")) if re.fullmatch(r"[=>:|]+", pattern) else ()


def _drawn(tree: Any, rules: Mapping[str, Any], words: Mapping[str, Sequence[str]]) -> Any:
    def inner(node: Any) -> Any:
        return _drawn(node, rules, words)

    match tree:
        case Tree(data="expansions", children=[one]):
            return inner(one)
        case Tree(data="expansions", children=children):
            return Choice(0, *map(inner, children))
        case Tree(data="expansion", children=children):
            parts = _gathered(children)
            return Row(*[inner(p) if not isinstance(p, tuple) else _list(p, inner) for p in parts])
        case Tree(data="alias", children=[expansion, _]):
            return inner(expansion)
        case Tree(data="maybe", children=[child]):
            return Optional(inner(child))
        case Tree(data="expr", children=[child, sign]):
            return {"?": Optional, "*": ZeroOrMore, "+": OneOrMore}[str(sign)](inner(child))
        case Tree(data="value", children=[value]):
            return inner(value)
        case Tree(data="literal", children=[literal]):
            return Terminal(str(literal)[1:-1])
        case _:
            return _named(tree.name, rules, words)


def _named(name: str, rules: Mapping[str, Any], words: Mapping[str, Sequence[str]]) -> Any:
    if name in _SQL:
        return NonTerminal("SQL")
    if name not in rules:
        texts = words[name]
        if not texts:
            return Terminal(name.lower().replace("_", " "))
        return Terminal(texts[0]) if len(texts) == 1 else Choice(0, *map(Terminal, texts))
    if name in SHOWN or name in ("name", "word", "text", "type", "number"):
        return NonTerminal(name)
    return _drawn(rules[name], rules, words)


def _gathered(children: Sequence[Any]) -> list[Any]:
    """`x ("," x)*` as the pair of x and its separator: a loop with the comma on the way back."""
    parts: list[Any] = []
    for child in children:
        match child:
            case Tree(data="expr", children=[Tree(children=[Tree(children=[comma, item])]), sign]):
                if str(sign) == "*" and parts and parts[-1] == item:
                    parts[-1] = (item, comma)
                    continue
        parts.append(child)
    return parts


def _list(pair: tuple[Any, Any], inner: Any) -> Any:
    item, separator = pair
    return OneOrMore(inner(item), inner(separator))
