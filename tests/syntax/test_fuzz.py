"""Mutated statements: a mistake is an error with its place, never a traceback and never a hang."""

from __future__ import annotations

import itertools
import random
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import heliumql
from heliumql import syntax
from heliumql.errors import HeliumQLError
from heliumql.source import Span
from heliumql.syntax.parse import parse
from heliumql.syntax.tokens import split, tokenize

ROOT = Path(__file__).parents[2]
COUNT, BOUND = 10_000, 300
PARTS = 20
SEED = 2026
NOISE = (
    "(", ")", "[", "]", "{", "}", ",", ";", "'", '"', "$$", "--", "/*", "*/", "=>", ":=", "::", ".",
    "{x}", "{{", "LLM_GENERATE(", "LLM_AGG(", "LLM_CLASSIFY(", "RETURNS", "LATERAL", "FROM", "WITH",
    "AS", "NULL", "0", "-", "\x00", "\u200b", "é", "𝒳", "\n", "E'\\", "ORDER BY", "FILTER (WHERE ",
    "n => 3", "history => ", "STRUCT(", "ENUM('a'",
)  # fmt: skip


def corpus() -> list[str]:
    """Statements of the queries, of the documentation, and of the tests of plain SQL."""
    texts = [p.read_text("utf-8") for p in sorted(ROOT.glob("queries/**/*.hql"))]
    texts += [p.read_text("utf-8") for p in sorted(ROOT.glob("tests/plans/**/*.hql"))]
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        texts += re.findall(r"(?ms)^```sql\n(.*?)^```", path.read_text("utf-8"))
    plain = (ROOT / "tests/duckdb/test_same_as_duckdb.py").read_text("utf-8")
    texts += [found[1] for found in re.finditer(r'"((?:SELECT|WITH|CREATE|FROM) [^"\\]*)"', plain)]
    found = []
    for text in texts:
        text = re.sub(r"(?m)^-->.*$", "", text)
        for tokens in split(tokenize(text)):
            found.append(text[tokens[0].start : tokens[-1].end])
    return found


def mutated(draw: random.Random, statements: list[str]) -> str:
    """A statement with one to four changes of characters or of words."""
    text = draw.choice(statements)
    for _ in range(draw.randint(1, 4)):
        words = re.findall(r"\w+|\s+|.", text, re.DOTALL) or [""]
        at, other = draw.randrange(len(words)), draw.randrange(len(words))
        match draw.randrange(9):
            case 0:
                del words[at]
            case 1:
                words.insert(at, draw.choice(NOISE))
            case 2:
                words[at], words[other] = words[other], words[at]
            case 3:
                words.insert(at, words[other])
            case 4:
                words = words[: at + 1]
            case 5:
                words[at] = draw.choice(NOISE)
            case 6:
                word = words[at]
                place = draw.randrange(len(word) + 1)
                words[at] = (
                    word[:place] + chr(draw.choice((9, 39, 40, 92, 123, 233))) + word[place:]
                )
            case 7:
                first, last = sorted((at, other))
                words[first:last] = words[first:last] * 2
            case 8:
                donor = re.findall(r"\w+|\s+|.", draw.choice(statements), re.DOTALL)
                start = draw.randrange(len(donor))
                words[at:at] = donor[start : start + draw.randint(1, 12)]
        text = "".join(words)
    return text


def mutations(part: int) -> Iterator[str]:
    draw, statements = random.Random(SEED + part), corpus()
    for _ in range(COUNT // PARTS):
        yield mutated(draw, statements)


def refused(read: Callable[[str], None], text: str) -> HeliumQLError | None:
    """The error, if it is one of ours; any other goes on its way."""
    try:
        read(text)
    except HeliumQLError as error:
        return error
    return None


def desugared(text: str) -> None:
    """The text as far as it goes without DuckDB."""
    numbers = itertools.count(1)
    for statement in parse(text):
        while isinstance(statement, syntax.Explain | syntax.Profile):
            statement = statement.statement
        context = syntax.DesugarContext(lambda: next(numbers), statement.span.start)
        match statement:
            case syntax.CreateView():
                syntax.desugar_view(statement, context)
            case syntax.CreateMacro():
                syntax.desugar_macro(statement, context)
            case syntax.CreatePrompt():
                syntax.desugar_prompt(statement, context)
            case syntax.LlmSql():
                syntax.desugar(statement.text, context)
            case _:
                pass


def is_inside(span: Span, text: str) -> bool:
    """Where a text ends too early the place is behind it."""
    return 0 <= span.start <= span.end <= len(text) + 1


@pytest.mark.parametrize("part", range(PARTS))
def test_a_mutated_statement_is_read_or_refused_at_a_place(part: int) -> None:
    count = 0
    for text in mutations(part):
        began = time.process_time()
        error = refused(desugared, text)
        assert time.process_time() - began < 1, text
        if error is not None:
            count += 1
            assert error.message, text
            assert error.span is not None, text
            assert is_inside(error.span, text), (error.span, text)
    assert count > COUNT // PARTS // 10


def test_a_mutated_statement_is_bound_or_refused() -> None:
    """The same with DuckDB, where nothing is run: no error but ours, and places in the text."""
    draw, statements = random.Random(SEED), corpus()
    with heliumql.connect() as con:
        con.execute("CREATE MODEL m WITH (engine = 'simulated')")
        con.execute("CREATE TABLE notes AS FROM (VALUES (1, 'a')) AS notes(id, body)")
        con.execute(
            "CREATE TABLE reviews AS FROM (VALUES (1, 'a', 'b')) AS reviews(id, product, body)"
        )

        def planned(text: str) -> None:
            for parsed in con.statements(text):
                if isinstance(parsed.statement, syntax.LlmSql):
                    con._session.planned(parsed.statement.text, None, parsed.statement.span.start)

        for _ in range(BOUND):
            text = mutated(draw, statements)
            error = refused(planned, text)
            if error is not None and error.span is not None:
                assert is_inside(error.span, text), text
