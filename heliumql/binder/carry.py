"""Carry or inspect: rewrites a bound query so that no expression ever reads a deferred value.

Goal: one SQL text that can be evaluated before its calls have answers. Where a function only
carries a value (`||`, string_agg, list, a join's payload ..) references pass through it. Where an
expression inspects one (a comparison, a cast, a key ..) a *cut* is placed: `__hql_ready` notes
which calls the expression waits for, and the row goes no further in this pass.

    before  SELECT id FROM t WHERE __hql_llm(0, body, ..) LIKE '%a%'
    after   SELECT id FROM t WHERE CASE WHEN __hql_ready(s, 0, __hql_call(s, 0, body, ..))
                                   THEN __hql_call(s, 0, body, ..) LIKE '%a%' ELSE false END

Evaluating the text again when those calls have answers goes one level further; when no cut held
anything back, the rows are exactly those of naive evaluation. CASE, AND and OR wait for a branch
only where its condition holds. What is not known to carry, inspects; what cannot be guarded raises
`Unsupported`, and the statement is evaluated call by call instead (physical/each.py).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from heliumql.binder import shape as shapes
from heliumql.binder import tree
from heliumql.binder.shape import (
    CLEAN,
    TEXT,
    Answer,
    Shape,
    Struct,
    is_clean,
    is_textual,
)
from heliumql.binder.tree import Node, function, integer

LLM = "__hql_llm"
LLM_INFO = "__hql_llm_info"
CALL = "__hql_call"  # (statement, site, prompt, system, history): the answer, or a reference
INFO = "__hql_call_info"  # the same for what is known of the run of the call
READY = "__hql_ready"  # (statement, cut, text): no reference left? Notes those there are.
FIELD = "__hql_field"  # (answer, field): a field of an answer, or of a reference to one

_CONCATENATING = {"||", "concat", "concat_ws"}
_LIST_BUILDING = {
    "list_value",
    "list_pack",
    "list_concat",
    "list_append",
    "array_append",
}
_LIST_JOINING = {"list_concat", "list_cat", "array_concat", "array_cat"}
_COLLECTING = {"list", "array_agg"}
_CHOOSING = {"first", "last", "arbitrary"}
_CHOOSING_NOT_NULL = {"any_value", "arg_min", "arg_max", "min_by", "max_by"}
_CONCAT_AGGREGATES = {"string_agg", "listagg", "group_concat"}
_CARRYING_WINDOWS = {
    "WINDOW_LAG", "WINDOW_LEAD", "WINDOW_FIRST_VALUE", "WINDOW_LAST_VALUE", "WINDOW_NTH_VALUE",
}  # fmt: skip
# What comes out does not change when the rows that a cut holds back are left out, but for them.
_GUARDED_JOINS = {"INNER", "SEMI", "ANTI", "LEFT", "RIGHT", "FULL", "OUTER"}
_MONOTONE_JOINS = {"INNER", "SEMI"}


class Unsupported(Exception):
    """The tree holds something that cannot be guarded by cuts; says what."""


@dataclass(frozen=True)
class Cut:
    """A place where evaluation stops for rows whose answers are not there yet.

    A cut of level n sees only correct rows once no cut of a lower level holds rows back.
    """

    number: int
    level: int
    where: str  # the clause: WHERE, ON, SELECT ..


@dataclass(frozen=True)
class Carried:
    """A rewritten query."""

    node: Node
    shapes: tuple[Shape, ...]  # one per output column
    cuts: tuple[Cut, ...]


@dataclass(frozen=True)
class _Relation:
    """What may be inside the columns of a relation, and the cuts it went through.

    `base` is the level of a cut placed directly above; `highest` the highest level below.
    """

    columns: tuple[tuple[str, Shape], ...]
    base: int = 1
    highest: int = 0

    def fenced(self) -> _Relation:
        """After an operator that may give wrong rows while rows are held back below it."""
        return replace(self, base=max(self.base, self.highest + 1))


@dataclass(frozen=True)
class _Value:
    """A rewritten expression; `node` may be evaluated only where `ready` (None: always) holds."""

    node: Node
    shape: Shape
    ready: Node | None = None


def carry(
    query: Node,
    *,
    statement: int,
    declared: Mapping[int, str],
    aggregates: frozenset[str],
) -> Carried:
    """Rewrites a bound query node.

    `declared` tells for each call site to which type its text is cast (JSON where the type is
    nested); `aggregates` names DuckDB's aggregate functions. Raises Unsupported where a part
    cannot be guarded.
    """
    rewriter = _Rewriter(statement, declared, aggregates)
    node, relation = rewriter.query(query, {}, frozenset())
    return Carried(node, tuple(s for _, s in relation.columns), tuple(rewriter.cuts))


_ALL: frozenset[int] | None = None  # every column


@dataclass
class _Rewriter:
    statement: int
    declared: Mapping[int, str]
    aggregates: frozenset[str]

    def __post_init__(self) -> None:
        self.cuts: list[Cut] = []

    # queries ------------------------------------------------------------------------------

    def query(
        self, node: Node, scope: Mapping[str, _Relation], real: frozenset[int] | None
    ) -> tuple[Node, _Relation]:
        """A query node; the columns in `real` (None: all) must come out without references."""
        scope = dict(scope)
        ctes = []
        for entry in node["cte_map"]["map"]:
            value = entry["value"]
            inner, relation = self._cte(entry["key"], value, scope)
            names = value["aliases"] or [n for n, _ in relation.columns]
            scope[entry["key"].lower()] = replace(
                relation,
                columns=tuple((n, s) for n, (_, s) in zip(names, relation.columns, strict=False)),
            )
            ctes.append({**entry, "value": {**value, "query_node": inner}})
        node = {**node, "cte_map": {"map": ctes}}
        match node["type"]:
            case "SELECT_NODE":
                return _Block(self, node, scope, real).rewritten()
            case "SET_OPERATION_NODE":
                return self._set_operation(node, scope, real)
            case other:
                raise Unsupported(f"a {other} here")

    def _cte(
        self, name: str, value: Node, scope: Mapping[str, _Relation]
    ) -> tuple[Node, _Relation]:
        inner = value["query_node"]
        if inner["type"] != "RECURSIVE_CTE_NODE":
            return self.query(inner, scope, frozenset())
        if inner["cte_map"]["map"] or inner["modifiers"]:
            raise Unsupported("WITH or ORDER BY inside a recursion")
        keyed = bool(value.get("key_targets")) or not inner["union_all"]
        real: frozenset[int] | None = _ALL if keyed else frozenset()
        for _ in range(64):
            mark = len(self.cuts)
            left, relation = self.query(inner["left"], scope, real)
            columns = relation.columns
            names = value["aliases"] or [n for n, _ in columns]
            while True:  # until the step adds nothing to the shapes it reads
                inner_mark = len(self.cuts)
                visible = tuple((n, s) for n, (_, s) in zip(names, columns, strict=True))
                step_scope = {**scope, name.lower(): replace(relation, columns=visible)}
                right, step = self.query(inner["right"], step_scope, real)
                merged = _joined_columns(columns, step.columns)
                if isinstance(merged, int):
                    break
                if merged == columns:
                    grown = replace(
                        relation,
                        columns=columns,
                        base=max(relation.base, step.base),
                        highest=max(relation.highest, step.highest),
                    )
                    return {**inner, "left": left, "right": right}, grown
                columns = merged
                del self.cuts[inner_mark:]
            del self.cuts[mark:]
            if real is None:
                raise Unsupported("a recursion whose columns cannot be carried")
            real = real | {merged}
        raise Unsupported("a recursion whose columns cannot be carried")

    def _set_operation(
        self, node: Node, scope: Mapping[str, _Relation], real: frozenset[int] | None
    ) -> tuple[Node, _Relation]:
        if node["modifiers"]:
            raise Unsupported("ORDER BY or LIMIT directly on a set operation")
        children = node["children"] or [node["left"], node["right"]]
        union_all = node["setop_type"] == "UNION" and node["setop_all"]
        if not union_all:
            real = _ALL
        while True:
            mark = len(self.cuts)
            parts = [self.query(child, scope, real) for child in children]
            columns: tuple[tuple[str, Shape], ...] = parts[0][1].columns
            conflict = None
            for _, relation in parts[1:]:
                merged = _joined_columns(columns, relation.columns)
                if isinstance(merged, int):
                    conflict = merged
                    break
                columns = merged
            if conflict is None:
                break
            if real is None or conflict in real:
                raise Unsupported("a set operation whose columns cannot be carried")
            del self.cuts[mark:]
            real = real | {conflict}
        together = _Relation(
            columns,
            max(r.base for _, r in parts),
            max(r.highest for _, r in parts),
        )
        nodes = [n for n, _ in parts]
        body = {"children": nodes} if node["children"] else {"left": nodes[0], "right": nodes[1]}
        return {**node, **body}, together if union_all else together.fenced()

    def new_cut(self, level: int, where: str) -> Cut:
        cut = Cut(len(self.cuts), level, where)
        self.cuts.append(cut)
        return cut

    def ready(self, cut: Cut, value: Node, shape: Shape) -> Node:
        shown = value
        if not (isinstance(shape, Answer) or is_textual(shape)):
            shown = tree.cast(value, tree.type_node("VARCHAR"))
        return function(READY, integer(self.statement), integer(cut.number), shown)


def _joined_columns(
    a: Sequence[tuple[str, Shape]], b: Sequence[tuple[str, Shape]]
) -> tuple[tuple[str, Shape], ...] | int:
    """Shapes of both, column by column; the number of the first column that has none."""
    result = []
    for number, ((name, x), (_, y)) in enumerate(zip(a, b, strict=True)):
        together = shapes.joined(x, y)
        if together is None:
            return number
        result.append((name, together))
    return tuple(result)


def _both(first: Node | None, second: Node | None) -> Node | None:
    """Both ready; the second is looked at only where the first holds."""
    if first is None or second is None:
        return second if first is None else first
    return tree.case((first, second), otherwise=tree.FALSE)


class _Block:
    """One SELECT block. Its cuts stand in WHERE, HAVING or QUALIFY: before what needs them."""

    def __init__(
        self,
        rewriter: _Rewriter,
        node: Node,
        scope: Mapping[str, _Relation],
        real: frozenset[int] | None,
    ) -> None:
        self.rewriter = rewriter
        self.node = node
        self.scope = scope
        self.real = real
        self.environment: dict[str, dict[str, Shape]] = {}
        self.relation = _Relation(())
        self.groups: dict[str, _Value] = {}
        self.parameters: frozenset[str] = frozenset()  # of lambdas: values already inspected
        self.guards: dict[str, Node | None] = {
            "WHERE": None,
            "HAVING": None,
            "QUALIFY": None,
        }
        self.stage_cuts: dict[str, Cut] = {}
        self.clause = "WHERE"

    def rewritten(self) -> tuple[Node, _Relation]:
        node = self.node
        if node.get("sample"):
            raise Unsupported("SAMPLE in a query with calls")
        source = self._source(node["from_table"])
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
            self.groups[tree.meaning(expression)] = _Value(value.node, CLEAN)
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
        if self.grouped or self.windowed or modifiers:
            relation = relation.fenced()
        return result, relation

    # clauses ------------------------------------------------------------------------------

    def _condition(self, expression: Node | None) -> Node | None:
        """WHERE: plain conjuncts stay as they are; the others wait until those hold."""
        if expression is None:
            return None
        plain: list[_Value] = []
        waiting: list[_Value] = []
        for part in _conjuncts(expression):
            value = self._inspected(self.value(part))
            (plain if value.ready is None else waiting).append(value)
        if not waiting:
            return tree.conjunction([v.node for v in plain])
        guarded = self._guarded(waiting, [v.node for v in plain])
        return tree.conjunction([*(v.node for v in plain), guarded])

    def _guarded(self, waiting: Sequence[_Value], plain: Sequence[Node]) -> Node:
        """The conjunction of values that wait, each looked at where those before it hold."""
        checks: list[tuple[Node, Node]] = []
        if plain:
            both = tree.conjunction(list(plain))
            assert both is not None
            checks.append((tree.negation(both), tree.FALSE))
        inner: Node = tree.TRUE
        for value in reversed(waiting):
            assert value.ready is not None
            inner = tree.case(
                (tree.negation(value.ready), tree.FALSE),
                (value.node, inner),
                otherwise=tree.FALSE,
            )
        return tree.case(*checks, otherwise=inner) if checks else inner

    def _with_guard(self, condition: Node | None, stage: str) -> Node | None:
        guard = self.guards[stage]
        if guard is None:
            return condition
        if condition is None:
            return guard
        # The condition first: rows that it drops are not waited for.
        return tree.conjunction([condition, tree.case((condition, guard), otherwise=tree.FALSE)])

    def _settled(self, value: _Value) -> _Value:
        """A value whose readiness the block checks by itself before rows go on."""
        if value.ready is None:
            return value
        stage = self._stage(value.ready)
        self.guards[stage] = _both(self.guards[stage], value.ready)
        # Guarded here too: DuckDB may move a condition on this column below the guard.
        return _Value(tree.case((value.ready, value.node)), value.shape)

    def _stage(self, expression: Node) -> str:
        """The first clause in which the expression can be evaluated."""
        if self.clause == "ON":
            return "ON"
        found = "HAVING" if self.grouped and self.clause == "SELECT" else "WHERE"
        for node in tree.walk(expression):
            if node.get("class") == "WINDOW":
                return "QUALIFY"
            if self._is_aggregate(node):
                found = "HAVING"
        return found

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

    def _is_aggregate(self, node: Node) -> bool:
        return node.get("class") == "FUNCTION" and node["function_name"] in self.rewriter.aggregates

    # FROM ---------------------------------------------------------------------------------

    def _source(self, source: Node) -> Node:
        rewritten, self.relation = self._table(source)
        return rewritten

    def _table(self, source: Node) -> tuple[Node, _Relation]:
        match source["type"]:
            case "EMPTY":
                return source, _Relation(())
            case "BASE_TABLE":
                name = source["table_name"]
                known = None
                if not source["schema_name"] and not source["catalog_name"]:
                    known = self.scope.get(name.lower())
                if source.get("sample"):
                    raise Unsupported("SAMPLE in a query with calls")
                relation = known or _Relation(())
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
                self._visible(source, _Relation(()), source["function"]["function_name"])
                return source, _Relation(())
            case "EXPRESSION_LIST":
                return self._values(source)
            case other:
                if _calls_inside(source):
                    raise Unsupported(f"a {other} with calls")
                self._visible(source, _Relation(()), "")
                return source, _Relation(())

    def _visible(self, source: Node, relation: _Relation, default: str) -> None:
        aliases = source.get("column_name_alias") or []
        names = [n for n, _ in relation.columns]
        names[: len(aliases)] = aliases
        columns = {n.lower(): s for n, (_, s) in zip(names, relation.columns, strict=False)}
        self.environment[(source.get("alias") or default).lower()] = columns

    def _values(self, source: Node) -> tuple[Node, _Relation]:
        rows, shape = [], None
        for row in source["values"]:
            values = [self.value(v) for v in row]
            if any(v.ready is not None for v in values):
                raise Unsupported("VALUES that read an answer")
            rows.append([v.node for v in values])
            columns = [(f"col{i}", v.shape) for i, v in enumerate(values)]
            merged = columns if shape is None else _joined_columns(shape, columns)
            if isinstance(merged, int):
                raise Unsupported("VALUES with answers of other types")
            shape = list(merged)
        relation = _Relation(tuple(shape or ()))
        if any(not is_clean(s) for _, s in relation.columns):
            self._visible(source, relation, "valueslist")
        return {**source, "values": rows}, relation

    def _join(self, source: Node) -> tuple[Node, _Relation]:
        left, left_relation = self._table(source["left"])
        right, right_relation = self._table(source["right"])
        together = _Relation(
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
            plain: list[_Value] = []
            waiting: list[_Value] = []
            cut_before = dict(self.stage_cuts)
            self.stage_cuts, self.clause = {}, "ON"
            for part in _conjuncts(source["condition"]):
                value = self._inspected(self.value(part))
                (plain if value.ready is None else waiting).append(value)
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
        if source.get("using_columns") and _calls_inside(source):
            raise Unsupported("USING in a bound query")
        return result, together if monotone else together.fenced()

    # expressions --------------------------------------------------------------------------

    def value(self, expression: Node) -> _Value:
        """The expression rewritten, with what may be inside it and what it waits for."""
        known = self.groups.get(tree.meaning(expression)) if self.groups else None
        if known is not None:
            return known
        match expression["class"]:
            case "CONSTANT" | "TYPE" | "PARAMETER" | "DEFAULT":
                return _Value(expression, CLEAN)
            case "COLUMN_REF":
                return _Value(expression, self._column(expression["column_names"]))
            case "CAST":
                return self._cast(expression)
            case "CASE":
                return self._case(expression)
            case "CONJUNCTION":
                return self._conjunction(expression)
            case "FUNCTION":
                return self._function(expression)
            case "WINDOW":
                return self._window(expression)
            case "OPERATOR":
                return self._operator(expression)
            case "SUBQUERY" | "STAR" | "POSITIONAL_REFERENCE":
                if _calls_inside(expression) or self.scope:
                    raise Unsupported(f"a {expression['class'].lower()} left in a bound query")
                return _Value(expression, CLEAN)
            case _:
                return self._inspecting(expression)

    def _column(self, names: Sequence[str]) -> Shape:
        name = names[-1].lower()
        if len(names) == 1 and name in self.parameters:
            return CLEAN
        if len(names) > 1:
            table = self.environment.get(names[-2].lower())
            return CLEAN if table is None else table.get(name, CLEAN)
        found = [t[name] for t in self.environment.values() if name in t]
        return found[0] if found else CLEAN

    def _cut(self, inside: Node) -> Cut:
        """The cut of this block's stage in which the expression stands."""
        stage = self._stage(inside)
        cut = self.stage_cuts.get(stage)
        if cut is None:
            order = {"ON": 0, "WHERE": 0, "HAVING": 1, "QUALIFY": 2}[stage]
            level = self.relation.base
            if order:
                below = [
                    self.relation.highest,
                    *(c.level for c in self.stage_cuts.values()),
                ]
                level = max(level, max(below) + 1)
            cut = self.rewriter.new_cut(level, stage)
            self.stage_cuts[stage] = cut
        return cut

    def _inspected(self, value: _Value) -> _Value:
        """The value as the query sees it, waiting for every answer inside it."""
        if is_clean(value.shape):
            return value
        look = self.rewriter.ready(self._cut(value.node), value.node, value.shape)
        return _Value(shapes.realized(value.node, value.shape), CLEAN, _both(value.ready, look))

    def _inspecting(self, expression: Node) -> _Value:
        """Any expression that is not known to carry: all its parts are inspected."""
        ready: Node | None = None

        def part(child: Node) -> Node:
            nonlocal ready
            value = self._inspected(self.value(child))
            ready = _both(ready, value.ready)
            return value.node

        node = tree.map_expressions(expression, part)
        return _Value(node, CLEAN, ready)

    def _carrying(self, expression: Node, shape: Callable[[list[Shape]], Shape | None]) -> _Value:
        """A function whose arguments are carried; answers of other types are inspected first."""
        ready: Node | None = None
        found: list[Shape] = []

        def part(child: Node) -> Node:
            nonlocal ready
            value = self.value(child)
            if not shapes.carried_inside(value.shape):
                value = self._inspected(value)
            ready = _both(ready, value.ready)
            found.append(value.shape)
            return value.node

        node = tree.map_expressions(expression, part)
        result = shape(found)
        if result is None:
            return self._inspecting(expression)
        return _Value(node, result, ready)

    def _cast(self, expression: Node) -> _Value:
        value = self.value(expression["child"])
        target, shape = expression["type_expr"], value.shape
        node = {**expression, "child": value.node}
        name = str(target.get("type_name", "")).upper()
        if is_clean(shape):
            return _Value(node, CLEAN, value.ready)
        if expression["try_cast"]:
            return self._inspecting(expression)
        match shape:
            case Answer():
                serialized = tree.type_key(target)
                if shape.type_json == serialized:
                    return value
                if shape.is_text and shape.declared == name:  # cast when it is looked at
                    return _Value(value.node, Answer(name, serialized), value.ready)
                if shape.type_name == "JSON" and name != "VARCHAR":
                    typed = Answer(name, serialized, through_json=True)
                    return _Value(value.node, typed, value.ready)
                if name == "VARCHAR" and not shape.through_json and shape.type_name != "JSON":
                    return _Value(value.node, Answer(name, serialized), value.ready)
            case shapes.Text() if name == "VARCHAR":
                return _Value(value.node, shape, value.ready)
            case shapes.List() | Struct() if _keeps_text(target, shape):
                return _Value(node, shape, value.ready)
        return self._inspecting(expression)

    def _case(self, expression: Node) -> _Value:
        conditions = [
            self._inspected(self.value(c["when_expr"])) for c in expression["case_checks"]
        ]
        branches = [self.value(c["then_expr"]) for c in expression["case_checks"]]
        branches.append(self.value(expression["else_expr"]))
        shape: Shape | None = branches[0].shape
        for branch in branches[1:]:
            shape = None if shape is None else shapes.joined(shape, branch.shape)
        if shape is None:
            branches = [self._inspected(b) for b in branches]
            shape = CLEAN
        ready = branches[-1].ready
        for condition, branch in zip(reversed(conditions), reversed(branches[:-1]), strict=True):
            if ready is not None or branch.ready is not None:
                ready = tree.case(
                    (condition.node, branch.ready or tree.TRUE),
                    otherwise=ready or tree.TRUE,
                )
            ready = _both(condition.ready, ready)
        checks = [
            {**check, "when_expr": condition.node, "then_expr": branch.node}
            for check, condition, branch in zip(
                expression["case_checks"], conditions, branches[:-1], strict=True
            )
        ]
        node = {**expression, "case_checks": checks, "else_expr": branches[-1].node}
        return _Value(node, shape, ready)

    def _conjunction(self, expression: Node) -> _Value:
        """AND and OR: a part that waits is looked at only where those before leave it open."""
        values = [self._inspected(self.value(c)) for c in expression["children"]]
        plain = [v for v in values if v.ready is None]
        waiting = [v for v in values if v.ready is not None]
        kind = expression["type"]
        whole = {**expression, "children": [v.node for v in values]}
        if not waiting:
            return _Value(whole, CLEAN)
        is_and = kind == "CONJUNCTION_AND"
        decided = tree.FALSE if is_and else tree.TRUE

        def closed(node: Node) -> Node:
            return tree.negation(node) if is_and else node

        first = tree.conjunction([v.node for v in plain], kind)
        checks = [] if first is None else [(closed(first), decided)]
        checks += [(closed(v.node), decided) for v in waiting[:-1]]
        node = tree.case(*checks, otherwise=whole) if checks else whole
        ready = waiting[-1].ready
        for value in reversed(waiting[:-1]):
            ready = _both(value.ready, tree.case((closed(value.node), tree.TRUE), otherwise=ready))
        if first is not None:
            ready = tree.case((closed(first), tree.TRUE), otherwise=ready)
        return _Value(node, CLEAN, ready)

    def _operator(self, expression: Node) -> _Value:
        children = expression["children"]
        match expression["type"]:
            case "OPERATOR_COALESCE":
                return self._carrying(expression, _concatenated)
            case "ARRAY_EXTRACT" | "STRUCT_EXTRACT":
                return self._extracted(expression, children)
            case _:
                return self._inspecting(expression)

    def _function(self, expression: Node) -> _Value:
        name = expression["function_name"]
        arguments = tree.arguments(expression)
        if name in (LLM, LLM_INFO):
            return self._call(expression, INFO if name == LLM_INFO else CALL)
        if any(a.get("class") == "LAMBDA" for a in arguments):
            return self._with_lambda(expression)
        if self._is_aggregate(expression):
            return self._aggregate(expression)
        if name in _CONCATENATING and not any(
            isinstance(self.value(a).shape, shapes.List) for a in arguments
        ):
            return self._carrying(expression, _concatenated)
        if name in ("list_value", "list_pack"):
            return self._carrying(expression, _listed)
        if name in _LIST_JOINING or name == "||":
            return self._carrying(expression, _chained)
        if name in ("struct_pack", "row"):
            return self._carrying(expression, lambda found: _packed(expression, found))
        if name == "unnest" and len(arguments) == 1:
            value = self.value(arguments[0])
            if isinstance(value.shape, shapes.List):
                return self._carrying(expression, lambda found: _item(found))
        if name in ("struct_extract", "array_extract", "list_extract", "list_element"):
            return self._extracted(expression, arguments)
        return self._inspecting(expression)

    def _call(self, expression: Node, name: str) -> _Value:
        """An LLM call: prompt, system and history are carried into it."""
        site, *parts = tree.arguments(expression)
        if tree.constant_integer(site) is None:
            raise Unsupported("a call without a fixed site")
        ready: Node | None = None
        nodes = [integer(self.rewriter.statement), site]
        for part in parts:
            value = self.value(part)
            if not shapes.carried_inside(value.shape):
                value = self._inspected(value)
            ready = _both(ready, value.ready)
            nodes.append(value.node)
        number = tree.constant_integer(site)
        assert number is not None
        declared = "JSON" if name == INFO else self.rewriter.declared[number]
        varchar = tree.type_key(tree.type_node("VARCHAR"))
        return _Value(function(name, *nodes), Answer("VARCHAR", varchar, declared=declared), ready)

    def _extracted(self, expression: Node, arguments: Sequence[Node]) -> _Value:
        """A field of a struct or an element of a list at a plain index."""
        value = self.value(arguments[0])
        key = tree.constant_text(arguments[1]) if len(arguments) == 2 else None
        match value.shape:
            case Answer(type_name="STRUCT", through_json=True) if key is not None:
                for child in json.loads(value.shape.type_json)["children"]:
                    if child["alias"].lower() == key.lower():
                        node = function(FIELD, value.node, tree.text(child["alias"]))
                        kind = str(child["type_name"]).upper()
                        nested = kind in ("STRUCT", "LIST", "MAP", "JSON")
                        shape = Answer(kind, tree.type_key(child), nested)
                        return _Value(node, shape, value.ready)
            case Struct() if key is not None and value.shape.field(key) is not None:
                field = value.shape.field(key)
                return self._carrying(expression, lambda _: field)
            case shapes.List() if len(arguments) == 2 and is_clean(self.value(arguments[1]).shape):
                return self._carrying(expression, _item)
        return self._inspecting(expression)

    def _with_lambda(self, expression: Node) -> _Value:
        """list_transform and its kin: lists are inspected; a lambda may not catch an answer."""
        ready: Node | None = None
        names: set[str] = set()
        for argument in tree.arguments(expression):
            if argument["class"] == "LAMBDA":
                names |= {
                    n["column_names"][-1].lower()
                    for n in tree.walk(argument.get("lhs"))
                    if n.get("class") == "COLUMN_REF"
                }

        def part(child: Node) -> Node:
            nonlocal ready
            if child["class"] == "LAMBDA":
                outer, self.parameters = self.parameters, self.parameters | names
                body = self.value(child["expr"])
                self.parameters = outer
                if body.ready is not None or not is_clean(body.shape):
                    raise Unsupported("a lambda that reads an answer from outside")
                return child
            value = self._inspected(self.value(child))
            ready = _both(ready, value.ready)
            return value.node

        return _Value(tree.map_expressions(expression, part), CLEAN, ready)

    def _row_value(self, expression: Node, inspect: bool) -> _Value:
        """An argument of an aggregate or a window: the rows wait, before they are combined."""
        value = self.value(expression)
        if inspect or not shapes.carried_inside(value.shape):
            value = self._inspected(value)
        if value.ready is not None:
            stage = self._stage(value.ready)
            self.guards[stage] = _both(self.guards[stage], value.ready)
            value = _Value(tree.case((value.ready, value.node)), value.shape)
        return value

    def _aggregate(self, expression: Node) -> _Value:
        groups, clause = self.groups, self.clause
        self.groups, self.clause = {}, "WHERE"
        value = self._aggregated(expression)
        self.groups, self.clause = groups, clause
        return value

    def _aggregated(self, expression: Node) -> _Value:
        name = expression["function_name"]
        arguments = tree.arguments(expression)
        carrying = _CONCAT_AGGREGATES | _COLLECTING | _CHOOSING | _CHOOSING_NOT_NULL
        carried = int(name in carrying and len(arguments) in (1, 2) and not expression["distinct"])
        found: list[Shape] = []
        counted = 0

        def part(child: Node) -> Node:
            nonlocal counted
            is_argument = counted < len(arguments) and child is arguments[counted]
            inspect = not (is_argument and counted < carried)
            counted += is_argument
            value = self._row_value(child, inspect)
            found.append(value.shape)
            return value.node

        rewritten_arguments = [
            {**a, "expression": part(a["expression"])} for a in expression["arguments"]
        ]
        rest = tree.map_expressions({**expression, "arguments": []}, part)
        node = {**rest, "arguments": rewritten_arguments}
        shape = CLEAN
        if carried and not is_clean(found[0]):
            shape = shapes.List(found[0]) if name in _COLLECTING else found[0]
            passes_nulls = name in _COLLECTING | _CHOOSING
            if is_textual(shape) and not passes_nulls:  # an answer that is NULL is left out
                shape = TEXT
        return _Value(node, shape)

    def _window(self, expression: Node) -> _Value:
        carried = int(expression["type"] in _CARRYING_WINDOWS and not expression["ignore_nulls"])
        name = expression.get("function_name", "")
        if name in _CONCAT_AGGREGATES | _COLLECTING and not expression["distinct"]:
            carried = 1
        arguments = tree.arguments(expression)
        found: list[Shape] = []
        new_arguments = []
        for number, argument in enumerate(expression["arguments"]):
            value = self._row_value(argument["expression"], number >= carried)
            found.append(value.shape)
            new_arguments.append({**argument, "expression": value.node})
        rest = tree.map_expressions(
            {**expression, "arguments": []},
            lambda child: self._row_value(child, True).node,
        )
        shape: Shape = CLEAN
        if expression["type"] == "WINDOW_ROW_NUMBER" and not expression["partitions"]:
            shape = shapes.RowNumber()
        if carried and arguments and not is_clean(found[0]):
            if name in _COLLECTING:
                shape = shapes.List(found[0])
            elif name in _CONCAT_AGGREGATES:
                shape = TEXT
            else:
                shape = found[0]
        return _Value({**rest, "arguments": new_arguments}, shape)


