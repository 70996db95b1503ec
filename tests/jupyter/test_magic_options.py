"""The options in front of a statement, read."""

from __future__ import annotations

import pytest

from heliumql.errors import BindError
from heliumql.extensions.jupyter.options import Options, read_options


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("SELECT 1", Options("SELECT 1")),
        ("", Options("")),
        ("--model m SELECT 1", Options("SELECT 1", model="m")),
        ("--model=m SELECT 1", Options("SELECT 1", model="m")),
        ("--dry-run SELECT 1", Options("SELECT 1", dry_run=True)),
        ("--stats --model m", Options("", model="m", stats=True)),
        ("--database 'my file.duckdb' SELECT 1", Options("SELECT 1", database="my file.duckdb")),
        ("--param a=1 --param b=x", Options("", params={"a": 1, "b": "x"})),
        ("--param 'a=two words' SELECT $a", Options("SELECT $a", params={"a": "two words"})),
        ('--param a="two words" SELECT $a', Options("SELECT $a", params={"a": "two words"})),
        ("--param $a=null SELECT $a", Options("SELECT $a", params={"a": None})),
        ("--set llm_max_calls=3 FROM t", Options("FROM t", settings={"llm_max_calls": 3})),
        ("--out x --format df FROM t", Options("FROM t", out="x", format="df")),
        ("-- a comment", Options("-- a comment")),
        ("--stats -- a comment", Options("-- a comment", stats=True)),
        ("SELECT 1 --model m", Options("SELECT 1 --model m")),
        ("--connection con", Options("", connection="con")),
    ],
)
def test_options(line: str, expected: Options) -> None:
    assert read_options(line) == expected


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--modl m", "no option --modl"),
        ("--model", "--model: a value is missing"),
        ("--model --stats SELECT 1", "--model: a value is missing"),
        ("--param a SELECT 1", "it takes NAME=VALUE"),
        ("--format xml", "--format xml is not known"),
        ("--out a.b", "no name of a variable"),
        ("--database a --connection b", "both say where"),
    ],
)
def test_mistakes(line: str, message: str) -> None:
    with pytest.raises(BindError, match=message.replace(".", r"\.")):
        read_options(line)
