"""Measures what is chosen, shows it while it comes, and keeps it in files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from measured.row import Row
from progress import say
from suites.recording import RecordingEngine
from suites.runs import Run
from suites.suite import SUITES, Suite

from bench import running
from bench.chosen import LIMITS, Chosen
from bench.in_process import InProcess
from bench.named import named
from bench.on_server import OnServer, engine_for
from bench.outcome import outcome, tabled
from bench.rows import extent, measures
from bench.size import Size, measure
from heliumql.cli.standard_output import write


def command(chosen: Chosen, folder: Path | None, out: TextIO) -> int:
    """The exit status."""
    if chosen.quick:
        sizes = ", ".join(f"{s} (rows: {chosen.rows_of(SUITES[s])})" for s in chosen.suites)
        say(f"a small part: {sizes}; {', '.join(chosen.systems)}; turns: {chosen.repeat}")
    what = chosen.suites[0] if len(chosen.suites) == 1 else "all"
    return outcome(what, chosen, partial(suite_by_suite, _suite, chosen, out), folder)


def heading(suite: Suite, chosen: Chosen, size: Size, kv_tokens: int) -> str:
    """What the rows below it have in common."""
    return (
        f"\n### {suite.name}: rows {chosen.rows_of(suite)}, scale {chosen.scale_of(suite):g}, "
        f"{size.calls} calls, working set {size.working_set:,} tokens, "
        f"KV cache {kv_tokens:,} tokens x {chosen.workers}, {chosen.engine}\n"
    )


def suite_by_suite(
    measured: Callable[[Suite, Chosen, Mapping[str, Any], Path | None, TextIO], Iterator[Row]],
    chosen: Chosen,
    out: TextIO,
    fields: Mapping[str, Any],
) -> Iterator[Row]:
    """The rows of each suite that is chosen, and a table of them. The model is made once."""
    with ExitStack() as stack:
        model = running.model(chosen, stack)
        for name in chosen.suites:
            yield from tabled(measured(SUITES[name], chosen, fields, model, out), out)


def _suite(
    suite: Suite, chosen: Chosen, fields: Mapping[str, Any], model: Path | None, out: TextIO
) -> Iterator[Row]:
    size = measure(suite, chosen)
    with ExitStack() as stack:
        kv_tokens, runs = _runs(suite, chosen, size, model, stack)
        write(heading(suite, chosen, size, kv_tokens) + "\n", out)
        first: Run | None = None
        for turn, system, found in runs:
            who = named(system)
            if first is None and not who.own_prompts:
                first = found
            one_row = {"rows": 1} if system == "one_row" else {}
            row = Row(
                **{**fields, "setting": who.setting},
                **{**extent(suite, chosen, kv_tokens), **one_row},
                **measures(found),
                suite=suite.name,
                system=who.system,
                turn=turn,
                equal=None if who.own_prompts else _equal(system, found, first),
            )
            say(f"{suite.name}, turn {turn + 1}, {system}: {row.seconds:.2f} s")
            yield row


def _equal(system: str, found: Run, first: Run | None) -> bool:
    """The oracle's answers are checked where it is run; one row has others."""
    return system in LIMITS or first is None or found.rows == first.rows


def _runs(
    suite: Suite, chosen: Chosen, size: Size, model: Path | None, stack: ExitStack
) -> tuple[int, Iterator[tuple[int, str, Run]]]:
    """The KV cache in tokens; turn, system and run, on the engine that is chosen.

    The stack ends the engine.
    """
    wanted = size.kv_cache_tokens(chosen.kv_tokens)
    if chosen.engine == "server" and model is not None and wanted is not None:
        server = running.server(chosen, wanted, model, stack)
        own = engine_for(server, chosen.slots)
        stack.callback(own.close)
        return wanted, OnServer(suite, chosen, server, RecordingEngine(own)).runs()
    engine, kv_tokens = running.engine(chosen, wanted, model, stack)
    return kv_tokens, InProcess(suite, chosen, engine, kv_tokens).runs()
