"""Measures what is chosen, shows it while it comes, and keeps it in files."""

from __future__ import annotations

import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from measured.files import write
from measured.machine import machine
from measured.row import Row
from report.tables import compared
from suites import engines
from suites.runs import Run
from vllm_server.server import serving

from bench.chosen import LIMITS, Chosen
from bench.in_process import InProcess
from bench.on_server import OnServer
from bench.size import Size, measure


def command(chosen: Chosen, folder: Path | None, out: TextIO) -> int:
    """The exit status. What was measured goes to the files even where a later run fails."""
    if chosen.quick:
        sizes = ", ".join(f"{s} (rows: {chosen.rows_of(s)})" for s in chosen.suites)
        _say(f"a small part: {sizes}; {', '.join(chosen.systems)}; turns: {chosen.repeat}")
    began = datetime.now(UTC)
    common = _common(chosen, began)
    rows: list[Row] = []
    try:
        with ExitStack() as stack:
            model = _model(chosen, stack)
            for suite in chosen.suites:
                before = len(rows)
                for row in _suite(suite, chosen, common, model, out):
                    rows.append(row)
                print(compared(rows[before:]), file=out, flush=True)
    except RuntimeError as error:  # an answer that ended early, a model that could not be made
        print(f"error: {error}", file=sys.stderr)
        return 1
    finally:
        if folder is not None and rows:
            what = chosen.suites[0] if len(chosen.suites) == 1 else "all"
            name = f"{what}-{chosen.engine}-{began:%Y%m%dT%H%M%S}"
            _say(f"written: {write(folder, name, rows)}")
    if differ := sorted({f"{r.suite}: {r.system}" for r in rows if not r.equal}):
        print(
            f"error: answers differ from the first system's: {', '.join(differ)}", file=sys.stderr
        )
    return int(bool(differ))


def _suite(
    name: str, chosen: Chosen, common: dict[str, Any], model: Path | None, out: TextIO
) -> Iterator[Row]:
    size = measure(name, chosen)
    kv_tokens = size.kv_cache_tokens(chosen.kv_tokens)
    print(_heading(name, chosen, size, kv_tokens), file=out, flush=True)
    with ExitStack() as stack:
        first: Run | None = None
        for turn, system, found in _runs(name, chosen, kv_tokens, model, stack):
            first = first or found
            row = Row(
                **common,
                suite=name,
                rows=chosen.rows_of(name),
                scale=chosen.scale_of(name),
                kv_tokens=kv_tokens,
                system=system,
                turn=turn,
                # The oracle's answers are checked where it is run; one row has others.
                equal=system in LIMITS or found.rows == first.rows,
                seconds=found.seconds,
                engine_cpu=found.cpu,
                client_cpu=found.client_cpu,
                calls_asked=found.asked,
                calls_run=found.calls,
                prompt_tokens=found.prompt_tokens,
                hit_tokens=found.hit_tokens,
                output_tokens=found.output_tokens,
                planning_seconds=found.planning,
                foretold_seconds=found.foretold,
            )
            row = replace(row, rows=1) if system == "one_row" else row
            _say(f"{name}, turn {turn + 1}, {system}: {row.seconds:.2f} s")
            yield row


def _runs(
    name: str, chosen: Chosen, kv_tokens: int, model: Path | None, stack: ExitStack
) -> Iterator[tuple[int, str, Run]]:
    """Turn, system and run, on the engine that is chosen; the stack ends it."""
    workers, slots = chosen.workers, chosen.slots
    if model is None:
        engine = engines.simulated(kv_tokens, workers, slots)
    elif chosen.engine == "server":
        server = stack.enter_context(serving(model, kv_tokens, workers, slots))
        return OnServer(name, chosen, server, kv_tokens).runs()
    else:
        engine = stack.enter_context(engines.vllm(model, kv_tokens, workers, slots))
    return InProcess(name, chosen, engine, kv_tokens).runs()


def _common(chosen: Chosen, began: datetime) -> dict[str, Any]:
    """Fields that are the same in all rows."""
    return {
        "run": uuid.uuid4().hex[:12],
        "at": began.isoformat(timespec="seconds"),
        "seed": chosen.seed,
        "apart": chosen.apart,
        "engine": chosen.engine,
        "model": "simulated" if chosen.engine == "simulated" else "random Qwen3, float32",
        "workers": chosen.workers,
        "slots": chosen.slots,
        "setting": "default",
        **machine(),
    }


def _model(chosen: Chosen, stack: ExitStack) -> Path | None:
    """The folder of the benchmark's model, made; none for the simulated engine."""
    if chosen.engine == "simulated":
        return None
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    engines.make_model(folder)
    return folder


def _heading(name: str, chosen: Chosen, size: Size, kv_tokens: int) -> str:
    return (
        f"\n### {name}: rows {chosen.rows_of(name)}, scale {chosen.scale_of(name):g}, "
        f"{size.calls} calls, working set {size.working_set:,} tokens, "
        f"KV cache {kv_tokens:,} tokens x {chosen.workers}, {chosen.engine}\n"
    )


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
