"""`heliumql serve`: a server for many clients, until a signal ends it."""

from __future__ import annotations

import argparse
import ipaddress
import json
import os
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from heliumql.cli.interrupt import Interrupts
from heliumql.cli.parser import UsageError
from heliumql.cli.remote import connected, contents
from heliumql.cli.report import say
from heliumql.cli.run import status_of
from heliumql.cli.scripts import constant, read
from heliumql.cli.standard_output import write
from heliumql.cli.values import pairs
from heliumql.connection import Connection
from heliumql.extensions.flight import tokens
from heliumql.extensions.flight.safe import CONFIG
from heliumql.extensions.flight.server import Server
from heliumql.extensions.flight.sessions import Sessions
from heliumql.shared import opened

_PATIENCE_SECONDS = 5.0  # of the end, for clients that take no rows


def serve(options: argparse.Namespace, interrupts: Interrupts) -> int:
    """Serves until a signal comes; the exit status."""
    left: list[str] = []
    status = status_of(lambda: _serve(options, interrupts, left), interrupts)
    if left:  # a thread that waits for a client which takes no rows cannot be ended otherwise
        say(f"warning: {left[0]}")
        os._exit(status)
    return status


def _serve(options: argparse.Namespace, interrupts: Interrupts, left: list[str]) -> None:
    """`left` gets what could not be ended."""
    if options.status is not None:
        with connected(options.status, options) as connection:
            write(json.dumps(connection.status(), indent=2) + "\n")
        return
    settings = pairs("--set", options.set)
    if options.model is not None:
        settings["llm_default_model"] = options.model
    local = _is_loopback(options.host)
    certificates = _certificates(options)
    token, made = _token(options, local=local)
    _check_free(options.host, options.port)
    with _database(options) as root:
        with interrupts.interrupting(root.interrupt):
            for name, value in settings.items():
                root.execute(f"SET {name} = {constant(name, value)}")
            if options.init is not None:
                for _, relation in root.run_all(
                    [(s, None) for s in root.statements(*read(str(options.init)))]
                ):
                    if relation is not None:
                        relation.fetchall()
            for name in options.warm:
                say(f"starting {name}")
                root.warm(name)
        sessions = Sessions(
            root, idle_seconds=options.idle, most=options.max_sessions, safe=options.safe
        )
        kind = "grpc+tls" if certificates else "grpc"
        host = f"[{options.host}]" if ":" in options.host else options.host
        server = Server(f"{kind}://{host}:{options.port}", sessions, token, certificates)
        try:
            if not local and not certificates:
                say(
                    "warning: what clients send, the token too, is not encrypted; "
                    "--tls-cert and --tls-key encrypt it"
                )
            say(f"serving {options.database} on {kind}://{host}:{server.port}")
            if made is not None:
                say(f"token: {made}")
            threading.Event().wait()  # for a signal
        finally:
            if not _stop(server, sessions):
                left.append("a client took no rows and was left alone")
                root.shared.close()  # the engines, though there are sessions yet


def _stop(server: Server, sessions: Sessions) -> bool:
    """Ends what runs, then the transport; false where a client keeps it from ending."""
    sessions.stop()
    ended = sessions.wait(_PATIENCE_SECONDS)
    ending = threading.Thread(target=server.shutdown, daemon=True)  # waits for calls that hang
    ending.start()
    ending.join(_PATIENCE_SECONDS if ended else 0)
    sessions.end()
    return ended and not ending.is_alive()


@contextmanager
def _database(options: argparse.Namespace) -> Iterator[Connection]:
    config = dict(CONFIG) if options.safe else {}
    with Connection(opened(options.database, config=config), owns=True) as root:
        yield root


def _token(options: argparse.Namespace, *, local: bool) -> tuple[str | None, str | None]:
    """The token that clients must have, and the same where it is new and is to be shown."""
    # Taken out: a model could name any variable of ours as its key.
    given = os.environ.pop(tokens.VARIABLE, None)
    path: Path | None = options.token_file
    if options.no_token:
        if not local:
            raise UsageError(
                f"--no-token is for loopback only, and {options.host} is not",
                hint="leave it out: a token is made and shown",
            )
        return None, None
    if path is not None and path.exists():
        if tokens.others_can_read(path):
            say(f"warning: others can read {path}; chmod 600 {path} keeps them out")
        return tokens.in_file(path), None
    if path is None and given is not None:
        return tokens.checked(given, tokens.VARIABLE), None
    token = tokens.made()
    if path is not None:
        tokens.keep(token, path)
    return token, token


def _certificates(options: argparse.Namespace) -> list[tuple[bytes, bytes]]:
    if options.tls_cert is None and options.tls_key is None:
        return []
    if options.tls_cert is None or options.tls_key is None:
        raise UsageError("--tls-cert and --tls-key belong together")
    pair = contents(options.tls_cert), contents(options.tls_key)
    try:  # the transport says of wrong ones only that it did not start
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.tls_cert, options.tls_key, password="")  # never asks
    except (ssl.SSLError, ValueError):
        raise UsageError(
            f"{options.tls_cert} and {options.tls_key} are no certificate with its key, in PEM",
            hint="the key must be the certificate's, and not encrypted",
        ) from None
    return [pair]


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _check_free(host: str, port: int) -> None:
    """What the transport would not say clearly: whether one can listen there."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        reason = str(error.strerror).partition(" (while")[0]
        raise UsageError(
            f"cannot listen at {host} port {port}: {reason}",
            hint="--port 0 takes any that is free",
        ) from None
