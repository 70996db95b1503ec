"""What means something else in DuckDB, put right, or refused where the text does not tell enough.

The nodes have passed `allowed.py`. Each function below is about one difference between dialects;
types are those that the text itself tells (constants, casts, counts), so the hints of the errors
say which cast tells them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Literal, TypeAlias

from sqlglot import exp
from sqlglot.optimizer.annotate_types import annotate_types

from heliumql.dialects.mistakes import mistake
from heliumql.dialects.variants import with_variants_cast

Dialect: TypeAlias = Literal["snowflake", "bigquery", "databricks", "spark", "postgres"]

_SPARK = ("spark", "databricks")
_INTEGERS = exp.DataType.INTEGER_TYPES
_FLOATS = {exp.DType.FLOAT, exp.DType.DOUBLE}
_DECIMALS = {exp.DType.DECIMAL}
_TIMES = {exp.DType.TIMESTAMP, exp.DType.TIMESTAMPNTZ, exp.DType.TIMESTAMPTZ, exp.DType.DATETIME}
_TYPES = {
    *(exp.DType.TINYINT, exp.DType.SMALLINT, exp.DType.INT, exp.DType.BIGINT, *_FLOATS, *_TIMES),
    *(exp.DType.DECIMAL, exp.DType.TEXT, exp.DType.VARCHAR, exp.DType.BOOLEAN, exp.DType.DATE),
    *(exp.DType.TIME, exp.DType.JSON, exp.DType.JSONB, exp.DType.ARRAY, exp.DType.STRUCT),
    *(exp.DType.INTERVAL, exp.DType.UUID),
}
_UNITS = {"YEAR", "QUARTER", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"}


def with_meaning(tree: exp.Expr, dialect: Dialect) -> exp.Expr:
    """The tree with the dialect's meaning in DuckDB; raises BindError where it has none there."""
    _names_told_apart_by_case(tree, dialect)
    tree = annotate_types(tree, dialect=dialect)
    if dialect in ("snowflake", "databricks"):
        tree = with_variants_cast(tree, dialect)
    for node in reversed(list(tree.walk())):  # what is inside first
        for rule in _RULES.get(type(node), ()):
            changed = rule(node, dialect)
            if changed is node:
                continue
            if node is tree:
                tree = changed
            else:
                node.replace(changed)
            break
    return tree


def _names_told_apart_by_case(tree: exp.Expr, dialect: Dialect) -> None:
    """DuckDB does not tell "x" from x, where Snowflake and PostgreSQL do."""
    if dialect not in ("snowflake", "postgres"):
        return
    seen: dict[str, str] = {}
    for node in tree.find_all(exp.Identifier):
        if isinstance(node.parent, exp.Dot | exp.PropertyEQ):
            continue  # fields of structs
        name = str(node.this)
        if not node.args.get("quoted"):
            name = name.upper() if dialect == "snowflake" else name.lower()
        if seen.setdefault(name.lower(), name) != name:
            raise mistake(
                f"{dialect} tells the names {seen[name.lower()]} and {name} apart, DuckDB does not",
                node,
                "give one of them another name, or write both without quotes",
            )


def _division(node: exp.Expr, dialect: Dialect) -> exp.Expr:
    """7 / 2 is 3 in PostgreSQL; a division by zero fails everywhere but in DuckDB."""
    left, right = node.this, node.expression
    divisor = _not_zero(right)
    if not isinstance(node, exp.Div):
        node.set("expression", divisor)
        return node
    node.set("typed", False)
    node.set("safe", False)
    if dialect == "postgres":
        kinds = [_type(left), _type(right)]
        if all(kind in _INTEGERS for kind in kinds):
            return exp.IntDiv(this=left, expression=divisor)
        if not any(kind in _FLOATS | _DECIMALS for kind in kinds):
            raise mistake(
                "whether this divides whole numbers, as PostgreSQL does, the text does not tell",
                node,
                "write CAST(.. AS INT) or CAST(.. AS DOUBLE PRECISION) around one of them each",
            )
    node.set("expression", divisor)
    return node


