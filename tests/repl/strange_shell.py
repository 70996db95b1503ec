"""The shell, with engines that test its patience: `deaf` never comes back, `lazy` takes its time.

`lazy` is ready once the file `loaded` is there; `starts` counts how often it was begun.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import heliumql
from heliumql.cli.main import main
from heliumql.engines.simulated import SimulatedEngine


class Deaf(SimulatedEngine):
    """Takes calls and never returns."""

    def submit(self, *_: Any) -> None:
        threading.Event().wait()


class Lazy(SimulatedEngine):
    """Takes its time to get ready."""

    title = "Lazy: a model that takes its time"

    def __init__(self) -> None:
        super().__init__({"instant": True}, lambda messages, spec: "awake")
        self._starting = threading.Lock()
        self._starts = 0
        self._is_ready = False

    def start(self) -> None:
        with self._starting:
            if self._is_ready:
                return
            self._starts += 1
            Path("starts").write_text(str(self._starts))
            pause = threading.Event()
            while not Path("loaded").exists():
                pause.wait(0.02)
            self._is_ready = True


connect: Callable[..., heliumql.Connection] = heliumql.connect


def connect_with_them(*arguments: Any, **named: Any) -> heliumql.Connection:
    connection = connect(*arguments, **named)
    connection.register_model("deaf", Deaf({}))
    connection.register_model("lazy", Lazy())
    return connection


heliumql.connect = connect_with_them
sys.exit(main(["repl"]))
