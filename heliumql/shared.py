"""What the connections of one database have in common, and the end of the program."""

from __future__ import annotations

import threading
from contextlib import ExitStack

from heliumql.calls import AnswerStore
from heliumql.catalog import Model
from heliumql.engines import open_engine
from heliumql.engines.engine import Engine
from heliumql.physical.flights import Flights
from heliumql.physical.output import Caster
from heliumql.physical.snapshot import OneThread


class Shared:
    """Engines, answers and calls in flight of one database."""

    def __init__(self) -> None:
        self.engines: dict[str, Engine] = {}
        self.store = AnswerStore()
        self.flights = Flights()
        self.caster = Caster()
        self.one_thread = OneThread()
        self.users = 0
        self._lock = threading.Lock()

    def engine(self, model: Model) -> Engine:
        """The engine of the model; made once, started with its first call."""
        key = _engine_key(model)
        with self._lock:
            if key not in self.engines:
                self.engines[key] = open_engine(model.options)
            return self.engines[key]

    def keep(self, model: Model, engine: Engine) -> None:
        """Uses this engine for the model."""
        with self._lock:
            self.engines[_engine_key(model)] = engine

    def close(self) -> None:
        with self._lock:
            engines, self.engines = list(self.engines.values()), {}
        with ExitStack() as closing:  # one that cannot be closed keeps no other open
            closing.callback(self.caster.close)
            for engine in engines:
                closing.callback(engine.close)


def _engine_key(model: Model) -> str:
    return repr(sorted((k, repr(v)) for k, v in model.options.items()))
