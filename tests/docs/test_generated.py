"""Documents are what docs/generate.py makes of the code, and what they name is there."""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from heliumql.explain.stages import STAGES
from heliumql.optimizer import RULES

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
GENERATED = ["add_a_rule.md", "life_of_a_query.md", "rules.md"]
DIAGRAMS = [
    f"railroad/{rule}.svg"
    for rule in (
        "argument", "call", "clear_cache", "create_model", "create_prompt", "describe",
        "drop_model", "drop_prompt", "options", "parameters", "reset_option", "set_option",
        "show", "value",
    )
]  # fmt: skip
IDS = [p.name for p in DOCUMENTS]


@cache
def generator() -> Any:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(ROOT / "docs"))  # where the generator's own modules are
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.pop(0)
    return module


@cache
def made() -> dict[str, str]:
    docs = ROOT / "docs"
    return {str(path.relative_to(docs)): text for path, text in generator().made().items()}


def text(name: str) -> str:
    return (ROOT / "docs" / name).read_text("utf-8")


@pytest.mark.parametrize("name", [*GENERATED, *DIAGRAMS])
def test_documents_are_what_is_made_now(name: str) -> None:
    assert text(name) == made()[name], f"docs/{name} is not what is made now: run make docs"


def test_these_documents_are_generated() -> None:
    assert sorted(made()) == sorted(GENERATED + DIAGRAMS)


def test_no_diagram_is_left_of_a_rule_that_is_gone() -> None:
    found = [f"railroad/{path.name}" for path in (ROOT / "docs" / "railroad").iterdir()]
    assert sorted(found) == sorted(DIAGRAMS)


@pytest.mark.parametrize("name", DIAGRAMS)
def test_the_reference_shows_every_diagram(name: str) -> None:
    assert f"]({name})" in text("language.md")


def test_a_block_that_was_changed_is_made_anew() -> None:
    found = "<!-- made: phase fetch -->\n```python\nwhat somebody wrote\n```\nprose\n"
    filled = generator().filled(found)
    assert "Rule(fetch_stored)" in filled
    assert "what somebody wrote" not in filled
    assert filled.endswith("\n```\nprose\n")


def test_every_stage_is_in_the_life_of_a_query_in_order() -> None:
    shown = re.findall(r"<!-- made: stage (\w+)", text("life_of_a_query.md"))
    assert shown == [stage.__name__ for stage in STAGES]


def test_each_part_of_the_life_of_a_query_names_its_place_in_the_code() -> None:
    first, *parts = text("life_of_a_query.md").split("<!-- made: stage ")[1:]
    assert first.startswith("text")
    between = [part.partition("\n```\n")[2] for part in [first, *parts[:-1]]]
    for stage, before in zip(STAGES[1:], between, strict=True):
        assert named(before), f"nothing before the stage {stage.__name__} names a function"


def test_the_rules_that_are_told_of_have_fired() -> None:
    part = text("life_of_a_query.md").partition("## Rules\n")[2].partition("\n## ")[0]
    told, _, shown = part.partition("<!-- made: ")
    rules = re.findall(r"optimizer/rules/(\w+)\.py", told)
    assert len(rules) >= 2
    assert set(rules) <= set(re.findall(r"(?m)^(\w+): ", shown))


def test_rules_are_in_the_order_in_which_they_run() -> None:
    assert tuple(re.findall(r"(?m)^### \[(\w+)\]", text("rules.md"))) == RULES


def test_nothing_of_a_machine_or_a_moment_is_in_them() -> None:
    for name, now in made().items():
        assert str(ROOT) not in now, name
        assert not re.search(r"\d seconds|\d ms\b|20\d\d-\d\d-\d\dT|0x[0-9a-f]{6}", now), name


# what documents name -------------------------------------------------------------------------


def links(document: str) -> list[str]:
    """What the links of a document lead to in this repository."""
    found = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", document)
    return [link for link in found if not link.startswith("http")]


def named(document: str) -> list[tuple[str, str]]:
    """Names and the files that they are said to be in: `name` in [..](../file.py)."""
    name = r"`[\w.]+`"
    places = re.findall(
        rf"((?:{name}(?:,\s+|\s+and\s+))*{name})\s+in\s+\[[^]]+\]\(([^)]+\.py)\)", document
    )
    return [(one, file) for names, file in places for one in re.findall(r"`([\w.]+)`", names)]


def defined(path: Path) -> set[str]:
    """The functions, classes, methods and constants of a module: `Passes`, `Passes.batches`."""
    found = set[str]()

    def look(body: list[ast.stmt], before: str) -> None:
        for node in body:
            match node:
                case ast.FunctionDef(name=name):
                    found.add(before + name)
                case ast.ClassDef(name=name, body=inner):
                    found.add(before + name)
                    look(inner, f"{before}{name}.")
                case ast.AnnAssign(target=ast.Name(id=name)):
                    found.add(before + name)

    look(ast.parse(path.read_text("utf-8")).body, "")
    return found


@pytest.mark.parametrize("path", DOCUMENTS, ids=IDS)
def test_links_lead_somewhere(path: Path) -> None:
    missing = [x for x in links(path.read_text("utf-8")) if not (path.parent / x).exists()]
    assert missing == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=IDS)
def test_functions_are_in_the_files_that_are_named(path: Path) -> None:
    places = named(path.read_text("utf-8"))
    missing = [(n, f) for n, f in places if n not in defined(path.parent / f)]
    assert missing == []


def test_names_in_documents_are_looked_for() -> None:
    document = "`here` and `Here.there` in\n[a](../a.py), `nothing` here, `one` in [b](../x/b.py)."
    assert named(document) == [("here", "../a.py"), ("Here.there", "../a.py"), ("one", "../x/b.py")]
    assert len(named(text("life_of_a_query.md"))) >= 10
    assert len(named(text("add_a_rule.md"))) >= 8
    assert "Passes.batches" in defined(ROOT / "heliumql/physical/passes.py")
    assert "Passes.missing" not in defined(ROOT / "heliumql/physical/passes.py")