def _concatenated(found: list[Shape]) -> Shape | None:
    if all(is_clean(s) for s in found):
        return CLEAN
    return TEXT if all(is_textual(s) for s in found) else None


def _listed(found: list[Shape]) -> Shape | None:
    if all(is_clean(s) for s in found):
        return CLEAN
    item: Shape | None = found[0]
    for other in found[1:]:
        item = None if item is None else shapes.joined(item, other)
    return None if item is None else shapes.List(item)


def _chained(found: list[Shape]) -> Shape | None:
    if all(is_clean(s) for s in found):
        return CLEAN
    result: Shape | None = found[0]
    for other in found[1:]:
        result = None if result is None else shapes.joined(result, other)
    return result if isinstance(result, shapes.List) else None


def _packed(expression: Node, found: list[Shape]) -> Shape | None:
    if all(is_clean(s) for s in found):
        return CLEAN
    names = [a["name"] or f"v{i + 1}" for i, a in enumerate(expression["arguments"])]
    return Struct(tuple(zip(names, found, strict=True)))


def _item(found: list[Shape]) -> Shape | None:
    return found[0].item if isinstance(found[0], shapes.List) else None


def _keeps_text(target: Node, shape: Shape) -> bool:
    """A cast between containers that leaves every text inside as it is."""
    name = str(target.get("type_name", "")).upper()
    children = target.get("children", [])
    match shape:
        case shapes.List(item) if name == "LIST":
            return _keeps_text(children[0], item)
        case Struct(fields) if name == "STRUCT":
            return len(children) == len(fields) and all(
                child["alias"].lower() == key.lower() and _keeps_text(child, inner)
                for child, (key, inner) in zip(children, fields, strict=True)
            )
        case _ if is_clean(shape):
            return True
        case _:
            return name == "VARCHAR"


def _conjuncts(expression: Node) -> list[Node]:
    if expression["class"] == "CONJUNCTION" and expression["type"] == "CONJUNCTION_AND":
        return [part for child in expression["children"] for part in _conjuncts(child)]
    return [expression]


def _calls_inside(node: Node) -> bool:
    return any(
        n.get("class") == "FUNCTION" and n.get("function_name") in (LLM, LLM_INFO)
        for n in tree.walk(node)
    )


def _column_name(expression: Node) -> str:
    return str(expression["column_names"][-1]) if expression["class"] == "COLUMN_REF" else ""
