"""What kind of statement an SQL text is, and the query inside it; the session calls `shell`."""

from __future__ import annotations

from heliumql.syntax.core import Shell


def shell(text: str) -> Shell:
    """The kind of the statement and, of CREATE TABLE AS, INSERT and COPY, the inner query."""
    raise NotImplementedError
