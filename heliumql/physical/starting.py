"""Engines get ready: it may take a minute, and whoever waits may lose patience."""

from __future__ import annotations

import threading

from heliumql.engines.engine import Engine, TitledEngine

_LOOK_SECONDS = 0.05


def title_of(engine: Engine) -> str | None:
    """What the engine is, in words for users; None where it has none."""
    return engine.title if isinstance(engine, TitledEngine) else None


def start(engine: Engine, interrupted: threading.Event) -> bool:
    """Starts the engine; whether it is ready. What it raises is raised.

    In the main thread Ctrl-C ends the start itself. In another one the engine is left to go on by
    itself once `interrupted` is set, and is there, or nearly so, for the next statement.
    """
    if threading.current_thread() is threading.main_thread():
        engine.start()
        return True
    failures: list[BaseException] = []

    def started() -> None:
        try:
            engine.start()
        except BaseException as error:
            failures.append(error)

    starter = threading.Thread(target=started, name="heliumql-start", daemon=True)
    starter.start()
    while starter.is_alive() and not interrupted.is_set():
        starter.join(_LOOK_SECONDS)
    if failures:
        raise failures[0]
    return not starter.is_alive()
