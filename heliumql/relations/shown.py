"""Results as notebooks show them: an HTML table, and the same as text.

Every text of a result is escaped. Nothing is loaded from anywhere, and no script runs.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from heliumql.relations.preview import Preview

if TYPE_CHECKING:
    from heliumql.relations.relation import Relation

_FOLDED_AT = 120  # characters of a cell; what is longer is opened with a click
_FOLDED_LINES = 3
_LONGEST_CELL = 20_000
_MOST_COLUMNS = 80
_NUMBERS = (
    "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER",
    "UBIGINT", "UHUGEINT", "FLOAT", "DOUBLE", "DECIMAL",
)  # fmt: skip

STYLE = """<style>
.hql{font-family:system-ui,sans-serif;font-size:13px;overflow-x:auto}
.hql table{border-collapse:collapse;margin:0 0 4px}
.hql th,.hql td{padding:3px 10px;text-align:left;vertical-align:top;max-width:42em;
 border-bottom:1px solid rgba(128,128,128,.25);overflow-wrap:anywhere;white-space:normal}
.hql th{border-bottom:1px solid rgba(128,128,128,.7);white-space:nowrap}
.hql th small{display:block;font-weight:400;opacity:.65}
.hql td.n,.hql th.n{text-align:right;font-variant-numeric:tabular-nums}
.hql .null{opacity:.5;font-style:italic}
.hql .gap td{text-align:center;opacity:.6}
.hql .note{opacity:.75;margin:2px 0;white-space:pre-wrap}
.hql .warning{color:#c2410c}
.hql .full{white-space:pre-wrap}
.hql summary{cursor:pointer}
</style>"""

Cells = list[tuple[str | None, ...]]


_UNREAD = "not evaluated: .df(), .pl(), .arrow() or .show() runs its calls"


def bundle(relation: Relation, preview: Preview | None) -> dict[str, str]:
    """A relation as HTML and as text: its rows, or where none were read its columns."""
    names, types = relation.columns, relation.types
    if preview is None:
        return {"text/html": _outline(names, types), "text/plain": _outline_text(names, types)}
    if names == ["explain_key", "explain_value"]:
        return _explained(preview.parts(relation.schema))
    return {
        "text/html": _as_html(names, types, relation.schema, preview, relation.notes),
        "text/plain": _as_text(relation.schema, preview, relation.notes),
    }


def note(line: str) -> str:
    """A line below the rows."""
    warning = " warning" if line.startswith("warning") else ""
    return f'<div class="note{warning}">{_visible(line)}</div>'


def _as_html(
    names: Sequence[str],
    types: Sequence[str],
    schema: pa.Schema,
    preview: Preview,
    notes: Sequence[str],
) -> str:
    """A table of the rows: types under names, NULL dim, long texts folded, the count below."""
    columns = range(min(len(names), _MOST_COLUMNS))
    marks = [' class="n"' if _is_number(types[i]) else "" for i in columns]
    head = "".join(
        f"<th{marks[i]}>{_visible(names[i])}<small>{_visible(_shortened(types[i]))}</small></th>"
        for i in columns
    )
    parts = [cells(part) for part in preview.parts(schema)]
    gap = f'<tr class="gap"><td colspan="{len(columns)}">⋮</td></tr>'
    body = gap.join("".join(_row(row, marks) for row in part) for part in parts)
    below = [count_line(preview, sum(map(len, parts)), len(names)), *notes]
    return (
        f'<div class="hql">{STYLE}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody>'
        f"</table>{''.join(map(note, below))}</div>"
    )


def _as_text(schema: pa.Schema, preview: Preview, notes: Sequence[str]) -> str:
    """The same as a table of boxes, as DuckDB draws it."""
    parts = preview.parts(schema)
    with duckdb.connect() as connection:
        drawn = [str(connection.from_arrow(part)).rstrip() for part in parts]
    if len(parts) > 1 or not preview.complete:
        drawn.append(count_line(preview, sum(p.num_rows for p in parts), len(schema)))
    return "\n".join([*drawn, *notes])


def _outline(names: Sequence[str], types: Sequence[str]) -> str:
    """The columns of a result that has not been evaluated, and how to do that."""
    rows = "".join(
        f"<tr><td>{_visible(name)}</td><td>{_visible(kind)}</td></tr>"
        for name, kind in zip(names, types, strict=True)
    )
    return (
        f'<div class="hql">{STYLE}<table><thead><tr><th>column</th><th>type</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>{note(_UNREAD)}</div>"
    )


def _outline_text(names: Sequence[str], types: Sequence[str]) -> str:
    width = max(map(len, names), default=0)
    lines = [f"{n:{width}}  {t}" for n, t in zip(names, types, strict=True)]
    return "\n".join([*lines, _UNREAD])


def _explained(parts: Sequence[pa.Table]) -> dict[str, str]:
    """EXPLAIN gives one text: a page as a page, any other as it is laid out."""
    text = "\n".join(str(value) for part in parts for value in part.column(1).to_pylist())
    if text.lstrip()[:9].lower() == "<!doctype":
        page = html.escape(text, quote=True)
        frame = f'<iframe srcdoc="{page}" style="width:100%;height:640px;border:0"></iframe>'
        return {"text/html": frame, "text/plain": "a page, which a notebook shows"}
    return plain_bundle(text)


def plain_bundle(text: str) -> dict[str, str]:
    """A text as it is laid out."""
    return {"text/html": f"<pre>{_visible(text)}</pre>", "text/plain": text}


def cells(table: pa.Table) -> Cells:
    """The values as DuckDB writes them; NULL is None."""
    columns = [f"c{i}" for i in range(table.num_columns)]
    if not columns:
        return []
    with duckdb.connect(config={"threads": 1}) as connection:
        zone = _time_zone(table.schema)
        if zone is not None:
            connection.execute("SET TimeZone = '" + zone.replace("'", "''") + "'")
        connection.register("result", table.rename_columns(columns))
        casts = ", ".join(f"CAST({c} AS VARCHAR)" for c in columns)
        return list(connection.sql(f"SELECT {casts} FROM result").fetchall())


def count_line(preview: Preview, shown: int, columns: int) -> str:
    """`1,234 rows (40 shown)`"""
    if not preview.complete and preview.rows > shown:
        line = f"more than {shown:,} rows ({shown:,} shown)"
    else:
        line = f"{preview.rows:,} row{'' if preview.rows == 1 else 's'}"
        line += f" ({shown:,} shown)" if shown < preview.rows else ""
    if columns > _MOST_COLUMNS:
        line += f" · {columns:,} columns ({_MOST_COLUMNS} shown)"
    return line


def _row(row: tuple[str | None, ...], marks: Sequence[str]) -> str:
    shown = zip(row, marks, strict=False)
    return "<tr>" + "".join(f"<td{mark}>{_cell(value)}</td>" for value, mark in shown) + "</tr>"


def _cell(value: str | None) -> str:
    if value is None:
        return '<span class="null">NULL</span>'
    if len(value) <= _FOLDED_AT and value.count("\n") <= _FOLDED_LINES:
        return _visible(value).replace("\n", "<br>")
    start = " ".join(value[:_FOLDED_AT].split())
    full = value[:_LONGEST_CELL]
    left = len(value) - len(full)
    more = f"\n… {left:,} more characters" if left else ""
    return (
        f"<details><summary>{_visible(start)}…</summary>"
        f'<div class="full">{_visible(full + more)}</div></details>'
    )


def _visible(text: str) -> str:
    """Escaped; `$` too, which notebooks take for the begin of a formula."""
    return html.escape(text).replace("$", "&#36;")


def _shortened(kind: str) -> str:
    kind = kind.strip('"')  # as DuckDB writes the type of NULL
    return kind if len(kind) <= _FOLDED_AT else kind[: _FOLDED_AT - 1] + "…"


def _is_number(kind: str) -> bool:
    return kind.partition("(")[0] in _NUMBERS and not kind.endswith("]")


def _time_zone(schema: pa.Schema) -> str | None:
    """The zone in which the session has its TIMESTAMPs WITH TIME ZONE, if there are any."""
    zones = (f.type.tz for f in schema if pa.types.is_timestamp(f.type) and f.type.tz)
    return next((str(zone) for zone in zones), None)
