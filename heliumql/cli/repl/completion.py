"""Completion in the shell: candidates of the live catalog, as prompt_toolkit takes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from heliumql.completion import Candidate, Kind, SnapshotReader, candidates
from heliumql.connection import Connection

if TYPE_CHECKING:
    from heliumql.completion import Snapshot

_UNASKED = (".", "{", "'", '"', "/")  # behind these a menu opens before a letter is typed
_WIDEST_META = 60


class HqlCompleter(Completer):
    """Completes HQL and dot commands from the catalog of a connection.

    It is to be called in the thread that runs statements (so not `complete_in_thread`): the
    catalog is read on the connection itself while nothing runs there.
    """

    def __init__(self, connection: Connection) -> None:
        self._reader = SnapshotReader(connection.duckdb, connection.catalog)
        self._connection = connection

    def get_completions(
        self, document: Document, complete_event: CompleteEvent
    ) -> Iterable[Completion]:
        text, position = document.text, document.cursor_position
        before = text[:position].rstrip(" ")
        if not complete_event.completion_requested and not _is_asking(text[:position], before):
            return
        for candidate in candidates(text, position, self._snapshot()):
            yield _completion(candidate, position)

    def close(self) -> None:
        """Lets go of the connection. Idempotent."""
        self._reader.close()

    def _snapshot(self) -> Snapshot:
        return self._reader.read(self._connection.settings, _dot_commands())


def _is_asking(text: str, before: str) -> bool:
    """A word has begun, or stands where only few things can: then a menu opens by itself."""
    last = text[-1:]
    return last.isalnum() or last == "_" or last in _UNASKED or before.endswith(("=>", ":="))


def _completion(candidate: Candidate, position: int) -> Completion:
    meta = candidate.meta if len(candidate.meta) <= _WIDEST_META else candidate.meta[:59] + "…"
    if not meta and candidate.kind is not Kind.KEYWORD:
        meta = candidate.kind.value
    return Completion(
        candidate.replacement,
        start_position=candidate.start - position,
        display=candidate.label,
        display_meta=meta,
    )


def _dot_commands() -> Mapping[str, tuple[str, str]]:
    """Names of dot commands with their arguments and help."""
    from heliumql.cli.repl.dot_commands import COMMANDS  # they import much of the shell

    return COMMANDS
