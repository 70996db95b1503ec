"""How much memory the trees take that prompts are planned with."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from heliumql.logical import Generate
from heliumql.prompts import RadixTree
from heliumql.statements.explaining import Looked


def operator_tree(looked: Looked) -> RadixTree:
    """The templated tree over operators, which EXPLAIN draws."""
    bound = looked.explanation.bound
    assert bound is not None
    tree = RadixTree()
    for node in {n.site: n for n in bound.nodes if isinstance(n, Generate)}.values():
        tree = tree.inserted(node.name, node.template)
    return tree


def deep_size(value: object) -> int:
    """Bytes of a value and of all that it holds, each object once."""
    total, seen, left = 0, set[int](), [value]
    while left:
        one = left.pop()
        if id(one) not in seen:
            seen.add(id(one))
            total += sys.getsizeof(one)
            left += _held(one)
    return total


def _held(value: object) -> Iterable[object]:
    match value:
        case dict():
            return (*value, *value.values())
        case tuple() | list() | set() | frozenset():
            return value
        case _:
            slots = (
                name for kind in type(value).__mro__ for name in vars(kind).get("__slots__", ())
            )
            held = [getattr(value, name) for name in slots if hasattr(value, name)]
            return [*held, value.__dict__] if hasattr(value, "__dict__") else held
