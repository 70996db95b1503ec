"""HQL to core SQL; the binder and the session call these functions."""

from __future__ import annotations

from heliumql.syntax.core import Core, DesugarContext, PromptCore
from heliumql.syntax.statements import CreateMacro, CreatePrompt, CreateView


def desugar(text: str, context: DesugarContext) -> Core:
    """Core SQL of a statement, or of a query inside one."""
    raise NotImplementedError


def desugar_prompt(create: CreatePrompt, context: DesugarContext) -> PromptCore:
    """The prompt as `CREATE OR REPLACE TEMP MACRO`, once as a value and once as a table."""
    raise NotImplementedError


def desugar_view(create: CreateView, context: DesugarContext) -> Core:
    """The view as `CREATE OR REPLACE TEMP VIEW`."""
    raise NotImplementedError


def desugar_macro(create: CreateMacro, context: DesugarContext) -> Core:
    """The macro as `CREATE OR REPLACE TEMP MACRO`."""
    raise NotImplementedError
