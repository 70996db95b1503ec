"""Prompts as templates: what is the same in all calls of an operator, and what operators share."""

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
    "Branch",
    "Part",
    "Parts",
    "Placeholder",
    "RadixTree",
    "Role",
    "Text",
    "common_prefix",
    "joined",
    "shown",
    "static_prefix",
]
