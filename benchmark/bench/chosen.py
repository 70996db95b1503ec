"""What the command line asks for, checked."""

from __future__ import annotations

import argparse
import importlib.util
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from names import of_option
from suites.form import FLOAT32, Form
from suites.suite import SUITES, Suite
from systems.system import SYSTEMS

from bench.named import of_tables, others, refused, shortest
from heliumql.cli.parser import UsageError
from heliumql.engines.vllm_settings import INSTALLING
from heliumql.scheduling.policies import POLICIES

LIMITS = ("oracle", "one_row")  # what no order of the calls can undercut: the greater of the two
DEFAULT_POLICY = "cache_aware"
UNMERGED = "unmerged"  # the default policy; equal calls of a statement are run each
ALL = tuple(name for name in SUITES if not name.startswith("prefix"))
_ON_SERVER = (
    "heliumql", "raw", "op_wise", "query_wise", "langgraph", "agentscope",
)  # fmt: skip
SLOTS = {"cpu": 8, "gpu": 64}  # calls at once by hardware, if not told otherwise
_MAKE_MODEL = "make one: python benchmark/gpu/model.py FOLDER"
_QUICK_SUITES = ("mixed", "map_reduce")  # of `all --quick`
_QUICK_SYSTEMS = ("heliumql", "heliumql:op_wise", "heliumql:random", "oracle", "one_row")
_QUICK_ROWS = {  # with which a system takes some seconds on vLLM; of the prefix mixes two
    "mixed": 4, "map_reduce_questions": 2, "map_reduce": 2, "debate": 1, "reflection": 2,
    "iterative": 4, "parallel": 1, "trading": 1, "trading_next_day": 1, "debate_questions": 2,
    "tables": 2,
}  # fmt: skip


@dataclass(frozen=True)
class Chosen:
    """What is measured. `rows` and `scale` are None where the suite's own are meant."""

    suites: Sequence[str]
    systems: Sequence[str]
    engine: str = "vllm"
    repeat: int = 3
    kv_tokens: str = "quarter"
    workers: int = 1
    slots: int = 8
    scale: float | None = None
    rows: int | None = None
    seed: int = 0
    apart: bool = False
    kept: bool = False  # lengths of answers are known from a run before
    quick: bool = False
    model: Path | None = None  # instead of the benchmark's own
    form: Form = FLOAT32
    hardware: str = "cpu"  # that is simulated: a name of suites.engines.HARDWARE

    def rows_of(self, suite: Suite) -> int:
        return self.rows or (_QUICK_ROWS.get(suite.name, 2) if self.quick else suite.rows)

    def scale_of(self, suite: Suite) -> float:
        return self.scale or suite.scale

    def systems_of(self, suite: Suite) -> list[str]:
        """Those that can run it: some systems only take tables."""
        return [name for name in self.systems if refused(name, suite.name) is None]


def chosen(options: argparse.Namespace) -> Chosen:
    """Raises UsageError."""
    quick: bool = options.quick
    on_server = options.engine == "server"
    if on_server and (options.apart or options.kept or options.workers > 1):
        raise UsageError(
            "--engine server takes one worker, and neither --apart nor --kept",
            hint="--engine vllm takes them",
        )
    check(options)
    everything = _QUICK_SUITES if quick else ALL
    systems = _systems(options, on_server)
    return in_common(
        options,
        suites=everything if options.suite == "all" else (options.suite,),
        systems=systems,
        repeat=options.repeat or (1 if quick else 3),
        workers=options.workers,
        slots=options.slots,
        apart=options.apart,
        kept=options.kept,
        quick=quick,
    )


def in_common(options: argparse.Namespace, **own: Any) -> Chosen:
    """Of the options that every study has, and what is chosen otherwise. Raises UsageError."""
    return Chosen(
        engine=options.engine,
        kv_tokens=_kv_tokens(options.kv_tokens),
        scale=options.scale,
        rows=options.rows,
        seed=options.seed,
        model=options.model,
        form=_form(options),
        **own,
    )


def check(options: argparse.Namespace) -> None:
    """Raises UsageError where the engine is not installed, or cannot have that KV cache."""
    name: str = options.engine
    if name in ("vllm", "server") and importlib.util.find_spec("vllm") is None:
        raise UsageError(
            f"the engine {name} needs vLLM",
            hint=f"{INSTALLING}; without it: --engine simulated",
        )
    if options.kv_tokens == "free" and name != "vllm":
        raise UsageError(
            "--kv-tokens free is for the engine vllm",
            hint="--kv-tokens all: nothing is dropped",
        )