def _not_zero(divisor: exp.Expr) -> exp.Expr:
    match divisor.unnest():
        case exp.Literal(is_string=False) as number if float(number.this) != 0:
            return divisor
        case exp.Neg(this=exp.Literal()) | exp.Nullif(expression=exp.Literal(this="0")):
            return divisor
    fails = exp.Anonymous(this="ERROR", expressions=[exp.Literal.string("division by zero")])
    zero = exp.EQ(this=divisor.copy(), expression=exp.Literal.number(0))
    return exp.Case(ifs=[exp.If(this=zero, true=fails)], default=divisor.copy())


def _safe_divide(node: exp.Expr, dialect: Dialect) -> exp.Expr:
    none = exp.Nullif(this=node.expression, expression=exp.Literal.number(0))
    return exp.Div(this=node.this, expression=none, typed=False, safe=False)


def _like(node: exp.Expr, dialect: Dialect) -> exp.Expr:
    r"""`\` escapes in patterns, except in Snowflake's and DuckDB's."""
    if dialect == "snowflake" or isinstance(node.parent, exp.Escape):
        return node
    pattern = node.expression
    if isinstance(pattern, exp.Literal) and "\\" not in pattern.this:
        return node
    return exp.Paren(this=exp.Escape(this=node.copy(), expression=exp.Literal.string("\\")))


def _cast(node: exp.Expr, dialect: Dialect) -> exp.Expr:
    kind: exp.DataType = node.args["to"]
    for inner in kind.find_all(exp.DataType):
        _check_type(inner, node, dialect)
    given = _type(node.this)
    if kind.this in _INTEGERS and dialect == "snowflake":
        kind.set("this", exp.DType.BIGINT)  # all of them are NUMBER(38, 0) there
    if kind.this in _INTEGERS and dialect in _SPARK:
        return _cut_off(node, given)
    if kind.this in _INTEGERS and dialect != "postgres" and given in _FLOATS:
        node.set("this", exp.Round(this=node.this))  # a half goes up there, to the even one here
    if kind.this in _DECIMALS and not kind.expressions:
        kind.set("expressions", [_digits(10), _digits(0)])  # Spark's
    return node


def _check_type(kind: exp.DataType, node: exp.Expr, dialect: Dialect) -> None:
    if kind.this not in _TYPES:
        name = kind.sql(dialect)
        raise mistake(f"the type {name} of {dialect} cannot be carried over", node, None)
    if kind.this in (exp.DType.TEXT, exp.DType.VARCHAR) and kind.expressions:
        hint = "cast to a text without a length; LEFT(.., n) cuts it"
        raise mistake("DuckDB does not cut texts to a length", node, hint)
    if kind.this in _DECIMALS and not kind.expressions:
        if dialect == "postgres":
            hint = "write how many digits there are: NUMERIC(18, 6)"
            raise mistake("numbers of any number of digits are not available", node, hint)
        if dialect == "bigquery":
            kind.set("expressions", [_digits(38), _digits(9)])


def _digits(number: int) -> exp.DataTypeParam:
    return exp.DataTypeParam(this=exp.Literal.number(number))


def _cut_off(node: exp.Expr, given: exp.DType | None) -> exp.Expr:
    """Spark cuts fractions off, DuckDB rounds."""
    if given in _FLOATS | _DECIMALS:
        node.set("this", exp.Trunc(this=node.this))
    elif given not in {*_INTEGERS, exp.DType.BOOLEAN}:
        raise mistake(
            "Spark cuts fractions off where DuckDB rounds, and whether there are some the text"
            " does not tell",
            node,
            "write CAST(CAST(.. AS DOUBLE) AS INT) of a number, or of a text that holds one",
        )
    return node


def _round(node: exp.Expr, dialect: Dialect) -> exp.Expr:
    """PostgreSQL rounds a half of a float to the even number, and of a NUMERIC away from zero."""
    known = _type(node.this) in _INTEGERS | _DECIMALS
    if dialect == "postgres" and not node.args.get("decimals") and not known:
        hint = "write ROUND(CAST(.. AS NUMERIC(18, 6)))"
        raise mistake("how this rounds a half depends on a type that is not known", node, hint)
    return node


