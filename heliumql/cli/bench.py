"""`heliumql bench`: the suites that measure, which lie in the folder `benchmark`."""

from __future__ import annotations

import argparse
import importlib.util
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType

from heliumql.cli.arguments import bench_optimality_parser
from heliumql.cli.help import show
from heliumql.cli.parser import UsageError
from heliumql.errors import InternalError
from heliumql.resources import resource


@dataclass(frozen=True)
class _Suite:
    """A package in `benchmark` whose `main` takes the options and returns the exit status."""

    name: str
    what: str
    parser: Callable[[], argparse.ArgumentParser]
    needs: Sequence[str] = ()  # modules of the extra `bench`


_SUITES = (
    _Suite(
        "optimality",
        "orders of the scheduling policies against the best ones",
        bench_optimality_parser,
        needs=("highspy",),
    ),
)


def bench(arguments: Sequence[str]) -> int:
    """Runs the suite that the first argument names; without one, lists them."""
    match arguments:
        case [] | ["--help" | "-h", *_]:
            return show(_overview())
        case [name, *rest]:
            suite = next((s for s in _SUITES if s.name == name), None)
            if suite is None:
                known = ", ".join(s.name for s in _SUITES)
                raise UsageError(f"no suite {name!r}", hint=f"suites are: {known}")
            options = suite.parser().parse_args(rest)
            missing = [m for m in suite.needs if importlib.util.find_spec(m) is None]
            if missing:
                raise UsageError(
                    f"the suite {name} needs {', '.join(missing)}",
                    hint="pip install 'heliumql[bench]'",
                )
            status: int = _load(suite.name).main(options)
            return status
    raise AssertionError(arguments)


def _overview() -> str:
    lines = ["Measure.", "", "usage: heliumql bench SUITE ...", "", "suites, each with --help:"]
    lines += [f"  {suite.name:12} {suite.what}" for suite in _SUITES]
    return "\n".join(lines) + "\n"


def _load(name: str) -> ModuleType:
    """The package by its path: `benchmark` is on no import path."""
    folder = resource(f"benchmark/{name}")
    module_name = f"heliumql_benchmark_{name}"
    spec = importlib.util.spec_from_file_location(
        module_name, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    if spec is None or spec.loader is None:
        raise InternalError(f"{folder} is no package")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module  # its own modules look for it there
    spec.loader.exec_module(module)
    return module
