"""The statements of HQL as values: what `parse` returns and the session matches on.

Every statement knows its exact text (without the `;`) and where it stands in the file. All spans
are offsets into the file that was parsed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from heliumql.source import Span
from heliumql.types import SqlType

Value = str | int | float | bool | None | list["Value"] | dict[str, "Value"]
"""A constant in HQL: an option of a model or prompt, the value of a setting."""


@dataclass(frozen=True)
class Statement:
    """One statement of a file."""

    text: str
    span: Span


@dataclass(frozen=True)
class Sql(Statement):
    """No LLM part in it: DuckDB runs the text as it is."""


@dataclass(frozen=True)
class LlmSql(Statement):
    """SQL that holds LLM calls, or names a view, macro, prompt or prepared statement that does."""

    verbs: frozenset[str] = frozenset()  # LLM_GENERATE, ..: those called in the text
    names: frozenset[str] = frozenset()  # lower case; those of `llm_names` that the text refers to


@dataclass(frozen=True)
class CreateModel(Statement):
    """CREATE MODEL name WITH (key = value, ..)."""

    name: str
    name_span: Span
    options: Mapping[str, Value] = field(default_factory=dict)  # keys in lower case
    option_spans: Mapping[str, Span] = field(default_factory=dict)  # of the keys
    value_spans: Mapping[str, Span] = field(default_factory=dict)
    or_replace: bool = False
    if_not_exists: bool = False
    temp: bool = False


@dataclass(frozen=True)
class CreatePrompt(Statement):
    """CREATE PROMPT name(parameters) [RETURNS type] [WITH (options)] AS template."""

    name: str
    name_span: Span
    parameters: tuple[tuple[str, str], ...]  # (name, type as written or '')
    returns: SqlType | None
    body: str  # the literal as written, quotes included
    body_span: Span
    options: Mapping[str, Value] = field(default_factory=dict)
    option_spans: Mapping[str, Span] = field(default_factory=dict)
    value_spans: Mapping[str, Span] = field(default_factory=dict)
    or_replace: bool = False
    if_not_exists: bool = False
    temp: bool = False


@dataclass(frozen=True)
class DropModel(Statement):
    """DROP MODEL [IF EXISTS] name."""

    name: str
    name_span: Span
    if_exists: bool = False


@dataclass(frozen=True)
class DropPrompt(Statement):
    """DROP PROMPT [IF EXISTS] name."""

    name: str
    name_span: Span
    if_exists: bool = False


@dataclass(frozen=True)
class Show(Statement):
    """SHOW MODELS | PROMPTS | CACHE | llm_settings | llm_..; a table of that name goes first."""

    what: str  # in lower case


@dataclass(frozen=True)
class Describe(Statement):
    """DESCRIBE MODEL | PROMPT name."""

    what: Literal["model", "prompt"]
    name: str
    name_span: Span


@dataclass(frozen=True)
class ClearCache(Statement):
    """CLEAR CACHE [WHERE condition]; the condition is DuckDB's, as written."""

    where: str | None = None
    where_span: Span | None = None


@dataclass(frozen=True)
class SetOption(Statement):
    """SET llm_.. = value."""

    name: str  # lower case
    name_span: Span
    value: Value
    value_span: Span


@dataclass(frozen=True)
class ResetOption(Statement):
    """RESET llm_..."""

    name: str
    name_span: Span


ExplainFormat = Literal["text", "json", "html", "mermaid", "stages"]
"""How an explanation is shown; `stages` tells every stage of the way, for a newcomer."""


@dataclass(frozen=True)
class Explain(Statement):
    """EXPLAIN of a statement with LLM parts (of another it is Sql)."""

    statement: Statement
    analyze: bool = False
    format: ExplainFormat = "text"


@dataclass(frozen=True)
class Profile(Statement):
    """PROFILE statement: run on a sample, keep what is learnt about output lengths."""

    statement: Statement


@dataclass(frozen=True)
class CreateView(Statement):
    """CREATE VIEW with LLM parts: `header` + ` AS ` + `body`."""

    name: str  # as written without quotes; the last part where it is qualified
    name_span: Span
    header: str  # up to AS, exclusive
    columns: str  # `(a, b)` as written, or ''
    body: str
    body_span: Span
    or_replace: bool = False
    if_not_exists: bool = False
    temp: bool = False


@dataclass(frozen=True)
class CreateMacro(Statement):
    """CREATE MACRO with LLM parts; `kind` says whether it is a value or a table."""

    name: str
    name_span: Span
    header: str  # up to the parameters, exclusive
    parameters: str  # `(a, b := 2)` as written
    body: str  # what follows AS [TABLE]; of overloads also the later `, (..) AS ..`
    body_span: Span
    kind: Literal["scalar", "table"]
    or_replace: bool = False
    if_not_exists: bool = False
    temp: bool = False


@dataclass(frozen=True)
class DropNamed(Statement):
    """DROP VIEW | MACRO | FUNCTION of a name in `llm_names`."""

    what: Literal["view", "macro"]
    name: str
    name_span: Span
    if_exists: bool = False


@dataclass(frozen=True)
class Prepare(Statement):
    """PREPARE name AS statement, the statement with LLM parts."""

    name: str
    statement: Statement


@dataclass(frozen=True)
class Execute(Statement):
    """EXECUTE of a name in `llm_names`; `arguments` is the text between the parentheses."""

    name: str
    arguments: str


@dataclass(frozen=True)
class Deallocate(Statement):
    """DEALLOCATE of a name in `llm_names`."""

    name: str