def _substring(node: exp.Expr, dialect: Dialect) -> exp.Expr:
    """What comes before the first character is seen differently."""
    start = node.args.get("start")
    if start is None or not _is_number(start, 1):
        hint = "give a number from 1 as its start"
        raise mistake("a start before 1 means different things", node, hint)
    return node


def _count_of_characters(node: exp.Expr, dialect: Dialect) -> exp.Expr:
    if dialect != "postgres" and not _is_number(node.expression, 0):
        hint = "give a number from 0"
        raise mistake("fewer than no characters mean different things", node, hint)
    return node


def _bracket(node: exp.Expr, dialect: Dialect) -> exp.Expr:
    """Lists begin at 0, or at 1; sqlglot counts on where the index is a number."""
    index = node.expressions[0] if len(node.expressions) == 1 else None
    is_made = not node.meta.get("parsed") and isinstance(node.this, exp.Anonymous)
    is_key = isinstance(index, exp.Literal) and index.is_string and dialect in _SPARK
    if is_made or is_key:
        return node
    if dialect == "snowflake" and not isinstance(node.this, exp.Array):
        hint = "take elements with a path: column:field[0]"
        raise mistake("whether this is a list or a VARIANT the text does not tell", node, hint)
    if dialect == "bigquery" and node.args.get("offset") is None:
        raise mistake("this index cannot be carried over", node, "write [OFFSET(0)]")
    if index is None or (dialect != "postgres" and not _is_number(index, 0)):
        hint = "give one index, as a number"
        raise mistake("where this counts from cannot be carried over", node, hint)
    is_constant = isinstance(index, exp.Literal | exp.Neg)
    if dialect == "postgres" and is_constant and not _is_number(index, 0):
        raise mistake("DuckDB counts such an index from the end", node, "arrays begin at 1")
    return node


def _unit(node: exp.Expr, dialect: Dialect) -> exp.Expr:
    """Weeks begin on different days, and days of the week are counted differently."""
    unit = node.this if isinstance(node, exp.Extract) else node.args.get("unit")
    name = "DAY" if unit is None else unit.name.upper()
    weeks = isinstance(node, exp.TimestampTrunc | exp.DateTrunc) and dialect != "bigquery"
    known = _UNITS | ({"WEEK"} if weeks else set())
    if isinstance(node, exp.Extract) and dialect == "postgres":
        known = known - {"SECOND"}  # with its fraction there
    if isinstance(node, exp.DateDiff) and dialect != "snowflake":
        known = {"DAY", "MONTH", "QUARTER", "YEAR"}
    if name not in known:
        listed = ", ".join(sorted(known))
        raise mistake(f"{name} cannot be carried over here", node, f"what can be: {listed}")
    return node


def _date_add(node: exp.Expr, dialect: Dialect) -> exp.Expr:
    """A DATE stays one, where DuckDB makes a TIMESTAMP of it."""
    if isinstance(node.parent, exp.Cast):
        return node
    kind = _type(node.this)
    always = dialect == "bigquery" or isinstance(node, exp.TsOrDsAdd)
    if kind == exp.DType.DATE or always:
        return exp.cast(node.copy(), exp.DType.DATE)
    if kind not in _TIMES:
        hint = "write CAST(.. AS DATE) or CAST(.. AS TIMESTAMP) around it"
        raise mistake("whether this is a date or a time the text does not tell", node, hint)
    return node


def _plus_interval(node: exp.Expr, dialect: Dialect) -> exp.Expr:
    has_interval = any(isinstance(n, exp.Interval) for n in (node.this, node.expression))
    if has_interval and dialect not in ("postgres", "bigquery"):
        other = node.this if isinstance(node.expression, exp.Interval) else node.expression
        if _type(other) == exp.DType.DATE:
            return exp.cast(node.copy(), exp.DType.DATE)
        if _type(other) not in _TIMES:
            hint = "write CAST(.. AS DATE) or CAST(.. AS TIMESTAMP) around it"
            raise mistake("whether this is a date or a time the text does not tell", node, hint)
    return node


def _separator(node: exp.Expr, dialect: Dialect) -> exp.Expr:
    """Without a separator DuckDB takes a comma, Snowflake nothing."""
    if node.args.get("separator") is None:
        node.set("separator", exp.Literal.string("," if dialect == "bigquery" else ""))
    return node


