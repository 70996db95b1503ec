"""Sessions: what each client has on the server. Opened, found, interrupted and dropped here.

A session is a cursor of the server's connection: settings, TEMP tables and TEMP models are its own,
answers, engines and calls in flight are common to all. `server.py` runs statements in it.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from heliumql.connection import Connection, Parsed
from heliumql.errors import EngineError, ExecutionError
from heliumql.extensions.flight.safe import check_allowed
from heliumql.relations.relation import Relation
from heliumql.statements.sequences import with_parameters

_LOOK_SECONDS = 0.05  # how often those are looked for who have gone
_AGAIN_SECONDS = 0.5  # between interrupts of one statement: what it tidies up is let through
_PATIENCE_SECONDS = 10.0  # of a statement, for the one before it in its session
_TEXT_SHOWN = 200  # characters of a running statement


class Caller(Protocol):
    """A call of a client, as the transport knows it."""

    def is_cancelled(self) -> bool: ...


class ClientSession:
    """One client's connection, and the text of it that is being run."""

    def __init__(self, connection: Connection, peer: str) -> None:
        self.id = secrets.token_urlsafe(16)
        self.connection = connection
        self.peer = peer
        self.over = threading.Event()
        self.opened = self.used = time.monotonic()
        self.running: str | None = None
        self.interrupted_at: float | None = None  # the running statement; None: it may go on
        self.lock = threading.Lock()  # one statement at a time
        self._script: Iterator[tuple[Parsed, Relation | None]] | None = None
        self._left = 0  # statements of the script

    def begin(
        self,
        texts: Sequence[tuple[str, str | None]],
        values: dict[str, Any],
        *,
        named: bool,
        safe: bool,
    ) -> None:
        """The statements to run from now on; all are parsed before the first of them runs."""
        self._script = None
        parsed = [s for text, name in texts for s in self.connection.statements(text, name)]
        if safe:
            for one in parsed:
                check_allowed(one)
        self._left = len(parsed)
        given = with_parameters(parsed, (values if named else list(values.values())) or None)
        self._script = self.connection.run_all(given)

    def next_result(self) -> tuple[Parsed, Relation, bool] | None:
        """Runs statements up to one that has rows; also whether it is the last. None: no more."""
        script, self._script = self._script, None  # an error ends it
        for parsed, relation in script or ():
            self._left -= 1
            if relation is not None:
                self._script = script
                return parsed, relation, self._left == 0
        return None


class Sessions:
    """The sessions of one server. A thread of it looks for clients that have gone."""

    def __init__(
        self, root: Connection, *, idle_seconds: float, most: int, safe: bool = False
    ) -> None:
        """`most` sessions at once; one that runs nothing for `idle_seconds` is dropped."""
        self.root = root
        self.safe = safe
        self._idle = idle_seconds
        self._most = most
        self._sessions: dict[str, ClientSession] = {}
        self._callers: dict[ClientSession, Caller] = {}  # of those that run something
        self._lock = threading.Lock()
        self._opening = threading.Lock()  # cursors are made, and closed, one at a time
        self._stopping = False
        self._stopped = threading.Event()
        self._watch = threading.Thread(target=self._look, name="heliumql-sessions", daemon=True)
        self._watch.start()

    def open(self, peer: str) -> ClientSession:
        """A new session. Raises ExecutionError where there are too many."""
        with self._opening:
            self._check_serving()
            if len(self._sessions) >= self._most:
                raise ExecutionError(
                    f"the server has {self._most:,} sessions, more are not allowed",
                    hint="heliumql serve --max-sessions",
                )
            session = ClientSession(self.root.cursor(), peer)
            # HUGEINT, UUID, BIT and JSON keep their types on the way through Arrow.
            session.connection.duckdb.execute("SET arrow_lossless_conversion = true")
            with self._lock:
                self._sessions[session.id] = session
            return session

    def find(self, session_id: str) -> ClientSession:
        """Raises ExecutionError where there is no such session, or not any more."""
        self._check_serving()
        with self._lock:
            found = self._sessions.get(session_id)
        if found is None or found.over.is_set():
            raise ExecutionError("this session of the server is over", hint="connect again")
        return found

    def _check_serving(self) -> None:
        if self._stopping:
            raise EngineError("the server is stopping")

    @contextmanager
    def running(self, session: ClientSession, caller: Caller, text: str | None) -> Iterator[None]:
        """While a statement runs: it is interrupted when the caller goes or the session is over."""
        if not session.lock.acquire(timeout=_PATIENCE_SECONDS):
            raise ExecutionError("the session runs another statement", hint="wait for it")
        try:
            with self._lock:
                session.interrupted_at = None
                session.running = text if text is not None else session.running
                self._callers[session] = caller
            yield
        finally:
            with self._lock:
                del self._callers[session]
                session.used = time.monotonic()
            session.lock.release()

    def interrupt(self, session: ClientSession) -> None:
        """Stops what the session runs now; what is not running cannot be stopped."""
        with self._lock:
            if session in self._callers:
                self._interrupt(session)

    def _interrupt(self, session: ClientSession) -> None:
        session.interrupted_at = time.monotonic()
        session.connection.interrupt()

    def close(self, session: ClientSession) -> None:
        """Drops a session, when what it runs has stopped."""
        session.over.set()
        with session.lock, self._opening:
            session.connection.close()
            with self._lock:
                self._sessions.pop(session.id, None)

    def stop(self) -> None:
        """Takes no statements any more and ends the running ones; sessions end by themselves."""
        with self._opening, self._lock:
            self._stopping = True
            for session in self._sessions.values():
                session.over.set()

    def wait(self, seconds: float) -> bool:
        """Waits until there are no sessions; whether that is so."""
        until = time.monotonic() + seconds
        while self._sessions and time.monotonic() < until:
            self._stopped.wait(_LOOK_SECONDS)
        return not self._sessions

    def end(self) -> None:
        self._stopped.set()
        self._watch.join()

    def shown(self) -> list[dict[str, Any]]:
        """What each session does, without the names by which it could be used."""
        now = time.monotonic()
        with self._lock:
            return [
                {
                    "peer": s.peer,
                    "seconds": round(now - s.opened, 3),
                    "calls_run": s.connection.total_stats.calls_run,
                    "running": (s.running or "")[:_TEXT_SHOWN] if s in self._callers else None,
                }
                for s in self._sessions.values()
            ]

    def _look(self) -> None:
        """Interrupts statements that nobody waits for, and drops sessions that are idle."""
        while not self._stopped.wait(_LOOK_SECONDS):
            now = time.monotonic()
            with self._lock:
                for session, caller in self._callers.items():
                    unwanted = session.over.is_set() or caller.is_cancelled()
                    at = session.interrupted_at
                    # Again and again: a statement of the text that began since has not heard it.
                    if (unwanted and at is None) or (at is not None and now - at > _AGAIN_SECONDS):
                        self._interrupt(session)
                for session in self._sessions.values():
                    if session not in self._callers and now - session.used > self._idle:
                        session.over.set()
