"""A row of measurement: one run of a workflow at one size."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """Seconds and CPU seconds are of a whole run. The field names are the columns of the files."""

    workflow: str
    calls: int
    policy: str
    planning_seconds: float  # compiling and scheduling
    planning_cpu: float
    compiling_seconds: float  # from the text of the query to SQL without calls
    scheduling_seconds: float  # the tree of the prompts, and the orders of the calls
    scheduling_cpu: float
    naming_cpu: float  # of calls, in DuckDB's passes over the tables, with the call graph
    seconds: float  # of the statement, the engine's own included
    cpu: float  # of the statement, without the engine's
    engine_cpu: float  # the simulation takes it
    makespan: float  # virtual seconds until the last answer
    prompt_tokens: int
    hit_tokens: int  # of the prompt tokens, found in the prefix cache
    output_tokens: int
    rows: int
    before_bytes: int  # of memory that the process held when the statement began, tables included
    peak_bytes: int  # of memory that the process ever held
    answers: str  # a hash of the rows, in any order

    @property
    def cpu_per_call(self) -> float:
        return self.cpu / self.calls

    @property
    def bytes_per_call(self) -> float:
        """Of memory that the statement held at its peak."""
        return (self.peak_bytes - self.before_bytes) / self.calls
