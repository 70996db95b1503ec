"""AI functions in a parsed statement, replaced by LLM verbs."""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from heliumql.dialects.answers import Functions, Parts
from heliumql.dialects.calls import Given
from heliumql.dialects.mistakes import mistake


def carried(tree: exp.Expr, masked: Mapping[str, str], functions: Functions) -> exp.Expr:
    """The tree with LLM verbs in it; `masked` has the names of the functions by their masks."""
    found = [n for n in tree.walk() if isinstance(n, exp.Anonymous) and n.this in masked]
    for node in found:
        node.set("this", f"AI:{masked[node.this]}")
    for node in reversed(found):  # the innermost first
        tree = _replaced(tree, node, functions)
    for node in tree.find_all(exp.Anonymous):
        if str(node.this).startswith("AI:"):
            name = str(node.this).removeprefix("AI:")
            hint = functions[name]
            raise mistake(
                f"{name} cannot stand here", node, hint if isinstance(hint, str) else None
            )
    return tree


def _replaced(tree: exp.Expr, node: exp.Anonymous, functions: Functions) -> exp.Expr:
    name = str(node.this).removeprefix("AI:")
    function = functions[name]
    if isinstance(function, str):
        return tree  # PROMPT, which the call around it takes in
    if isinstance(node.parent, exp.WithinGroup | exp.Window | exp.Filter):
        kind = "OVER" if isinstance(node.parent, exp.Window) else "WITHIN GROUP"
        if not isinstance(node.parent, exp.Filter):
            raise mistake(f"{kind} of {name} cannot be carried over", node, None)
    for argument in node.expressions:
        if isinstance(argument, exp.Distinct | exp.Order):
            raise mistake(f"DISTINCT and ORDER BY of {name} cannot be carried over", argument, None)
    given = Given(name, node, function.parameters)
    result = function.translate(given)
    given.finished()
    target: exp.Expr = node
    if isinstance(result, Parts):
        target, path = _access(node)
        made = result.part(path) if path else None
        if made is None and result.whole is not None:
            target, made = node, result.whole
        if made is None:
            what = f"{path} of {name}" if path else f"the object that {name} gives"
            raise mistake(f"{what} cannot be carried over", node, result.hint)
        result = made
    result = result.copy()
    result.meta.update({k: v for k, v in node.meta.items() if k in ("start", "end")})
    if target is tree:
        return result
    target.replace(result)
    return tree


def _access(node: exp.Expr) -> tuple[exp.Expr, str]:
    """The expression that takes a part of what the node gives, and the path: `labels[0]`."""
    path = ""
    while True:
        match node.parent:
            case exp.Paren() as parent:
                node = parent
            case exp.JSONExtract(this=inner) as parent if inner is node:
                path += _json_path(parent.expression)
                node = parent
            case exp.Dot(this=inner) as parent if inner is node and isinstance(
                parent.expression, exp.Identifier
            ):
                path += "." + parent.expression.name
                node = parent
            case _:
                return node, path.lstrip(".")


def _json_path(path: exp.Expr) -> str:
    text = ""
    for part in path.expressions:
        match part:
            case exp.JSONPathKey():
                text += f".{part.this}"
            case exp.JSONPathSubscript():
                text += f"[{part.this}]"
    return text
