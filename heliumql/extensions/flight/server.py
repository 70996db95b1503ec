"""The server: runs statements of many clients in their sessions, and streams rows as Arrow batches.

`heliumql serve` starts it. The transport calls its methods from a thread for each call.
"""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.flight as flight

from heliumql.errors import ExecutionError, HeliumQLError, InternalError
from heliumql.extensions.flight import protocol
from heliumql.extensions.flight.parameters import unpacked
from heliumql.extensions.flight.protocol import Command, MalformedError, message, plain
from heliumql.extensions.flight.sessions import ClientSession, Sessions
from heliumql.extensions.flight.tokens import Doorkeeper
from heliumql.physical.dispatch import Interrupted
from heliumql.stats import Progress

_PRESENCE_SECONDS = 0.2  # how often it is looked whether a client is still there
_PROGRESS_SECONDS = 0.2


class Server(flight.FlightServerBase):  # type: ignore[misc]
    """Listens as soon as it is made."""

    def __init__(
        self,
        location: str,
        sessions: Sessions,
        token: str | None,
        certificates: Sequence[tuple[bytes, bytes]] = (),
    ) -> None:
        """`certificates` are chains with their keys, in PEM; without a token anybody may come."""
        middleware = {"token": Doorkeeper(token)} if token is not None else None
        super().__init__(
            location, tls_certificates=list(certificates) or None, middleware=middleware
        )
        self._sessions = sessions
        self._began = time.monotonic()

    # actions ------------------------------------------------------------------------------

    def list_actions(self, context: Any) -> list[tuple[str, str]]:
        return [
            (protocol.SESSION, "opens a session, and holds it while its stream is read"),
            (protocol.INTERRUPT, "stops the statement that a session runs"),
            (protocol.STATS, "what the statements of a session did"),
            (protocol.CLOSE, "ends a session"),
            (protocol.STATUS, "sessions, running statements and engines"),
        ]

    def do_action(self, context: Any, action: Any) -> Iterator[bytes]:
        try:
            match action.type:
                case protocol.SESSION:
                    return self._present(context)
                case protocol.STATUS:
                    return iter([message(**self.status())])
                case protocol.INTERRUPT:
                    self._sessions.interrupt(self._named(action.body))
                case protocol.STATS:
                    return iter([message(**_numbers(self._named(action.body)))])
                case protocol.CLOSE:
                    self._named(action.body).over.set()
                case _:
                    raise MalformedError("there is no such action")
            return iter([message(done=True)])
        except (HeliumQLError, MalformedError) as error:
            raise flight.FlightServerError(str(error)) from None

    def _named(self, body: Any) -> ClientSession:
        match protocol.read_json(body.to_pybytes() if body is not None else b""):
            case {"session": str(session)}:
                return self._sessions.find(session)
            case _:
                raise MalformedError("a session is missing")

    def _present(self, context: Any) -> Iterator[bytes]:
        """The stream that a client holds while it is there; the session ends with it."""
        try:
            session = self._sessions.open(_peer(context))
        except HeliumQLError as error:
            yield message(error=protocol.told_error(error))
            return
        try:
            yield message(session=session.id, version=protocol.VERSION)
            while not session.over.wait(_PRESENCE_SECONDS) and not context.is_cancelled():
                pass
        finally:
            self._sessions.close(session)

    def status(self) -> dict[str, Any]:
        """What the server does now."""
        shared = self._sessions.root.shared
        return {
            "version": heliumql_version(),
            "seconds": round(time.monotonic() - self._began, 3),
            "sessions": self._sessions.shown(),
            "engines": shared.described(),
            "in_flight": sum(shared.flights.shares.in_flight().values()),
        }

    # statements ---------------------------------------------------------------------------

    def do_exchange(self, context: Any, descriptor: Any, reader: Any, writer: Any) -> None:
        told = _Told(writer)
        session: ClientSession | None = None
        try:
            try:
                batch = _parameters(reader)  # first: a client that is writing hears no answer
                command = Command.decoded(descriptor.command or b"")
                values = unpacked(batch)
                session = self._sessions.find(command.session)
                with self._sessions.running(session, context, _shown(command)):
                    self._run(session, command, values, told)
            except (MalformedError, HeliumQLError, duckdb.Error, OSError, pa.ArrowException) as e:
                told.error(_as_ours(e), session)
            except Exception:
                traceback.print_exc(file=sys.stderr)
                told.error(InternalError("the server failed at this statement"), session)
        except _GoneError:
            pass  # nobody is left to be told

    def _run(
        self, session: ClientSession, command: Command, values: dict[str, Any], told: _Told
    ) -> None:
        """The next result of a text, or of a new one."""
        session.connection.progress = told.progress if command.progress else None
        if command.texts is not None:
            session.begin(command.texts, values, named=command.named, safe=self._sessions.safe)
        found = session.next_result()
        if found is None:
            told.end(session, more=False)
            return
        parsed, relation, last = found
        told.rows(relation.schema, statement=parsed.statement.text, last=last)
        with closing(relation.batches()) as batches:
            for batch in batches:
                told.batch(batch)
        told.end(session, more=not last)


class _GoneError(Exception):
    """The client does not listen any more."""


class _Told:
    """What the client is told of one result; raises _GoneError where it is not there."""

    def __init__(self, writer: Any) -> None:
        self._writer = writer
        self._shown = 0.0

    def rows(self, schema: pa.Schema, *, statement: str, last: bool) -> None:
        self._message(rows={"statement": statement, "last": last})
        self._send(self._writer.begin, schema)

    def batch(self, batch: pa.RecordBatch) -> None:
        self._send(self._writer.write_batch, batch)

    def progress(self, progress: Progress) -> None:
        now = time.monotonic()
        if now - self._shown > _PROGRESS_SECONDS:
            self._shown = now
            self._message(progress=plain(progress))

    def end(self, session: ClientSession, *, more: bool) -> None:
        self._message(end={"more": more}, **_numbers(session))

    def error(self, error: HeliumQLError, session: ClientSession | None) -> None:
        self._message(error=protocol.told_error(error), **_numbers(session))

    def _message(self, **what: object) -> None:
        self._send(self._writer.write_metadata, message(**what))

    def _send(self, write: Any, what: Any) -> None:
        try:
            write(what)
        except (flight.FlightError, pa.ArrowException, OSError) as error:
            raise _GoneError from error


def _numbers(session: ClientSession | None) -> dict[str, Any]:
    """The stats of the last statement, and of all of the session."""
    if session is None:
        return {}
    connection = session.connection
    return {"stats": plain(connection.last_stats), "total": plain(connection.total_stats)}


def _as_ours(error: Exception) -> HeliumQLError:
    match error:
        case HeliumQLError():
            return error
        case duckdb.InterruptException():
            return Interrupted()
        case _:
            return ExecutionError(str(error))


def _parameters(reader: Any) -> pa.RecordBatch | None:
    """The one batch that a client sends. Raises MalformedError."""
    batch = None
    for batch in reader.to_reader():
        if batch.nbytes > protocol.MOST_BYTES:
            raise MalformedError(f"the parameters are more than {protocol.MOST_BYTES >> 20} MB")
        break
    return batch


def _shown(command: Command) -> str | None:
    return None if command.texts is None else "\n".join(text for text, _ in command.texts)


def _peer(context: Any) -> str:
    return str(context.peer()).removeprefix("ipv4:").removeprefix("ipv6:")


def heliumql_version() -> str:
    from importlib.metadata import version

    return version("heliumql")
