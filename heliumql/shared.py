"""What the connections of one database have in common, and the end of the program."""

from __future__ import annotations

import re
import threading
import weakref
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from heliumql.catalog import Model
from heliumql.errors import CatalogError, ExecutionError
from heliumql.physical.flights import Flights
from heliumql.physical.kept import KeptPrefixes
from heliumql.physical.output import Caster
from heliumql.physical.snapshot import OneThread

if TYPE_CHECKING:
    from heliumql.calls.answers import AnswerStore
    from heliumql.calls.learnt import Learnt
    from heliumql.engines.engine import Engine

_PATIENCE_SECONDS = 0.5  # of the end of a statement, for another process


_of_databases: weakref.WeakValueDictionary[int, Shared] = weakref.WeakValueDictionary()


def shared_by(database: int, file: Path | None) -> Shared:
    """What the connections of the database of that number have in common; made with the first.

    `file` is the database's; answers are kept beside it.
    """
    found = _of_databases.get(database)
    if found is None or found.is_closed:
        found = _of_databases[database] = Shared(_sidecar(file))
    return found


def opened(path: str, **options: Any) -> duckdb.DuckDBPyConnection:
    """DuckDB's connection to a database. Raises ExecutionError where another process has it."""
    try:
        return duckdb.connect(path, **options)
    except duckdb.IOException as error:
        if "could not set lock" not in str(error).lower():
            raise
        number = re.search(r" \(PID \d+\)", str(error))
        raise ExecutionError(
            f"{path} is in use by another process{number[0] if number else ''}",
            hint="if that is heliumql serve, heliumql run --connect uses it, and so does"
            " heliumql.connect('grpc://..')",
        ) from None


def file_of(connection: duckdb.DuckDBPyConnection) -> Path | None:
    """The file of a database, if it has one here."""
    query = "SELECT path FROM duckdb_databases() WHERE database_name = current_database()"
    row = connection.execute(query).fetchone()
    if row is None or row[0] is None or not Path(row[0]).is_file():
        return None  # in memory, or on a server
    return Path(row[0]).resolve()


def _sidecar(file: Path | None) -> Path | None:
    """Where the answers of a database are kept: beside its file."""
    return None if file is None else file.with_name(file.name + ".answers")


