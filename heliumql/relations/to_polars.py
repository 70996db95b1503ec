"""Arrow tables as data frames of polars, which does not have all types that DuckDB has.

Of some it would panic: a trace of its own on the screen, and an error that `except Exception` does
not catch. So its types are looked at first, before a model is asked for rows that nobody can have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from heliumql.errors import BindError, ExecutionError

if TYPE_CHECKING:
    import polars


def check(schema: pa.Schema) -> None:
    """Raises BindError where polars has no values of the type of a column."""
    for field in schema:
        lacking = _lacking(field.type)
        if lacking is not None:
            column = '"' + field.name.replace('"', '""') + '"'
            raise BindError(
                f"the column {field.name} has values of type {lacking}, which polars has not",
                hint=f"{column}::VARCHAR is a text; .df() and .arrow() give it as it is",
            )


def frame(table: pa.Table) -> polars.DataFrame:
    """The rows as a data frame. Raises ExecutionError where polars refuses them."""
    import polars

    try:
        made = polars.from_arrow(table)
    except polars.exceptions.PolarsError as error:
        raise ExecutionError(f"polars cannot hold these rows: {error}") from error
    assert isinstance(made, polars.DataFrame)
    return made


def _lacking(kind: pa.DataType) -> str | None:
    """The type, maybe one inside, that polars lacks."""
    if pa.types.is_interval(kind):
        return "INTERVAL"
    if pa.types.is_union(kind):
        return "UNION"
    inner = (kind.field(n).type for n in range(kind.num_fields))
    return next((found for t in inner if (found := _lacking(t)) is not None), None)
