"""The help of `heliumql bench`, and what is told while there is nothing to show yet."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from heliumql.cli.bench.command import _STUDIES, _SUITES
from heliumql.cli.bench.suite import suite_parser
from heliumql.cli.parser import WIDTH
from heliumql.scheduling.policies import POLICIES


def test_help_of_everything_fits_80_columns() -> None:
    for program in (*_SUITES, *_STUDIES):
        told = program.parser().format_help()
        assert max(map(len, told.split("\n"))) <= WIDTH, program.name


def test_help_of_a_suite_names_all_systems() -> None:
    from systems.system import SYSTEMS

    told = suite_parser("debate").format_help()
    for name in (*POLICIES, *SYSTEMS, "heliumql:unmerged", "oracle", "one_row"):
        assert name in told


def test_quick_is_told_as_it_is() -> None:
    assert "mixed and map_reduce" in suite_parser("all").format_help()
    assert "mixed and map_reduce" not in suite_parser("debate").format_help()


def test_an_environment_that_is_made_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    system = importlib.import_module("systems.system")
    monkeypatch.setenv(system.CACHE, str(tmp_path))
    monkeypatch.setattr(system, "_install", lambda _, place, __: place.mkdir())
    system.environment(system.SYSTEMS["daft"])
    assert capsys.readouterr().err == "installing daft ..\n"
    system.environment(system.SYSTEMS["daft"])
    assert capsys.readouterr().err == ""


def test_what_is_waited_for_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from contextlib import ExitStack, nullcontext

    from bench.chosen import Chosen

    running = importlib.import_module("bench.running")
    monkeypatch.setattr(running.engines, "make_model", lambda folder: None)
    monkeypatch.setattr(running.engines, "vllm", lambda *_: nullcontext("engine"))
    monkeypatch.setattr(running, "serving", lambda *_: nullcontext("server"))
    with ExitStack() as stack:
        model = running.model(Chosen((), ()), stack)
        running.engine(Chosen((), ()), 64, model, stack)
        running.server(Chosen((), (), engine="server"), 64, model, stack)
    told = ["making the model ..", "loading the model ..", "starting the server .."]
    assert capsys.readouterr().err.splitlines() == told
