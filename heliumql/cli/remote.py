"""`heliumql run --connect URL`: statements run on a server; results and errors are shown here."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from heliumql.cli.interrupt import Interrupts
from heliumql.cli.output import Output
from heliumql.cli.parser import UsageError
from heliumql.cli.progress import ProgressLine
from heliumql.cli.run import Running, close_output, show_all
from heliumql.cli.scripts import constant
from heliumql.extensions.flight import tokens
from heliumql.extensions.flight.remote import RemoteConnection, is_address
from heliumql.extensions.flight.remote_rows import RemoteRelation
from heliumql.stats import Stats


def run_remote(
    options: argparse.Namespace,
    texts: Sequence[tuple[str, str | None]],
    parameters: Mapping[str, object],
    settings: Mapping[str, object],
    interrupts: Interrupts,
    opened: list[Running],
    whole: list[Stats],
) -> None:
    """As `heliumql run` does it; `opened` gets the connection, which knows the stats,
    `whole` what they were when each statement was over."""
    if options.database != ":memory:":
        raise UsageError("--database and --connect exclude each other: the server has its database")
    if options.dry_run:
        raise UsageError("--dry-run does not work with --connect", hint="EXPLAIN shows the calls")
    if options.trace is not None:
        raise UsageError("--trace does not work with --connect: the server runs the calls")
    progress = ProgressLine(sys.stderr) if sys.stderr.isatty() else None
    output = Output(options.format, options.output, progress.clear if progress else None)
    with connected(options.connect, options) as connection:
        opened.append(connection)
        with interrupts.interrupting(connection.interrupt):
            connection.progress = progress
            results = _results(connection, texts, parameters, settings)
            show_all(results, connection, output, whole, progress)
    close_output(output)


def _results(
    connection: RemoteConnection,
    texts: Sequence[tuple[str, str | None]],
    parameters: Mapping[str, object],
    settings: Mapping[str, object],
) -> Iterator[tuple[str, RemoteRelation]]:
    """Those of the texts, under these settings."""
    changes = [(f"SET {k} = {constant(k, v)}", None) for k, v in settings.items()]
    for _ in connection.results(changes):
        pass
    for result in connection.results(texts, dict(parameters)):
        yield result.statement, result


def connected(address: str, options: argparse.Namespace) -> RemoteConnection:
    """A connection with the token and the certificates that the command line names."""
    if not is_address(address):
        raise UsageError(
            f"{address} is no address of a server", hint="grpc://HOST:PORT or grpc+tls://HOST:PORT"
        )
    token = os.environ.get(tokens.VARIABLE)
    if options.token_file is not None:
        token = tokens.in_file(options.token_file)
    elif token is not None:
        token = tokens.checked(token, tokens.VARIABLE)
    root = None if options.tls_root is None else contents(options.tls_root)
    return RemoteConnection(address, token=token, tls_root=root)


def contents(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
