"""A statement as it was read, and what it is run with."""

from __future__ import annotations

from dataclasses import dataclass

from heliumql.binder.parameters import Parameters
from heliumql.source import Source, Span
from heliumql.statements.groups import Group
from heliumql.syntax import Statement


@dataclass(frozen=True)
class Parsed:
    """A statement and the text it stands in, which its errors show."""

    statement: Statement
    source: Source

    @property
    def written_at(self) -> tuple[str | None, int]:
        """The name of the text that it was written in, and the line where it begins there."""
        source, span = self.source.origin(self.statement.span) or (self.source, Span(0, 0))
        return source.name, source.text.count("\n", 0, span.start) + 1


@dataclass(frozen=True)
class Given:
    """What a statement is run with."""

    parameters: Parameters = None
    source: Source | None = None  # the text it stands in
    group: Group | None = None  # that its query is evaluated with
    restoring: bool = False  # it was run before, in an earlier session
