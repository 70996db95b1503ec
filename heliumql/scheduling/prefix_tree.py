"""The templated radix tree over the data: prompts by what they begin with alike.

The tree of the paper (section 5.1) has a leaf for each operator; here its placeholders have taken
the values of the rows, so rows that share a document, a context or a role share a path. Answers
that are not there yet stay placeholders: text that refers to the same call is the same text.
Sorting the conversations of a statement *is* the depth-first order of this tree, so it is made of
one sort and the common prefixes of neighbours, not by inserting.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

_KEY_BITS = 24  # blocks of a conversation


@dataclass(frozen=True)
class PrefixTree:
    """Nodes as columns; node 0 is the root, a parent comes before its children.

    A node stands for a prefix: `end` is its length in tokens. The conversation of a call (its
    prompt and its own answer) ends in its `leaf`.
    """

    parent: Sequence[int]
    end: Sequence[int]
    leaf: Sequence[int]  # of each call
    characters: Sequence[int] = ()  # of the prefixes, where they are texts

    def path(self, call: int) -> list[int]:
        """The nodes from below the root to the leaf of the call."""
        nodes = []
        node = self.leaf[call]
        while node:
            nodes.append(node)
            node = self.parent[node]
        nodes.reverse()
        return nodes

    def keys(self, call: int, tokens: int, block: int) -> list[int]:
        """Keys of the whole blocks of the first `tokens` tokens, equal where prefixes are equal."""
        keys: list[int] = []
        at = block
        for node in self.path(call):
            end = min(self.end[node], tokens)
            if at <= end:
                base = node << _KEY_BITS
                keys += [base + place for place in range(at, end + 1, block)]
                at += (end - at) // block * block + block
        return keys

    def node_keys(self, node: int, block: int) -> list[int]:
        """Keys of the whole blocks of the prefix that a node stands for."""
        nodes = []
        while node:
            nodes.append(node)
            node = self.parent[node]
        keys: list[int] = []
        at = block
        for number in reversed(nodes):
            while at <= self.end[number]:
                keys.append((number << _KEY_BITS) + at)
                at += block
        return keys


def tree_of_texts(
    texts: Sequence[str],
    tokens: Callable[[int, int], int],
    cut: Callable[[int, int], int] | None = None,
) -> tuple[PrefixTree, list[int]]:
    """The tree of conversations, and the calls in its depth-first order.

    `tokens(call, end)` says how many tokens the first `end` characters of a conversation come to;
    `cut(call, end)` moves the end of a common prefix to where the two may part (not in the middle
    of a reference).
    """
    order = sorted(range(len(texts)), key=texts.__getitem__)
    parent, end, leaf = [0], [0], [0] * len(texts)
    characters = [0]  # of the node's prefix
    # The nodes on the way to the conversation before: a path of growing prefixes.
    path = [0]
    before: int | None = None
    alike = 0
    for call in order:
        text = texts[call]
        common = 0
        if before is not None:
            common = alike = _common(texts[before], text, alike)
            if cut is not None and common:
                common = min(cut(before, common), cut(call, common))
        below = -1
        while characters[path[-1]] > common:
            below = path.pop()
        if characters[path[-1]] < common:
            # They part inside a node: it is split, its upper part is shared from now on.
            middle = len(parent)
            parent.append(path[-1])
            length = max(end[path[-1]], tokens(call, common))
            characters.append(common)
            if below >= 0:  # calls of different operators may come to different lengths
                parent[below] = middle
                length = min(length, end[below])
            end.append(length)
            path.append(middle)
        if len(text) > common or path[-1] == 0:
            number = len(parent)
            parent.append(path[-1])
            end.append(max(end[path[-1]], tokens(call, len(text))))
            characters.append(len(text))
            path.append(number)
        leaf[call] = path[-1]
        before = call
    return _in_order(parent, end, leaf, characters), order


def tree_of_segments(conversations: Sequence[Sequence[tuple[Hashable, int]]]) -> PrefixTree:
    """The tree of conversations that are given as segments: a name and a length in tokens each."""
    parent, end, leaf = [0], [0], []
    below: dict[tuple[int, Hashable], int] = {}
    for segments in conversations:
        node = 0
        for name, tokens in segments:
            child = below.get((node, name))
            if child is None:
                child = below[node, name] = len(parent)
                parent.append(node)
                end.append(end[node] + tokens)
            node = child
        leaf.append(node)
    return PrefixTree(parent, end, leaf)


def _in_order(
    parent: list[int], end: list[int], leaf: list[int], characters: list[int]
) -> PrefixTree:
    """The same tree with every parent before its children: splitting has put some behind."""
    children: list[list[int]] = [[] for _ in parent]
    for node in range(1, len(parent)):
        children[parent[node]].append(node)
    number = [0] * len(parent)
    parents, ends, lengths = [0], [0], [0]
    stack = [*reversed(children[0])]
    while stack:
        node = stack.pop()
        number[node] = len(parents)
        parents.append(number[parent[node]])
        ends.append(end[node])
        lengths.append(characters[node])
        stack += reversed(children[node])
    return PrefixTree(parents, ends, [number[node] for node in leaf], lengths)


def _common(first: str, second: str, guess: int) -> int:
    """How many characters both begin with alike.

    `guess` is tried first: neighbours often have as much in common as those before them.
    """
    if first[guess : guess + 1] != second[guess : guess + 1] and second.startswith(first[:guess]):
        return guess
    if second.startswith(first):
        return len(first)
    low, high = 0, min(len(first), len(second))
    while low < high:
        middle = (low + high + 1) // 2
        if first[low:middle] == second[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