def simulated(options: argparse.Namespace, default: str) -> str:
    """The hardware: of --hardware, else the default; vLLM's is like cpu.

    Raises UsageError where it is given and nothing is simulated.
    """
    if options.engine == "simulated":
        return options.hardware or default
    if options.hardware is not None:
        raise UsageError(
            f"--hardware is simulated, {options.engine} has its own", hint="--engine simulated"
        )
    return "cpu"


def _form(options: argparse.Namespace) -> Form:
    """How the model is loaded. Raises UsageError where --model is none for that."""
    if options.model is None:
        if options.dtype or options.attention or options.eager:
            raise UsageError("--dtype, --attention and --eager are for a --model", hint=_MAKE_MODEL)
        return FLOAT32
    if options.engine == "simulated":
        raise UsageError("--model is not for the engine simulated", hint="--engine vllm")
    hint = _MAKE_MODEL
    try:
        config = json.loads((options.model / "config.json").read_text("utf-8"))
    except (OSError, ValueError):
        raise UsageError(f"--model: {options.model} has no config.json", hint=hint) from None
    if "answer_token_ids" not in config:
        raise UsageError(f"--model: {options.model} does not say what answers are of", hint=hint)
    return Form(options.dtype or "bfloat16", True, options.attention, options.eager)


def policy_of(system: str) -> str | None:
    """The policy of a system that is HeliumQL; of others None."""
    name, _, policy = system.partition(":")
    if name != "heliumql":
        return None
    return policy if policy in POLICIES else DEFAULT_POLICY


def unmerged(system: str) -> bool:
    """Whether it is HeliumQL without the merging of equal calls."""
    return system == f"heliumql:{UNMERGED}"


def _systems(options: argparse.Namespace, on_server: bool) -> tuple[str, ...]:
    if options.systems is None:
        if on_server and not options.quick:
            return (*_ON_SERVER, *of_tables(), *LIMITS)
        return _QUICK_SYSTEMS if options.quick else (*OWN, *LIMITS)
    return named(options.systems, on_server, None if options.suite == "all" else options.suite)


def named(given: str, on_server: bool = False, suite: str | None = None) -> tuple[str, ...]:
    """The systems of `--systems`, HeliumQL among them, that can all run the suite.

    Raises UsageError.
    """
    own = ("heliumql", *(f"heliumql:{p}" for p in (UNMERGED, *POLICIES)))
    # On a server op_wise and query_wise are those of no HeliumQL.
    known = (*own, *(others() if on_server else POLICIES), *LIMITS)
    if not on_server:
        _check_engine(given, known)
    names = of_option("--systems", "system", given, known)
    short = [shortest(name) if on_server else name for name in names]
    found = tuple(dict.fromkeys(n if n in SYSTEMS and on_server else _canonical(n) for n in short))
    if suite is not None:
        _check_tables(found, suite)
    if not any(map(policy_of, found)):
        what = "the limits are" if set(found) <= set(LIMITS) else f"{found[0]} is"
        raise UsageError(
            f"--systems: {what} compared with HeliumQL",
            hint=f"add heliumql: --systems heliumql,{','.join(found)}",
        )
    return found


def _check_engine(given: str, known: Collection[str]) -> None:
    for name in (name.strip() for name in given.split(",")):
        if name in others() and name not in known:
            raise UsageError(
                f"--systems: no system {name!r} but on a server",
                hint="heliumql bench SUITE --engine server has it",
            )


def _check_tables(systems: Sequence[str], suite: str) -> None:
    for name in systems:
        if reason := refused(name, suite):
            raise UsageError(
                f"--systems: {name} cannot run {suite}: {reason}",
                hint="it is for the suite tables: heliumql bench tables --engine server",
            )


def _canonical(name: str) -> str:
    """One name for each: `cache_aware` and `heliumql:cache_aware` are `heliumql`."""
    policy = name.removeprefix("heliumql:")
    if policy == DEFAULT_POLICY:
        return "heliumql"
    return f"heliumql:{policy}" if policy in POLICIES else name


OWN = tuple(dict.fromkeys(map(_canonical, (DEFAULT_POLICY, *POLICIES))))  # every policy


def _kv_tokens(text: str) -> str:
    """The text itself. Raises UsageError."""
    named = text in ("quarter", "tight", "all", "free")
    if not named and not (text.isascii() and text.isdecimal()):
        raise UsageError(
            f"--kv-tokens is quarter, tight, all, free or a number of tokens, not {text!r}",
            hint="such as --kv-tokens tight or --kv-tokens 6400",
        )
    return text
