"""The front door of HQL: text to statements, statements to core SQL.

An island grammar. DuckDB's SQL stays the user's text, character for character; only HQL is
understood: LLM calls, DDL for models and prompts, settings, EXPLAIN and PROFILE.

    parse(text)            a file's statements
    desugar(text, ..)      core SQL of a statement (core.py)
    shell(text)            what kind of statement it is and which query is inside
    tokenize(text), split(tokens), parse_soup(tokens)
                           the layers below, for those that lay out and translate texts

The session calls `parse` and matches on the statements; the binder calls `desugar`.
"""

from typing import TYPE_CHECKING, Any

from heliumql.syntax.core import (
    CALL_FUNCTION,
    HISTORY_TYPE,
    INFO_FUNCTION,
    INFO_TYPE,
    CallSite,
    Core,
    DesugarContext,
    PromptCore,
    Shell,
    SourceMap,
    error_offset,
)
from heliumql.syntax.literals import constant_text
from heliumql.syntax.parse import parse
from heliumql.syntax.settings import with_settings
from heliumql.syntax.shell import shell
from heliumql.syntax.statements import (
    ClearCache,
    CreateMacro,
    CreateModel,
    CreatePrompt,
    CreateView,
    Deallocate,
    Describe,
    DropModel,
    DropNamed,
    DropPrompt,
    Execute,
    Explain,
    ExplainFormat,
    LlmSql,
    Prepare,
    Profile,
    ResetOption,
    SetOption,
    Show,
    Sql,
    Statement,
    Value,
)
from heliumql.syntax.tokens import Token, identifier, split, tokenize
from heliumql.syntax.tree import parse_soup

if TYPE_CHECKING:
    from heliumql.syntax.desugaring import desugar, desugar_macro, desugar_prompt, desugar_view
    from heliumql.syntax.verbs import VERB_NAMES

__all__ = [
    "CALL_FUNCTION",
    "HISTORY_TYPE",
    "INFO_FUNCTION",
    "INFO_TYPE",
    "VERB_NAMES",
    "CallSite",
    "ClearCache",
    "Core",
    "CreateMacro",
    "CreateModel",
    "CreatePrompt",
    "CreateView",
    "Deallocate",
    "Describe",
    "DesugarContext",
    "DropModel",
    "DropNamed",
    "DropPrompt",
    "Execute",
    "Explain",
    "ExplainFormat",
    "LlmSql",
    "Prepare",
    "Profile",
    "PromptCore",
    "ResetOption",
    "SetOption",
    "Shell",
    "Show",
    "SourceMap",
    "Sql",
    "Statement",
    "Token",
    "Value",
    "constant_text",
    "desugar",
    "desugar_macro",
    "desugar_prompt",
    "desugar_view",
    "error_offset",
    "identifier",
    "parse",
    "parse_soup",
    "shell",
    "split",
    "tokenize",
    "with_settings",
]


def __getattr__(name: str) -> Any:
    """What only a text with calls needs is imported when it is first asked for."""
    if name == "VERB_NAMES":
        from heliumql.syntax import verbs

        return verbs.VERB_NAMES
    if name in ("desugar", "desugar_macro", "desugar_prompt", "desugar_view"):
        from heliumql.syntax import desugaring

        return getattr(desugaring, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
