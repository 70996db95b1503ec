"""Prompts as templates: what is the same in all calls of an operator, and what operators share."""

from heliumql.prompts.aggregate import Aggregate, room, taken_apart
from heliumql.prompts.radix_tree import Branch, RadixTree, common_prefix
from heliumql.prompts.template import (
    Part,
    Parts,
    Placeholder,
    Role,
    Text,
    joined,
    shown,
    static_prefix,
)

__all__ = [
    "Aggregate",
    "Branch",
    "Part",
    "Parts",
    "Placeholder",
    "RadixTree",
    "Role",
    "Text",
    "common_prefix",
    "joined",
    "room",
    "shown",
    "static_prefix",
    "taken_apart",
]
