"""Which columns of a plan hold answers: rules must know what would wait for a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from heliumql.binder import tree
from heliumql.binder.cuts import LLM, LLM_INFO
from heliumql.binder.tree import Node
from heliumql.optimizer.blocks import Column, calls_in, column_of, leaves

_CARRYING = {"||", "concat", "concat_ws", "list_value", "struct_pack", "row"}


@dataclass
class AnswerColumns:
    """The columns of a query, by alias and name, that hold answers or are made of them."""

    held: set[Column] = field(default_factory=set)

    @staticmethod
    def of(query: Node) -> AnswerColumns:
        found = AnswerColumns()
        found._query(query, {})
        return found

    def read_by(self, expression: Any) -> bool:
        """The expression makes a call, or reads an answer."""
        for node in tree.walk(expression):
            match node.get("class"):
                case "COLUMN_REF" if column_of(node) in self.held:
                    return True
                case "FUNCTION" if node["function_name"] in (LLM, LLM_INFO):
                    return True
        return False

    def carried_by(self, expression: Node) -> bool:
        """What answers the expression holds it only passes on: nothing waits for them here."""
        if not self.read_by(expression) or expression["class"] == "COLUMN_REF":
            return True
        if expression["class"] == "CAST":
            return self.carried_by(expression["child"])
        if expression["class"] == "FUNCTION" and (
            expression["function_name"] in _CARRYING | {LLM, LLM_INFO}
        ):
            return all(self.carried_by(p) for p in tree.arguments(expression))
        return False

    def add(self, alias: str, names: Sequence[str], holds: Sequence[bool]) -> None:
        self.held |= {(alias.lower(), n.lower()) for n, h in zip(names, holds, strict=False) if h}

    # what each query gives ----------------------------------------------------------------

    def _query(
        self, query: Node, scope: Mapping[str, tuple[list[str], list[bool]]]
    ) -> tuple[list[str], list[bool]]:
        scope = dict(scope)
        for entry in query["cte_map"]["map"]:
            value = entry["value"]
            inner = value["query_node"]
            if inner["type"] == "RECURSIVE_CTE_NODE":
                columns = self._recursion(entry["key"], inner, value["aliases"], scope)
            else:
                columns = self._query(inner, scope)
            scope[entry["key"].lower()] = (value["aliases"] or columns[0], columns[1])
        match query["type"]:
            case "SELECT_NODE":
                for table in leaves(query["from_table"]):
                    self._table(table, scope)
                outputs = query["select_list"]
                names = [e["alias"] or e.get("column_names", [""])[-1] for e in outputs]
                return names, [self.read_by(e) for e in outputs]
            case "SET_OPERATION_NODE":
                parts = [
                    self._query(c, scope)
                    for c in query["children"] or [query["left"], query["right"]]
                ]
                return parts[0][0], _any([holds for _, holds in parts])
            case _:
                return [], []

    def _recursion(
        self,
        name: str,
        query: Node,
        aliases: list[str],
        scope: Mapping[str, tuple[list[str], list[bool]]],
    ) -> tuple[list[str], list[bool]]:
        names, holds = self._query(query["left"], scope)
        while True:
            inner = {**scope, name.lower(): (aliases or names, holds)}
            together = _any([holds, self._query(query["right"], inner)[1]])
            if together == holds:
                return names, holds
            holds = together

    def _table(self, table: Node, scope: Mapping[str, tuple[list[str], list[bool]]]) -> None:
        names: list[str] = []
        holds: list[bool] = []
        default = table.get("table_name", "")
        if table["type"] == "SUBQUERY":
            names, holds = self._query(table["subquery"]["node"], scope)
        elif table["type"] == "BASE_TABLE" and not table["schema_name"]:
            names, holds = scope.get(default.lower(), ([], []))
        elif calls_in(table):
            names = [f"col{i}" for i in range(len(table.get("column_name_alias") or ()))]
            holds = [True] * len(names)
        given = table.get("column_name_alias") or []
        self.add(table.get("alias") or default, [*given, *names[len(given) :]], holds)


def _any(parts: list[list[bool]]) -> list[bool]:
    return [any(column) for column in zip(*parts, strict=False)]
