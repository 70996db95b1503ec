"""Parameters of statements on their way: one row of Arrow, so that they keep their types."""

from __future__ import annotations

import datetime
import decimal
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import pyarrow as pa

from heliumql.errors import BindError

Parameters: TypeAlias = Sequence[Any] | Mapping[str, Any] | None

_KIND = b"python"  # what a value was before, where Arrow has no type for it
_LONGEST = 38  # digits


def packed(parameters: Parameters) -> pa.RecordBatch | None:
    """One row, a column for each value; positions are names. Raises BindError that names one."""
    if not parameters:
        return None
    if not isinstance(parameters, Mapping):
        parameters = {str(n): value for n, value in enumerate(parameters, 1)}
    columns = {str(name): _packed(str(name), value) for name, value in parameters.items()}
    fields = [
        pa.field(name, array.type, metadata={_KIND: kind} if kind else None)
        for name, (array, kind) in columns.items()
    ]
    return pa.RecordBatch.from_arrays([a for a, _ in columns.values()], schema=pa.schema(fields))


def _packed(name: str, value: object) -> tuple[pa.Array, bytes]:
    match value:
        case uuid.UUID():
            return pa.array([str(value)]), b"uuid"
        case bool():
            return pa.array([value]), b""
        case int() if not -(1 << 63) <= value < 1 << 63 and len(str(abs(value))) <= _LONGEST:
            return pa.array([decimal.Decimal(value)], pa.decimal128(_LONGEST)), b"int"
    try:
        return pa.array([value]), b""
    except (pa.ArrowException, OverflowError, TypeError, ValueError):
        raise BindError(
            f"the parameter {name} cannot be sent: {type(value).__name__}",
            hint="numbers, texts, bytes, dates, times, lists and dicts can",
        ) from None


def unpacked(batch: pa.RecordBatch | None) -> dict[str, Any]:
    """The values by name, as they were packed."""
    if batch is None or not batch.num_rows:
        return {}
    return {
        field.name: _unpacked(column[0].as_py(), (field.metadata or {}).get(_KIND))
        for field, column in zip(batch.schema, batch.columns, strict=True)
    }


def _unpacked(value: Any, kind: bytes | None) -> Any:
    match kind, value:
        case b"uuid", str():
            return uuid.UUID(value)
        case b"int", decimal.Decimal():
            return int(value)
        case _, datetime.datetime() if type(value) is not datetime.datetime:
            return value.to_pydatetime()  # type: ignore[attr-defined]  # of pandas, if it is there
        case _:
            return value
