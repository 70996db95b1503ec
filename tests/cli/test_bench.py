"""`heliumql bench` as users start it."""

from __future__ import annotations

import re

from cli_program import Run


def test_without_a_suite_it_lists_them(run: Run) -> None:
    done = run("bench")
    assert done.status == 0
    assert re.search(r"(?m)^  optimality +\w", done.out)
    assert run("bench", "--help").out == done.out
    assert re.search(r"(?m)^ +bench ", run("--help").out)


def test_a_suite_that_is_not_there(run: Run) -> None:
    done = run("bench", "nothing")
    assert (done.status, done.out) == (2, "")
    assert "no suite 'nothing'" in done.err
    assert "optimality" in done.err


def test_the_gap_of_every_policy(run: Run) -> None:
    done = run("bench", "optimality", "--quick", "--milp", "--seconds", "5")
    assert done.status == 0, done.err
    lines = done.out.splitlines()
    assert lines[0] == "| order of | average gap | greatest gap | best order found |"
    names = re.findall(r"(?m)^\| (\w+) \| [0-9.]+% \| [0-9.]+% \| \d of 4 \|$", done.out)
    assert {"cache_aware", "op_wise", "query_wise", "random", "lspf", "helium"} <= set(names)
    assert "| local search | 0.0% | 0.0% | 4 of 4 |" in lines
    instances = [line for line in lines if re.match(r"\| \w+ 2 x 2 \|", line)]
    assert len(instances) == 4
    assert all("| yes | optimal after" in line for line in instances)


def test_help_and_wrong_values(run: Run) -> None:
    told = " ".join(run("bench", "optimality", "--help").out.split())
    assert "makespan / best known - 1" in told
    for wrong in (["--seconds", "soon"], ["--seconds", "0"], ["--labels", "-1"], ["--most", "9"]):
        done = run("bench", "optimality", *wrong)
        assert done.status == 2
        assert f"error: {wrong[0]}: " in done.err


def test_what_is_missing_is_named(run: Run, tmp_path) -> None:
    # None in sys.modules is how Python says that a module is not to be found.
    site = tmp_path / "sitecustomize.py"
    site.write_text(
        "import importlib.util as u\n"
        "find = u.find_spec\n"
        "u.find_spec = lambda name, *a: None if name == 'highspy' else find(name, *a)\n"
    )
    done = run("bench", "optimality", "--quick", PYTHONPATH=str(tmp_path))
    assert done.status == 2
    assert "the study optimality needs highspy" in done.err
    assert "hint: pip install highspy, or in a checkout: pip install -e '.[bench]'" in done.err
