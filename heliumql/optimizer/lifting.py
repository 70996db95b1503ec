"""Taking predicates that ask a model out of the inputs of a block, for rules that move them up.

What is taken out of a subquery is said in the columns that the subquery gives; it gives more of
them where the predicate reads some that it had kept to itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from heliumql.binder import tree
from heliumql.binder.tree import Node
from heliumql.optimizer.answers import AnswerColumns
from heliumql.optimizer.blocks import (
    Column,
    columns_in,
    conjuncts,
    is_qualified,
    is_row_by_row,
    substituted,
    with_inner,
)

_BOTH, _LEFT, _RIGHT = (True, True), (True, False), (False, True)
# Filtering this side before the join is filtering the result after it.
_PASSES = {
    "INNER": _BOTH, "SEMI": _LEFT, "ANTI": _LEFT, "LEFT": _LEFT, "RIGHT": _RIGHT,
}  # fmt: skip
_DROPS_ROWS = {"INNER", "SEMI", "ANTI"}


@dataclass(frozen=True)
class Lifting:
    """Takes predicates out of the relations of a FROM.

    `aggregates` names DuckDB's aggregate functions; `is_volatile` tells whether evaluating a part
    of the plan twice may give other rows, `never_fails` whether an expression over a FROM raises no
    error.
    """

    answers: AnswerColumns
    aggregates: frozenset[str]
    is_volatile: Callable[[Node], bool]
    never_fails: Callable[[Any, Node], bool]

    def split(self, where: Node | None) -> tuple[list[Node], list[Node]]:
        """The conjuncts that ask no model, and those that do."""
        parts = conjuncts(where)
        asking = [p for p in parts if self.answers.read_by(p)]
        return [p for p in parts if not self.answers.read_by(p)], asking

    def out_of(self, source: Node, drops_rows: bool) -> tuple[Node, list[Node]]:
        """The FROM without the predicates, and the predicates.

        `drops_rows`: something above takes rows away, so that asking later asks less. Only then
        is a predicate worth moving.
        """
        match source["type"]:
            case "JOIN":
                return self._out_of_join(source, drops_rows)
            case "SUBQUERY" if not source.get("sample"):
                return self._out_of_subquery(source, drops_rows)
            case _:
                return source, []

    def _out_of_join(self, source: Node, drops_rows: bool) -> tuple[Node, list[Node]]:
        kind, condition = source["join_type"], source["condition"]
        if source["ref_type"] == "CROSS":
            sides, below = _BOTH, drops_rows
        elif source["ref_type"] == "REGULAR" and kind in _PASSES:
            sides, below = _PASSES[kind], drops_rows or kind in _DROPS_ROWS
        else:
            return source, []
        if condition is not None and self.answers.read_by(condition):
            return source, []  # the join would wait for answers of rows that are dropped now
        if not self.never_fails(condition, source):
            return source, []  # it might fail on them
        new, found = dict(source), list[Node]()
        for side, passes in zip(("left", "right"), sides, strict=True):
            if passes:
                new[side], predicates = self.out_of(source[side], below)
                found += predicates
        return (new, found) if found else (source, [])

    def _out_of_subquery(self, table: Node, drops_rows: bool) -> tuple[Node, list[Node]]:
        block = table["subquery"]["node"]
        if not drops_rows:
            return table, []
        if not is_row_by_row(block, self.aggregates) or self.is_volatile(block):
            return table, []
        if not all(self.answers.carried_by(e) for e in block["select_list"]):
            return table, []  # it would wait for answers of rows that are dropped now
        if not self.never_fails(block["select_list"], block["from_table"]):
            return table, []  # it might fail on them
        plain, asking = self.split(block["where_clause"])
        source, found = self.out_of(block["from_table"], drops_rows)
        found += asking
        given = list(table["column_name_alias"] or ())
        if not found or not given or not all(is_qualified(p) for p in found):
            return table, []
        outputs = list(block["select_list"])
        names = self._exposed([c for p in found for c in columns_in(p)], outputs, given, table)
        inner = {
            **block,
            "from_table": source,
            "where_clause": tree.conjunction(plain),
            "select_list": outputs,
        }
        renamed = [substituted(p, names) for p in found]
        return {**with_inner(table, inner), "column_name_alias": given}, renamed

    def _exposed(
        self, read: list[Column], outputs: list[Node], given: list[str], table: Node
    ) -> dict[Column, Node]:
        """What the columns are called above the subquery; those that are missing are added."""
        alias = table["alias"]
        names: dict[Column, Node] = {}
        for number, output in enumerate(outputs[: len(given)]):
            if output["class"] == "COLUMN_REF":
                for column in columns_in(output):
                    names.setdefault(column, tree.column(alias, given[number]))
        for column in read:
            if column in names:
                continue
            name = f"c{len(outputs)}"
            while name in given:
                name += "_"
            outputs.append(tree.named(tree.column(*column), name))
            given.append(name)
            names[column] = tree.column(alias, name)
            if column in self.answers.held:
                self.answers.add(alias, [name], [True])
        return names
