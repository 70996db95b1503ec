"""A module imports its own room and lower floors only: the table is in docs/architecture.md."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
PACKAGE = REPOSITORY / "heliumql"
MODULES = sorted(PACKAGE.rglob("*.py"))


def floors() -> dict[str, int]:
    text = (REPOSITORY / "docs" / "architecture.md").read_text("utf-8")
    rows = re.findall(r"(?m)^\| (\d+) \| ([^|]+) \|", text)
    return {name: int(floor) for floor, names in rows for name in re.findall(r"`(\w+)`", names)}


FLOORS = floors()


def imported(source: str) -> Iterator[tuple[int, str]]:
    """The lines and names of imports of this package: `binder` for heliumql.binder.carry."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                modules = [n.name for n in names]
            case ast.ImportFrom(module="heliumql", names=names):
                modules = [f"heliumql.{n.name}" if n.name in FLOORS else "heliumql" for n in names]
            case ast.ImportFrom(module=str(module), level=0):
                modules = [module]
            case ast.ImportFrom():
                raise AssertionError(f"line {node.lineno}: imports say heliumql in full")
            case _:
                continue
        for module in modules:
            first, *rest = module.split(".")
            if first == "heliumql":
                yield node.lineno, rest[0] if rest else "__init__"


def violations(room: str, source: str) -> list[tuple[int, str]]:
    """Imports that do not go down; single files of one floor are one room."""

    def place(name: str) -> object:
        return name if (PACKAGE / name).is_dir() else FLOORS[name]

    def is_below(name: str) -> bool:
        return FLOORS[name] < FLOORS[room] or place(name) == 0

    return [
        (line, name)
        for line, name in imported(source)
        if place(name) != place(room) and not is_below(name)
    ]


@pytest.mark.parametrize("path", MODULES, ids=[str(p.relative_to(PACKAGE)) for p in MODULES])
def test_imports_go_down(path: Path) -> None:
    room = path.relative_to(PACKAGE).with_suffix("").parts[0]
    assert violations(room, path.read_text("utf-8")) == []


def test_the_table_names_the_rooms_that_there_are() -> None:
    assert {p.relative_to(PACKAGE).with_suffix("").parts[0] for p in MODULES} == set(FLOORS)


@pytest.mark.parametrize(
    ("room", "source", "found"),
    [
        ("calls", "from heliumql.physical import passes", ["physical"]),
        ("calls", "import heliumql", ["__init__"]),
        ("syntax", "def f():\n    from heliumql import catalog", ["catalog"]),
        ("errors", "from heliumql.source import Span", []),
        ("dbapi", "import heliumql, heliumql.cli.main", ["cli"]),
        ("physical", "from heliumql import syntax", []),
        ("types", "from heliumql.errors import BindError", []),
        ("stats", "from heliumql.types import TEXT", ["types"]),
    ],
)
def test_imports_that_go_up_or_across_are_found(room: str, source: str, found: list[str]) -> None:
    assert [name for _, name in violations(room, source)] == found
