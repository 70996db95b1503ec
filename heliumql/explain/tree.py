"""The prompt tree as EXPLAIN shows it: how heavy its nodes are, and who reads whose answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from heliumql.prompts import Branch, Parts, Placeholder, RadixTree, Text, shown


@dataclass(frozen=True)
class Weights:
    """What parts of an operator's template come to, in tokens of a call."""

    tokens_per_byte: float
    column: float  # a placeholder of columns
    answers: float  # a placeholder with answers of other operators

    def of(self, parts: Parts) -> float:
        """The tokens of a sequence of parts."""
        tokens = 0.0
        for part in parts:
            match part:
                case Text(text):
                    tokens += len(text.encode()) * self.tokens_per_byte
                case Placeholder(operators=operators):
                    tokens += self.answers if operators else self.column
        return tokens


def weights(
    template: Parts, tokens_per_byte: float, size: float, answers: float, answer_tokens: float
) -> Weights:
    """Shares out what a call is known to hold among the placeholders of its template.

    `size` are the bytes of its prompt without the answers inside, `answers` how many those are.
    """
    static = sum(len(p.text.encode()) for p in template if isinstance(p, Text))
    holding = sum(1 for p in template if isinstance(p, Placeholder) and p.operators)
    columns = sum(1 for p in template if isinstance(p, Placeholder)) - holding
    rest = max(0.0, size - static) * tokens_per_byte
    beside = 0.0 if columns or not holding else rest / holding  # text beside the answers
    return Weights(
        tokens_per_byte,
        rest / columns if columns else 0.0,
        answers * answer_tokens / holding + beside if holding else 0.0,
    )


@dataclass(frozen=True)
class NodeShown:
    """A node of the tree. `reads`: the operators whose answers stand in what ends here."""

    parts: Parts = ()
    tokens: float = 0.0  # of its parts, in a call on average; an estimate
    operators: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    children: tuple[NodeShown, ...] = ()


def tree_shown(tree: RadixTree, each: Mapping[str, Weights]) -> NodeShown:
    """The tree with its weights; `each` has those of every operator."""
    reads = tree.depends_on()

    def node(branch: Branch) -> NodeShown:
        below = list(_operators(branch))
        tokens = [each[name].of(branch.parts) for name in below]
        return NodeShown(
            branch.parts,
            sum(tokens) / len(tokens) if tokens else 0.0,
            branch.operators,
            tuple(dict.fromkeys(o for name in branch.operators for o in reads[name])),
            tuple(node(child) for child in branch.children),
        )

    return node(tree.root)


def _operators(branch: Branch) -> Iterator[str]:
    yield from branch.operators
    for child in branch.children:
        yield from _operators(child)


def tops(root: NodeShown) -> tuple[NodeShown, ...]:
    """The nodes that are drawn at the top: an empty root is not one of them."""
    return (root,) if root.operators else root.children


def tree_lines(root: NodeShown) -> list[str]:
    """The tree as lines: parts, tokens, and behind an arrow the operators that end there."""
    lines: list[str] = []
    for top in tops(root):
        _draw(top, "", "", lines)
    return lines


def tokens_of(node: NodeShown) -> str:
    """`~14 tokens`; nothing for a node of roles only."""
    count = round(node.tokens)
    return f"~{count:,} token{'' if count == 1 else 's'}" if count else ""


def _draw(node: NodeShown, first: str, later: str, lines: list[str]) -> None:
    ends = f"  -> {', '.join(node.operators)}" if node.operators else ""
    ends += f"  (reads: {', '.join(node.reads)})" if node.reads else ""
    weight = f"  [{tokens_of(node)}]" if tokens_of(node) else ""
    lines.append(f"{first}{shown(node.parts)}{weight}{ends}".rstrip())
    for number, child in enumerate(node.children):
        last = number == len(node.children) - 1
        turn, way = ("└─ ", "   ") if last else ("├─ ", "│  ")
        _draw(child, later + turn, later + way, lines)
