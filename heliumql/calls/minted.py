"""Calls named in a pass, as columns: their messages stay in the Arrow batches they came in.

What exceeds the memory allowed goes to a temporary file and is read back through a memory map, so
that a statement with millions of prompts does not hold them in memory.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path

import pyarrow as pa

from heliumql.calls.identity import History


@dataclass(frozen=True, slots=True)
class Messages:
    """What one call says: `prompt` may hold references, so may the others."""

    site: int
    prompt: str
    system: str | None
    history: History

    @property
    def bytes(self) -> int:
        """How long all that is said is, in UTF-8."""
        texts = [self.prompt, self.system, *(m["content"] for m in self.history or ())]
        return sum(len(text.encode()) for text in texts if text is not None)


_GONE = (-1, -1)
_MOST_MAPPED = 1024  # batches of files that stay opened: opening one takes longer than a row


class SpilledBatches:
    """Record batches in order; beyond `max_bytes` they live in a temporary file."""

    def __init__(self, max_bytes: int = 128_000_000) -> None:
        self.max_bytes = max_bytes
        self._held: list[pa.RecordBatch | tuple[int, int]] = []  # or (file, batch in it)
        self._resident: list[int] = []
        self._bytes = 0
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._files: list[pa.ipc.RecordBatchFileReader] = []
        self._mapped: dict[int, pa.RecordBatch] = {}  # of those in files, by number

    def __len__(self) -> int:
        return len(self._held)

    def append(self, batch: pa.RecordBatch) -> int:
        """Keeps the batch; its number."""
        self._held.append(batch)
        self._resident.append(len(self._held) - 1)
        self._bytes += batch.nbytes
        if self._bytes > self.max_bytes:
            self._spill()
        return len(self._held) - 1

    def __getitem__(self, number: int) -> pa.RecordBatch:
        held = self._held[number]
        return held if isinstance(held, pa.RecordBatch) else self._read(number, *held)

    def drop(self, number: int) -> None:
        """Lets go of a batch that is not needed any more."""
        held = self._held[number]
        if isinstance(held, pa.RecordBatch):
            self._bytes -= held.nbytes
            self._resident.remove(number)
        self._held[number] = _GONE
        self._mapped.pop(number, None)

    def clear(self) -> None:
        self._held, self._resident, self._bytes, self._files = [], [], 0, []
        self._mapped.clear()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def _read(self, number: int, file: int, index: int) -> pa.RecordBatch:
        """A batch of a file: its columns are where the file is mapped, not in memory of ours."""
        batch = self._mapped.get(number)
        if batch is None:
            if len(self._mapped) >= _MOST_MAPPED:
                del self._mapped[next(iter(self._mapped))]
            batch = self._mapped[number] = self._files[file].get_batch(index)
        return batch

    def _spill(self) -> None:
        """Writes what is in memory to a file of its own; one schema a file."""
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="heliumql-")
        by_schema: dict[str, list[int]] = {}
        for number in self._resident:
            held = self._held[number]
            assert isinstance(held, pa.RecordBatch)
            by_schema.setdefault(str(held.schema), []).append(number)
        for numbers in by_schema.values():
            path = Path(self._folder.name) / f"{len(self._files)}.arrow"
            first = self._held[numbers[0]]
            assert isinstance(first, pa.RecordBatch)
            with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, first.schema) as out:
                for number in numbers:
                    out.write_batch(self._held[number])
            reader = pa.ipc.open_file(pa.memory_map(str(path)))
            for index, number in enumerate(numbers):
                self._held[number] = (len(self._files), index)
            self._files.append(reader)
        self._resident, self._bytes = [], 0


class MintedCalls:
    """All calls that a statement has named, by identity."""

    def __init__(self, max_bytes: int = 128_000_000) -> None:
        self._batches = SpilledBatches(max_bytes)
        self._places: dict[bytes, int] = {}  # batch << 32 | row
        self._live: list[int] = []  # calls of each batch that are still needed
        self._sites: list[int] = []  # of each batch

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, identity: bytes) -> bool:
        return identity in self._places

    def add(
        self,
        site: int,
        identities: list[bytes | None],
        prompts: pa.Array,
        systems: pa.Array | None,
        histories: pa.Array | None,
    ) -> None:
        """Keeps the messages of those calls of the batch that are new."""
        places = self._places
        fresh = [
            row
            for row, identity in enumerate(identities)
            if identity is not None and identity not in places
        ]
        if not fresh:
            return
        columns: dict[str, pa.Array] = {"prompt": prompts}
        if systems is not None:
            columns["system"] = systems
        if histories is not None:
            columns["history"] = histories
        batch = pa.RecordBatch.from_pydict(columns)
        if len(fresh) < len(identities) // 2:
            batch = batch.take(pa.array(fresh))
            rows = range(len(fresh))
        else:
            rows = fresh  # type: ignore[assignment]
        before = len(places)
        number = self._batches.append(batch) << 32
        for row, source in zip(rows, fresh, strict=True):
            identity = identities[source]
            assert identity is not None
            places[identity] = number | row
        self._live.append(len(places) - before)
        self._sites.append(site)

    def site(self, identity: bytes) -> int:
        """Where the call was named."""
        return self._sites[self._places[identity] >> 32]

    def messages(self, identity: bytes) -> Messages:
        place = self._places[identity]
        batch, row = self._batches[place >> 32], place & 0xFFFFFFFF
        names = batch.schema.names
        return Messages(
            self._sites[place >> 32],
            batch.column("prompt")[row].as_py(),
            batch.column("system")[row].as_py() if "system" in names else None,
            batch.column("history")[row].as_py() if "history" in names else None,
        )

    def each(self, identities: Sequence[bytes]) -> Iterator[tuple[int, Messages]]:
        """The messages of many calls, each with the place of the call, batch by batch."""
        rows: dict[int, list[int]] = {}
        places: dict[int, list[int]] = {}
        for place, identity in enumerate(identities):
            at = self._places[identity]
            rows.setdefault(at >> 32, []).append(at & 0xFFFFFFFF)
            places.setdefault(at >> 32, []).append(place)
        for number, wanted in rows.items():
            batch = self._batches[number].take(pa.array(wanted))
            nothing = [None] * len(wanted)
            prompts, systems, histories = (
                batch.column(name).to_pylist() if name in batch.schema.names else nothing
                for name in ("prompt", "system", "history")
            )
            made = map(Messages, repeat(self._sites[number]), prompts, systems, histories)
            yield from zip(places[number], made, strict=True)

    def forget(self, identity: bytes) -> None:
        """The call is answered: its messages are not needed any more."""
        place = self._places.pop(identity, None)
        if place is not None:
            self._live[place >> 32] -= 1
            if self._live[place >> 32] == 0:
                self._batches.drop(place >> 32)

    def clear(self) -> None:
        self._batches.clear()
        self._places, self._live, self._sites = {}, [], []
