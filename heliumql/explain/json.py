"""An explanation as JSON: EXPLAIN (FORMAT json)."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from heliumql.explain.explanation import Explanation, Figure, OperatorShown, total
from heliumql.explain.schedule import GroupShown, ScheduleShown
from heliumql.explain.timeline import Lane
from heliumql.explain.tree import NodeShown
from heliumql.logical import Dag, Fetch, Generate, Query, described
from heliumql.prompts import Parts, Placeholder, Role, Text, shown

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
        "tree": _node(explanation.prompt_tree),
        "schedule": None if explanation.schedule is None else _schedule(explanation.schedule),
        "calls_expected": round(calls.value) if explanation.plan is not None else None,
        "seconds_expected": explanation.seconds,
        "price_expected": explanation.price,
        "notes": list(explanation.notes),
        "happened": None,
    }
    if explanation.happened is not None:
        stats = asdict(explanation.happened.stats)
        document["happened"] = {"rows": explanation.happened.rows, **stats, "timeline": []}
    text = json.dumps(document, indent=2, ensure_ascii=False)
    lanes = [_lane(lane) for timeline in explanation.timelines for lane in timeline.lanes]
    if lanes:  # a line each; in the text of a value its quotes would be escaped
        lines = ",\n".join(f"      {json.dumps(lane, ensure_ascii=False)}" for lane in lanes)
        text = text.replace('"timeline": []', f'"timeline": [\n{lines}\n    ]')
    return text


def _schedule(schedule: ScheduleShown) -> dict[str, Any]:
    """All tokens and seconds are estimates."""
    return {
        "policy": schedule.policy,
        "order": schedule.order,
        "calls": schedule.calls,
        "prompt_tokens": schedule.prompt_tokens,
        "hit_tokens_expected": schedule.hit_tokens,
        "seconds_expected": schedule.seconds,
        "others": [{"order": o, "seconds_expected": s} for o, s in schedule.others],
        "workers": [asdict(worker) for worker in schedule.workers],
        "groups": [_group(group) for group in schedule.groups],
        "more_groups": schedule.more_groups,
        "kept": [_group(group) for group in schedule.kept],
    }


def _group(group: GroupShown) -> dict[str, Any]:
    return {**asdict(group), "operators": list(group.operators), "workers": list(group.workers)}


def _lane(lane: Lane) -> dict[str, Any]:
    """A worker with its calls as columns; times are seconds since the engine's first call began."""
    operators = list(dict.fromkeys(bar.operator for bar in lane.bars))
    return {
        "engine": lane.engine,
        "worker": lane.worker,
        "calls": lane.calls,
        "seconds": round(lane.seconds, 6),
        "busy": None if lane.busy is None else round(lane.busy, 4),
        "idle_seconds": round(lane.idle_seconds, 6),
        "prompt_tokens": lane.prompt_tokens,
        "cached_tokens": lane.cached_tokens,
        "operators": operators,
        "timed": {
            "operator": [operators.index(bar.operator) for bar in lane.bars],
            "started": [round(bar.started, 6) for bar in lane.bars],
            "first_token": [
                None if bar.first_token is None else round(bar.first_token, 6) for bar in lane.bars
            ],
            "finished": [round(bar.finished, 6) for bar in lane.bars],
            "prompt_tokens": [bar.prompt_tokens for bar in lane.bars],
            "cached_tokens": [bar.cached_tokens for bar in lane.bars],
            "output_tokens": [bar.output_tokens for bar in lane.bars],
            "failed": [n for n, bar in enumerate(lane.bars) if bar.failed],
        },
    }


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


def _node(node: NodeShown) -> dict[str, Any]:
    return {
        "parts": _parts(node.parts),
        "tokens": round(node.tokens),
        "operators": list(node.operators),
        "reads": list(node.reads),
        "children": [_node(child) for child in node.children],
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