def _lateral(node: exp.Expr, dialect: Dialect) -> exp.Expr:
    """LATERAL (SELECT ..), and LATERAL VIEW explode(list) t AS x."""
    inner = node.this
    if isinstance(inner, exp.Subquery):
        return node
    columns = node.args["alias"].columns if node.args.get("alias") else []
    is_view = node.args.get("view") and isinstance(inner, exp.Explode) and dialect in _SPARK
    if not is_view or node.args.get("outer") or len(columns) != 1:
        hint = "in HQL: FROM t, LATERAL (SELECT unnest(t.list) AS x)"
        raise mistake("this LATERAL cannot be carried over", node, hint)
    return node


def _explode(node: exp.Expr, dialect: Dialect) -> exp.Expr:
    if not isinstance(node.parent, exp.Lateral):
        hint = "write FROM t LATERAL VIEW explode(list) v AS x"
        raise mistake("explode in SELECT cannot be carried over", node, hint)
    return node


def _table(node: exp.Expr, dialect: Dialect) -> exp.Expr:
    if not isinstance(node.this, exp.Identifier):
        hint = "name a table, or make one of it in HQL first"
        raise mistake("this in FROM cannot be carried over", node, hint)
    return node


def _parameter(node: exp.Expr, dialect: Dialect) -> exp.Expr:
    if dialect == "snowflake":
        raise mistake("columns by number cannot be carried over", node, "name the column")
    if not isinstance(node.this, exp.Var | exp.Identifier | exp.Literal):
        raise mistake("this variable cannot be carried over", node, "parameters are named @name")
    return node


def _made_or_dropped(node: exp.Expr, dialect: Dialect) -> exp.Expr:
    kind = str(node.args.get("kind")).upper()
    is_query = isinstance(node, exp.Drop) or isinstance(node.expression, exp.Query)
    if kind not in ("TABLE", "VIEW") or not is_query:
        hint = "CREATE TABLE .. AS, CREATE VIEW .. AS and DROP can be; write this one in HQL"
        raise mistake("this statement cannot be carried over", node, hint)
    return node


def _type(node: exp.Expr) -> exp.DType | None:
    """The type of an expression, as far as the text tells it."""
    number = node.unnest()
    if isinstance(number, exp.Literal) and re.fullmatch(r"\d*\.\d*", number.this):
        return None if number.is_string else exp.DType.DECIMAL
    kind = node.type
    if kind is None or kind.this in (exp.DType.UNKNOWN, exp.DType.NULL):
        return None
    found: exp.DType = kind.this
    return found


def _is_number(node: exp.Expr, least: int) -> bool:
    is_number = isinstance(node, exp.Literal) and not node.is_string and node.this.isdigit()
    return is_number and int(node.this) >= least


_Rule: TypeAlias = Callable[[exp.Expr, Dialect], exp.Expr]


def _rules(pairs: Iterable[tuple[_Rule, tuple[str, ...]]]) -> dict[type, list[_Rule]]:
    found: dict[type, list[_Rule]] = {}
    for rule, names in pairs:
        for name in names:
            found.setdefault(getattr(exp, name), []).append(rule)
    return found


_RULES = _rules(
    [
        (_division, ("Div", "IntDiv", "Mod")),
        (_safe_divide, ("SafeDivide",)),
        (_like, ("Like", "ILike")),
        (_cast, ("Cast", "TryCast")),
        (_round, ("Round",)),
        (_substring, ("Substring",)),
        (_count_of_characters, ("Left", "Right")),
        (_bracket, ("Bracket",)),
        (_unit, ("Extract", "TimestampTrunc", "DateTrunc", "DateDiff")),
        (_date_add, ("DateAdd", "DateSub", "TsOrDsAdd")),
        (_plus_interval, ("Add", "Sub")),
        (_separator, ("GroupConcat",)),
        (_lateral, ("Lateral",)),
        (_explode, ("Explode",)),
        (_table, ("Table",)),
        (_parameter, ("Parameter",)),
        (_made_or_dropped, ("Create", "Drop")),
    ]
)
