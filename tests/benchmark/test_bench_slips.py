"""Slips on the command line of `heliumql bench`: one line says what is wrong, one what to try."""

from __future__ import annotations

import pytest

from heliumql.cli.main import main

pytestmark = pytest.mark.usefixtures("vllm_seems_installed")  # what is refused starts nothing


@pytest.mark.parametrize(
    ("arguments", "told", "hint"),
    [
        ("nosuch", "no suite 'nosuch'", "heliumql bench lists the suites"),
        ("ablation nosuch", "no suite 'nosuch'", "heliumql bench lists them"),
        (
            "mixed --systems daft --engine server --quick",
            "--systems: daft cannot run mixed: ",
            "it is for the suite tables",
        ),
        (
            "tables --systems daft --engine server",
            "--systems: daft is compared with HeliumQL",
            "add heliumql: --systems heliumql,daft",
        ),
        (
            "mixed --systems oracle",
            "--systems: the limits are compared with HeliumQL",
            "add heliumql: --systems heliumql,oracle",
        ),
        (
            "mixed --systems langgraph --engine simulated",
            "--systems: no system 'langgraph' but on a server",
            "heliumql bench SUITE --engine server has it",
        ),
        ("mixed --kv-tokens half", "--kv-tokens is quarter, ", "such as --kv-tokens tight"),
        (
            "mixed --kv-tokens free --engine simulated",
            "--kv-tokens free is for the engine vllm",
            "--kv-tokens all",
        ),
        (
            "mixed --dtype float32",
            "--dtype, --attention and --eager are for a --model",
            "make one: python benchmark/gpu/model.py FOLDER",
        ),
        ("mixed --seed -1", "--seed: '-1' is not a whole number, zero or more", ""),
        ("optimality --seed -1", "--seed: '-1' is not a whole number, zero or more", ""),
        (
            "sensitivity kv --values -1/2",
            "--values: '-1/2' is not a part of the working set",
            "such as kv --values 1/8,1/2",
        ),
        (
            "sensitivity rounds --values -2,3",
            "--values: '-2' is not a whole number above zero",
            "such as rounds --values 2,4",
        ),
        ("sensitivity mixes --values P9", "--values: '9' is not a mix", "such as mixes --values P"),
        ("scale --calls 0", "--calls: '0' is not a whole number", "such as --calls 1000,10000"),
        ("scale --policies cache_aware", "--policies: cache_aware is what others", "one of query_"),
    ],
)
def test_a_slip_is_told_with_what_to_try(
    arguments: str, told: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", *arguments.split()]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    first, second = shown.err.splitlines()
    assert first.startswith(f"error: {told}")
    assert second.startswith(f"hint: {hint}")
    assert len(second) <= 160
