"""What every system's run.py needs: the workload, the messages of a call, the clock, the output.

Only the standard library, as each system runs in an environment of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import sys
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TypeVar

SECONDS = 3600.0  # to wait for an answer; a server that queues everything needs long
DEFAULT, TUNED = "default", "tuned"

Answers = dict[str, dict[str, str]]
"""By item and name of the call."""


@dataclass(frozen=True)
class Call:
    """One request; `prompt` has texts, and {"answer": name} for the answer of an earlier call."""

    name: str
    operator: str
    history: str | None  # the earlier call whose conversation goes on
    system: str | None
    prompt: tuple[str | Mapping[str, str], ...]
    max_tokens: int

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the calls that must be answered before, each once."""
        before = [part["answer"] for part in self.prompt if not isinstance(part, str)]
        first = [] if self.history is None else [self.history]
        return tuple(dict.fromkeys(first + before))


@dataclass(frozen=True)
class Item:
    """What one run of an agent graph handles; calls stand after their inputs."""

    name: str
    calls: tuple[Call, ...]

    def messages(self, call: Call, answers: Mapping[str, str]) -> list[tuple[str, str]]:
        """Roles and texts. `answers` are those of this item so far, by name of the call."""
        messages = []
        if call.history is not None:
            before = next(other for other in self.calls if other.name == call.history)
            messages += self.messages(before, answers)
            messages.append(("assistant", answers[before.name]))
        if call.system is not None:
            messages.append(("system", call.system))
        parts = (part if isinstance(part, str) else answers[part["answer"]] for part in call.prompt)
        return [*messages, ("user", "".join(parts))]


@dataclass(frozen=True)
class Given:
    """What the command line asks for. `concurrency`: calls at once, None for no limit."""

    base_url: str
    model: str
    items: tuple[Item, ...]
    setting: str
    concurrency: int | None


@dataclass(frozen=True)
class Output:
    """What run.py writes. Seconds are of the clock on the wall, `client_cpu` of this process."""

    system: str
    version: str
    setting: str
    seconds: float  # from the first request to the last answer
    cold_seconds: float  # from the start of the process, so with imports and building
    client_cpu: float  # in `seconds`
    calls: int
    answers: Answers


Ask = Callable[[tuple[Item, ...]], Answers]
"""Asks the calls of the items, of which only their number may be new to it."""

Prepare = Callable[[Given], Ask]
"""Builds what asks the calls, which is not timed."""

T = TypeVar("T")


def main(system: str, version: str, prepare: Prepare, *, warms: bool = True) -> None:
    """The whole of a run.py. Where it fails, a line on stderr and exit status 1.

    `warms`: it asks one call ahead, which is not timed, as the first one of a process takes longer.
    With --ready it then writes a byte there, and begins when it has read one from --go.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--base-url", required=True, help="with /v1")
    parser.add_argument("--model", required=True)
    parser.add_argument("--workload", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--setting", choices=(DEFAULT, TUNED), default=TUNED)
    parser.add_argument("--concurrency", type=int, help="calls at once; no limit if left out")
    parser.add_argument("--ready", type=int, help="file descriptor")
    parser.add_argument("--go", type=int, help="file descriptor")
    options = parser.parse_args()
    try:
        given = Given(
            options.base_url,
            options.model,
            items_of(json.loads(options.workload.read_text("utf-8"))),
            options.setting,
            options.concurrency,
        )
        ask = prepare(given)
        if warms:
            ask((_first(given.items[0]),))
        if options.ready is not None:
            os.write(options.ready, b"r")
            os.read(options.go, 1)
        output = _timed(system, version, given, ask)
        options.output.write_text(json.dumps(asdict(output)), "utf-8")
    except Exception as error:
        sys.exit(f"{system}: {_line(error)}")


def items_of(workload: Mapping[str, object]) -> tuple[Item, ...]:
    """The items of a workload that was read as JSON."""
    return tuple(
        Item(
            item["item"], tuple(Call(**{**c, "prompt": tuple(c["prompt"])}) for c in item["calls"])
        )
        for item in workload["items"]  # type: ignore[attr-defined]
    )


def limited(given: Given) -> AbstractAsyncContextManager[object]:
    """To be entered around each call."""
    return asyncio.Semaphore(given.concurrency) if given.concurrency else nullcontext()


def each(items: tuple[Item, ...]) -> Iterator[tuple[Item, Call]]:
    return ((item, call) for item in items for call in item.calls)


def in_loop(coroutine: Coroutine[object, object, T]) -> T:
    """Runs it in the one event loop of the process: clients of several would lose answers."""
    global _runner
    if _runner is None:
        _runner = asyncio.Runner()
    return _runner.run(coroutine)


_runner: asyncio.Runner | None = None


def _first(like: Item) -> Item:
    """A single call, of the form of the item's first one and with a text of its own."""
    call = replace(like.calls[0], history=None, prompt=("Is everything there?",))
    return Item("first", (call,))


def _timed(system: str, version: str, given: Given, ask: Ask) -> Output:
    cpu, began = _cpu(), time.perf_counter()
    answers = ask(given.items)
    seconds, cpu = time.perf_counter() - began, _cpu() - cpu
    missing = [f"{i.name}/{c.name}" for i, c in each(given.items) if not _has(answers, i, c)]
    if missing:
        raise RuntimeError(f"{len(missing)} calls have no answer, {missing[0]} is one of them")
    calls = sum(len(item.calls) for item in given.items)
    return Output(system, version, given.setting, seconds, _age(), cpu, calls, answers)


def _has(answers: Answers, item: Item, call: Call) -> bool:
    return isinstance(answers.get(item.name, {}).get(call.name), str)


def _cpu() -> float:
    """Seconds of this process and of those that it started and that have ended."""
    used = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def _age() -> float:
    """Seconds since this process was started, by Linux's clock, which counts hundredths."""
    ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")


def _line(error: BaseException) -> str:
    """What went wrong first, in one line."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return " ".join(f"{type(error).__name__}: {error}".split())
