"""Writes the parts of the documentation that are made from the code: `make docs` runs it.

A marker in a document, `<!-- made: KIND ARGUMENTS -->`, says what the fenced block below it is made
of; rules.md and the diagrams of railroad/ are made as a whole. tests/docs/test_generated.py
compares the files with what is made.
"""

from __future__ import annotations

import ast
import csv
import inspect
import io
import re
import textwrap
import tokenize
from collections.abc import Callable, Mapping
from contextlib import chdir
from functools import cache
from pathlib import Path

from diagrams import diagrams

import heliumql
from heliumql.catalog.techniques import TECHNIQUES
from heliumql.engines.engine import CallSpec
from heliumql.engines.simulated import SimulatedEngine
from heliumql.explain.stages import STAGES
from heliumql.optimizer import APPROXIMATE, PHASES
from heliumql.optimizer.rule import Rule

ROOT = Path(__file__).parent.parent
QUERY = "queries/complaints.hql"
PHASES_FILE = "heliumql/optimizer/phases.py"
_BLOCK = re.compile(r"(?ms)^(<!-- made: (\w+) ?(.*?) -->\n```\w*\n)(.*?)(?=^```$)")


def made() -> dict[Path, str]:
    """The generated documents, as they should be."""
    texts = {path: filled(path.read_text("utf-8")) for path in sorted((ROOT / "docs").glob("*.md"))}
    generated = {path: text for path, text in texts.items() if "<!-- made:" in text}
    return {**generated, ROOT / "docs" / "rules.md": rules_page(), **diagrams()}


def filled(text: str) -> str:
    """The document with every block below a marker made anew."""
    return _BLOCK.sub(lambda found: found[1] + MAKERS[found[2]](*found[3].split()) + "\n", text)


# what the kinds of blocks are made of --------------------------------------------------------


def whole(path: str) -> str:
    """A file."""
    return (ROOT / path).read_text("utf-8").rstrip("\n")


def phase(*words: str) -> str:
    """A phase of phases.py, with the reasons above and beside it."""
    call = _phase(" ".join(words))
    first = call.lineno - len(_above(call))
    return textwrap.dedent("\n".join(whole(PHASES_FILE).split("\n")[first - 1 : call.end_lineno]))


def queries(path: str, heading: str, count: str) -> str:
    """The first queries below a heading of a plan file, with what is recorded of them."""
    below = whole(path).split(f"---- {heading}\n\n", 1)[1].split("\n---- ", 1)[0]
    return f"---- {heading}\n\n" + "\n\n".join(below.strip("\n").split("\n\n")[: int(count)])


def stage(name: str, *how: str) -> str:
    """What `heliumql explain --stages --analyze` prints of a stage; maybe without its SQL."""
    (title,) = [(s.__doc__ or "").partition("\n")[0] for s in STAGES if s.__name__ == name]
    block = stages()[title]
    return re.sub(r"(?ms)^ +(SELECT|WITH)\n.*?(?=^$|\Z)", "", block).strip("\n") if how else block


MAKERS: Mapping[str, Callable[..., str]] = {
    "whole": whole, "phase": phase, "queries": queries, "stage": stage,
}  # fmt: skip


@cache
def stages() -> dict[str, str]:
    """All stages of the query, by title, as they are printed."""
    with chdir(ROOT), heliumql.connect() as connection:
        connection.register_model("demo", SimulatedEngine({"instant": True}, truth()))
        (parsed,) = connection.statements(whole(QUERY), QUERY)
        told = connection.sql(f"EXPLAIN (ANALYZE, FORMAT stages) {parsed.statement.text}")
        text = str(told.fetchall()[0][1])
    parts = re.split(r"(?m)^\d+\. (.*)\n", text)[1:]
    return {
        title: re.sub(r"(?m)^   ", "", block).strip("\n")
        for title, block in zip(parts[::2], parts[1::2], strict=True)
    }


def truth() -> Callable[[tuple[tuple[str, str], ...], CallSpec], str | None]:
    """Answers about the reviews, from the table that the demo model was trained on."""
    with (ROOT / "catalog/data/reviews.csv").open(newline="", encoding="utf-8") as file:
        reviews = {row["review_id"]: row["body"] for row in csv.DictReader(file)}
    with (ROOT / "catalog/data/truth.csv").open(newline="", encoding="utf-8") as file:
        known = {reviews[row["review_id"]]: row for row in csv.DictReader(file)}

    def answer(messages: tuple[tuple[str, str], ...], spec: CallSpec) -> str | None:
        asked = messages[-1][1]
        column = "complaint" if spec.returns.sql() == "BOOLEAN" else "summary"
        return next((row[column] for body, row in known.items() if body in asked), None)

    return answer


