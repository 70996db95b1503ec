"""Carry or inspect, expression by expression: which functions references may pass through."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

from heliumql.binder import shape as shapes
from heliumql.binder import tree
from heliumql.binder.cuts import (
    CALL,
    FIELD,
    INFO,
    LLM,
    LLM_INFO,
    Cut,
    Queries,
    Relation,
    Unsupported,
    Value,
    both,
    calls_inside,
)
from heliumql.binder.shape import CLEAN, TEXT, Answer, Shape, Struct, is_clean, is_textual
from heliumql.binder.tree import Node, function, integer

_CONCATENATING = {"||", "concat", "concat_ws"}
_LIST_JOINING = {"list_concat", "list_cat", "array_concat", "array_cat"}
_COLLECTING = {"list", "array_agg"}
_CHOOSING = {"first", "last", "arbitrary", "arg_min_null", "arg_max_null"}
_CHOOSING_NOT_NULL = {"any_value", "arg_min", "arg_max", "min_by", "max_by"}
_CONCAT_AGGREGATES = {"string_agg", "listagg", "group_concat"}
_CARRYING_WINDOWS = {
    "WINDOW_LAG", "WINDOW_LEAD", "WINDOW_FIRST_VALUE", "WINDOW_LAST_VALUE", "WINDOW_NTH_VALUE",
}  # fmt: skip


class Expressions:
    """The expressions of one SELECT block; the block says what its columns hold.

    `value` is the way in: an expression rewritten, with its shape and what it waits for.
    """

    def __init__(self, rewriter: Queries, scope: Mapping[str, Relation]) -> None:
        self.rewriter = rewriter
        self.scope = scope
        self.environment: dict[str, dict[str, Shape]] = {}
        self.relation = Relation(())
        self.groups: dict[str, Value] = {}
        self.parameters: frozenset[str] = frozenset()  # of lambdas: values already inspected
        self.guards: dict[str, Node | None] = {"WHERE": None, "HAVING": None, "QUALIFY": None}
        self.stage_cuts: dict[str, Cut] = {}
        self.clause = "WHERE"
        self.grouped = False
        self.pairs = False  # the rows are pairs of a join
        self._known: dict[tuple[int, str, bool, frozenset[str]], Value] = {}

    def value(self, expression: Node) -> Value:
        """The expression rewritten, with what may be inside it and what it waits for."""
        known = self.groups.get(tree.meaning(expression)) if self.groups else None
        if known is not None:
            return known
        # Rules look at their arguments before they decide: each expression is rewritten once.
        key = (id(expression), self.clause, bool(self.groups), self.parameters)
        if key not in self._known:
            self._known[key] = self._value(expression)
        return self._known[key]

    def _value(self, expression: Node) -> Value:
        match expression["class"]:
            case "CONSTANT" | "TYPE" | "PARAMETER" | "DEFAULT":
                return Value(expression, CLEAN)
            case "COLUMN_REF":
                return Value(expression, self._column(expression["column_names"]))
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
                if calls_inside(expression) or self.scope:
                    raise Unsupported(f"a {expression['class'].lower()} left in a bound query")
                return Value(expression, CLEAN)
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
            cut = self.rewriter.new_cut(level, stage, self.pairs)
            self.stage_cuts[stage] = cut
        return cut

    def _inspected(self, value: Value) -> Value:
        """The value as the query sees it, waiting for every answer inside it."""
        if is_clean(value.shape):
            return value
        look = self.rewriter.ready(self._cut(value.node), value.node, value.shape)
        return Value(shapes.realized(value.node, value.shape), CLEAN, both(value.ready, look))

    def _inspecting(self, expression: Node) -> Value:
        """Any expression that is not known to carry: all its parts are inspected."""
        ready: Node | None = None

        def part(child: Node) -> Node:
            nonlocal ready
            value = self._inspected(self.value(child))
            ready = both(ready, value.ready)
            return value.node

        node = tree.map_expressions(expression, part)
        return Value(node, CLEAN, ready)

    def _carrying(self, expression: Node, shape: Callable[[list[Shape]], Shape | None]) -> Value:
        """A function whose arguments are carried; answers of other types are inspected first."""
        ready: Node | None = None
        found: list[Shape] = []

        def part(child: Node) -> Node:
            nonlocal ready
            value = self.value(child)
            if not shapes.carried_inside(value.shape):
                value = self._inspected(value)
            ready = both(ready, value.ready)
            found.append(value.shape)
            return value.node

        node = tree.map_expressions(expression, part)
        result = shape(found)
        if result is None:
            return self._inspecting(expression)
        return Value(node, result, ready)

    def _cast(self, expression: Node) -> Value:
        value = self.value(expression["child"])
        target, shape = expression["type_expr"], value.shape
        node = {**expression, "child": value.node}
        name = str(target.get("type_name", "")).upper()
        if is_clean(shape):
            return Value(node, CLEAN, value.ready)
        if expression["try_cast"]:
            return self._inspecting(expression)
        match shape:
            case Answer():
                serialized = tree.type_key(target)
                if shape.type_json == serialized:
                    return value
                if shape.is_text and shape.declared == name:  # cast when it is looked at
                    return Value(value.node, Answer(name, serialized), value.ready)
                if shape.type_name == "JSON" and name != "VARCHAR":
                    typed = Answer(name, serialized, through_json=True)
                    return Value(value.node, typed, value.ready)
                if name == "VARCHAR" and shape.is_as_printed:
                    return Value(value.node, Answer(name, serialized), value.ready)
            case shapes.Text() if name == "VARCHAR":
                return Value(value.node, shape, value.ready)
            case shapes.List() | Struct() if _keeps_text(target, shape):
                return Value(node, shape, value.ready)
        return self._inspecting(expression)

    def _case(self, expression: Node) -> Value:
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
            ready = both(condition.ready, ready)
        checks = [
            {**check, "when_expr": condition.node, "then_expr": branch.node}
            for check, condition, branch in zip(
                expression["case_checks"], conditions, branches[:-1], strict=True
            )
        ]
        node = {**expression, "case_checks": checks, "else_expr": branches[-1].node}
        return Value(node, shape, ready)

    def _conjunction(self, expression: Node) -> Value:
        """AND and OR: a part that waits is looked at only where those before leave it open."""
        values = [self._inspected(self.value(c)) for c in expression["children"]]
        plain = [v for v in values if v.ready is None]
        waiting = [v for v in values if v.ready is not None]
        kind = expression["type"]
        whole = {**expression, "children": [v.node for v in values]}
        if not waiting:
            return Value(whole, CLEAN)
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
            ready = both(value.ready, tree.case((closed(value.node), tree.TRUE), otherwise=ready))
        if first is not None:
            ready = tree.case((closed(first), tree.TRUE), otherwise=ready)
        return Value(node, CLEAN, ready)

    def _operator(self, expression: Node) -> Value:
        children = expression["children"]
        match expression["type"]:
            case "OPERATOR_COALESCE":
                return self._carrying(expression, _concatenated)
            case "ARRAY_EXTRACT" | "STRUCT_EXTRACT":
                return self._extracted(expression, children)
            case _:
                return self._inspecting(expression)

    def _function(self, expression: Node) -> Value:
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

    def _call(self, expression: Node, name: str) -> Value:
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
            ready = both(ready, value.ready)
            nodes.append(value.node)
        number = tree.constant_integer(site)
        assert number is not None
        declared = "JSON" if name == INFO else self.rewriter.declared[number]
        varchar = tree.type_key(tree.type_node("VARCHAR"))
        return Value(function(name, *nodes), Answer("VARCHAR", varchar, declared=declared), ready)

    def _extracted(self, expression: Node, arguments: Sequence[Node]) -> Value:
        """A field of a struct or an element of a list at a plain index."""
        value = self.value(arguments[0])
        key = tree.constant_text(arguments[1]) if len(arguments) == 2 else None
        match value.shape:
            case Answer(type_name="STRUCT", through_json=True) if key is not None:
                for child in json.loads(value.shape.type_json)["children"]:
                    if child["alias"].lower() == key.lower():
                        node = function(FIELD, value.node, tree.text(child["alias"]))
                        kind = str(child["type_name"]).upper()
                        if kind == "JSON":  # a field's text does not tell a string from a document
                            break
                        nested = kind in ("STRUCT", "LIST", "MAP")
                        shape = Answer(kind, tree.type_key(child), nested)
                        return Value(node, shape, value.ready)
            case Struct() if key is not None and value.shape.field(key) is not None:
                field = value.shape.field(key)
                return self._carrying(expression, lambda _: field)
            case shapes.List() if len(arguments) == 2 and is_clean(self.value(arguments[1]).shape):
                return self._carrying(expression, _item)
        return self._inspecting(expression)

    def _with_lambda(self, expression: Node) -> Value:
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
            ready = both(ready, value.ready)
            return value.node

        return Value(tree.map_expressions(expression, part), CLEAN, ready)

    def _row_value(self, expression: Node, inspect: bool) -> Value:
        """An argument of an aggregate or a window: the rows wait, before they are combined."""
        value = self.value(expression)
        if inspect or not shapes.carried_inside(value.shape):
            value = self._inspected(value)
        if value.ready is not None:
            stage = self._stage(value.ready)
            self.guards[stage] = both(self.guards[stage], value.ready)
            value = Value(tree.case((value.ready, value.node)), value.shape)
        return value

    def _aggregate(self, expression: Node) -> Value:
        groups, clause = self.groups, self.clause
        self.groups, self.clause = {}, "WHERE"
        value = self._aggregated(expression)
        self.groups, self.clause = groups, clause
        return value

    def _aggregated(self, expression: Node) -> Value:
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
        return Value(node, shape)

    def _window(self, expression: Node) -> Value:
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
        return Value({**rest, "arguments": new_arguments}, shape)

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

    def _is_aggregate(self, node: Node) -> bool:
        return node.get("class") == "FUNCTION" and node["function_name"] in self.rewriter.aggregates


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
