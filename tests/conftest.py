"""Fixtures that several rooms share, and the option --record of tests/plans."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

import heliumql
from heliumql.connection import Connection


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--record", action="store_true", help="rewrite expected results")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("record") and os.environ.get("CI"):
        raise pytest.UsageError("expected results are recorded and reviewed before CI sees them")
    # In the background of a script these are ignored, also by the programs that tests start.
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            own = number == signal.SIGINT
            signal.signal(number, signal.default_int_handler if own else signal.SIG_DFL)


@pytest.fixture
def connection() -> Iterator[Connection]:
    """A database in memory whose one model invents answers."""
    with heliumql.connect() as con:
        con.execute("CREATE TEMP MODEL m WITH (engine = 'simulated')")
        yield con
