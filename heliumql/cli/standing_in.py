"""What explanations and dry runs do about tables that statements with calls, not run, would make.

Those that a later statement names are made as temporary ones (`Connection.stand_in`). What is made
of such a table is made temporary, too; and nothing that is written to stay is written from one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from heliumql import syntax
from heliumql.binder.parameters import Parameters
from heliumql.cli.report import say
from heliumql.connection import Connection, Parsed
from heliumql.source import Span, joined
from heliumql.statements.standins import target_of

_HARMLESS = {"SET", "RESET", "USE", "DESCRIBE", "SUMMARIZE", "SHOW", "DEALLOCATE"}
_CHANGES = (
    ["INSERT", "INTO"], ["UPDATE"], ["DELETE", "FROM"], ["ALTER", "TABLE"],
    ["DROP", "TABLE", "IF", "EXISTS"], ["DROP", "TABLE"],
)  # fmt: skip


class StandIns:
    """The tables that stand in for others, while statements are explained one after another."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._names: set[str] = set()  # lower case

    def stands_in(self, parsed: Parsed, values: Parameters, later: Sequence[Parsed]) -> bool:
        """After a statement was explained: later ones find what it would have made."""
        target = target_of(syntax.shell(parsed.statement.text))
        if target is None:
            return False
        name = target.name.lower()
        if not any(name in _names_in(p.statement.text) for p in later):
            return True
        made = self._connection.stand_in(parsed, values)
        if made is None:
            return False
        self._names.add(name)
        rows = "it is empty, and calls that hang on its rows are not counted"
        if made.rows is not None:
            count = f"{made.rows:,} row{'' if made.rows == 1 else 's'}"
            first = "" if made.complete else "the first "
            rows = f"it has {first}{count}, with NULL for answers that are not remembered"
        say(f"note: {made.name} of {_place(parsed)} stands in, as no model is asked: {rows}")
        return True

    def to_run(self, parsed: Parsed) -> Parsed | None:
        """How a statement that is not explained is run; None: not at all, as it would stay."""
        statement = parsed.statement
        if not self._names & _names_in(statement.text):
            return parsed
        match statement:
            case syntax.CreateView() | syntax.CreateMacro():
                self._names.add(statement.name.lower())
                temporary = replace(statement, temp=True, or_replace=True, if_not_exists=False)
                return replace(parsed, statement=temporary)
            case syntax.Sql():
                return self._plain(parsed)
            case _:
                return parsed

    def read_by(self, parsed: Parsed) -> Sequence[str]:
        """Which of them, and of what is made of them, the statement names; in lower case."""
        return sorted(self._names & _names_in(parsed.statement.text))

    def _plain(self, parsed: Parsed) -> Parsed | None:
        text = parsed.statement.text
        tokens = syntax.tokenize(text)
        words = [token.word for token in tokens]
        kinds = ("TABLE", "VIEW", "MACRO", "FUNCTION")
        kind = next((i for i, word in enumerate(words[:5]) if word in kinds), 0)
        if words[:1] == ["CREATE"] and kind:
            unless = words[kind + 1 : kind + 4] == ["IF", "NOT", "EXISTS"]
            at = kind + (4 if unless else 1)
            if at < len(tokens) and not _is_qualified(tokens, at):
                self._names.add(syntax.identifier(tokens[at]).lower())
                start = parsed.statement.span.start + tokens[kind].start
                head = "CREATE TEMP " if unless else "CREATE OR REPLACE TEMP "
                place = Span(start, parsed.statement.span.end)
                (found,) = self._connection.statements(joined(head, (parsed.source, place)))
                return found
        if words[0] in _HARMLESS or any(self._is_changed(tokens, change) for change in _CHANGES):
            return parsed
        named = ", ".join(self.read_by(parsed))
        say(f"note: {_place(parsed)} is not run: it would keep what is made of {named}")
        return None

    def _is_changed(self, tokens: Sequence[syntax.Token], change: list[str]) -> bool:
        """The statement changes a table that stands in, and nothing else."""
        at = len(change)
        if (
            [t.word for t in tokens[:at]] != change
            or at >= len(tokens)
            or _is_qualified(tokens, at)
        ):
            return False
        return syntax.identifier(tokens[at]).lower() in self._names


def _names_in(text: str) -> set[str]:
    """All words of a statement, in lower case."""
    return {syntax.identifier(token).lower() for token in syntax.tokenize(text)}


def _is_qualified(tokens: Sequence[syntax.Token], at: int) -> bool:
    return at + 1 < len(tokens) and tokens[at + 1].text == "."


def _place(parsed: Parsed) -> str:
    """`reviews.hql:8`, or the line of what was typed."""
    name, line = parsed.written_at
    return f"{name}:{line}" if name else f"line {line}"
