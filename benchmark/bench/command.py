"""Measures what is chosen, shows it while it comes, and keeps it in files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from measured.row import Row
from suites.runs import Run
from suites.suite import SUITES, Suite

from bench import running
from bench.chosen import LIMITS, Chosen
from bench.in_process import InProcess
from bench.named import named
from bench.on_server import OnServer
from bench.outcome import outcome, say, tabled
from bench.rows import common, measures
from bench.size import Size, measure


def command(chosen: Chosen, folder: Path | None, out: TextIO) -> int:
    """The exit status."""
    if chosen.quick:
        sizes = ", ".join(f"{s} (rows: {chosen.rows_of(SUITES[s])})" for s in chosen.suites)
        say(f"a small part: {sizes}; {', '.join(chosen.systems)}; turns: {chosen.repeat}")
    began = datetime.now(UTC)
    what = chosen.suites[0] if len(chosen.suites) == 1 else "all"
    name = f"{what}-{chosen.engine}-{began:%Y%m%dT%H%M%S}"
    return outcome(_measured(chosen, common(chosen, began), out), folder, name)


def heading(suite: Suite, chosen: Chosen, size: Size, kv_tokens: int) -> str:
    """What the rows below it have in common."""
    return (
        f"\n### {suite.name}: rows {chosen.rows_of(suite)}, scale {chosen.scale_of(suite):g}, "
        f"{size.calls} calls, working set {size.working_set:,} tokens, "
        f"KV cache {kv_tokens:,} tokens x {chosen.workers}, {chosen.engine}\n"
    )


def _measured(chosen: Chosen, fields: dict[str, Any], out: TextIO) -> Iterator[Row]:
    with ExitStack() as stack:
        model = running.model(chosen, stack)
        for name in chosen.suites:
            yield from tabled(_suite(SUITES[name], chosen, fields, model, out), out)


def _suite(
    suite: Suite, chosen: Chosen, fields: dict[str, Any], model: Path | None, out: TextIO
) -> Iterator[Row]:
    size = measure(suite, chosen)
    with ExitStack() as stack:
        kv_tokens, runs = _runs(suite, chosen, size, model, stack)
        print(heading(suite, chosen, size, kv_tokens), file=out, flush=True)
        first: Run | None = None
        for turn, system, found in runs:
            who = named(system)
            if first is None and not who.own_prompts:
                first = found
            row = Row(
                **(fields | {"setting": who.setting}),
                **measures(found),
                suite=suite.name,
                rows=1 if system == "one_row" else chosen.rows_of(suite),
                scale=chosen.scale_of(suite),
                workers=chosen.workers,
                kv_tokens=kv_tokens,
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
        return wanted, OnServer(suite, chosen, server, wanted).runs()
    engine, kv_tokens = running.engine(chosen, wanted, model, stack)
    return kv_tokens, InProcess(suite, chosen, engine, kv_tokens).runs()