class Shared:
    """Engines, answers, what is learnt, and calls in flight of one database.

    `sidecar` is the file of the database's answers; None: they are kept for this session.
    """

    def __init__(self, sidecar: Path | None = None) -> None:
        self.engines: dict[str, Engine] = {}
        self.changed: list[tuple[str, str]] = []  # kinds and names, at each change in the catalog
        self._models: dict[str, Model] = {}  # of the engines
        self._sidecar = sidecar
        self._places: dict[Path | None, tuple[AnswerStore, Learnt]] = {}
        self.remember_at("")
        self.flights = Flights()
        self.kept = KeptPrefixes()
        self.caster = Caster()
        self.one_thread = OneThread()
        # The connections that are open: one that nobody holds any more needs no close().
        self.users: weakref.WeakSet[object] = weakref.WeakSet()
        self.is_closed = False
        self.cache_path = ""  # llm_cache_path, which is one for all connections of a database
        self._lock = threading.Lock()

    def engine(self, model: Model) -> Engine:
        """The engine of the model; made once, started with its first call."""
        key = _engine_key(model)
        with self._lock:
            if key not in self.engines:
                from heliumql.engines import open_engine

                self.engines[key] = open_engine(model.options)
                self._models[key] = model
                self._tell_speed(self.engines[key])
            return self.engines[key]

    def keep(self, model: Model, engine: Engine) -> None:
        """Uses this engine for the model."""
        with self._lock:
            self.engines[_engine_key(model)] = engine
            self._models[_engine_key(model)] = model
            self._tell_speed(engine)

    def warm(self, model: Model) -> None:
        """Starts the engine of the model."""
        self.engine(model).start()

    def calibrate(self, model: Model) -> None:
        """Measures the engine of the model, and keeps that; CatalogError where none measures."""
        from heliumql.engines.engine import CalibratedEngine

        engine = self.engine(model)
        if not isinstance(engine, CalibratedEngine):
            raise CatalogError(
                f"the engine of the model {model.name} does not measure itself at will",
                hint="the engine vllm does; the speed of a vLLM server is learnt while it answers",
            )
        engine.calibrate()
        self.flush()

    def described(self) -> list[dict[str, object]]:
        """The engines that there are: of which model, under which of its names."""
        with self._lock:
            return [
                {"model": m.name, "engine": m.options.get("engine"), "runs": m.options.get("model")}
                for m in self._models.values()
            ]

    def remember_at(self, path: str) -> None:
        """Keeps answers there from now on: llm_cache_path.

        A file; '' is the database's sidecar, ':memory:' this session. Raises ExecutionError where
        the file cannot be one of answers.
        """
        match path:
            case "":
                place = self._sidecar
            case ":memory:":
                place = None
            case _:
                place = Path(path).expanduser().resolve()
        if path and place not in self._places:
            made = _keeping(place, fallback=False)
            made[0].storage.open()  # a mistake shows now
            self._places[place] = made
        self._place, self.cache_path = place, path

    @property
    def store(self) -> AnswerStore:
        """The answers; opened when they are first asked for."""
        return self._kept_here()[0]

    @property
    def learnt(self) -> Learnt:
        """What earlier runs taught."""
        return self._kept_here()[1]

    def _kept_here(self) -> tuple[AnswerStore, Learnt]:
        found = self._places.get(self._place)
        if found is None:
            made = _keeping(self._place, fallback=True)
            found = self._places.setdefault(self._place, made)  # another thread may have been first
        return found

    def flush(self) -> None:
        """Writes which answers were used and what was learnt; later, where that cannot be now."""
        with self._lock:
            engines = list(self.engines.values())
        self._note_speeds(engines)
        if self.store.flush(_PATIENCE_SECONDS):
            self.learnt.flush(_PATIENCE_SECONDS)

    def close(self) -> None:
        self.is_closed = True
        with self._lock:
            engines, self.engines = list(self.engines.values()), {}
        with ExitStack() as closing:  # one that cannot be closed keeps no other open
            for store, learnt in self._places.values():
                closing.callback(store.close)
                closing.callback(learnt.flush)
            closing.callback(self._note_speeds, engines)
            closing.callback(self.caster.close)
            for engine in engines:
                closing.callback(engine.close)

    def _tell_speed(self, engine: Engine) -> None:
        """Lets the engine start from the speed that it had in earlier runs."""
        from heliumql.cost.speeds import Observed
        from heliumql.engines.engine import MeasuredEngine

        if isinstance(engine, MeasuredEngine):
            with suppress(ExecutionError, ValueError):  # a store that fails says so when it is used
                sums = self.learnt.speeds(engine.speed_key)
                if sums is not None:
                    engine.start_from(Observed(sums))

    def _note_speeds(self, engines: Sequence[Engine]) -> None:
        if not engines:
            return
        from heliumql.engines.engine import MeasuredEngine

        for engine in engines:
            if isinstance(engine, MeasuredEngine):
                observed = engine.take_observed()
                if observed.steps:
                    self.learnt.note_speeds(engine.speed_key, observed.sums, observed.kept)


def _keeping(place: Path | None, *, fallback: bool) -> tuple[AnswerStore, Learnt]:
    """What is kept in a file, not opened yet; `fallback`: for this session, where it cannot be."""
    from heliumql.calls.answers import AnswerStore
    from heliumql.calls.learnt import Learnt
    from heliumql.calls.storage import Storage

    storage = Storage(place, fallback=fallback)
    return AnswerStore(storage), Learnt(storage)


def _engine_key(model: Model) -> str:
    return repr(sorted((k, repr(v)) for k, v in model.options.items()))
