"""The logical plan of one SELECT block: from FROM to LIMIT, with its LLM operators.

`binder/logical.py` walks the queries and calls it for every block; what the walk knows is `Walk`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from heliumql.binder import tree
from heliumql.binder.cuts import EARLY_BOUND, calls_inside
from heliumql.binder.tree import Node, arguments, constant_integer
from heliumql.binder.words import Columns, Shown, Words, plain, shortened, site_of
from heliumql.logical import DagBuilder, Fetch, Generate, Query, Wait
from heliumql.prompts import Parts, Placeholder, Role, joined

_OWN = "__duckdb_"  # CTEs that DuckDB makes of lateral joins
_EVERY_ROW = "row_number() OVER ()"  # a key of theirs: each row is a group
_STOPS_EARLY = "only as many rows as the limit turns out to need"

PLAIN_SHARE, ANSWER_SHARE = 0.2, 0.5  # of rows that a condition lets through; DuckDB's, and ours


@dataclass(frozen=True)
class Leaf:
    """What is known of a table, file or table function: its columns, about how many rows."""

    columns: tuple[str, ...]
    rows: int | None = None


Leaves = Callable[[Node], Leaf]


@dataclass(frozen=True)
class Written:
    """What the text says of WITH clauses, as DuckDB keeps no names of columns.

    `columns` are those written behind their names; `values` are the clauses that are VALUES.
    """

    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    values: Sequence[tuple[str, tuple[str, ...]]] = ()


@dataclass(frozen=True)
class Relation:
    """A relation inside the query: the node that gives its rows, and its columns."""

    node: int
    columns: tuple[tuple[str, Shown], ...]


class Walk(Protocol):
    """What the walk through the queries knows.

    `typed` are the sites whose answers are not plain text, `fetched` those looked up first;
    `bounds` tell how many rows early limits see at first.
    """

    dag: DagBuilder
    names: Mapping[int, str]
    typed: frozenset[int]
    fetched: frozenset[int]
    written: Written
    bounds: Mapping[int, int]

    def leaves(self, source: Node, /) -> Leaf: ...

    def share_of(self, predicate: Node, /) -> float | None: ...

    def query(self, node: Node, scope: Mapping[str, Relation]) -> Relation: ...

    def table_name(self, name: str) -> str: ...


class Block:
    """One SELECT block: from FROM to LIMIT, with the LLM operators where they are evaluated."""

    def __init__(self, walk: Walk, scope: Mapping[str, Relation]) -> None:
        self.walk = walk
        self.scope = scope
        self.columns: Columns = {}
        self.node = -1
        self.made: set[int] = set()
        self.words = Words(self.columns, self._call, self._name, self._decided)

    def relation(self, node: Node) -> Relation:
        self.node = self._source(node["from_table"])
        self._where(node["where_clause"], "WHERE")
        groups = [self.words.shown(e) for e in node["group_expressions"]]
        numbered = any(g.text == _EVERY_ROW for g in groups)
        if not numbered and (groups or self._aggregates(node)):
            keys = ", ".join(shortened(g.text, 60) for g in groups)
            self._work(
                f"group by {keys}" if keys else "aggregate", "GROUP BY", groups, gathers=True
            )
        self._where(node["having"], "HAVING")
        self._where(node["qualify"], "QUALIFY")
        outputs: list[tuple[str, Shown]] = []
        for number, expression in enumerate(node["select_list"]):
            if expression["class"] == "STAR":
                outputs = [c for table in self.columns.values() for c in table.items()]
                break
            shown = self.words.shown(expression)
            if shown.reads:
                self._work(f"compute {shortened(shown.text)}", "SELECT", [shown])
            name = expression["alias"] or (expression.get("column_names") or [f"c{number}"])[-1]
            outputs.append((name, _at_rest(shown)))
        for modifier in node["modifiers"]:
            self._modifier(modifier, outputs)
        return Relation(self.node, tuple(outputs))

    # clauses ------------------------------------------------------------------------------

    def _work(
        self,
        text: str,
        clause: str,
        values: list[Shown],
        *,
        gathers: bool = False,
        drops: bool = False,
        keeps: float | None = None,
        at_most: int | None = None,
    ) -> None:
        sites = frozenset(s for v in values for s in v.waits_for)
        answers = sum(v.answers for v in values)
        self.node = self.walk.dag.add(
            Query(
                (text,),
                (self.node,),
                (Wait(clause, text, sites, answers, drops),) if sites else (),
                keeps=_share(bool(sites), keeps) if drops else 1.0,
                at_most=at_most,
                gathers=gathers,
            )
        )

    def _where(self, condition: Node | None, clause: str) -> None:
        """Plain conditions first, then those that wait for answers, as evaluation does."""
        if condition is None:
            return
        parts = _conjuncts(condition)
        for part in [p for p in parts if not calls_inside(p)] + [
            p for p in parts if calls_inside(p)
        ]:
            if (bound := _bound(part)) is not None:
                self._seen_up_to(bound)
                continue
            shown = self.words.shown(part)
            if shown.text.upper() not in ("TRUE", "'TRUE'", "'T'"):
                text = f"keep rows where {shortened(shown.text)}"
                self._work(text, clause, [shown], drops=True, keeps=self.walk.share_of(part))

    def _modifier(self, modifier: Node, outputs: list[tuple[str, Shown]]) -> None:
        match modifier["type"]:
            case "ORDER_MODIFIER":
                keys = [self.words.shown(o["expression"]) for o in modifier["orders"]]
                ways = [" DESC" if o["type"] == "DESCENDING" else "" for o in modifier["orders"]]
                text = ", ".join(shortened(k.text) + w for k, w in zip(keys, ways, strict=True))
                self._work(f"order by {text}", "ORDER BY", keys)
            case "DISTINCT_MODIFIER":
                keys = [self.words.shown(t) for t in modifier["distinct_on_targets"]]
                text = "on " + ", ".join(k.text for k in keys) if keys else "rows"
                keys = keys or [s for _, s in outputs]
                self._work(f"distinct {text}", "DISTINCT", keys, gathers=True)
            case "LIMIT_MODIFIER" | "LIMIT_PERCENT_MODIFIER":
                for word in ("limit", "offset"):
                    bound = modifier.get(word)
                    number = None if bound is None else constant_integer(bound)
                    if number is not None and number in self.walk.bounds:
                        self._seen_up_to(number)
                    if bound is None or number == 0 or (number or 0) >= EARLY_BOUND:
                        continue
                    shown = self.words.shown(bound)
                    percent = "%" if "PERCENT" in modifier["type"] and word == "limit" else ""
                    most = number if word == "limit" and not percent else None
                    text = f"{word} {shown.text}{percent}"
                    self._work(text, word.upper(), [shown], at_most=most)
            case other:
                self._work(other.lower(), other, [])

    def _seen_up_to(self, bound: int) -> None:
        """A bound of a limit that stops early: it grows while too few rows are accepted."""
        first = self.walk.bounds.get(bound)
        node = Query((_STOPS_EARLY,), (self.node,), at_most=first, grows=True)
        self.node = self.walk.dag.add(node)

    def _aggregates(self, node: Node) -> bool:
        """Without GROUP BY: does one row come out? DuckDB gives such a block no other columns."""
        if node["from_table"]["type"] == "EMPTY":
            return False
        expressions = [e for e in node["select_list"] if e["class"] != "STAR"]
        return bool(expressions) and all(_is_aggregate(e) for e in expressions)

    # calls --------------------------------------------------------------------------------

    def _decided(self, condition: Shown) -> None:
        """What stands behind a condition is asked for rows that it holds for."""
        if condition.waits_for:
            self._work(f"decide by {shortened(condition.text)}", "CASE", [condition])

    def _name(self, site: int) -> str:
        return self.walk.names.get(site, f"call {site}")

    def _call(self, node: Node) -> Shown:
        """The answer of a call; its operator stands below what is done from here on."""
        site = site_of(node)
        name = self._name(site)
        answer = Shown(
            name,
            (Placeholder(name, (name,)),),
            frozenset({site}),
            answers=1,
            typed=site in self.walk.typed,
        )
        prompt, system, history = (self.words.shown(a) for a in arguments(node)[1:4])
        if site in self.made:
            return answer
        self.made.add(site)
        template = _conversation(prompt, system, history)
        reads = prompt.reads | system.reads | history.reads
        if reads:
            self._work(f"compute the prompt of {name}", "SELECT", [prompt, system, history])
        kind = Fetch if site in self.walk.fetched else Generate
        self.node = self.walk.dag.add(kind(site, name, template, (self.node,)))
        return answer

    # FROM ---------------------------------------------------------------------------------

    def _source(self, source: Node) -> int:
        match source["type"]:
            case "EMPTY":
                return self.walk.dag.add(Query(("one row",), rows=1))
            case "BASE_TABLE":
                return self._table(source)
            case "TABLE_FUNCTION":
                return self._table_function(source)
            case "SUBQUERY":
                inner = self.walk.query(source["subquery"]["node"], self.scope)
                self._see(source, "", renamed(inner, source["column_name_alias"]))
                return inner.node
            case "JOIN":
                return self._join(source)
            case "EXPRESSION_LIST":
                return self._values(source)
            case other:
                return self.walk.dag.add(Query((other.lower(),)))

    def _see(self, source: Node, default: str, relation: Relation) -> None:
        alias = (source.get("alias") or default).lower()
        self.columns[alias] = {n.lower(): s for n, s in relation.columns}

    def _table(self, source: Node) -> int:
        name = source["table_name"]
        known = None
        if not source["schema_name"] and not source["catalog_name"]:
            known = self.scope.get(name.lower())
        if known is not None:
            self._see(source, name, renamed(known, source["column_name_alias"]))
            return known.node
        shown = tree.shown_table(name)
        return self._read(source, shown, name, f"read {shown}")

    def _table_function(self, source: Node) -> int:
        function = source["function"]
        name = function["function_name"]
        values = [self.words.shown(a).text for a in arguments(function)]
        if name.startswith("read_") and values:  # a file: it goes by its own name
            path = values[0].strip("'")
            stem = path.rsplit("/", 1)[-1].partition(".")[0]
            return self._read(source, stem, name, f"read {path}")
        return self._read(source, name, name, f"read {name}({', '.join(values)})")

    def _read(self, source: Node, table: str, default: str, work: str) -> int:
        table = self.walk.table_name(table)
        leaf = self.walk.leaves(source)
        aliases = source.get("column_name_alias") or list(leaf.columns)
        shown = [
            (alias, plain(f"{table}.{name}"))
            for alias, name in zip(aliases, leaf.columns or aliases, strict=False)
        ]
        self._see(source, default, Relation(-1, tuple(shown)))
        work = work if "#" not in table else f"{work} (as {table})"
        return self.walk.dag.add(Query((work,), rows=leaf.rows))

    def _values(self, source: Node) -> int:
        rows = source["values"]
        constants = [
            tree.constant_text(e) or "" for row in rows for e in row if not calls_inside(e)
        ]
        text = f"{len(rows)} row{'s' if len(rows) != 1 else ''} of VALUES"
        first = ", ".join(c for c in constants if c)
        work = f"{text} ({shortened(first, 60)})" if first else text
        self.node = self.walk.dag.add(Query((work,), rows=len(rows)))
        inside = [self.words.shown(e) for row in rows for e in row]
        aliases = source.get("column_name_alias") or [f"col{i}" for i in range(len(rows[0]))]
        sites = frozenset(s for v in inside for s in v.inside)
        named = [v for v in self.walk.written.values if len(v[1]) == len(aliases)]
        table, names = named[0] if len(named) == 1 else ("values", tuple(aliases))
        columns = tuple(
            (alias, replace(plain(f"{table}.{name}"), inside=sites))
            for alias, name in zip(aliases, names, strict=True)
        )
        self._see(source, "valueslist", Relation(-1, columns))
        return self.node

    def _join(self, source: Node) -> int:
        left, right = self._source(source["left"]), self._source(source["right"])
        kind = source["join_type"].lower()
        lateral = any(_reads_own(source[side]) for side in ("left", "right"))
        dag = self.walk.dag
        condition = source["condition"]
        if condition is None:
            word = "pair every row with every row" if source["ref_type"] == "CROSS" else kind
            return dag.add(Query((word,), (left, right), pairs=True))
        parts = _conjuncts(condition)
        texts = [shortened(self.words.shown(p).text) for p in parts if not calls_inside(p)]
        on = "" if lateral or not texts else f" on {' AND '.join(texts)}"
        waiting = [p for p in parts if calls_inside(p)]
        if not waiting:
            return dag.add(Query((f"{kind} join{on}",), (left, right)))
        self.node = dag.add(Query((f"pairs of rows{on}",), (left, right)))
        for part in waiting:
            shown = self.words.shown(part)
            text = f"{kind} join where {shortened(shown.text)}"
            self._work(text, "ON", [shown], drops=True)
        return self.node


def _conversation(prompt: Shown, system: Shown, history: Shown) -> Parts:
    """System message, history, prompt. A column of messages is one placeholder."""
    before: Parts = ()
    if history.messages is not None:
        before = history.messages
    elif history.text != "NULL":
        before = history.parts
    if system.text != "NULL":
        before = (Role("system"), *system.parts, *_without_system(before))
    return joined((*before, Role("user"), *prompt.parts))


def _without_system(messages: Parts) -> Parts:
    """A system message given replaces that of a history."""
    if not messages or messages[0] != Role("system"):
        return messages
    rest = [n for n, p in enumerate(messages) if isinstance(p, Role) and n > 0]
    return messages[rest[0] :] if rest else ()


def _share(waits: bool, learnt: float | None) -> float:
    """Of the rows of a condition that go on, as far as it is known."""
    if learnt is not None:
        return learnt
    return ANSWER_SHARE if waits else PLAIN_SHARE


def _at_rest(shown: Shown) -> Shown:
    """A value as a column: what it looked at it has seen."""
    return replace(shown, reads=frozenset(), answers=len(shown.inside))


def renamed(relation: Relation, names: list[str]) -> Relation:
    if not names:
        return relation
    columns = tuple((n, s) for n, (_, s) in zip(names, relation.columns, strict=False))
    return replace(relation, columns=columns)


def _conjuncts(expression: Node) -> list[Node]:
    if expression["class"] == "CONJUNCTION" and expression["type"] == "CONJUNCTION_AND":
        return [part for child in expression["children"] for part in _conjuncts(child)]
    return [expression]


def _bound(condition: Node) -> int | None:
    """The number of the early limit, where the condition is `row <= bound` of one."""
    for node in tree.walk(condition):
        number = constant_integer(node) if node.get("class") == "CONSTANT" else None
        if number is not None and number >= EARLY_BOUND:
            return number
    return None


def _reads_own(source: Node) -> bool:
    """A side of a join that DuckDB made of a lateral one."""
    return any(
        n["type"] == "BASE_TABLE" and n["table_name"].startswith(_OWN) for n in tree.walk(source)
    )


_AGGREGATES = {"count_star", "count", "sum", "avg", "min", "max", "string_agg", "list", "first",
               "any_value", "array_agg", "bool_and", "bool_or", "median", "stddev"}  # fmt: skip


def _is_aggregate(expression: Node) -> bool:
    while expression["class"] == "CAST":
        expression = expression["child"]
    return expression["class"] == "FUNCTION" and expression["function_name"] in _AGGREGATES
