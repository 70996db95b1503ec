"""Rows of measurement. The field names are the columns of the files."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Planning:
    """From the text of a query to its schedule, before any call is sent.

    Stages are CPU seconds, which hardly depend on what else the machine does.
    """

    query: str
    turn: int
    calls: int  # that are named
    planned: int  # calls of the largest schedule
    grammar: float  # loaded once in a process
    parse: float
    desugar: float
    bind: float
    rules: float
    carry: float
    take_sql: float
    pass_: float  # DuckDB's own part of it
    naming: float
    graph: float
    tree: float
    schedule: float
    rest: float
    cpu: float  # all of these stages
    seconds: float  # as a clock on the wall says
    survey: float  # that EXPLAIN takes of the calls; no part of a run
    operators: int
    operator_tree_bytes: int  # the templated tree over operators
    data_tree_bytes: int  # the tree over the prompts of the planned calls
    peak_bytes: int  # that the process ever held


@dataclass(frozen=True)
class Scheduling:
    """From the call graph to the schedule alone, in the median of several runs."""

    workflow: str
    calls: int
    seconds: float
    cpu: float
    target: float  # seconds that it should take at most


@dataclass(frozen=True)
class Calls:
    """A table through one operator, on an engine that answers at once."""

    optimizer: bool  # off: call by call
    calls: int
    cpu: float  # without the engine's
    engine_cpu: float
    seconds: float
    first_row_seconds: float
    held_bytes: int  # above what the process held before, at the peak


@dataclass(frozen=True)
class Naming:
    """Calls named in a pass, before any of them runs."""

    calls: int
    window_bytes: int  # of messages that stay in memory
    text_bytes: int  # of all prompts
    seconds: float
    cpu: float
    held_bytes: int  # above what the process held before, at the peak
