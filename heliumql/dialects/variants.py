"""VARIANT: `v:a` compares and prints as the value in it, JSON of DuckDB as its text in quotes.

So what is taken out of one must be cast, as its author would write it anyway, or only carried.
"""

from __future__ import annotations

from sqlglot import exp

from heliumql.dialects.mistakes import mistake

_CARRYING = (exp.Alias, exp.Select, exp.Is, exp.Count, exp.Paren, exp.TryCast, exp.Cast)


def with_variants_cast(tree: exp.Expr, dialect: str) -> exp.Expr:
    """The tree in which a cast of a VARIANT to text gives the text in it; raises BindError where
    one that is not cast is looked at."""
    names = _variant_names(tree)
    for node in list(tree.find_all(exp.JSONExtract, exp.ParseJSON, exp.Column)):
        is_name = isinstance(node, exp.Column)
        if is_name and (node.name.lower() not in names or isinstance(node.this, exp.Star)):
            continue
        parent = node.parent
        while isinstance(parent, exp.Paren):
            parent = parent.parent
        if isinstance(parent, exp.Cast) and parent.args["to"].this in (
            exp.DType.TEXT,
            exp.DType.VARCHAR,
        ):
            parent.replace(_text(node))
        elif isinstance(parent, exp.JSONExtract | exp.JSONExtractScalar) and (
            parent.this.unnest() is node
        ):
            continue
        elif not isinstance(parent, _CARRYING):
            hint = f"cast it: {node.sql(dialect)}::string"
            raise mistake("a VARIANT is looked at without a cast", node, hint)
        elif dialect == "databricks" and not isinstance(parent, exp.Cast):
            hint = f"cast it: {node.sql(dialect)}::string"
            raise mistake("whether this is a text or a VARIANT is not known", node, hint)
    return tree


def _variant_names(tree: exp.Expr) -> set[str]:
    """Names that only VARIANTs have, in lower case."""
    found: dict[str, bool] = {}
    for alias in tree.find_all(exp.Alias):
        value = alias.this.unnest()
        made = value.this if isinstance(value, exp.Nullif) else value  # of an AI function
        is_json = isinstance(made, exp.JSONExtract | exp.ParseJSON) or (
            isinstance(made, exp.Cast) and made.args["to"].this == exp.DType.JSON
        )
        name = alias.alias.lower()
        found[name] = is_json and found.get(name, True)
    return {name for name, is_json in found.items() if is_json}


def _text(node: exp.Expr) -> exp.Expr:
    """The value as a text without quotes."""
    if isinstance(node, exp.JSONExtract):
        return exp.JSONExtractScalar(this=node.this, expression=node.expression)
    root = exp.JSONPath(expressions=[exp.JSONPathRoot()])
    return exp.JSONExtractScalar(this=node.copy(), expression=root)
