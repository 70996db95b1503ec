"""A row of measurement: one run of one system."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """Times in seconds, virtual ones on the simulated engine. What a system does not tell is None.

    The field names are the columns of the result files.
    """

    run: str  # id of the invocation that measured it
    at: str  # its beginning, ISO 8601 in UTC
    suite: str
    rows: int
    scale: float
    seed: int
    apart: bool  # no two calls are equal
    engine: str  # vllm, server or simulated
    model: str
    workers: int
    slots: int
    kv_tokens: int  # of the KV cache of each worker
    system: str
    setting: str  # default or tuned; default where a system has but one
    turn: int  # systems of one turn were run one after the other
    seconds: float  # from the first request to the last answer
    engine_cpu: float  # CPU of the engine's processes; 0 on the simulated engine
    client_cpu: float | None  # CPU of the system itself
    calls_asked: int
    calls_run: int
    prompt_tokens: int
    hit_tokens: int  # of the prompt tokens, found in the prefix cache
    output_tokens: int
    planning_seconds: float | None
    foretold_seconds: float | None  # what the event model says of the schedule
    equal: bool | None  # its answers are those of the first system; None: it has own prompts
    # The machine and what ran on it; versions are empty where a package is not installed.
    cpu: str = ""
    gpu: str = ""  # empty where there is none
    cores: int = 0
    memory_gb: float = 0.0
    os: str = ""
    python: str = ""
    heliumql: str = ""
    duckdb: str = ""
    vllm: str = ""
    torch: str = ""
    commit: str = ""  # of the checkout
    changed: bool = False  # the checkout has changes that are not in the commit
    # What heliumql bench sensitivity varies; nothing in rows of others.
    parameter: str = ""
    value: float | None = None  # a KV cache as a part of the working set, a mix by its number
    study: str = ""  # ablation, where the store is on; nothing in rows of suites
    kept: bool = False  # lengths of answers are known from a run before
    cold_seconds: float | None = None  # from the start of the system's process, imports included
    engine_steps: int | None = None

    @property
    def computed_tokens(self) -> int:
        """Prompt tokens that were not found in the prefix cache."""
        return self.prompt_tokens - self.hit_tokens

    @property
    def mean_batch(self) -> float | None:
        """Tokens of answers that a step of the engine makes; None where steps were not counted."""
        return self.output_tokens / self.engine_steps if self.engine_steps else None
