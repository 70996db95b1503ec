"""Values as text, exactly as DuckDB writes them; every text format of the command line uses it.

Batches are cast by a private in-memory DuckDB, so there is one way to print a value and it is
DuckDB's own, and a million rows take about a second.
"""

from __future__ import annotations

import re
from typing import Self

import duckdb
import pyarrow as pa

_INTEGERS = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "BIGNUM"}
_UNSIGNED = {f"U{name}" for name in _INTEGERS}
_NUMBERS = _INTEGERS | _UNSIGNED | {"FLOAT", "DOUBLE", "DECIMAL"}
_PLAIN = _NUMBERS | {"BOOLEAN", "DATE", "TIME", "TIMESTAMP", "UUID"}
_NOT_JSON = re.compile(r'("(?:[^"\\]|\\.)*")|-?(?:NaN|Infinity)')


class Renderer:
    """Turns the record batches of one result into cells, CSV lines or JSON objects."""

    def __init__(self, schema: pa.Schema) -> None:
        self.names: list[str] = list(schema.names)
        # Names of our own in SQL: those of the result may be equal, or differ in case only.
        self._columns = [f"c{i}" for i in range(len(self.names))]
        self._connection = duckdb.connect(config={"threads": 1})
        try:
            if zone := _time_zone(schema):
                self._connection.execute(f"SET TimeZone = {_literal(zone)}")
            self.types = self._describe(schema)
        except BaseException:
            self._connection.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def is_number(self, column: int) -> bool:
        return _base(self.types[column]) in _NUMBERS

    def cells(self, batch: pa.RecordBatch) -> list[tuple[str | None, ...]]:
        """The rows as text; NULL stays None."""
        columns = ", ".join(f"CAST({c} AS VARCHAR)" for c in self._columns)
        texts = self._query(columns, batch)
        return list(zip(*(column.to_pylist() for column in texts.columns), strict=True))

    def csv_lines(self, batch: pa.RecordBatch, null: str = "") -> str:
        """The rows as CSV lines; NULL is nothing, the empty text is `""`."""
        fields = [_csv_field(c, t, null) for c, t in zip(self._columns, self.types, strict=True)]
        return self._joined(f"concat_ws(',', {', '.join(fields)}) || chr(10)", batch)

    def json_objects(self, batch: pa.RecordBatch, separator: str) -> str:
        """The rows as JSON objects, each followed by the separator."""
        pairs = zip(unique(self.names), self._columns, strict=True)
        members = ", ".join(f"{_literal(name)}, {column}" for name, column in pairs)
        text = self._joined(
            f"CAST(json_object({members}) AS VARCHAR) || {_literal(separator)}", batch
        )
        if "NaN" in text or "Infinity" in text:
            # JSON has no such numbers; DuckDB writes them bare. Texts that say so stay.
            text = _NOT_JSON.sub(lambda match: match[1] or "null", text)
        return text

    def _describe(self, schema: pa.Schema) -> list[str]:
        fields = [f.with_name(c) for f, c in zip(schema, self._columns, strict=True)]
        self._connection.register(
            "result", pa.RecordBatchReader.from_batches(pa.schema(fields), [])
        )
        rows = self._connection.execute("DESCRIBE FROM result").fetchall()
        return [str(row[1]).strip('"') for row in rows]

    def _joined(self, expression: str, batch: pa.RecordBatch) -> str:
        return "".join(self._query(expression, batch).column(0).to_pylist())

    def _query(self, columns: str, batch: pa.RecordBatch) -> pa.Table:
        self._connection.register("result", batch.rename_columns(self._columns))
        return self._connection.sql(f"SELECT {columns} FROM result").to_arrow_table()


def csv_header(names: list[str]) -> str:
    quoted = (
        '"' + name.replace('"', '""') + '"' if name == "" or set(name) & set('",\r\n') else name
        for name in names
    )
    return ",".join(quoted) + "\n"


def unique(names: list[str]) -> list[str]:
    """The names, a repeated one with a number behind it (a JSON object has each name once)."""
    taken = set(names)
    seen: set[str] = set()
    result = []
    for name in names:
        free, number = name, 0
        while free in seen or (number and free in taken):
            number += 1
            free = f"{name}_{number}"
        seen.add(free)
        result.append(free)
    return result


def _csv_field(column: str, type_name: str, null: str) -> str:
    text = f"CAST({column} AS VARCHAR)"
    if _base(type_name) in _PLAIN:  # never holds a comma, quote or newline
        return f"coalesce({text}, {_literal(null)})"
    return (
        f"CASE WHEN {column} IS NULL THEN {_literal(null)} "
        f"WHEN {text} = '' OR regexp_matches({text}, '[\",\\r\\n]') "
        f"THEN '\"' || replace({text}, '\"', '\"\"') || '\"' ELSE {text} END"
    )


def _base(type_name: str) -> str:
    """DECIMAL of DECIMAL(9,2); a list or array is neither a number nor plain."""
    return "" if type_name.endswith("]") else type_name.partition("(")[0].partition(" ")[0]


def _time_zone(schema: pa.Schema) -> str | None:
    """The zone in which the session wrote its TIMESTAMPs WITH TIME ZONE, if there are any."""
    pending = [field.type for field in schema]
    while pending:
        kind = pending.pop()
        if pa.types.is_timestamp(kind) and kind.tz:
            return str(kind.tz)
        pending += [kind.field(i).type for i in range(kind.num_fields)]
    return None


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
