"""What a run did (`Stats`) and how far it is (`Progress`), as plain numbers.

The session fills them; the command line, `Relation.stats` and benchmarks read them.
"""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Stats:
    """What one statement did.

    asked = shared + cached + (run - wasted). Warm-ups count as tokens, not as calls. A call of
    LLM_AGG that does not fit the context counts as the calls that it is made of, chunks and merges:
    each is asked and run, shared or cached. Itself it counts only where it is found in the answer
    store, or cannot be made of others and fails.
    """

    calls_asked: int = 0  # (row, call) pairs that the result demanded
    calls_shared: int = 0  # answered by an equal call of the same statement
    calls_cached: int = 0  # found in the answer store
    calls_run: int = 0
    calls_wasted: int = 0  # run, then not demanded
    calls_failed: int = 0  # of those run
    calls_refused: int = 0  # not run, or not asked again, as a budget did not allow it
    requests_sent: int = 0  # retries included
    prompt_tokens: int = 0
    prefix_hit_tokens: int = 0  # of the prompt tokens, found in the engine's prefix cache
    output_tokens: int = 0
    passes: int = 0
    planning_seconds: float = 0.0
    first_row_seconds: float = 0.0
    seconds: float = 0.0
    failures: tuple[str, ...] = ()  # the first few distinct messages of failed calls
    incidents: tuple[str, ...] = ()  # what engines had to get over: workers that died, and the like

    def __add__(self, later: Stats) -> Stats:
        """Both runs, one after the other; the first row is the first one of either."""
        values = {f.name: getattr(self, f.name) + getattr(later, f.name) for f in fields(Stats)}
        first = self.first_row_seconds or (
            self.seconds + later.first_row_seconds if later.first_row_seconds else 0.0
        )
        failures = tuple(dict.fromkeys(values["failures"]))
        return Stats(**{**values, "first_row_seconds": first, "failures": failures})


@dataclass(frozen=True)
class CallTimes:
    """When one call ran, and where. Seconds of the engine's clock; None where it does not say."""

    site: int
    worker: int  # of its engine
    started: float | None  # when the engine began to compute it
    first_token: float | None
    finished: float | None
    prompt_tokens: int
    cached_tokens: int  # of the prompt tokens, found in the prefix cache
    output_tokens: int
    failed: bool = False


@dataclass(frozen=True)
class Progress:
    """How far a running statement is; `Connection.progress` is called with it now and then."""

    calls_done: int = 0  # failed ones included
    calls_known: int = 0  # grows while passes add calls
    calls_failed: int = 0
    output_tokens: int = 0
    prompt_tokens: int = 0
    prefix_hit_tokens: int = 0
    seconds: float = 0.0
    starting: str | None = None  # the engine that gets ready at this moment, in words
