"""What is seen of the statements of a connection: stats, progress, a trace of what they do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from heliumql.errors import ExecutionError
from heliumql.stats import Progress, Stats
from heliumql.trace import written_to

if TYPE_CHECKING:
    from heliumql.session import Session
    from heliumql.statements.evaluations import Evaluations


class Observing:
    """The part of a connection that says what its statements do."""

    _session: Session
    _evaluations: Evaluations

    @property
    def last_stats(self) -> Stats | None:
        """What the last statement did."""
        return self._evaluations.last_stats

    @last_stats.setter
    def last_stats(self, stats: Stats | None) -> None:
        self._evaluations.last_stats = stats

    @property
    def total_stats(self) -> Stats:
        """What all statements so far did."""
        return self._evaluations.total_stats

    @property
    def progress(self) -> Callable[[Progress], None] | None:
        """Called now and then with how far the running statement is."""
        return self._session.progress

    @progress.setter
    def progress(self, show: Callable[[Progress], None] | None) -> None:
        self._session.progress = show

    @contextmanager
    def trace(self, path: str | Path) -> Iterator[None]:
        """Writes what runs in the body do to a file, as Chrome trace events (heliumql.trace).

        ui.perfetto.dev and chrome://tracing open it. It is complete however the body ends.
        Raises ExecutionError where the file cannot be written.

        >>> import heliumql
        >>> with heliumql.connect() as con, con.trace("/dev/null"):
        ...     _ = con.execute("CREATE MODEL m WITH (engine = 'simulated')")
        ...     con.sql("SELECT LLM_GENERATE('Say hello to Ada') AS greeting").columns
        ['greeting']
        """
        if self._session.trace is not None:
            raise ExecutionError("a trace of this connection is being written already")
        with written_to(path) as trace:
            self._session.trace = trace
            try:
                yield
            finally:
                self._session.trace = None
