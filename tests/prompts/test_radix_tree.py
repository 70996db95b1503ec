"""The templated radix tree: what is put in comes out, and shared beginnings are shared."""

from __future__ import annotations

import random

from heliumql.prompts import (
    Branch,
    Part,
    Parts,
    Placeholder,
    RadixTree,
    Role,
    Text,
    common_prefix,
    joined,
    shown,
    static_prefix,
)


def user(*parts: Part) -> Parts:
    return (Role("user"), *parts)


def made(*templates: Parts) -> RadixTree:
    tree = RadixTree()
    for number, parts in enumerate(templates):
        tree = tree.inserted(f"o{number}", parts)
    return tree


def branches(branch: Branch) -> list[Branch]:
    return [branch, *(b for child in branch.children for b in branches(child))]


def random_parts(source: random.Random) -> Parts:
    """A template of a small alphabet, so that many begin alike."""
    choices: list[Part] = [Text("a"), Text("b"), Placeholder("t.x"), Placeholder("t.y")]
    return user(*(source.choice(choices) for _ in range(source.randrange(6))))


def test_a_node_splits_where_two_templates_part() -> None:
    tree = made(user(Text("Sum up "), Placeholder("t.x")), user(Text("Sum "), Placeholder("t.x")))
    (top,) = tree.root.children
    assert top.parts == user(Text("Sum "))
    assert [c.parts for c in top.children] == [
        (Text("up "), Placeholder("t.x")),
        (Placeholder("t.x"),),
    ]
    assert [c.operators for c in top.children] == [("o0",), ("o1",)]


def test_an_operator_may_end_where_another_goes_on() -> None:
    tree = made(user(Text("ab")), user(Text("abc")), user(Text("ab")))
    (top,) = tree.root.children
    assert (top.parts, top.operators) == (user(Text("ab")), ("o0", "o2"))
    assert [c.parts for c in top.children] == [(Text("c"),)]


def test_every_template_comes_out_as_it_was_put_in() -> None:
    source = random.Random(1)
    for _ in range(300):
        templates = [random_parts(source) for _ in range(source.randrange(1, 9))]
        tree = made(*templates)
        assert tree.templates() == {f"o{i}": joined(t) for i, t in enumerate(templates)}


def test_no_two_children_begin_alike_and_no_node_is_without_use() -> None:
    source = random.Random(2)
    for _ in range(300):
        tree = made(*(random_parts(source) for _ in range(source.randrange(1, 9))))
        for branch in branches(tree.root)[1:]:
            assert branch.parts
            assert branch.operators or len(branch.children) > 1
            for number, child in enumerate(branch.children):
                for other in branch.children[number + 1 :]:
                    assert common_prefix(child.parts, other.parts)[0] == ()


def test_the_tree_is_the_same_whatever_the_order() -> None:
    def paths(tree: RadixTree) -> set[Parts]:
        return {b.parts for b in branches(tree.root)}

    source = random.Random(3)
    for _ in range(100):
        templates = [random_parts(source) for _ in range(6)]
        first = paths(made(*templates))
        source.shuffle(templates)
        assert paths(made(*templates)) == first


def test_shared_is_the_longest_common_beginning() -> None:
    a, b = user(Text("Rate "), Placeholder("t.x")), user(Text("Rank "), Placeholder("t.x"))
    assert made(a, b).shared("o0", "o1") == user(Text("Ra"))
    head, rest, other = common_prefix(a, b)
    assert (joined((*head, *rest)), joined((*head, *other))) == (a, b)


def test_an_operator_depends_on_those_whose_answers_it_reads() -> None:
    tree = made(user(Placeholder("t.x")), user(Placeholder("all", ("o0", "o9")), Text("!")))
    assert tree.depends_on() == {"o0": (), "o1": ("o0", "o9")}


def test_the_static_prefix_ends_at_the_first_placeholder() -> None:
    parts = (Role("system"), Text("Be kind. "), *user(Text("Sum "), Placeholder("t.x"), Text("!")))
    assert static_prefix(parts) == "Be kind. Sum "
    assert shown(parts) == "system: Be kind.  | user: Sum {t.x}!"


def test_the_drawing_shows_every_operator_at_its_end() -> None:
    tree = made(user(Text("Sum up "), Placeholder("t.x")), user(Text("Sum "), Placeholder("t.y")))
    assert tree.show().split("\n") == [
        "user: Sum ",
        "├─ up {t.x}  -> o0",
        "└─ {t.y}  -> o1",
    ]
