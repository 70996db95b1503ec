"""A connection whose one model answers from a script, with the log of what it was asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from heliumql.connection import Connection
from heliumql.engines.simulated import SimulatedEngine


@dataclass
class Scripted:
    """A connection and the engine behind its model `m`."""

    con: Connection
    engine: SimulatedEngine

    @property
    def prompts(self) -> list[str]:
        """What the model was asked, in order."""
        return [call.prompt for call in self.engine.log]


Made = Callable[..., Scripted]  # (script, database=':memory:', **options of the engine)
