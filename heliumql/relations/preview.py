"""The first and last rows of a result, kept while its batches pass by."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable
from contextlib import closing

import pyarrow as pa

ROWS = 40  # of a longer result the first and the last half of these are shown


class Preview:
    """A few batches from both ends of a result, and how many rows there were."""

    def __init__(self) -> None:
        self.rows = 0
        self.complete = False  # all rows have passed
        self._head: list[pa.RecordBatch] = []
        self._tail: deque[pa.RecordBatch] = deque()
        self._in_head = self._in_tail = 0

    @classmethod
    def of(cls, batches: Iterable[pa.RecordBatch], *, complete: bool = True) -> Preview:
        """A preview of rows that are there; `complete`: there are no others."""
        preview = cls()
        for batch in batches:
            preview.saw(batch)
        preview.complete = complete
        return preview

    def watching(
        self, batches: Generator[pa.RecordBatch, None, None]
    ) -> Generator[pa.RecordBatch, None, None]:
        """The same batches."""
        with closing(batches):
            for batch in batches:
                self.saw(batch)
                yield batch
        self.complete = True

    def saw(self, batch: pa.RecordBatch) -> None:
        self.rows += batch.num_rows
        if self._in_head < ROWS:
            self._head.append(batch)
            self._in_head += batch.num_rows
            return
        self._tail.append(batch)
        self._in_tail += batch.num_rows
        while self._in_tail - self._tail[0].num_rows >= ROWS // 2:
            self._in_tail -= self._tail.popleft().num_rows

    def parts(self, schema: pa.Schema) -> list[pa.Table]:
        """All rows, or the first and the last of them."""
        kept = pa.Table.from_batches([*self._head, *self._tail], schema=schema)
        if self.rows <= ROWS:
            return [kept]
        if not self.complete:
            return [kept.slice(0, ROWS)]
        return [kept.slice(0, ROWS // 2), kept.slice(kept.num_rows - ROWS // 2)]
