"""A connection to a server: statements go there, rows come back as Arrow batches.

`heliumql.connect("grpc://..")` and `heliumql run --connect` make one.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.flight as flight

from heliumql.errors import EngineError, ExecutionError, HeliumQLError
from heliumql.extensions.flight import protocol, tokens
from heliumql.extensions.flight.parameters import Parameters, packed
from heliumql.extensions.flight.protocol import Command, stats_of
from heliumql.extensions.flight.remote_rows import RemoteRelation, Result, Stream
from heliumql.physical.dispatch import Interrupted
from heliumql.physical.output import Caster
from heliumql.stats import Progress, Stats

_OF_YOUR_OWN = (
    "--tls-root, or tls_root in Python, says what a certificate of your own is checked by"
)
_PEM = b"-----BEGIN CERTIFICATE-----"
_SECONDS = 20.0  # of an action; the server answers at once
_KEEPALIVE = [("grpc.keepalive_time_ms", 60_000), ("grpc.keepalive_timeout_ms", 20_000)]


def is_address(database: object) -> bool:
    """It names a server and no file."""
    return isinstance(database, str) and database.startswith(("grpc://", "grpc+tls://"))


class RemoteConnection:
    """A session of a server. Not for several threads at once, except `interrupt`."""

    def __init__(
        self, address: str, *, token: str | None = None, tls_root: bytes | None = None
    ) -> None:
        """The token is that of the variable HELIUMQL_TOKEN if none is given.

        Raises EngineError where no server answers, or it refuses the token.
        """
        if tls_root is not None and not (isinstance(tls_root, bytes) and _PEM in tls_root):
            raise EngineError(
                "the root certificates are no certificates in PEM",
                hint="tls_root=Path('root.pem').read_bytes()",
            )
        self.last_stats: Stats | None = None
        self.total_stats = Stats()
        self.progress: Callable[[Progress], None] | None = None
        self._address = address
        self._open: weakref.ref[RemoteRelation] | None = None
        self._stream: Stream | None = None
        self._interrupting = threading.Lock()
        self._closed = False
        self._result: RemoteRelation | None = None
        self.caster = Caster()
        try:
            self._client = flight.FlightClient(
                address, tls_root_certs=tls_root, generic_options=_KEEPALIVE
            )
        except (pa.ArrowException, ValueError) as error:
            raise EngineError(f"{address} is no address of a server: {_short(error)}") from None
        token = token or os.environ.get(tokens.VARIABLE)
        self._headers = [tokens.header(tokens.checked(token, "token"))] if token else []
        with self.transport():
            # Its stream stays open, unread: the server sees by it that we are there.
            self._presence = self._client.do_action(
                flight.Action(protocol.SESSION, b""), self._options()
            )
            told = json.loads(next(self._presence).body.to_pybytes())
        if "error" in told:
            self._client.close()
            raise protocol.error_of(told["error"])
        if told.get("version") != protocol.VERSION:
            self._client.close()
            raise EngineError(
                f"the server at {address} speaks another version of this protocol",
                hint="install the same heliumql on both sides",
            )
        self._session = str(told["session"])

    # statements ---------------------------------------------------------------------------

    def sql(self, text: str, params: Parameters = None) -> RemoteRelation | None:
        """The rows of the last statement of the text, as they come; those before it are run.

        The server begins at once. Raises what the statements raise there.
        """
        result: RemoteRelation | None = None
        for result in self.results([(text, None)], params):
            if result.is_last:
                return result
            result.arrow()
        return None

    def results(
        self, texts: Sequence[tuple[str, str | None]], params: Parameters = None
    ) -> Iterator[RemoteRelation]:
        """The results of texts, each with the name of its file; each is run when it is asked for.

        All statements are parsed before one runs; queries between which nothing changes are
        evaluated together. Of parameters with names each statement takes those that it names.
        """
        command = Command(self._session, tuple(texts), isinstance(params, dict))
        while True:
            result = self._next(command, params)
            if result is None:
                return
            relation = RemoteRelation(self, result)
            self._open = weakref.ref(relation)
            yield relation
            relation.read_ahead()
            if relation.is_last:
                return
            command, params = Command(self._session), None

    def _next(self, command: Command, params: Parameters) -> Result | None:
        self._check_open()
        self._free()
        batch = packed(params)
        command = Command(
            command.session, command.texts, command.named, progress=self.progress is not None
        )
        with self.transport():
            writer, reader = self._client.do_exchange(
                flight.FlightDescriptor.for_command(command.encoded()), self._options()
            )
            stream = self._stream = Stream(self, writer, reader)
            writer.begin(pa.schema([]) if batch is None else batch.schema)
            if batch is not None:
                writer.write_batch(batch)
            writer.done_writing()
        return stream.result()

    def execute(self, text: str, params: Parameters = None) -> RemoteConnection:
        """Runs the text; rows of its last statement are fetched from the connection."""
        self._result = self.sql(text, params)
        return self

    def fetchall(self) -> list[tuple[Any, ...]]:
        return [] if self._result is None else self._result.fetchall()

    def fetchone(self) -> tuple[Any, ...] | None:
        return None if self._result is None else self._result.fetchone()

    def fetchmany(self, size: int = 1) -> list[tuple[Any, ...]]:
        return [] if self._result is None else self._result.fetchmany(size)

    def status(self) -> dict[str, Any]:
        """Sessions, running statements and engines of the server."""
        self._check_open()
        return self._act(protocol.STATUS)

    # what is open -------------------------------------------------------------------------

    def _free(self) -> None:
        """Before another statement: what is still read is read to its end; what nobody can read any
        more is stopped."""
        opened = self._open() if self._open is not None else None
        stream, self._open = self._stream, None
        if opened is not None:
            opened.read_ahead()
        elif stream is not None:
            stream.stop()

    def heard(self, message: dict[str, Any]) -> None:
        """What the server says beside rows."""
        if self.progress is not None and message.get("progress"):
            self.progress(protocol.progress_of(message["progress"]))
        if message.get("stats"):
            self.last_stats = stats_of(message["stats"])
        if message.get("total"):
            self.total_stats = stats_of(message["total"])

    def ask_stats(self) -> None:
        """Hears again what the statements of the session did."""
        self.heard(self._act(protocol.STATS, session=self._session))

    def interrupt(self) -> None:
        """Stops the running statement; its calls are aborted, answers that came are kept."""
        stream = self._stream
        if self._closed or stream is None or stream.is_over:
            return
        with self._interrupting:
            try:
                self._act(protocol.INTERRUPT, session=self._session)
            except HeliumQLError:
                stream.cancel()  # the server does not listen: at least nobody waits for it

    def close(self) -> None:
        """Ends the session, and what it runs. Idempotent."""
        if self._closed:
            return
        self._closed = True
        if self._stream is not None and not self._stream.is_over:
            self._stream.cancel()
        with contextlib.suppress(HeliumQLError):  # a server that is gone has no session
            self._act(protocol.CLOSE, session=self._session)
            for _ in self._presence:  # until the server has dropped it
                pass
        with contextlib.suppress(flight.FlightError):
            self._client.close()
        self.caster.close()

    def __enter__(self) -> RemoteConnection:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _check_open(self) -> None:
        if self._closed:
            raise ExecutionError("the connection is closed")

    def _act(self, name: str, **body: str) -> dict[str, Any]:
        with self.transport():
            action = flight.Action(name, json.dumps(body).encode())
            answers = list(self._client.do_action(action, self._options(_SECONDS)))
        told = json.loads(answers[0].body.to_pybytes())
        assert isinstance(told, dict)
        return told

    def _options(self, seconds: float | None = None) -> Any:
        return flight.FlightCallOptions(timeout=seconds, headers=self._headers)

    def transport(self) -> contextlib.AbstractContextManager[None]:
        return transported(self._address)


@contextlib.contextmanager
def transported(address: str) -> Iterator[None]:
    """What goes wrong between client and server, as errors of ours."""
    try:
        yield
    except flight.FlightUnauthenticatedError:
        raise EngineError(
            f"the server at {address} refuses the token, or wants one",
            hint=f"heliumql serve shows it; give it in {tokens.VARIABLE} or with --token-file",
        ) from None
    except flight.FlightCancelledError:
        raise Interrupted from None
    except flight.FlightUnavailableError as error:
        why = _short(error).rpartition(": ")[2]
        raise EngineError(
            f"the server at {address} cannot be reached: {why}",
            hint=_OF_YOUR_OWN if "certificate" in why else "heliumql serve starts one",
        ) from None
    except (flight.FlightError, OSError) as error:
        raise EngineError(f"the server at {address} failed: {_short(error)}") from None


def _short(error: Exception) -> str:
    """The first sentence of what the transport says."""
    text = str(error).partition(". Detail:")[0].partition(". gRPC client debug")[0]
    return text.strip().partition("\n")[0][:300] or type(error).__name__
