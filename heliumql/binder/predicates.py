"""What a predicate is called in the statistics: the same in every statement that asks it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from heliumql.binder import tree
from heliumql.binder.cuts import ENOUGH, LLM, LLM_INFO
from heliumql.binder.tree import Node


def predicate_key(predicate: Node, operators: Mapping[int, bytes]) -> bytes | None:
    """16 bytes that name a predicate: its operators and what is asked of their answers.

    `operators` are the templates of the sites. None where the predicate makes no call by itself:
    what it reads then is known only further in.
    """
    found = False

    def plain(value: Any) -> Any:
        nonlocal found
        match value:
            case {"class": "FUNCTION", "function_name": name, "arguments": [site, *_]} if name in (
                LLM,
                LLM_INFO,
            ):
                found = True
                number = tree.constant_integer(site["expression"])
                return [name, operators.get(-1 if number is None else number, b"").hex()]
            case {"class": "COLUMN_REF"}:
                return "column"
            case dict():
                return {
                    k: plain(v)
                    for k, v in value.items()
                    if k != "alias" and not k.startswith("query_location")
                }
            case list():
                return [plain(v) for v in value]
            case _:
                return value

    text = json.dumps(plain(predicate), sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).digest() if found else None


def asked_of(predicate: Node) -> list[Node]:
    """The conditions that a predicate is made of: several under a limit that stops early."""
    if predicate["class"] == "FUNCTION" and predicate["function_name"] == ENOUGH:
        return asked_of(tree.arguments(predicate)[-1])
    if predicate["class"] == "CONJUNCTION" and predicate["type"] == "CONJUNCTION_AND":
        return [part for child in predicate["children"] for part in asked_of(child)]
    return [predicate]
