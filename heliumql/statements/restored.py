"""What statements of earlier sessions made, made again for this one when its connection opens.

`Statements` makes each of them; what cannot be made, as its table is gone, waits until it is named.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from heliumql.catalog import Catalog, Entry
from heliumql.errors import BindError, HeliumQLError


class Restored:
    """The entries of a catalog, and which of them could not be made again."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._broken: dict[tuple[str, str], HeliumQLError] = {}  # by kind and name

    def make(self, entries: Sequence[Entry], made: Callable[[str], object]) -> None:
        """Runs the statements of the entries with `made`.

        What does not bind waits: it must not keep anybody out.
        """
        left = list(entries)
        while left:
            failed = []
            for entry in left:
                key = (entry.kind, entry.name.lower())
                self._catalog.entries[key] = entry
                try:
                    made(entry.text)
                    self._broken.pop(key, None)
                except HeliumQLError as error:
                    self._broken[key] = error
                    failed.append(entry)
            if len(failed) == len(left):
                return
            left = failed  # it may read one that was made after it

    def check(self, text: str, made: Callable[[str], object]) -> None:
        """Of what could not be made again the statement names nothing, or it can be made now."""
        named = {w.lower() for w in re.findall(r"\w+", text)} if self._broken else set()
        entries = self._catalog.entries
        stale = [k for k in self._broken if k not in entries]
        for key in stale:  # dropped
            del self._broken[key]
        if not any(name in named for _, name in self._broken):
            return
        self.make([entries[key] for key in self._broken], made)
        for (kind, name), error in self._broken.items():
            if name in named:
                raise BindError(
                    f"the {kind} {name} cannot be used: {error.message}",
                    hint=f"make what it reads, or CREATE OR REPLACE or DROP the {kind}",
                )
