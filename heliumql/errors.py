"""Errors a user can meet, told apart by who is to blame; every floor raises these.

Lower floors know only spans (offsets into the text of a statement); the session attaches the
source and `heliumql.source.render` draws the line and the caret.
"""

from __future__ import annotations

from heliumql.source import Source, Span


class HeliumQLError(Exception):
    """Base of all errors: one line that says what is wrong, where, and what to try next.

    `exit_status` is the exit status of the command line (0 done, 1 error in the statement,
    2 usage, 4 stopped by a budget, 5 engine not available).
    """

    exit_status = 1

    def __init__(
        self,
        message: str,
        *,
        span: Span | None = None,
        hint: str | None = None,
        source: Source | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.span = span
        self.hint = hint
        self.source: Source | None = None
        if source is not None:
            self.with_source(source)

    def with_source(self, source: Source) -> HeliumQLError:
        """The same error, knowing the text that its span points into (first one wins).

        Of a text that was put together that is the one in which the place was written.
        """
        if self.source is None:
            self.source = source
            if source.parts and self.span is not None:
                found = source.origin(self.span)
                self.source, self.span = found or (source, None)
        return self

    def __str__(self) -> str:
        from heliumql.source import render

        return render(self.message, self.source, self.span, self.hint)


class ParseError(HeliumQLError):
    """The text is not HQL."""


class BindError(HeliumQLError):
    """A name, argument or type in the text does not exist or does not fit."""


class CatalogError(HeliumQLError):
    """A model, prompt or setting does not exist, exists already, or has unknown options."""


class ExecutionError(HeliumQLError):
    """DuckDB or a call failed while the statement ran."""


class BudgetError(HeliumQLError):
    """A budget (llm_max_calls and its kin) stopped the statement; running it again resumes."""

    exit_status = 4


class EngineError(HeliumQLError):
    """An engine cannot work at all: not installed, model not found, unreachable, refused."""

    exit_status = 5


class InternalError(HeliumQLError):
    """A bug in HeliumQL, with the name of the stage in which it showed."""

    def __init__(self, message: str) -> None:
        super().__init__(f"{message} (this is a bug in HeliumQL; please report it)")
