"""`SET llm_..`: settings taken by a session, and their values in statements."""

from __future__ import annotations

from dataclasses import replace

from heliumql import syntax
from heliumql.catalog import Settings
from heliumql.errors import CatalogError
from heliumql.session import Session
from heliumql.source import Span
from heliumql.syntax import Statement
from heliumql.syntax.literals import quoted


def use(session: Session, settings: Settings, changed: str) -> None:
    """Takes settings; where answers are kept is one for all connections of a database.

    Raises CatalogError where a rule to be disabled does not exist.
    """
    shared = session.shared
    match changed.lower():
        case "llm_cache_path":
            shared.remember_at(settings.cache_path)
            shared.store.max_bytes = settings.cache_bytes
        case "llm_cache_bytes":
            shared.store.max_bytes = settings.cache_bytes
        case "llm_disabled_rules":
            from heliumql.planning.knowledge import disabled_rules

            disabled_rules(settings)
    session.settings = settings


def with_values(statement: Statement, settings: Settings) -> Statement:
    """The statement with what our settings are now, where it reads them.

    Not in a definition, which would keep what they were when it was made.
    """
    if not isinstance(statement, syntax.Sql | syntax.LlmSql):
        return statement
    if syntax.shell(statement.text).kind == "other":
        return statement

    def constant(name: str, span: Span) -> str:
        try:
            value = settings.value(name)
        except CatalogError as error:
            error.span = span.shifted(statement.span.start)
            raise
        match value:
            case None:
                return "NULL"
            case str():
                return quoted(value)
            case float():
                return f"{value!r}::DOUBLE"
            case _:
                return str(value)

    return replace(statement, text=syntax.with_settings(statement.text, constant))
