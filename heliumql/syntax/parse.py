"""A file as statements; the session calls `parse`."""

from __future__ import annotations

from heliumql.syntax.statements import Statement


def parse(text: str, *, llm_names: frozenset[str] = frozenset()) -> tuple[Statement, ...]:
    """The statements of a file. `llm_names` (lower case) are the views, macros, prompts and
    prepared statements that hold LLM parts: a statement that names one has LLM parts too."""
    raise NotImplementedError
