"""The last result, kept so that `.last` can show it in another mode without running anything."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

_MOST_BYTES = 64_000_000


class LastResult:
    """The batches of one result, as long as they are few."""

    def __init__(self, schema: pa.Schema) -> None:
        self.schema = schema
        self.rows = 0
        self.is_whole = True  # all rows have been kept
        self._batches: list[pa.RecordBatch] = []
        self._bytes = 0

    def watching(
        self, arrivals: Iterator[pa.RecordBatch | None]
    ) -> Iterator[pa.RecordBatch | None]:
        """The same, noted."""
        for batch in arrivals:
            if batch is not None:
                self._note(batch)
            yield batch

    def batches(self) -> Iterator[pa.RecordBatch]:
        return iter(self._batches)

    def _note(self, batch: pa.RecordBatch) -> None:
        self.rows += batch.num_rows
        if self.is_whole:
            self._bytes += batch.nbytes
            self._batches.append(batch)
        if self._bytes > _MOST_BYTES:
            self.is_whole = False
            self._batches.clear()
