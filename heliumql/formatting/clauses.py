"""A query as clauses, a clause as a head and items: where lines may begin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from heliumql.formatting.keywords import words
from heliumql.formatting.pieces import Bracket, Node, Piece

QUERY_WORDS = ("SELECT", "FROM", "WITH", "VALUES", "PIVOT", "UNPIVOT")
_WITH_CLAUSES = (*QUERY_WORDS, "INSERT", "UPDATE", "DELETE", "CREATE", "EXPLAIN", "PROFILE")
_PLAIN = words(
    "SELECT FROM WHERE GROUP HAVING QUALIFY WINDOW ORDER LIMIT OFFSET UNION EXCEPT INTERSECT"
    " RETURNING VALUES"
)
_JOINS = words("LEFT RIGHT FULL INNER CROSS ASOF POSITIONAL NATURAL SEMI ANTI")
_CONDITIONS = ("WHERE", "HAVING", "QUALIFY", "JOIN")


@dataclass(frozen=True)
class Clause:
    """`word` says of which kind: its first word, JOIN for all joins, '' for what comes before."""

    word: str
    head: tuple[Node, ...]
    items: tuple[tuple[Node, ...], ...]  # each with the comma behind it

    @property
    def nodes(self) -> tuple[Node, ...]:
        return (*self.head, *(node for item in self.items for node in item))

    @property
    def breaks_before_lateral(self) -> bool:
        """It has a LATERAL after a comma, which begins a line."""
        return self.word in ("FROM", "JOIN") and any(
            isinstance(item[0], Piece) and item[0].text == "LATERAL" for item in self.items[1:]
        )


def is_query(nodes: Sequence[Node]) -> bool:
    """Whether the nodes are a query, or a statement that has clauses."""
    return bool(nodes) and isinstance(nodes[0], Piece) and nodes[0].text in _WITH_CLAUSES


def clauses(nodes: Sequence[Node]) -> list[Clause]:
    """The clauses of a query or statement, one after another."""
    is_prompt = _is_prompt(nodes)
    parts: list[tuple[str, list[Node]]] = []
    for index, node in enumerate(nodes):
        word = _start(nodes, index, is_prompt)
        if word or not parts:
            parts.append((word, []))
        parts[-1][1].append(node)
    return [_clause(word, part) for word, part in parts]


def by_commas(nodes: Sequence[Node]) -> list[tuple[Node, ...]]:
    """The items, each with the comma behind it."""
    items: list[list[Node]] = [[]]
    for node in nodes:
        items[-1].append(node)
        if isinstance(node, Piece) and node.type == "COMMA":
            items.append([])
    return [tuple(item) for item in items if item]


def by_words(nodes: Sequence[Node], *words: str) -> list[tuple[Node, ...]]:
    """The parts that begin with one of the words; the AND of BETWEEN begins none."""
    parts: list[list[Node]] = [[]]
    between = False
    for node in nodes:
        text = node.text if isinstance(node, Piece) else ""
        if text in words and not (text == "AND" and between) and parts[-1]:
            parts.append([])
        if text.upper() in ("BETWEEN", "AND"):
            between = text != "AND"
        parts[-1].append(node)
    return [tuple(part) for part in parts if part]


def _clause(word: str, nodes: Sequence[Node]) -> Clause:
    size = _head_size(word, nodes)
    rest = nodes[size:]
    items = by_commas(rest) if word not in ("WHERE", "HAVING", "QUALIFY") else [tuple(rest)]
    if word in _CONDITIONS:
        items = [part for item in items for part in by_words(item, "AND", "OR")]
    return Clause(word, tuple(nodes[:size]), tuple(items))


def _head_size(word: str, nodes: Sequence[Node]) -> int:
    texts = [node.text.upper() if isinstance(node, Piece) else "" for node in nodes[:4]]
    match word:
        case "GROUP" | "ORDER":
            return 2
        case "WITH" if texts[1:2] == ["RECURSIVE"]:
            return 2
        case "SELECT" if texts[1:3] == ["DISTINCT", "ON"]:
            return min(4, len(nodes))
        case "SELECT" if texts[1:2] in (["DISTINCT"], ["ALL"]):
            return 2
        case "":
            return len(nodes)
        case _:
            return 1


def _start(nodes: Sequence[Node], index: int, is_prompt: bool) -> str:
    """The kind of the clause that begins at the node, or ''."""
    node = nodes[index]
    if not isinstance(node, Piece) or node.type != "NAME":
        return ""
    word, before, after = node.text, _text(nodes, index - 1), _text(nodes, index + 1)
    if is_prompt:
        return word.upper() if index > 2 and word.upper() in ("RETURNS", "WITH", "AS") else ""
    match word:
        case "FROM" if before in ("DELETE", "DISTINCT") and index:
            return ""
        case "GROUP" if before.upper() == "WITHIN":
            return ""
        case "WITH":
            is_cte = _text(nodes, index + 2) == "AS" or after == "RECURSIVE" or _named(nodes, index)
            return word if is_cte else ""
        case "JOIN" if before not in _JOINS | {"OUTER"}:
            return "JOIN"
        case _ if word in _JOINS and before not in _JOINS and _leads_to_join(nodes, index):
            return "JOIN"
        case "VALUES" if index and after != "(":
            return ""
        case "SET" if _text(nodes, 0) == "UPDATE":
            return "SET"
        case _:
            return word if word in _PLAIN else ""


def _named(nodes: Sequence[Node], index: int) -> bool:
    """WITH name (columns) AS"""
    return _text(nodes, index + 2) == "(" and _text(nodes, index + 3) == "AS"


def _leads_to_join(nodes: Sequence[Node], index: int) -> bool:
    while _text(nodes, index) in _JOINS | {"OUTER"}:
        index += 1
    return _text(nodes, index) == "JOIN"


def _is_prompt(nodes: Sequence[Node]) -> bool:
    words = [_text(nodes, index) for index in range(5)]
    return words[0] == "CREATE" and "PROMPT" in words[1:5]


def _text(nodes: Sequence[Node], index: int) -> str:
    if not 0 <= index < len(nodes):
        return ""
    node = nodes[index]
    return node.text if isinstance(node, Piece) else node.open.text


def ends_broken(item: Sequence[Node]) -> bool:
    """Whether the item ends with a bracket, a comma behind it aside."""
    last = [node for node in item if not (isinstance(node, Piece) and node.type == "COMMA")]
    return bool(last) and isinstance(last[-1], Bracket)
