"""An explanation as JSON: EXPLAIN (FORMAT json)."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from heliumql.explain.explanation import Explanation, Figure, OperatorShown, total
from heliumql.logical import Dag, Fetch, Generate, Query, described
from heliumql.prompts import Branch, Parts, Placeholder, Role, Text, shown

_FIGURES = ("rows", "calls", "fetched", "prompt_tokens", "output_tokens", "static_prefix_tokens")
_NAMES = {"calls": "calls_expected", "fetched": "calls_fetched"}


def as_json(explanation: Explanation) -> str:
    """One object. `estimated` names the numbers beside it that are not exact."""
    calls = total(o.calls or Figure(0) for o in explanation.operators)
    document = {
        "statement": explanation.statement,
        "plan": _plan(explanation.plan),
        "bound_plan": _plan(explanation.bound),
        "rules": [
            {"name": r.name, "fired": r.fired, "what": list(r.what)} for r in explanation.rules
        ],
        "operators": [_operator(o) for o in explanation.operators],
        "passes": {
            "expected": round(explanation.passes.value),
            "estimated": not explanation.passes.exact,
            "cuts": list(explanation.cuts),
        },
        "call_by_call": explanation.call_by_call or None,
        "tree": _branch(explanation.tree.root),
        "schedule": None,
        "calls_expected": round(calls.value) if explanation.plan is not None else None,
        "seconds_expected": explanation.seconds,
        "price_expected": explanation.price,
        "notes": list(explanation.notes),
        "happened": None,
    }
    if explanation.happened is not None:
        stats = asdict(explanation.happened.stats)
        document["happened"] = {"rows": explanation.happened.rows, **stats}
    return json.dumps(document, indent=2, ensure_ascii=False)


def _plan(plan: Dag | None) -> dict[str, Any] | None:
    """Nodes by id; inputs are ids."""
    if plan is None:
        return None
    nodes: dict[str, Any] = {}
    for number, node in enumerate(plan.nodes, 1):
        shown_node: dict[str, Any] = {
            "kind": type(node).__name__.lower(),
            "what": described(node),
            "inputs": [str(i + 1) for i in node.inputs],
        }
        if isinstance(node, Generate | Fetch):
            shown_node["operator"] = node.name
        if isinstance(node, Query) and node.waits:
            shown_node["waits_for_answers"] = [f"{w.clause}: {w.text}" for w in node.waits]
        nodes[str(number)] = shown_node
    return {"nodes": nodes, "output": str(len(plan.nodes))}


def _operator(operator: OperatorShown) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    estimated: list[str] = []
    for key in _FIGURES:
        figure: Figure | None = getattr(operator, key)
        name = _NAMES.get(key, key)
        figures[name] = None if figure is None else round(figure.value)
        if figure is not None and not figure.exact:
            estimated.append(name)
    return {
        "name": operator.name,
        "template": shown(operator.template),
        "model": operator.model,
        "returns": operator.returns,
        **figures,
        "estimated": estimated,
        "seconds_per_call": operator.seconds,
        "price_expected": operator.price,
        "cuts": list(operator.cuts),
        "happened": None if operator.spent is None else asdict(operator.spent),
    }


def _branch(branch: Branch) -> dict[str, Any]:
    return {
        "parts": _parts(branch.parts),
        "operators": list(branch.operators),
        "children": [_branch(child) for child in branch.children],
    }


def _parts(parts: Parts) -> list[dict[str, Any]]:
    result: list[dict[str, Any]] = []
    for part in parts:
        match part:
            case Role(name):
                result.append({"role": name})
            case Text(text):
                result.append({"text": text})
            case Placeholder(name, operators):
                result.append({"placeholder": name, "answers_of": list(operators)})
    return result
