"""Carry or inspect, one SELECT block: its clauses, its FROM, and where its cuts stand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from heliumql.binder import shape as shapes
from heliumql.binder import tree
from heliumql.binder.cuts import (
    ACCEPTED,
    ENOUGH,
    HELD,
    LLM,
    MAYBE,
    NO_LIMIT,
    REJECTED,
    EarlyLimit,
    Queries,
    Relation,
    Unsupported,
    Value,
    both,
    calls_inside,
    joined_columns,
)
from heliumql.binder.expressions import Expressions
from heliumql.binder.shape import CLEAN, Shape, is_clean
from heliumql.binder.tree import Node

# What comes out does not change when the rows that a cut holds back are left out, but for them.
_GUARDED_JOINS = {"INNER", "SEMI", "ANTI", "LEFT", "RIGHT", "FULL", "OUTER"}
_MONOTONE_JOINS = {"INNER", "SEMI"}


class Block(Expressions):
    """One SELECT block. Its cuts stand in WHERE, HAVING or QUALIFY: before what needs them."""

    def __init__(
        self,
        rewriter: Queries,
        node: Node,
        scope: Mapping[str, Relation],
        real: frozenset[int] | None,
    ) -> None:
        super().__init__(rewriter, scope)
        self.node = node
        self.real = real
        self.windowed = False

    def rewritten(self) -> tuple[Node, Relation]:
        node = self.node
        if node.get("sample"):
            raise Unsupported("SAMPLE in a query with calls")
        source = self._source(node["from_table"])
        self.pairs = _gives_pairs(node["from_table"])
        self.grouped = bool(node["group_expressions"]) or self._has_aggregate()
        self.windowed = any(n.get("class") == "WINDOW" for n in self._own_expressions())

        self.clause = "WHERE"
        where = self._condition(node["where_clause"])
        groups = []
        one_row_a_group = any(
            isinstance(self.value(e).shape, shapes.RowNumber) for e in node["group_expressions"]
        )
        for expression in node["group_expressions"]:
            value = self.value(expression)
            if one_row_a_group and shapes.carried_inside(value.shape):
                # DuckDB's way to a lateral join: equal keys or not, each row is a group.
                self.groups[tree.meaning(expression)] = value
                groups.append(value.node)
                continue
            value = self._settled(self._inspected(value))
            groups.append(value.node)
            self.groups[tree.meaning(expression)] = Value(value.node, CLEAN)
        self.clause = "SELECT"
        having = qualify = None
        if node["having"] is not None:
            having = self._settled(self._inspected(self.value(node["having"]))).node
        if node["qualify"] is not None:
            qualify = self._settled(self._inspected(self.value(node["qualify"]))).node

        modifiers, every = [], self.real is None
        for modifier in node["modifiers"]:
            if modifier["type"] == "DISTINCT_MODIFIER" and not modifier["distinct_on_targets"]:
                every = True
            modifiers.append(self._modifier(modifier))

        outputs: list[Node] = []
        columns: list[tuple[str, Shape]] = []
        for number, expression in enumerate(node["select_list"]):
            if expression["class"] == "STAR":
                outputs, columns = self._star(expression)
                break
            value = self.value(expression)
            if every or (self.real is not None and number in self.real):
                value = self._inspected(value)
            value = self._settled(value)
            outputs.append(tree.named(value.node, expression["alias"]))
            columns.append((expression["alias"] or _column_name(expression), value.shape))

        result: Node = {
            **node,
            "from_table": source,
            "where_clause": self._with_guard(where, "WHERE"),
            "group_expressions": groups,
            "having": self._with_guard(having, "HAVING"),
            "qualify": self._with_guard(qualify, "QUALIFY"),
            "select_list": outputs,
            "modifiers": modifiers,
        }
        if any(n.get("function_name") == "unnest" for n in tree.walk(node["select_list"])):
            columns = [(n, CLEAN if is_clean(s) else s) for n, s in columns]
        relation = replace(self.relation, columns=tuple(columns))
        highest = max([relation.highest, *(c.level for c in self.stage_cuts.values())])
        relation = replace(relation, highest=highest)
        if self.grouped or self.windowed or not all(map(_lets_all_through, modifiers)):
            relation = relation.fenced()
        return result, relation

    # clauses ------------------------------------------------------------------------------

    def _condition(self, expression: Node | None) -> Node | None:
        """WHERE: plain conjuncts stay as they are; the others wait until those hold."""
        if expression is None:
            return None
        parts = _conjuncts(expression)
        for number, part in enumerate(parts):
            if part["class"] == "FUNCTION" and part["function_name"] == ENOUGH:
                return self._early_condition(part, parts[:number] + parts[number + 1 :])
        plain, waiting = self._split(parts)
        if not waiting:
            return tree.conjunction([v.node for v in plain])
        guarded = self._guarded(waiting, [v.node for v in plain], self.node["select_list"])
        return tree.conjunction([*(v.node for v in plain), guarded])

    def _split(self, parts: Sequence[Node]) -> tuple[list[Value], list[tuple[Node, Value]]]:
        """Conjuncts that can be evaluated at once, and those that wait, with what they were.

        The latter are counted.
        """
        plain: list[Value] = []
        waiting: list[tuple[Node, Value]] = []
        for part in parts:
            value = self._inspected(self.value(part))
            if value.ready is None:
                plain.append(value)
            else:
                counted = replace(value, node=self.rewriter.tested(part, value.node))
                waiting.append((part, counted))
        return plain, waiting

    def _early_condition(self, enough: Node, others: list[Node]) -> Node | None:
        """WHERE below a LIMIT that stops early: what it accepts is counted, row by row."""
        number, wanted, first, row, place, condition = tree.arguments(enough)
        plain, waiting = self._split([*others, *_conjuncts(condition)])
        outcomes = [tree.integer(n) for n in (ACCEPTED, REJECTED, HELD)]
        outcome = self._guarded(waiting, [v.node for v in plain], outcomes=outcomes)
        # A cut of its own: what it holds back is of no matter once LIMIT has enough.
        cut = self.stage_cuts.pop("WHERE")
        numbers = [tree.constant_integer(n) or 0 for n in (number, wanted, first)]
        self.rewriter.new_limit(EarlyLimit(numbers[0], cut.number, cut.level, *numbers[1:]))
        self.relation = replace(self.relation, highest=max(self.relation.highest, cut.level))
        statement = tree.integer(self.rewriter.statement)
        counted = tree.function(ENOUGH, statement, number, row, place, outcome)
        return tree.conjunction([*(v.node for v in plain), counted])

    def _guarded(
        self,
        waiting: Sequence[tuple[Node, Value]],
        plain: Sequence[Node],
        above: Sequence[Node] = (),
        outcomes: Sequence[Node] = (tree.TRUE, tree.FALSE, tree.FALSE),
    ) -> Node:
        """The conjunction of values that wait, each looked at where those before it hold.

        `above` are expressions that are evaluated where all of them hold; `outcomes` are what it
        comes to: where all hold, where one does not, where one waits.
        """
        accepted, rejected, held = outcomes
        checks: list[tuple[Node, Node]] = []
        if plain:
            both = tree.conjunction(list(plain))
            assert both is not None
            checks.append((tree.negation(both), rejected))
        inner: Node = accepted
        behind = list(above)
        for part, value in reversed(waiting):
            assert value.ready is not None
            inner = tree.case(
                (tree.negation(value.ready), self._maybe(behind) or held),
                (value.node, inner),
                otherwise=rejected,
            )
            behind.append(part)
        return tree.case(*checks, otherwise=inner) if checks else inner

    def _maybe(self, behind: Sequence[Node]) -> Node | None:
        """False, and names calls behind a cut on the way, where some of them may be asked early."""
        texts = []
        for node in tree.walk(behind) if self.rewriter.early else ():
            if node.get("class") != "FUNCTION" or node["function_name"] != LLM:
                continue
            if tree.constant_integer(tree.arguments(node)[0]) not in self.rewriter.early:
                continue
            if any(self._is_aggregate(n) or n.get("class") == "WINDOW" for n in tree.walk(node)):
                continue
            value = self.value(node)
            if value.ready is None:
                texts.append(value.node)
        if not texts:
            return None
        statement = tree.integer(self.rewriter.statement)
        return tree.function(MAYBE, statement, tree.function("concat", *texts))

    def _with_guard(self, condition: Node | None, stage: str) -> Node | None:
        guard = self.guards[stage]
        if guard is None:
            return condition
        if condition is None:
            return guard
        # The condition first: rows that it drops are not waited for.
        return tree.conjunction([condition, tree.case((condition, guard), otherwise=tree.FALSE)])

    def _settled(self, value: Value) -> Value:
        """A value whose readiness the block checks by itself before rows go on."""
        if value.ready is None:
            return value
        stage = self._stage(value.ready)
        self.guards[stage] = both(self.guards[stage], value.ready)
        # Guarded here too: DuckDB may move a condition on this column below the guard.
        return Value(tree.case((value.ready, value.node)), value.shape)

    def _modifier(self, modifier: Node) -> Node:
        match modifier["type"]:
            case "ORDER_MODIFIER":
                orders = [
                    {**o, "expression": self._key(o["expression"])} for o in modifier["orders"]
                ]
                return {**modifier, "orders": orders}
            case "DISTINCT_MODIFIER":
                targets = [self._key(t) for t in modifier["distinct_on_targets"]]
                return {**modifier, "distinct_on_targets": targets}
            case "LIMIT_MODIFIER" | "LIMIT_PERCENT_MODIFIER":
                for bound in (modifier.get("limit"), modifier.get("offset")):
                    if bound is not None and not is_clean(self.value(bound).shape):
                        raise Unsupported("a LIMIT that reads an answer")
                return modifier
            case other:
                raise Unsupported(f"a {other} with calls")

    def _key(self, expression: Node) -> Node:
        if expression["class"] == "COLLATE":
            return {**expression, "child": self._key(expression["child"])}
        return self._settled(self._inspected(self.value(expression))).node

    def _star(self, expression: Node) -> tuple[list[Node], list[tuple[str, Shape]]]:
        """`SELECT *` over VALUES, the only star that DuckDB leaves in a bound query."""
        if len(self.node["select_list"]) != 1 or self.real is None or self.real:
            raise Unsupported("a star in a bound query")
        columns = [(n, s) for table in self.environment.values() for n, s in table.items()]
        return [expression], columns

    def _own_expressions(self) -> Iterable[Node]:
        node = self.node
        for part in (
            node["select_list"],
            node["having"],
            node["qualify"],
            node["modifiers"],
        ):
            yield from tree.walk(part)

    def _has_aggregate(self) -> bool:
        return any(self._is_aggregate(n) for n in self._own_expressions())

    # FROM ---------------------------------------------------------------------------------

    def _source(self, source: Node) -> Node:
        rewritten, self.relation = self._table(source)
        return rewritten

    def _table(self, source: Node) -> tuple[Node, Relation]:
        match source["type"]:
            case "EMPTY":
                return source, Relation(())
            case "BASE_TABLE":
                name = source["table_name"]
                known = None
                if not source["schema_name"] and not source["catalog_name"]:
                    known = self.scope.get(name.lower())
                if source.get("sample"):
                    raise Unsupported("SAMPLE in a query with calls")
                relation = known or Relation(())
                self._visible(source, relation, name)
                return source, relation
            case "SUBQUERY":
                inner, relation = self.rewriter.query(
                    source["subquery"]["node"], self.scope, frozenset()
                )
                if source.get("sample"):
                    raise Unsupported("SAMPLE in a query with calls")
                self._visible(source, relation, "")
                return {
                    **source,
                    "subquery": {**source["subquery"], "node": inner},
                }, relation
            case "JOIN":
                return self._join(source)
            case "TABLE_FUNCTION":
                value = self.value(source["function"])
                if not is_clean(value.shape) or value.ready is not None:
                    raise Unsupported("a table function that reads an answer")
                self._visible(source, Relation(()), source["function"]["function_name"])
                return source, Relation(())
            case "EXPRESSION_LIST":
                return self._values(source)
            case other:
                if calls_inside(source):
                    raise Unsupported(f"a {other} with calls")
                self._visible(source, Relation(()), "")
                return source, Relation(())

    def _visible(self, source: Node, relation: Relation, default: str) -> None:
        aliases = source.get("column_name_alias") or []
        names = [n for n, _ in relation.columns]
        names[: len(aliases)] = aliases
        columns = {n.lower(): s for n, (_, s) in zip(names, relation.columns, strict=False)}
        self.environment[(source.get("alias") or default).lower()] = columns

    def _values(self, source: Node) -> tuple[Node, Relation]:
        rows, shape = [], None
        for row in source["values"]:
            values = [self.value(v) for v in row]
            if any(v.ready is not None for v in values):
                raise Unsupported("VALUES that read an answer")
            rows.append([v.node for v in values])
            columns = [(f"col{i}", v.shape) for i, v in enumerate(values)]
            merged = columns if shape is None else joined_columns(shape, columns)
            if isinstance(merged, int):
                raise Unsupported("VALUES with answers of other types")
            shape = list(merged)
        relation = Relation(tuple(shape or ()))
        if any(not is_clean(s) for _, s in relation.columns):
            self._visible(source, relation, "valueslist")
        return {**source, "values": rows}, relation

    def _join(self, source: Node) -> tuple[Node, Relation]:
        left, left_relation = self._table(source["left"])
        right, right_relation = self._table(source["right"])
        together = Relation(
            left_relation.columns + right_relation.columns,
            max(left_relation.base, right_relation.base),
            max(left_relation.highest, right_relation.highest),
        )
        monotone = source["join_type"] in _MONOTONE_JOINS and source["ref_type"] in (
            "REGULAR",
            "CROSS",
        )
        for table in self.environment.values():  # a join repeats rows
            for name, shape in table.items():
                if isinstance(shape, shapes.RowNumber):
                    table[name] = CLEAN
        outer, self.relation = self.relation, together
        result = {**source, "left": left, "right": right}
        if source["condition"] is not None:
            cut_before = dict(self.stage_cuts)
            self.stage_cuts, self.clause, self.pairs = {}, "ON", True
            plain, waiting = self._split(_conjuncts(source["condition"]))
            highest = max([together.highest, *(c.level for c in self.stage_cuts.values())])
            self.stage_cuts, self.clause = cut_before, "WHERE"
            if waiting:
                kind = source["join_type"]
                if source["ref_type"] != "REGULAR" or kind not in _GUARDED_JOINS:
                    raise Unsupported(f"a {source['ref_type']} {kind} join on an answer")
                guarded = self._guarded(waiting, [v.node for v in plain])
                result["condition"] = tree.conjunction([*(v.node for v in plain), guarded])
            together = replace(together, highest=highest)
        self.relation = outer
        if source.get("using_columns") and calls_inside(source):
            raise Unsupported("USING in a bound query")
        return result, together if monotone else together.fenced()


def _gives_pairs(source: Node) -> bool:
    """The rows come from a join, or from a query that is nothing but one."""
    if source["type"] == "SUBQUERY" and source["subquery"]["node"]["type"] == "SELECT_NODE":
        source = source["subquery"]["node"]["from_table"]
    return bool(source["type"] == "JOIN")


def _lets_all_through(modifier: Node) -> bool:
    """An order, or a LIMIT that is there only to keep predicates above it."""
    return modifier["type"] == "ORDER_MODIFIER" or (
        modifier["type"] == "LIMIT_MODIFIER"
        and modifier["offset"] is None
        and modifier["limit"] is not None
        and tree.constant_integer(modifier["limit"]) == NO_LIMIT
    )


def _conjuncts(expression: Node) -> list[Node]:
    if expression["class"] == "CONJUNCTION" and expression["type"] == "CONJUNCTION_AND":
        return [part for child in expression["children"] for part in _conjuncts(child)]
    return [expression]


def _column_name(expression: Node) -> str:
    return str(expression["column_names"][-1]) if expression["class"] == "COLUMN_REF" else ""
