"""What `heliumql serve --safe` does not let clients do.

DuckDB reads and writes no files and loads no extensions (`CONFIG`). Models, which are programs,
addresses and names of environment variables, are the server's to make, and so is where answers are
kept.
"""

from __future__ import annotations

from collections.abc import Mapping

from heliumql import syntax
from heliumql.connection import Parsed
from heliumql.errors import CatalogError
from heliumql.source import Span

# What evaluation itself sets stays open; a client may set these too, and does no harm with them.
CONFIG: Mapping[str, str | bool | int | float | list[str]] = {
    "enable_external_access": False,
    "python_enable_replacements": False,
    "lock_configuration": True,
    "allowed_configs": ["threads", "arrow_lossless_conversion", "disabled_optimizers"],
}


def check_allowed(parsed: Parsed) -> None:
    """Raises CatalogError at a statement that is not for clients."""
    _check(parsed.statement, parsed)


def _check(statement: syntax.Statement, parsed: Parsed) -> None:
    match statement:
        case syntax.Prepare(statement=inner) | syntax.Profile(statement=inner):
            _check(inner, parsed)  # EXECUTE runs it
        case syntax.CreateModel(name_span=span) | syntax.DropModel(name_span=span):
            raise _refused("models are made where the server is started", span, parsed)
        case (
            syntax.SetOption(name="llm_cache_path" | "llm_cache_bytes", name_span=span)
            | syntax.ResetOption(name="llm_cache_path" | "llm_cache_bytes", name_span=span)
        ):
            raise _refused("where answers are kept is the server's to say", span, parsed)
        case syntax.ClearCache(span=span):
            raise _refused("answers are the server's to clear", span, parsed)


def _refused(reason: str, span: Span, parsed: Parsed) -> CatalogError:
    error = CatalogError(reason, span=span, hint="this server runs with --safe")
    error.source = parsed.source
    return error
