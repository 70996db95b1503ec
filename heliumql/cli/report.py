"""What standard error says after a run: errors, warnings of failed calls, and the stats."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
import sys

from heliumql.cli.excerpts import fitted
from heliumql.cli.progress import percent
from heliumql.stats import Stats

_NAMES_ITSELF = re.compile(r"[A-Za-z ]+ Error: ")  # as DuckDB's messages do
_MESSAGES_SHOWN = 3
_ORDERS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]|\r(?!\n)")


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def harmless(text: str) -> str:
    """What would order a terminal about as a sign of the same width: servers and data say it."""
    return _ORDERS.sub(lambda found: _sign(ord(found[0])), text)


def _sign(code: int) -> str:
    match code:
        case 0x7F:
            return "\N{SYMBOL FOR DELETE}"
        case _ if code < 0x20:
            return chr(0x2400 + code)  # the picture that Unicode has of it
        case _:
            return "\N{REPLACEMENT CHARACTER}"


def say_error(text: str) -> None:
    text = harmless(text)
    if not _NAMES_ITSELF.match(text):
        text = f"error: {text}"
    if sys.stderr.isatty():
        text = fitted(text, shutil.get_terminal_size().columns)
    first, newline, rest = text.partition("\n")
    say((f"\x1b[1;31m{first}\x1b[0m" if has_colours() else first) + newline + rest)


def say_failures(stats: Stats) -> None:
    """Failed calls give NULL and are easily overlooked; so they are always told."""
    if not stats.calls_failed:
        return
    one = stats.calls_failed == 1
    say(
        f"warning: {stats.calls_failed:,} of {stats.calls_run:,} calls failed; "
        + ("its value is NULL" if one else "their values are NULL")
    )
    for message in stats.failures[:_MESSAGES_SHOWN]:
        say(f"  {harmless(message)}")


def say_refused(stats: Stats) -> None:
    """A result with holes in it must not be taken for the whole."""
    if stats.calls_refused:
        one = stats.calls_refused == 1
        say(
            f"warning: {stats.calls_refused:,} call{' was' if one else 's were'} not run, as a "
            f"budget is used up; {'its value is' if one else 'their values are'} NULL. "
            "Run it again and it goes on"
        )


def say_incidents(stats: Stats) -> None:
    """Troubles that were overcome cost time, and may come again."""
    for incident in stats.incidents[:_MESSAGES_SHOWN]:
        say(f"warning: {harmless(incident)}")
    more = len(stats.incidents) - _MESSAGES_SHOWN
    if more > 0:
        say(f"warning: and {more:,} more of this kind")


def say_stats(stats: Stats, style: str) -> None:
    say(json.dumps(dataclasses.asdict(stats)) if style == "json" else describe(stats))


def describe(stats: Stats) -> str:
    hits = ""
    if stats.prompt_tokens:
        hits = f" ({percent(stats.prefix_hit_tokens, stats.prompt_tokens)} prefix hits)"
    wasted = f", {stats.calls_wasted:,} of them not needed" if stats.calls_wasted else ""
    refused = f", {stats.calls_refused:,} not run" if stats.calls_refused else ""
    calls = (
        f"{stats.calls_asked:,} asked: {stats.calls_shared:,} shared, "
        f"{stats.calls_cached:,} cached, {stats.calls_run:,} run{wasted}{refused} "
        f"({stats.calls_failed:,} failed, {stats.requests_sent:,} requests sent)"
    )
    tokens = f"{stats.prompt_tokens:,} prompt{hits}, {stats.output_tokens:,} output"
    time = (
        f"{stats.seconds:.2f} s ({stats.planning_seconds:.2f} s planning, "
        f"first row after {stats.first_row_seconds:.2f} s); "
        f"{stats.passes} pass{'' if stats.passes == 1 else 'es'}"
    )
    return f"calls   {calls}\ntokens  {tokens}\ntime    {time}"


def has_colours() -> bool:
    return sys.stderr.isatty() and not os.environ.get("NO_COLOR")
