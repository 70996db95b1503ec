"""What runs do beside the optimizer's rules, and `SET llm_disabled_rules` can leave out."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

SHARE = "share_equal_calls"
DEFER = "defer_calls"
SEARCH = "search_schedules"
KEEP = "keep_prefixes"

TECHNIQUES: Mapping[str, str] = MappingProxyType(
    {
        SHARE: "Equal calls of a statement are one; without it each mention is a request, "
        "except where a subquery that is evaluated once holds the call.",
        DEFER: "A call starts the moment its own inputs are there; without it, when all calls are "
        "done that have fewer calls below them, operator by operator.",
        SEARCH: "`cache_aware` compares candidate orders; without it, it takes the first one.",
        KEEP: "`cache_aware` has prefixes computed ahead and kept; without it no engine is asked "
        "to.",
    }
)
"""The techniques by name, with what they do and what happens without them."""


def disabled_techniques(names: str) -> frozenset[str]:
    """Those among the names, which have commas between them."""
    return frozenset(TECHNIQUES) & {name.strip() for name in names.split(",")}
