"""What means the same in the other dialect and in what is written for DuckDB.

Everything that is not named here is refused: a parser that knows a function of one dialect and
writes one of another says nothing of NULLs, of where counting begins, of rounding. `rules.py`
looks at those named here that mean the same under a condition only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from sqlglot import exp

from heliumql.dialects.mistakes import mistake

# Nodes, with those of their arguments that may be there; '*' for all.
_ALL = "*"


def _each(names: str, arguments: str) -> Mapping[str, str]:
    return dict.fromkeys(names.split(), arguments)


_QUERY = (
    "with_ expressions distinct from_ joins where group having qualify windows order limit offset"
    " laterals"
)
_NODES: Mapping[str, str] = {
    # statements
    "Select": _QUERY,
    "Subquery": "this alias with_ order limit offset",
    "Union": "with_ this expression distinct order limit offset",
    "Except": "with_ this expression distinct order limit offset",
    "Intersect": "with_ this expression distinct order limit offset",
    "With": "expressions recursive",
    "CTE": "this alias",
    "Create": "this kind expression exists properties replace with_",
    "Properties": _ALL,
    "TemporaryProperty": "",
    "Insert": "this expression with_",
    "Schema": "this expressions",
    "Drop": "this tables kind exists cascade expressions",
    # clauses
    "From": "this",
    "Join": "this on side kind using method",
    "Where": "this",
    "Group": "expressions all grouping_sets cube rollup",
    "GroupingSets": "expressions",
    "Cube": "expressions",
    "Rollup": "expressions",
    "Having": "this",
    "Qualify": "this",
    "Order": "this expressions",
    "Ordered": "this desc nulls_first",
    "Limit": "expression",
    "Offset": "expression",
    "Distinct": "expressions on",
    "Values": "expressions alias",
    "Table": "this db catalog alias",
    "TableAlias": "this columns",
    "Lateral": "this alias view outer",
    "Unnest": "expressions alias",
    "Explode": "this",
    "Window": "this partition_by order spec alias over",
    "WindowSpec": _ALL,
    "Filter": "this expression",
    "WithinGroup": "this expression",
    # names and constants
    "Alias": "this alias",
    "Column": "this table db catalog",
    "Identifier": "this quoted",
    "Star": "except_ replace rename",
    "Dot": "this expression",
    "Literal": "this is_string",
    "RawString": "this",
    "Null": "",
    "Boolean": "this",
    "Var": "this",
    "Parameter": "this",
    "Placeholder": "this",
    "Interval": "this unit",
    "DataType": _ALL,
    "DataTypeParam": _ALL,
    "ColumnDef": "this kind",
    # operators
    **_each(
        "And Or EQ NEQ GT GTE LT LTE NullSafeEQ NullSafeNEQ Is Add Sub Mul Div IntDiv Mod Nullif",
        "this expression typed safe",
    ),
    "DPipe": "this expression safe",
    "Not": "this",
    "Neg": "this",
    "Paren": "this",
    "Tuple": "expressions",
    "Between": "this low high",
    "In": "this expressions query",
    "Exists": "this",
    "Like": "this expression negate",
    "ILike": "this expression negate",
    "Escape": "this expression",
    "Case": "this ifs default",
    "If": "this true false",
    "Cast": "this to",
    "TryCast": "this to safe requires_string",
    "Coalesce": _ALL,
    "Array": _ALL,
    "Struct": "expressions",
    "PropertyEQ": "this expression",
    "Bracket": _ALL,
    "JSONExtract": "this expression variant_extract requires_json",
    "JSONExtractScalar": "this expression only_json_types scalar_only json_type",
    "JSONPath": _ALL,
    "JSONPathRoot": "",
    "JSONPathKey": "this quoted",
    "JSONPathSubscript": "this",
    "ParseJSON": "this expression",
    # functions
    "Count": "this expressions big_int",
    **_each("Sum Avg Min Max Abs Upper Lower Length Sqrt Exp Ln Sign", "this"),
    **_each("RowNumber Rank DenseRank CurrentDate CurrentTimestamp", ""),
    **_each("Year Month Day Ceil Floor LogicalOr LogicalAnd Median MD5", "this"),
    "CountIf": "this zero_on_all_null",
    **_each("Lag Lead", "this offset default"),
    **_each("FirstValue LastValue AnyValue StartsWith Contains", "this expression"),
    "Round": "this decimals",
    "Pow": "this expression",
    "Concat": "expressions safe coalesce",
    "ConcatWs": "expressions safe coalesce",
    "Trim": "this",
    "Replace": "this expression replacement",
    "Left": "this expression",
    "Right": "this expression",
    "Substring": "this start length zero_start",
    "StrPosition": "this substr clamp_position",
    "RegexpLike": "this expression full_match",
    "Nvl2": "this true false",
    "Greatest": _ALL,
    "Least": _ALL,
    "Extract": "this expression",
    "TimestampTrunc": "this unit input_type_preserved",
    "DateTrunc": "unit this unabbreviate input_type_preserved",
    **_each("DateAdd DateSub TsOrDsAdd", "this expression unit"),
    "SafeDivide": "this expression",
    "DateDiff": "this expression unit date_part_boundary big_int",
    "GroupConcat": "this separator",
    "ArrayAgg": "this nulls_excluded",
    "IgnoreNulls": "this",
    "RespectNulls": "this",
    "Stddev": "this",
    "StddevSamp": "this",
    "Variance": "this",
    "ArgMax": "this expression",
    "ArgMin": "this expression",
}

# Functions that no parser of ours knows and that DuckDB has with the same meaning.
_NAMED = ("LLM_", "ERROR")


def check(tree: exp.Expr, dialect: str, text: str) -> None:
    """Raises BindError at what is not known to mean the same in DuckDB; `text` is the source."""
    for node in tree.walk():
        if isinstance(node, exp.Anonymous | exp.Kwarg):
            _check_named(node, dialect)
            continue
        kind = type(node).__name__
        known = _NODES.get(kind)
        if known is None:
            raise mistake(f"{_said(node, text)} of {dialect} cannot be carried over", node, _HINT)
        if known == _ALL:
            continue
        for name, value in node.args.items():
            if name not in known.split() and _is_there(value):
                place = value if isinstance(value, exp.Expr) else node
                clause = name.strip("_").upper().replace("_", " ")
                said = f"{clause} in {_said(node, text)} of {dialect}"
                raise mistake(f"{said} cannot be carried over", place, _HINT)


_HINT = "it is not known to mean the same in DuckDB; write this part in HQL"


def _is_there(value: object) -> bool:
    return value is not None and value is not False and value != []


def _check_named(node: exp.Expr, dialect: str) -> None:
    if isinstance(node, exp.Anonymous) and not str(node.this).upper().startswith(_NAMED):
        said = f"the function {node.this} of {dialect}"
        raise mistake(f"{said} cannot be carried over", node, _HINT)


def _said(node: exp.Expr, text: str) -> str:
    """The node as its author knows it."""
    if isinstance(node, exp.Command):
        return f"the statement {str(node.this).upper()}"
    if isinstance(node, exp.Func):
        place = node.meta.get("start")
        name = re.match(r"\w+", text[place:]) if place is not None else None
        return f"the function {name.group() if name else node.sql_names()[0]}"
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(node).__name__).upper()
