"""From a bound query to its logical plan, in the user's names.

The tree that DuckDB bound is made of SELECT blocks over numbered columns. `logical_plan` walks it
and gives the graph of what happens: relational work in words, every LLM operator with its template,
shared parts once. EXPLAIN shows it and estimates rows on it; nothing is evaluated from it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace

from heliumql.binder import tree
from heliumql.binder.cuts import EARLY_BOUND, ENOUGH
from heliumql.binder.logical_block import Block, Leaf, Leaves, Relation, Written, renamed
from heliumql.binder.tree import Node, arguments, constant_integer
from heliumql.binder.words import plain
from heliumql.logical import Dag, DagBuilder, Output, Query, Recurse, Wait

__all__ = ["Leaf", "Written", "logical_plan"]


ShareOf = Callable[[Node], float | None]  # of the rows that a predicate lets through


def logical_plan(
    query: Node,
    output: tuple[str, ...],
    names: Mapping[int, str],
    leaves: Leaves,
    typed: Collection[int] = (),
    fetched: Collection[int] = (),
    written: Written | None = None,
    share_of: ShareOf = lambda predicate: None,
) -> Dag:
    """The plan of a bound query.

    `names` are those of its sites; the answers of `typed` ones are not plain text, those of
    `fetched` ones are looked up first. `share_of` is what earlier runs learnt of a predicate.
    """
    walk = _Walk(
        names,
        leaves,
        frozenset(typed),
        frozenset(fetched),
        written or Written(),
        _first_bounds(query),
        share_of,
    )
    relation = walk.query(query, {})
    return walk.dag.finished(walk.dag.add(Output(output, (relation.node,))))


@dataclass
class _Walk:
    names: Mapping[int, str]
    leaves: Leaves
    typed: frozenset[int]
    fetched: frozenset[int]
    written: Written
    bounds: Mapping[int, int]
    share_of: ShareOf
    dag: DagBuilder = field(default_factory=DagBuilder)
    tables: dict[str, int] = field(default_factory=dict)  # how often each name was read

    def query(self, node: Node, scope: Mapping[str, Relation]) -> Relation:
        scope = dict(scope)
        for entry in node["cte_map"]["map"]:
            value = entry["value"]
            inner = value["query_node"]
            if inner["type"] == "RECURSIVE_CTE_NODE":
                relation = self._recursion(entry["key"], inner, value["aliases"], scope)
            else:
                relation = self.query(inner, scope)
            scope[entry["key"].lower()] = renamed(relation, value["aliases"])
        match node["type"]:
            case "SELECT_NODE":
                return Block(self, scope).relation(node)
            case "SET_OPERATION_NODE":
                return self._set_operation(node, scope)
            case other:
                return Relation(self.dag.add(Query((other.lower(),))), ())

    def _recursion(
        self, name: str, node: Node, aliases: list[str], scope: Mapping[str, Relation]
    ) -> Relation:
        start = self.query(node["left"], scope)
        written = self.written.columns.get(name.lower(), ())
        names = aliases or [n for n, _ in start.columns]
        shown = [plain(f"{name}.{n}") for n in (written or names)]
        columns = [
            replace(s, inside=c.inside) for s, (_, c) in zip(shown, start.columns, strict=False)
        ]
        before = self.dag.add(Query((f"rows of the step before of {name}",), (start.node,)))
        tables = dict(self.tables)
        while True:  # until the step adds no answers to the columns that it reads
            self.tables = dict(tables)
            visible = Relation(before, tuple(zip(names, columns, strict=False)))
            step = self.query(node["right"], {**scope, name.lower(): visible})
            grown = [
                replace(s, inside=s.inside | c.inside)
                for s, (_, c) in zip(columns, step.columns, strict=False)
            ]
            if [c.inside for c in grown] == [c.inside for c in columns]:
                break
            columns = grown
        number = self.dag.add(Recurse(name, (start.node, step.node)))
        return Relation(number, tuple(zip(names, columns, strict=False)))

    def _set_operation(self, node: Node, scope: Mapping[str, Relation]) -> Relation:
        parts = [self.query(c, scope) for c in node["children"] or [node["left"], node["right"]]]
        name = node["setop_type"].lower().replace("_", " ")
        first = parts[0].columns
        waits: tuple[Wait, ...] = ()
        if node["setop_all"]:
            name += " all"
        else:
            inside = frozenset(s for p in parts for _, c in p.columns for s in c.inside)
            waits = (Wait(name.upper(), name, inside, drops=True),) if inside else ()
        number = self.dag.add(Query((name,), tuple(p.node for p in parts), waits))
        return Relation(number, first)

    def table_name(self, name: str) -> str:
        """The name of a table that is read; a second reading gets a number."""
        self.tables[name] = self.tables.get(name, 0) + 1
        return name if self.tables[name] == 1 else f"{name}#{self.tables[name]}"


def _first_bounds(query: Node) -> dict[int, int]:
    """How many rows each early limit sees at first, by the number that stands for its bound."""
    found: dict[int, int] = {}
    for node in tree.walk(query):
        if node.get("function_name") == ENOUGH:
            number, _, first = (constant_integer(a) for a in arguments(node)[:3])
            if number is not None and first is not None:
                found[EARLY_BOUND + number] = first
    return found