# rules.md ------------------------------------------------------------------------------------

_INTRODUCTION = """\
<!-- made by docs/generate.py from heliumql/optimizer; `make docs` writes it anew -->

# The rules of the optimizer

In the order in which they run, with the reasons that [phases.py](../heliumql/optimizer/phases.py)
gives. `SET llm_disabled_rules = 'a,b'` leaves rules out; `EXPLAIN` says which ones fired, and what
each did. [Architecture](architecture.md#the-optimizer) says what a plan, a phase and a rule are;
[add_a_rule.md](add_a_rule.md) how to write one.

The examples are over `t(id, body, k)` with 2,000 rows and `u(k, name)` with 3. `llm`, `other_llm`
and `dear_llm` ask a model; only the last has a price. They run as tests."""


def rules_page() -> str:
    """rules.md: every rule with its docstring, by phase."""
    parts = [_INTRODUCTION, _contents()]
    for number, one in enumerate(PHASES, 1):
        call = _phase(one.name)
        often = "in turn, until none of them changes anything" if one.until_stable else "once"
        parts.append(f"## {number}. {one.name[0].upper()}{one.name[1:]}")
        reason = " ".join([*_above(call), f"These rules are applied {often}."])
        parts.append(textwrap.fill(reason, 100))
        parts += [_about(rule, _beside(call, rule.name)) for rule in one.rules]
    parts.append("## Approximate rules")
    parts.append(
        "They may change answers, so none runs by itself: a query asks for one by name."
        + ("" if APPROXIMATE else " There are none yet.")
    )
    parts += [_about(rule, "") for rule in APPROXIMATE]
    parts.append("## Techniques")
    parts.append(
        "What runs do beside the rules; `SET llm_disabled_rules` leaves these out too, to see what "
        "each is worth.\nRows are the same without them."
    )
    rows = [f"| `{name}` | {what} |" for name, what in TECHNIQUES.items()]
    parts.append("\n".join(["| technique | what it does |", "|---|---|", *rows]))
    return "\n\n".join(parts) + "\n"


def _contents() -> str:
    """A table of the rules, one sentence each."""
    rows = [
        f"| {one.name} | [{rule.name}](#{rule.name}) | {rule.summary} |"
        for one in PHASES
        for rule in one.rules
    ]
    return "\n".join(["| phase | rule | what it does |", "|---|---|---|", *rows])


def _about(rule: Rule, place: str) -> str:
    """A rule: its name, its place in the phase, its docstring as Markdown."""
    path = f"heliumql/optimizer/rules/{rule.name}.py"
    text = inspect.getdoc(rule.rewrite) or ""
    text, _, example = text.partition("\n>>> ")
    text = re.sub(r"(?m)^(It must not fire)", r"**It must not fire**", text)
    text = re.sub(r"(?m)(?<=[^-\n])\n(?=- )", r"\n\n", text, count=1)
    parts = [f"### [{rule.name}](../{path})", text.strip("\n")]
    if place:
        parts.append(f"*Its place:* {place}.")
    if example:
        parts.append(f"```pycon\n>>> {example}\n```")
    return "\n\n".join(parts)


# reading phases.py ---------------------------------------------------------------------------


def _phase(name: str) -> ast.Call:
    """Where phases.py makes a phase."""
    (found,) = [
        node
        for node in ast.walk(ast.parse(whole(PHASES_FILE)))
        if isinstance(node, ast.Call) and [getattr(a, "value", "") for a in node.args[:1]] == [name]
    ]
    return found


def _above(call: ast.Call) -> list[str]:
    """The comment above a phase, by line."""
    lines, line = list[str](), call.lineno - 1
    while line in _comments() and _comments()[line][1]:
        lines.insert(0, _comments()[line][0])
        line -= 1
    return lines


def _beside(call: ast.Call, rule: str) -> str:
    """The comment beside a rule of a phase."""
    line = next(n.lineno for n in ast.walk(call) if isinstance(n, ast.Name) and n.id == rule)
    text, alone = _comments().get(line, ("", True))
    return "" if alone else text


@cache
def _comments() -> dict[int, tuple[str, bool]]:
    """The comments of phases.py by line, and whether each has its line for itself."""
    reader = io.StringIO(whole(PHASES_FILE)).readline
    return {
        token.start[0]: (token.string.lstrip("# "), token.line.lstrip().startswith("#"))
        for token in tokenize.generate_tokens(reader)
        if token.type == tokenize.COMMENT
    }


if __name__ == "__main__":
    for document, now in made().items():
        if not document.exists() or document.read_text("utf-8") != now:
            document.write_text(now, "utf-8")
            print(f"{document.relative_to(ROOT)} is written anew")
