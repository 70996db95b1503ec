"""Measures what is chosen with each technique off, shows it, and keeps it in files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from bench import running
from bench.chosen import Chosen
from bench.command import heading
from bench.in_process import InProcess
from bench.outcome import outcome, say, tabled
from bench.rows import common, measures
from bench.size import measure
from measured.row import Row
from suites.suite import SUITES, Suite

from ablation.variants import Variants


def command(chosen: Chosen, folder: Path | None, out: TextIO) -> int:
    """The exit status."""
    began = datetime.now(UTC)
    name = f"ablation-{chosen.engine}-{began:%Y%m%dT%H%M%S}"
    return outcome(_measured(chosen, common(chosen, began), out), folder, name)


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
        wanted = size.kv_cache_tokens(chosen.kv_tokens)
        engine, kv_tokens = running.engine(chosen, wanted, model, stack)
        print(heading(suite, chosen, size, kv_tokens), file=out, flush=True)
        answers = Answers()
        for turn, variant, found in Variants(InProcess(suite, chosen, engine, kv_tokens)).runs():
            row = Row(
                **(fields | {"study": "ablation"}),
                **measures(found),
                suite=suite.name,
                rows=chosen.rows_of(suite),
                scale=chosen.scale_of(suite),
                workers=chosen.workers,
                kv_tokens=kv_tokens,
                system=variant.system,
                turn=turn,
                equal=answers.are_equal(found.rows, variant.twice),
            )
            say(f"{suite.name}, turn {turn + 1}, {row.system}: {row.seconds:.2f} s")
            yield row


class Answers:
    """Of one run and of two: each as the first time, and those of the last run the same."""

    def __init__(self) -> None:
        self._known: dict[bool, Sequence[object]] = {}

    def are_equal(self, rows: Sequence[object], twice: bool) -> bool:
        known = self._known.setdefault(twice, rows)
        once = self._known.get(False, ())
        return list(rows) == list(known) and list(rows)[len(rows) - len(once) :] == list(once)
