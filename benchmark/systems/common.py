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
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path

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


Prepare = Callable[[Given], Callable[[], Answers]]
"""Builds what asks the calls, which is not timed, and returns the function that asks them."""


def main(system: str, version: str, prepare: Prepare) -> None:
    """The whole of a run.py. Where it fails, a line on stderr and exit status 1."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--base-url", required=True, help="with /v1")
    parser.add_argument("--model", required=True)
    parser.add_argument("--workload", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--setting", choices=(DEFAULT, TUNED), default=TUNED)
    parser.add_argument("--concurrency", type=int, help="calls at once; no limit if left out")
    options = parser.parse_args()
    try:
        given = Given(
            options.base_url,
            options.model,
            items_of(json.loads(options.workload.read_text("utf-8"))),
            options.setting,
            options.concurrency,
        )
        output = _timed(system, version, given, prepare)
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


def _timed(system: str, version: str, given: Given, prepare: Prepare) -> Output:
    ask = prepare(given)
    cpu, began = _cpu(), time.perf_counter()
    answers = ask()
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
