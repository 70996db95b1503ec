"""The prefix tree of random conversations, against what the conversations have in common."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliumql.scheduling.prefix_tree import PrefixTree, tree_of_segments, tree_of_texts

# Letters are a token each; references are written in three characters and stand for two tokens.
REFERENCES = ("⟨0⟩", "⟨1⟩")
CONVERSATIONS = st.lists(
    st.lists(st.sampled_from(["a", "b", "Ü", *REFERENCES]), max_size=9).map(tuple),
    min_size=1,
    max_size=14,
)
QUICK = settings(max_examples=150, derandomize=True, deadline=None, database=None)

Symbols = tuple[str, ...]


def tokens_of(symbols: Sequence[str]) -> int:
    return sum(2 if symbol in REFERENCES else 1 for symbol in symbols)


def in_common(one: Symbols, other: Symbols) -> Symbols:
    length = 0
    while length < min(len(one), len(other)) and one[length] == other[length]:
        length += 1
    return one[:length]


def tree_of(conversations: Sequence[Symbols]) -> tuple[PrefixTree, list[int]]:
    ends = [list(accumulate((len(s) for s in c), initial=0)) for c in conversations]

    def tokens(call: int, end: int) -> int:
        assert end in ends[call], "a reference is measured in its middle"
        return tokens_of(conversations[call][: ends[call].index(end)])

    def cut(call: int, end: int) -> int:
        return max(e for e in ends[call] if e <= end)

    return tree_of_texts(["".join(c) for c in conversations], tokens, cut)


@QUICK
@given(conversations=CONVERSATIONS, block=st.integers(1, 4))
def test_keys_are_equal_for_whole_blocks_of_the_common_prefix_and_no_others(
    conversations: list[Symbols], block: int
) -> None:
    tree, _ = tree_of(conversations)
    keys = [tree.keys(n, tokens_of(c), block) for n, c in enumerate(conversations)]
    for one, first in enumerate(conversations):
        assert len(keys[one]) == len(set(keys[one])) == tokens_of(first) // block
        for other, second in enumerate(conversations):
            shared = tokens_of(in_common(first, second)) // block
            assert keys[one][:shared] == keys[other][:shared]
            assert len({*keys[one]} & {*keys[other]}) == shared


@QUICK
@given(conversations=CONVERSATIONS, block=st.integers(1, 4), length=st.integers(0, 12))
def test_keys_of_fewer_tokens_are_the_first_of_them(
    conversations: list[Symbols], block: int, length: int
) -> None:
    tree, _ = tree_of(conversations)
    for call, symbols in enumerate(conversations):
        whole = tree.keys(call, tokens_of(symbols), block)
        assert tree.keys(call, min(length, tokens_of(symbols)), block) == whole[: length // block]
        for node in tree.path(call):
            assert tree.node_keys(node, block) == whole[: tree.end[node] // block]


@QUICK
@given(conversations=CONVERSATIONS)
def test_nodes_stand_for_prefixes_of_all_calls_below_them(conversations: list[Symbols]) -> None:
    tree, _ = tree_of(conversations)
    assert tree.parent[0] == tree.end[0] == tree.characters[0] == 0
    assert all(tree.parent[node] < node for node in range(1, len(tree.parent)))
    prefix: dict[int, str] = {}
    for call, symbols in enumerate(conversations):
        before = 0
        for node in tree.path(call):
            length = tree.characters[node]
            assert before < length or length == 0
            before = length
            inside = [s for s in accumulate(symbols) if len(s) == length] if length else [""]
            assert len(inside) == 1, "a node ends in the middle of a reference"
            assert prefix.setdefault(node, inside[0]) == inside[0]
            count = next(n for n in range(len(symbols) + 1) if "".join(symbols[:n]) == inside[0])
            assert tree.end[node] == tokens_of(symbols[:count])
        assert before == len("".join(symbols))
    assert len(set(prefix.values())) == len(prefix) == len(tree.parent) - 1


@QUICK
@given(conversations=CONVERSATIONS)
def test_the_order_is_depth_first_whatever_the_order_of_the_calls(
    conversations: list[Symbols],
) -> None:
    tree, order = tree_of(conversations)
    assert sorted(order) == list(range(len(conversations)))
    leaves = [tree.leaf[call] for call in order]
    assert leaves == sorted(leaves)
    again, _ = tree_of(conversations[::-1])
    assert (again.parent, again.end, again.characters) == (tree.parent, tree.end, tree.characters)
    assert list(again.leaf) == list(tree.leaf)[::-1]


@QUICK
@given(
    calls=st.lists(
        st.tuples(st.text("ab", max_size=30), st.sampled_from([0.1, 0.25, 0.5, 2.0])),
        min_size=1,
        max_size=12,
    )
)
def test_ends_grow_along_paths_where_calls_count_differently(
    calls: list[tuple[str, float]],
) -> None:
    tree, _ = tree_of_texts([text for text, _ in calls], lambda c, end: int(end * calls[c][1]))
    for node in range(1, len(tree.parent)):
        assert tree.end[node] >= tree.end[tree.parent[node]]


@QUICK
@given(conversations=CONVERSATIONS, block=st.integers(1, 4))
def test_a_tree_of_segments_has_keys_as_a_tree_of_texts(
    conversations: list[Symbols], block: int
) -> None:
    tree = tree_of_segments([[(s, tokens_of([s])) for s in c] for c in conversations])
    keys = [tree.keys(n, tokens_of(c), block) for n, c in enumerate(conversations)]
    for one, first in enumerate(conversations):
        for other, second in enumerate(conversations):
            shared = tokens_of(in_common(first, second)) // block
            assert keys[one][:shared] == keys[other][:shared]
            assert len({*keys[one]} & {*keys[other]}) == shared


def test_a_million_characters_are_compared_in_no_time() -> None:
    text = "x" * 1_000_000
    tree, order = tree_of_texts([text + "b", text + "a", text], lambda _, end: end)
    assert order == [2, 1, 0]
    assert [len(tree.path(call)) for call in range(3)] == [2, 2, 1]
    assert tree.end[tree.path(0)[0]] == 1_000_000


@pytest.mark.parametrize("texts", [[], [""], ["", "", "a"]])
def test_there_may_be_no_conversations_and_empty_ones(texts: list[str]) -> None:
    tree, order = tree_of_texts(texts, lambda _, end: end)
    assert sorted(order) == list(range(len(texts)))
    assert [len(tree.keys(n, len(t), 1)) for n, t in enumerate(texts)] == [len(t) for t in texts]
