"""Completion in cells of HQL: what the shell offers, by IPython's own menu."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from heliumql.completion import SnapshotReader, candidates

if TYPE_CHECKING:
    from IPython.core.completer import CompletionContext
    from IPython.core.interactiveshell import InteractiveShell

    from heliumql.extensions.jupyter.magics import HqlMagics

_CELL = re.compile(r"\s*%%hql\b[^\n]*\n")
_LINE = re.compile(r"(?:^|\n)[^\n#]*%hql\b(?:[ \t]+--[\w-]+(?:[ =][^\s-]\S*)?)*[ \t]+")


def complete_cells(shell: InteractiveShell, magics: HqlMagics) -> None:
    """Adds HQL to what the shell completes."""
    from IPython.core.completer import SimpleCompletion, context_matcher

    readers: dict[int, SnapshotReader] = {}

    @context_matcher(identifier="heliumql", priority=200)  # type: ignore[untyped-decorator]
    def matches(context: CompletionContext) -> dict[str, Any]:
        text, position = _statement(context)
        if text is None:
            return {"completions": []}
        connection = magics.connection
        if id(connection) not in readers:
            readers.clear()
            readers[id(connection)] = SnapshotReader(connection.duckdb, connection.catalog)
        found = candidates(text, position, readers[id(connection)].read(connection.settings))
        start = found[0].start if found else position
        return {
            "completions": [
                SimpleCompletion(text=c.replacement, type=c.kind.value)
                for c in found
                if c.start == start
            ],
            "matched_fragment": text[start:position],
            "ordered": True,
            "suppress": True,
        }

    shell.Completer.custom_matchers.append(matches)


def forget_cells(shell: InteractiveShell) -> None:
    """Takes away again what `complete_cells` added."""
    matchers = shell.Completer.custom_matchers
    matchers[:] = [m for m in matchers if getattr(m, "matcher_identifier", "") != "heliumql"]


def _statement(context: CompletionContext) -> tuple[str | None, int]:
    """The HQL that the cursor is in, and its place there; None where it is in none."""
    code = context.full_text
    lines = code.split("\n")
    position = sum(len(line) + 1 for line in lines[: context.cursor_line]) + context.cursor_position
    cell = _CELL.match(code)
    if cell is not None and position >= cell.end():
        return code[cell.end() :], position - cell.end()
    for line in _LINE.finditer(code):
        end = code.find("\n", line.end())
        end = len(code) if end < 0 else end
        if line.end() <= position <= end:
            return code[line.end() : end], position - line.end()
    return None, 0
