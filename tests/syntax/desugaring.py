"""What the tests of the syntax share: examples, desugaring, a DuckDB with the call functions."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from pathlib import Path

import duckdb

from heliumql.syntax import (
    CALL_FUNCTION,
    HISTORY_TYPE,
    INFO_FUNCTION,
    Core,
    CreateMacro,
    CreatePrompt,
    CreateView,
    DesugarContext,
    Explain,
    LlmSql,
    Prepare,
    Profile,
    Statement,
    desugar,
    desugar_macro,
    desugar_prompt,
    desugar_view,
    parse,
)


def _texts(name: str) -> tuple[str, ...]:
    """The statements of a file beside this one."""
    text = (Path(__file__).parent / name).read_text(encoding="utf-8")
    return tuple(statement.text for statement in parse(text))


FORMS = _texts("forms.sql")  # calls in SQL
STATEMENTS = _texts("statements.sql")  # all kinds of HQL
# Not split by what is tested: a statement begins at the left margin and may go on with blanks.
ODD_STATEMENTS = tuple(
    re.split(
        r"\n(?=[A-Z(])",
        (Path(__file__).parent / "odd_statements.sql").read_text(encoding="utf-8").strip(),
    )
)


def context(statement: Statement | None = None) -> DesugarContext:
    numbers = itertools.count(1)
    return DesugarContext(lambda: next(numbers), statement.span.start if statement else 0)


def core_of(text: str) -> Core:
    """Core SQL of the only statement of the text."""
    (statement,) = parse(text)
    return desugar(statement.text, context(statement))


def understand(text: str) -> None:
    """All that this room does with a text; raises what a user would see."""
    for statement in parse(text, llm_names=frozenset({"v", "critic"})):
        match statement:
            case CreatePrompt():
                desugar_prompt(statement, context(statement))
            case CreateView():
                desugar_view(statement, context(statement))
            case CreateMacro():
                desugar_macro(statement, context(statement))
            case Explain(statement=inner) | Profile(statement=inner) | Prepare(statement=inner):
                desugar(inner.text, context(inner))
            case LlmSql():
                desugar(statement.text, context(statement))


Answer = Callable[[str | None], str | None]


class Stub:
    """DuckDB with call functions that note the messages and answer as told."""

    def __init__(self) -> None:
        self.con = duckdb.connect()
        self.asked: list[tuple[int, str | None, str | None, object]] = []
        self.answer: Answer = lambda prompt: f"<{prompt}>"
        self.info = (
            '{"status": 0, "error": null, "finish_reason": "stop", "prompt_tokens": 3,'
            ' "cached_tokens": 0, "output_tokens": 7, "source": "engine"}'
        )
        for name, function in ((CALL_FUNCTION, self._call), (INFO_FUNCTION, self._info)):
            self.con.create_function(
                name,
                function,
                ["BIGINT", "VARCHAR", "VARCHAR", HISTORY_TYPE],
                "VARCHAR",
                null_handling="special",
            )
        self.con.execute(
            """
            CREATE TABLE reviews (id INTEGER, title VARCHAR, body VARCHAR, text VARCHAR,
                                  "Odd Name" INTEGER, author STRUCT(name VARCHAR));
            INSERT INTO reviews VALUES (1, 'Up', 'good', 'T1', 7, {'name': 'Ann'}),
                                       (2, 'Down', 'bad', NULL, 8, {'name': 'Bob'});
            CREATE TABLE agents (agent VARCHAR, role VARCHAR);
            INSERT INTO agents VALUES ('a', 'critic'), ('b', NULL);
            """
        )

    def rows(self, text: str) -> list[tuple[object, ...]]:
        """The rows of the only statement of the text, calls answered by `answer`."""
        return self.con.execute(core_of(text).text).fetchall()

    def _call(self, site: int, prompt: str | None, system: str | None, history: object) -> object:
        self.asked.append((site, prompt, system, history))
        return None if prompt is None else self.answer(prompt)

    def _info(self, site: int, prompt: str | None, system: str | None, history: object) -> str:
        return self.info
