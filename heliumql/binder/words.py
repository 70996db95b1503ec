"""Expressions of a bound query in the user's words, and as parts of a template.

`Words` says of an expression how it reads with the names of tables, columns and calls, and what a
message made of it holds: text, columns, answers. `binder/logical.py` calls it block by block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce

from heliumql.binder import tree
from heliumql.binder.cuts import LLM, LLM_INFO, calls_inside
from heliumql.binder.tree import Node, arguments, constant_integer, constant_text
from heliumql.prompts import Parts, Placeholder, Role, Text, joined

_COMPARISONS = {
    "COMPARE_EQUAL": "=",
    "COMPARE_NOTEQUAL": "<>",
    "COMPARE_LESSTHAN": "<",
    "COMPARE_GREATERTHAN": ">",
    "COMPARE_LESSTHANOREQUALTO": "<=",
    "COMPARE_GREATERTHANOREQUALTO": ">=",
    "COMPARE_DISTINCT_FROM": "IS DISTINCT FROM",
    "COMPARE_NOT_DISTINCT_FROM": "IS NOT DISTINCT FROM",
    "COMPARE_IN": "IN",
    "COMPARE_NOT_IN": "NOT IN",
}
_INFIX = {"||", "+", "-", "*", "/", "//", "%", "^", "**", "&", "|", "~~", "!~~", "~~*", "!~~*"}
_LIKE = {"~~": "LIKE", "!~~": "NOT LIKE", "~~*": "ILIKE", "!~~*": "NOT ILIKE"}
_CARRYING = {
    *("||", "concat", "concat_ws", "string_agg", "listagg", "group_concat", "list", "array_agg"),
    *("list_value", "list_concat", "list_cat", "struct_pack", "row", "coalesce", "first", "last"),
    *("arbitrary", "any_value", "struct_extract", "array_extract"),
}
_WIDENING = {"BIGINT", "DOUBLE", "HUGEINT", "VARCHAR"}  # casts that DuckDB puts in by itself
_LONGEST = 120


@dataclass(frozen=True)
class Shown:
    """An expression: how it reads, and what is in it.

    `inside` are the sites whose answers it holds, `reads` those whose answers it looks at.
    """

    text: str
    parts: Parts
    inside: frozenset[int] = frozenset()
    reads: frozenset[int] = frozenset()
    answers: int = 0  # how many of them it holds and looks at
    atomic: bool = True
    typed: bool = False  # an answer of another type than VARCHAR, or a field of one
    messages: Parts | None = None  # of a list of messages
    fields: Mapping[str, Shown] = field(default_factory=dict, compare=False)

    @property
    def waits_for(self) -> frozenset[int]:
        """The sites that a condition made of it waits for."""
        return self.inside | self.reads

    @property
    def in_infix(self) -> str:
        return self.text if self.atomic else f"({self.text})"


Columns = dict[str, dict[str, Shown]]  # by alias and name, in lower case
Call = Callable[[Node], Shown]  # an LLM call that stands in the block


def plain(text: str) -> Shown:
    """A column or another value that no answer is in."""
    return Shown(text, (Placeholder(text),))


def shortened(text: str, longest: int = _LONGEST) -> str:
    line = " ".join(text.split())
    return line if len(line) <= longest else line[: longest - 2] + ".."


class Words:
    """The expressions of one SELECT block."""

    def __init__(
        self,
        columns: Columns,
        call: Call,
        names: Callable[[int], str],
        decided: Callable[[Shown], None],
    ) -> None:
        """`decided` is told of conditions that what comes after them in the block depends on."""
        self.columns = columns
        self._call = call
        self._names = names
        self._decided = decided

    def shown(self, node: Node) -> Shown:
        match node["class"]:
            case "COLUMN_REF":
                return self._column(node["column_names"])
            case "CONSTANT":
                return _constant(node)
            case "CAST":
                return self._cast(node)
            case "FUNCTION":
                return self._function(node)
            case "COMPARISON":
                left, right = self.shown(node["left"]), self.shown(node["right"])
                sign = _COMPARISONS.get(node["type"], "?")
                return self._looked(f"{left.in_infix} {sign} {right.in_infix}", (left, right))
            case "CONJUNCTION":
                children = self._one_by_one(node["children"])
                word = " AND " if node["type"] == "CONJUNCTION_AND" else " OR "
                return self._looked(word.join(c.in_infix for c in children), children)
            case "OPERATOR":
                return self._operator(node)
            case "CASE":
                return self._case(node)
            case "COLLATE":
                return self.shown(node["child"])
            case "WINDOW":
                return self._window(node)
            case "BETWEEN":
                parts = [self.shown(node[k]) for k in ("input", "lower", "upper")]
                text = f"{parts[0].in_infix} BETWEEN {parts[1].in_infix} AND {parts[2].in_infix}"
                return self._looked(text, parts)
            case "LAMBDA":
                return self._looked("a lambda", self._children(node), atomic=True)
            case other:
                return self._looked(other.lower(), self._children(node), atomic=True)

    # expressions --------------------------------------------------------------------------

    def _column(self, names: Sequence[str]) -> Shown:
        name = names[-1].lower()
        if len(names) > 1:
            known = self.columns.get(names[-2].lower(), {}).get(name)
            return known or plain(".".join(names[-2:]))
        found = [t[name] for t in self.columns.values() if name in t]
        return found[0] if found else plain(names[-1])

    def _cast(self, node: Node) -> Shown:
        child = self.shown(node["child"])
        target = str(node["type_expr"].get("type_name", "")).upper()
        if node["try_cast"]:
            return self._looked(f"TRY_CAST({child.text} AS {target})", (child,), atomic=True)
        if node["child"]["class"] == "CONSTANT" or child.typed or child.fields:
            return child
        if child.messages is not None or (target == "VARCHAR" and child.inside):
            return child
        if not child.inside and (target in _WIDENING or node["child"]["class"] != "COLUMN_REF"):
            return child  # DuckDB's own
        text = f"{child.in_infix}::{target}"
        return self._looked(text, (child,), atomic=True)

    def _function(self, node: Node) -> Shown:
        name = node["function_name"]
        if name in (LLM, LLM_INFO):
            called = self._call(node)
            if name == LLM_INFO:
                return replace(called, text=f"{called.text}.llm")
            return called
        if name.startswith("__hql_"):  # a rule's own: the last argument is the user's
            return self.shown(arguments(node)[-1])
        values = [self.shown(a) for a in arguments(node)]
        match name:
            case "struct_pack" | "row":
                return self._struct(node, values)
            case "struct_extract" | "array_extract" if len(values) == 2:
                return self._extracted(values[0], constant_text(arguments(node)[1]))
            case "list_value":
                return self._list(values)
            case "list_concat" | "list_cat" | "array_concat" | "array_cat":
                messages = [v.messages for v in values]
                held = self._held(f"{name}({_listed(values)})", values)
                if all(m is not None for m in messages):
                    return replace(held, messages=tuple(p for m in messages for p in m or ()))
                return held
            case "||":
                both = self._held(" || ".join(v.in_infix for v in values), values, atomic=False)
                return replace(both, parts=joined(p for v in values for p in v.parts))
            case "concat":
                held = self._held(f"concat({_listed(values)})", values)
                return replace(held, parts=joined(p for v in values for p in v.parts))
        if name in _INFIX and len(values) == 2:
            text = f"{values[0].in_infix} {_LIKE.get(name, name)} {values[1].in_infix}"
            return self._looked(text, values)
        distinct = "DISTINCT " if node.get("distinct") else ""
        text = f"{name}({distinct}{_listed(values)})" if name != "count_star" else "count(*)"
        orders = [self.shown(o["expression"]) for o in (node.get("order_bys") or {})["orders"]]
        if node.get("filter"):
            orders.append(self.shown(node["filter"]))
            text += f" FILTER (WHERE {orders[-1].text})"
        if name in _CARRYING and not distinct:
            held = self._held(text, values)
            return replace(held, reads=held.reads | _inside(orders))
        return self._looked(text, [*values, *orders], atomic=True)

    def _struct(self, node: Node, values: Sequence[Shown]) -> Shown:
        names = [a.get("name") or v["alias"] for a, v in
                 zip(node["arguments"], arguments(node), strict=True)]  # fmt: skip
        held = self._held(f"{{{', '.join(v.text for v in values)}}}", values)
        return replace(held, fields=dict(zip(names, values, strict=True)))

    def _extracted(self, value: Shown, name: str | None) -> Shown:
        if name is not None and name in value.fields:
            return value.fields[name]
        text = f"{value.in_infix}.{name}" if name is not None else f"{value.in_infix}[..]"
        return replace(self._held(text, (value,)), typed=value.typed)

    def _list(self, values: Sequence[Shown]) -> Shown:
        held = self._held(f"[{_listed(values)}]", values)
        if all({"role", "content"} <= v.fields.keys() for v in values):
            parts: list[Role | Text | Placeholder] = []
            for value in values:
                parts.append(Role(value.fields["role"].text.strip("'")))
                parts += value.fields["content"].parts
            return replace(held, messages=tuple(parts))
        return held

    def _operator(self, node: Node) -> Shown:
        children = [self.shown(c) for c in node["children"]]
        first = children[0]
        match node["type"]:
            case "OPERATOR_NOT":
                return self._looked(f"NOT {first.in_infix}", children)
            case "OPERATOR_IS_NULL":
                return self._looked(f"{first.in_infix} IS NULL", children)
            case "OPERATOR_IS_NOT_NULL":
                return self._looked(f"{first.in_infix} IS NOT NULL", children)
            case "COMPARE_IN" | "COMPARE_NOT_IN":
                sign = _COMPARISONS[node["type"]]
                return self._looked(f"{first.in_infix} {sign} ({_listed(children[1:])})", children)
            case "OPERATOR_COALESCE":
                return self._held(f"coalesce({_listed(children)})", children)
            case "STRUCT_EXTRACT" | "ARRAY_EXTRACT" if len(children) == 2:
                return self._extracted(first, constant_text(node["children"][1]))
            case other:
                name = other.removeprefix("OPERATOR_").lower()
                return self._looked(f"{name}({_listed(children)})", children, atomic=True)

    def _one_by_one(self, parts: Sequence[Node]) -> list[Shown]:
        """Parts of AND or OR: a call is asked where those before it leave the value open."""
        found: list[Shown] = []
        for part in parts:
            waiting = [f for f in found if f.waits_for]
            if waiting and calls_inside(part):
                self._decided(self._looked(" and ".join(f.text for f in waiting), waiting))
            found.append(self.shown(part))
        return found

    def _case(self, node: Node) -> Shown:
        whens = self._one_by_one([c["when_expr"] for c in node["case_checks"]])
        branches = [*(c["then_expr"] for c in node["case_checks"]), node["else_expr"]]
        waiting = [w for w in whens if w.waits_for]
        if waiting and any(map(calls_inside, branches)):
            self._decided(self._looked(" and ".join(w.text for w in waiting), waiting))
        *thens, otherwise = [self.shown(b) for b in branches]
        checks = list(zip(whens, thens, strict=True))
        checks = [(w, t) for w, t in checks if w.text.lower() not in ("false", "'false'", "'f'")]
        if not checks:
            return otherwise
        if any(t.messages is not None for _, t in checks) or otherwise.messages is not None:
            # A history or none: the one that says something stands for both.
            found = [t for _, t in checks if t.messages] + [otherwise]
            return found[0]
        text = " ".join(f"WHEN {w.text} THEN {t.text}" for w, t in checks)
        values = [t for _, t in checks] + [otherwise]
        held = self._held(f"CASE {text} ELSE {otherwise.text} END", values)
        return replace(held, reads=held.reads | _inside(w for w, _ in checks))

    def _window(self, node: Node) -> Shown:
        values = [self.shown(c) for c in _expressions(node.get("children") or node["arguments"])]
        keys = [self.shown(p) for p in node.get("partitions") or ()]
        orders = [self.shown(o["expression"]) for o in node.get("orders") or ()]
        over = " ".join(
            f"{word} {_listed(found)}"
            for word, found in (("PARTITION BY", keys), ("ORDER BY", orders))
            if found
        )
        rest = [self.shown(node["filter_expr"])] if node.get("filter_expr") else []
        name = node.get("function_name") or node["type"].lower()
        name = f"{name}({_listed(values)})" if name != "count_star" else "count(*)"
        name += f" FILTER (WHERE {rest[0].text})" if rest else ""
        return self._looked(f"{name} OVER ({over})", [*values, *keys, *orders, *rest])

    def _children(self, node: Node) -> list[Shown]:
        found: list[Shown] = []

        def noted(child: Node) -> Node:
            found.append(self.shown(child))
            return child

        tree.map_expressions(node, noted)
        return found

    # what is inside -----------------------------------------------------------------------

    def _held(self, text: str, values: Iterable[Shown], *, atomic: bool = True) -> Shown:
        """A value that carries what is in these."""
        values = list(values)
        inside = _union(v.inside for v in values)
        return Shown(
            text,
            (Placeholder(shortened(text, 60), self._operators(inside)),),
            inside,
            _union(v.reads for v in values),
            sum(v.answers for v in values),
            atomic,
        )

    def _looked(self, text: str, values: Iterable[Shown], *, atomic: bool = False) -> Shown:
        """A value that can be computed only when the answers in these are there."""
        values = list(values)
        reads, answers = _inside(values), sum(v.answers for v in values)
        placeholder = Placeholder(shortened(text, 60), self._operators(reads))
        return Shown(text, (placeholder,), reads=reads, answers=answers, atomic=atomic)

    def _operators(self, sites: frozenset[int]) -> tuple[str, ...]:
        return tuple(self._names(s) for s in sorted(sites))


def site_of(call: Node) -> int:
    """The number of the site of a call."""
    number = constant_integer(arguments(call)[0])
    assert number is not None
    return number


def _constant(node: Node) -> Shown:
    literal = node["literal"]
    match literal["kind"]:
        case "STRING":
            text = str(literal["text"])
            written = text.replace("'", "''").replace("\n", "\\n")
            return Shown(f"'{written}'", (Text(text),))
        case "NULL_LITERAL":
            return Shown("NULL", ())
        case _:
            return Shown(str(literal["text"]), (Text(str(literal["text"])),))


def _expressions(children: Sequence[Node]) -> list[Node]:
    return [c["expression"] if "expression" in c and "class" not in c else c for c in children]


def _listed(values: Iterable[Shown]) -> str:
    return ", ".join(v.text for v in values)


def _union(sets: Iterable[frozenset[int]]) -> frozenset[int]:
    return reduce(frozenset.union, sets, frozenset())


def _inside(values: Iterable[Shown]) -> frozenset[int]:
    return _union(v.waits_for for v in values)
