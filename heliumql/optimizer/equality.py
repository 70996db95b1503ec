"""Structural keys of queries: equal for queries that give the same rows, whatever they are called.

A key is a hash of the query's own parts and of the keys of what it reads, so equal subplans are
found in one walk, also where they differ in the names of what they read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from heliumql.binder import tree
from heliumql.binder.cuts import LLM, LLM_INFO
from heliumql.binder.tree import Node
from heliumql.optimizer.blocks import leaves

Scope = Mapping[str, str]  # keys of the CTEs that can be read, by name


@dataclass
class Keys:
    """Keys of query nodes, each worked out once.

    Calls of two sites are equal where `alike` says the same of both.
    """

    alike: Mapping[int, object]
    _known: dict[tuple[int, tuple[tuple[str, str], ...]], str] = field(default_factory=dict)

    def of(self, query: Node, scope: Scope) -> str:
        """The key of a query in whose scope these CTEs are."""
        place = (id(query), tuple(sorted(scope.items())))
        if place not in self._known:
            self._known[place] = self._key(query, scope)
        return self._known[place]

    def inside(self, entries: list[Node], scope: Scope) -> dict[str, str]:
        """The scope with these CTEs in it."""
        inner = dict(scope)
        for entry in entries:
            inner[entry["key"].lower()] = self.cte(entry, inner)
        return inner

    def cte(self, entry: Node, scope: Scope) -> str:
        """The key of a CTE: of its query and how it is evaluated, not of its names."""
        value = entry["value"]
        query = value["query_node"]
        if query["type"] == "RECURSIVE_CTE_NODE":
            scope = {**scope, entry["key"].lower(): "the recursion"}
        rest = {
            k: v for k, v in value.items() if k not in ("query_node", "aliases", "materialized")
        }
        return _hash([self.of(query, scope), len(value["aliases"] or ()), self._plain(rest, {})])

    def _key(self, query: Node, scope: Scope) -> str:
        scope = self.inside(query["cte_map"]["map"], scope)
        rest = {k: v for k, v in query.items() if k != "cte_map"}
        match query["type"]:
            case "SELECT_NODE":
                source = rest.pop("from_table")
                names = {
                    (t.get("alias") or t.get("table_name", "")).lower(): f"t{i}"
                    for i, t in enumerate(leaves(source))
                }
                return _hash([self._plain(rest, names), self._source(source, scope, names)])
            case "SET_OPERATION_NODE":
                children = rest.pop("children") or [rest.pop("left"), rest.pop("right")]
                return _hash([self._plain(rest, {}), [self.of(c, scope) for c in children]])
            case _:
                sides = [self.of(rest.pop(side), scope) for side in ("left", "right")]
                return _hash([self._plain(rest, {}), sides])

    def _source(self, source: Node, scope: Scope, names: Mapping[str, str]) -> Any:
        match source["type"]:
            case "JOIN":
                rest = {k: v for k, v in source.items() if k not in ("left", "right")}
                sides = [self._source(source[s], scope, names) for s in ("left", "right")]
                return [self._plain(rest, names), sides]
            case "SUBQUERY":
                inner = self.of(source["subquery"]["node"], scope)
                return [inner, source["column_name_alias"], source.get("sample")]
            case "BASE_TABLE" if (
                not source["schema_name"] and source["table_name"].lower() in scope
            ):
                return [scope[source["table_name"].lower()], source["column_name_alias"]]
            case _:
                return self._plain(source, names)

    def _plain(self, value: Any, names: Mapping[str, str], in_type: bool = False) -> Any:
        """The value without positions and aliases, with its relations called t0, t1 .."""
        match value:
            case {"class": "COLUMN_REF", "column_names": [alias, name]}:
                return ["column", names.get(alias.lower(), alias), name]
            case {"class": "FUNCTION", "function_name": name, "arguments": [site, *rest]} if (
                name in (LLM, LLM_INFO)
            ):
                number = tree.constant_integer(site["expression"])
                kind = repr(self.alike.get(-1 if number is None else number, number))
                return [name, kind, [self._plain(r, names) for r in rest]]
            case dict():
                return {
                    k: self._plain(v, names, in_type or k == "type_expr")
                    for k, v in value.items()
                    if not k.startswith("query_location") and (in_type or k != "alias")
                }
            case list():
                return [self._plain(v, names, in_type) for v in value]
            case _:
                return value


def _hash(value: Any) -> str:
    text = json.dumps(value, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
