"""Measures what is chosen with each technique off, shows it, and keeps it in files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from bench import running
from bench.chosen import Chosen
from bench.command import heading, suite_by_suite
from bench.in_process import InProcess
from bench.outcome import outcome
from bench.rows import extent, measures
from bench.size import measure
from measured.row import Row
from progress import say
from suites.suite import Suite

from ablation.variants import Variants
from heliumql.cli.standard_output import write

STUDY = "ablation"


def command(chosen: Chosen, folder: Path | None, out: TextIO) -> int:
    """The exit status."""
    return outcome(STUDY, chosen, partial(suite_by_suite, _suite, chosen, out), folder)


def _suite(
    suite: Suite, chosen: Chosen, fields: Mapping[str, Any], model: Path | None, out: TextIO
) -> Iterator[Row]:
    size = measure(suite, chosen)
    with ExitStack() as stack:
        wanted = size.kv_cache_tokens(chosen.kv_tokens)
        engine, kv_tokens = running.engine(chosen, wanted, model, stack)
        write(heading(suite, chosen, size, kv_tokens) + "\n", out)
        answers = Answers()
        for turn, variant, found in Variants(InProcess(suite, chosen, engine, kv_tokens)).runs():
            row = Row(
                **fields,
                **extent(suite, chosen, kv_tokens),
                **measures(found),
                suite=suite.name,
                study=STUDY,
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
