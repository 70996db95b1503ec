"""The templated radix tree: operators by what their prompts begin with alike.

A node holds a sequence of parts, an operator ends where its template does. Inserting a template
follows the nodes as far as they agree with it and splits a node at the longest common prefix, in
the middle of a text too. The children of a node never begin alike, so the node where the ways of
two operators part holds all that their prompts share. It is a value: inserting gives another tree.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from heliumql.prompts.template import Parts, Placeholder, Text, joined, shown


@dataclass(frozen=True)
class Branch:
    """A node: the parts on the way to it, the operators that end here, what comes after."""

    parts: Parts = ()
    operators: tuple[str, ...] = ()
    children: tuple[Branch, ...] = ()


@dataclass(frozen=True)
class RadixTree:
    """The templates of the operators of a statement."""

    root: Branch = Branch()

    def inserted(self, operator: str, parts: Parts) -> RadixTree:
        """The tree with one operator more."""
        return RadixTree(_inserted(self.root, operator, joined(parts)))

    def templates(self) -> dict[str, Parts]:
        """Every operator with its template, in the order of a walk through the tree."""
        return {name: joined(way) for name, way in _walked(self.root, ())}

    def depends_on(self) -> dict[str, tuple[str, ...]]:
        """For every operator those whose answers stand in its template."""
        return {
            name: tuple(
                dict.fromkeys(o for p in parts if isinstance(p, Placeholder) for o in p.operators)
            )
            for name, parts in self.templates().items()
        }

    def shared(self, first: str, second: str) -> Parts:
        """What the templates of two operators begin with alike."""
        templates = self.templates()
        return common_prefix(templates[first], templates[second])[0]

    def show(self) -> str:
        """The tree as lines; an operator stands behind an arrow where its template ends."""
        lines: list[str] = []
        for child in (self.root,) if self.root.operators else self.root.children:
            _drawn(child, "", "", lines)
        return "\n".join(lines)


def common_prefix(first: Parts, second: Parts) -> tuple[Parts, Parts, Parts]:
    """What both begin with, and what is left of each."""
    common = 0
    for a, b in zip(first, second, strict=False):
        if a != b:
            break
        common += 1
    head, rest, other = first[:common], first[common:], second[common:]
    if rest and other and isinstance(rest[0], Text) and isinstance(other[0], Text):
        text = _common_text(rest[0].text, other[0].text)
        if text:
            head = (*head, Text(text))
            rest = joined((Text(rest[0].text[len(text) :]), *rest[1:]))
            other = joined((Text(other[0].text[len(text) :]), *other[1:]))
    return head, rest, other


def _common_text(first: str, second: str) -> str:
    for number, (a, b) in enumerate(zip(first, second, strict=False)):
        if a != b:
            return first[:number]
    return min(first, second, key=len)


def _inserted(branch: Branch, operator: str, parts: Parts) -> Branch:
    """The branch with the operator below it; `parts` is what comes after the branch's own."""
    if not parts:
        return replace(branch, operators=(*branch.operators, operator))
    for number, child in enumerate(branch.children):
        head, rest, other = common_prefix(child.parts, parts)
        if not head:
            continue
        if rest:  # they part inside the child
            child = Branch(head, (), (replace(child, parts=rest),))
        changed = _inserted(child, operator, other)
        children = (*branch.children[:number], changed, *branch.children[number + 1 :])
        return replace(branch, children=children)
    return replace(branch, children=(*branch.children, Branch(parts, (operator,))))


def _walked(branch: Branch, before: Parts) -> Iterator[tuple[str, Parts]]:
    way = (*before, *branch.parts)
    for operator in branch.operators:
        yield operator, way
    for child in branch.children:
        yield from _walked(child, way)


def _drawn(branch: Branch, first: str, later: str, lines: list[str]) -> None:
    ends = f"  -> {', '.join(branch.operators)}" if branch.operators else ""
    lines.append(f"{first}{shown(branch.parts)}{ends}")
    for number, child in enumerate(branch.children):
        last = number == len(branch.children) - 1
        _drawn(
            child,
            later + ("└─ " if last else "├─ "),
            later + ("   " if last else "│  "),
            lines,
        )
