"""Results as a table of boxes, names and types on top, that fits the terminal.

`output.py` uses it where standard output is a terminal, or for `--format table`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from heliumql.cli.formats import Sink, visible
from heliumql.cli.rendering import Renderer
from heliumql.source import display_width

ROWS = 40  # of a long result that a terminal shows
_NARROWEST = 10  # columns are left out before the others get narrower than this
_DIM, _PLAIN = "\x1b[2m", "\x1b[0m"

_TEXT_COLUMN = 32  # width of a column of texts of which more are to come

Row = tuple[str | None, ...]


@dataclass(frozen=True)
class Look:
    """How tables look. Without a width all columns are shown in full, without `rows` all rows."""

    width: int | None = None
    colour: bool = False
    rows: int | None = ROWS  # a longer result shows the first and the last half of these,
    cut: int | None = None  # or of as many, where they are fewer
    null: str = "NULL"
    headers: bool = True


def write_table(
    schema: pa.Schema, batches: Iterator[pa.RecordBatch | None], sink: Sink, look: Look
) -> None:
    """The rows as a table, written when all are there, as wide as they need.

    None among the batches says that the next ones take a while: what there is is drawn at once,
    and later rows below it, in columns as wide as they are by then.
    """
    head: list[pa.RecordBatch] = []
    tail: deque[pa.RecordBatch] = deque()
    most = look.rows
    total = in_head = in_tail = 0
    for batch in batches:
        if batch is None:
            if total:
                return _grow(schema, head, total, batches, sink, look)
            continue
        total += batch.num_rows
        if most is None or in_head < most:
            head.append(batch)
            in_head += batch.num_rows
        else:
            tail.append(batch)
            in_tail += batch.num_rows
            while in_tail - tail[0].num_rows >= most // 2:
                in_tail -= tail.popleft().num_rows
    with Renderer(schema) as renderer:
        kept = pa.Table.from_batches([*head, *tail], schema=schema)
        parts = [kept]
        if most is not None and total > most:
            shown = most if look.cut is None else min(most, look.cut)
            parts = [kept.slice(0, shown - shown // 2), kept.slice(kept.num_rows - shown // 2)]
        rows = [[r for b in part.to_batches() for r in renderer.cells(b)] for part in parts]
        table = _Table(renderer, rows, look)
        sink.write("".join(table.lines(total)).encode())


def _grow(
    schema: pa.Schema,
    head: Sequence[pa.RecordBatch],
    total: int,
    batches: Iterator[pa.RecordBatch | None],
    sink: Sink,
    look: Look,
) -> None:
    """Draws the rows that there are, then others as they come, at most so many; counts the rest."""
    with Renderer(schema) as renderer:
        left = look.rows

        def taken(batch: pa.RecordBatch) -> list[Row]:
            nonlocal left
            rows = renderer.cells(batch if left is None else batch.slice(0, left))
            left = None if left is None else left - len(rows)
            return rows

        first = [row for batch in head for row in taken(batch)]
        table = _Table(renderer, [first], look, growing=True)
        sink.write("".join([*table.head(), *table.rows(first)]).encode())
        try:
            for batch in batches:
                if batch is not None:
                    total += batch.num_rows
                    sink.write("".join(table.rows(taken(batch))).encode())
        finally:  # of a statement that was stopped, too
            shown = total if left is None or look.rows is None else look.rows - left
            sink.write("".join(table.foot(shown, total)).encode())


class _Table:
    """The layout of one table: which columns are shown, how wide each is."""

    def __init__(
        self, renderer: Renderer, parts: list[list[Row]], look: Look, *, growing: bool = False
    ) -> None:
        """`growing`: more rows are to come, and their texts may be longer than those of `parts`."""
        self._names = [visible(n) for n in renderer.names]
        self._types = [t.lower() for t in renderer.types]
        self._right = [renderer.is_number(i) for i in range(len(self._names))]
        self._parts = parts
        self._look = look
        cells = [[self._cell(c) for c in row] for part in parts for row in part]
        natural = [
            max(
                display_width(name) if look.headers else 1,
                min(len(type_name), 24) if look.headers else 1,
                *(display_width(row[i]) for row in cells),
                _TEXT_COLUMN if growing and not self._right[i] else 1,
            )
            for i, (name, type_name) in enumerate(zip(self._names, self._types, strict=True))
        ]
        self._shown = _fitting(natural, look.width)
        self._widths = _narrowed([natural[i] for i in self._shown], look.width, self._gap)

    @property
    def _gap(self) -> int | None:
        """Where among the shown columns the left-out ones are missing."""
        for position, column in enumerate(self._shown):
            if column != position:
                return position
        return len(self._shown) if len(self._shown) < len(self._names) else None

    def lines(self, total: int) -> Iterator[str]:
        """The whole table."""
        yield from self.head()
        for number, part in enumerate(self._parts):
            if number:
                for _ in range(3):
                    yield self._row([_centred("·", w) for _, w in self._columns()], "")
            yield from self.rows(part)
        yield from self.foot(sum(map(len, self._parts)), total)

    def head(self) -> Iterator[str]:
        yield self._rule("┌", "┬", "┐")
        if self._look.headers:
            yield self._row([_centred(self._names[i], w) for i, w in self._columns()], "…")
            yield self._row([_centred(self._types[i], w) for i, w in self._columns()], "")
            yield self._rule("├", "┼", "┤")

    def rows(self, rows: Sequence[Row]) -> Iterator[str]:
        for row in rows:
            yield self._row([self._placed(row[i], i, w) for i, w in self._columns()], "…")

    def foot(self, shown: int, total: int) -> Iterator[str]:
        yield self._rule("└", "┴", "┘")
        notes = []
        if shown < total:
            notes.append(f"{total:,} rows ({shown} shown)")
        elif total == 0:
            notes.append("0 rows")
        if self._gap is not None:
            notes.append(f"{len(self._names)} columns ({len(self._shown)} shown)")
        if notes:
            yield "  ".join(notes) + "\n"

    def _columns(self) -> Iterator[tuple[int, int]]:
        return zip(self._shown, self._widths, strict=True)

    def _placed(self, value: str | None, column: int, width: int) -> str:
        text = _shortened(self._cell(value), width)
        space = " " * (width - display_width(text))
        if value is None and self._look.colour:
            text = _DIM + text + _PLAIN
        return space + text if self._right[column] else text + space

    def _cell(self, value: str | None) -> str:
        match value:
            case None:
                return visible(self._look.null)
            case "NULL":
                return "'NULL'"  # the text, told apart from the absence of one
            case _:
                return visible(value)

    def _row(self, cells: list[str], gap: str) -> str:
        if self._gap is not None:
            cells.insert(self._gap, gap or " ")
        return "│ " + " │ ".join(cells) + " │\n"

    def _rule(self, left: str, middle: str, right: str) -> str:
        strokes = ["─" * (w + 2) for w in self._widths]
        if self._gap is not None:
            strokes.insert(self._gap, "───")
        return left + middle.join(strokes) + right + "\n"


def _fitting(natural: Sequence[int], width: int | None) -> list[int]:
    """The columns to show: all, or as many as fit, from both ends."""
    least = [min(w, _NARROWEST) + 3 for w in natural]
    if width is None or sum(least) + 1 <= width:
        return list(range(len(natural)))
    left, right = [0], deque[int]()
    inner = deque(range(1, len(natural)))
    space = width - 1 - 4 - least[0]
    from_right = True
    while inner:
        column = inner.pop() if from_right else inner.popleft()
        space -= least[column]
        if space < 0:
            break
        if from_right:
            right.appendleft(column)
        else:
            left.append(column)
        from_right = not from_right
    return [*left, *right]


def _narrowed(widths: list[int], width: int | None, gap: int | None) -> list[int]:
    """The widths, the widest cut down until the table fits."""
    if width is None:
        return widths
    space = max(width - 1 - 3 * len(widths) - (4 if gap is not None else 0), len(widths))
    if sum(widths) <= space:
        return widths
    # The largest cap that fits; what remains goes to the first columns that can use it.
    fits = (c for c in range(space, 0, -1) if sum(min(w, c) for w in widths) <= space)
    cap = next(fits, 1)
    rest = space - sum(min(w, cap) for w in widths)
    narrowed = []
    for w in widths:
        extra = 1 if w > cap and rest > 0 else 0
        rest -= extra
        narrowed.append(min(w, cap + extra))
    return narrowed


def _centred(text: str, width: int) -> str:
    text = _shortened(text, width)
    space = width - display_width(text)
    return " " * (space // 2) + text + " " * (space - space // 2)


def _shortened(text: str, width: int) -> str:
    if display_width(text) <= width:
        return text
    taken = 0
    for position, character in enumerate(text):
        taken += display_width(character)
        if taken > width - 1:
            return text[:position] + "…"
    return text
