"""Pieces written on lines: what fits on a line stands on one, the rest is broken at clauses,
commas, AND and OR.

Nothing but the pieces decides, and whether the author began a new line at a clause; so a text that
was laid out stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence

from heliumql.formatting.clauses import (
    Clause,
    by_commas,
    by_words,
    clauses,
    ends_broken,
    is_query,
)
from heliumql.formatting.pieces import LITERALS, Bracket, Node, Piece, walk

WIDTH = 100
_STEP = 2
_SPACED = ("=", "==", "<", ">", "<=", ">=", "<>", "!=", "||")


class Layout:
    """Writes statements one after another."""

    def __init__(self, newline: str) -> None:
        self._newline = newline
        self._parts: list[str] = []
        self._column = 0
        self._base = 0  # the indent of what is being written
        self._pending: int | None = None  # a line begins before the next piece, at this indent
        self._last: Piece | None = None

    def text(self) -> str:
        return "".join(self._parts)

    def statement(self, nodes: Sequence[Node]) -> None:
        """A statement, its semicolon included, on lines of its own."""
        self._line(0)
        self._query(nodes, 0) if is_query(nodes) else self._sequence(nodes)

    # lines --------------------------------------------------------------------------------

    def _line(self, indent: int) -> None:
        self._pending = self._base = indent

    def _break(self, indent: int, blank: bool = False) -> None:
        if self._parts:
            self._parts.append(self._newline * (1 + blank) + " " * indent)
        self._column = indent

    def _write(self, text: str) -> None:
        self._parts.append(text)
        *_, last = text.split("\n")
        self._column = len(last) if "\n" in text else self._column + len(text)

    def _piece(self, piece: Piece) -> None:
        """The piece with its comments, on the line that is due or behind what is there."""
        line, self._pending = self._pending, None
        starts = line is not None
        for comment in piece.comments:
            indent = self._base + _STEP * (not starts)
            if comment.own_line:
                self._break(indent, comment.blank_before)
                line = None if comment.shares_line else indent
            elif self._column:
                self._write(" ")
            self._write(comment.text)
            if not comment.shares_line and line is None:
                line = indent
        if line is None and self._is_continued(piece):
            line = self._base + _STEP
        if piece.text:
            if line is not None:
                is_first = self._last is None or self._last.type == "SEMICOLON"
                self._break(line, piece.blank_before and is_first)
            else:
                self._write(" " if piece.comments else _between(self._last, piece))
            self._write(piece.text)
        self._last = piece

    def _is_continued(self, piece: Piece) -> bool:
        """Literals on lines that follow each other are one literal in SQL."""
        last = self._last
        both = last is not None and last.type in LITERALS and piece.type in LITERALS
        return both and piece.newline_before

    # what stands on them ------------------------------------------------------------------

    def _query(self, nodes: Sequence[Node], indent: int) -> None:
        """Clause by clause, each on a line; on one line where it is short and was on one."""
        if self._fits(nodes):
            self._sequence(nodes)
            return
        for number, clause in enumerate(clauses(nodes)):
            if number:
                self._line(indent)
            self._clause(clause, indent)

    def _clause(self, clause: Clause, indent: int) -> None:
        if not clause.breaks_before_lateral and self._fits(clause.nodes):
            self._sequence(clause.nodes)
            return
        match clause.word:
            case "WITH":
                self._sequence(clause.head)
                self._ctes(clause, indent)
            case "SELECT" | "GROUP" | "ORDER" | "VALUES" | "RETURNING" if len(clause.items) > 1:
                self._sequence(clause.head)
                for item in clause.items:
                    self._line(indent + _STEP)
                    self._sequence(item)
            case _:
                self._sequence(clause.head)
                for number, item in enumerate(clause.items):
                    if number:
                        self._line(indent + _STEP)
                    self._sequence(item)
        self._base = indent

    def _ctes(self, clause: Clause, indent: int) -> None:
        """`WITH a AS (` body `), b AS (` body `)`"""
        closed = True
        for item in clause.items:
            if not closed:
                self._line(indent + _STEP)
            closed = ends_broken(item)
            for node in item:
                if isinstance(node, Bracket) and is_query(node.nodes):
                    self._base = indent
                    self._broken(node)
                else:
                    self._sequence((node,))

    def _sequence(self, nodes: Sequence[Node]) -> None:
        """Pieces behind each other; a bracket that does not fit is broken."""
        for index, node in enumerate(nodes):
            if isinstance(node, Piece):
                self._piece(node)
            elif self._fits(_until_bracket(nodes, index)):
                for piece in walk((node,)):
                    self._piece(piece)
            else:
                self._broken(node)

    def _broken(self, bracket: Bracket) -> None:
        """What the brackets hold on lines of its own, indented; one literal stays where it is."""
        match bracket.nodes:
            case () | (Piece(comments=()),):
                for piece in walk((bracket,)):
                    self._piece(piece)
                return
        base = self._base
        self._piece(bracket.open)
        inside = base + _STEP
        if is_query(bracket.nodes):
            self._line(inside)
            self._query(bracket.nodes, inside)
        else:
            is_case = bracket.open.text == "CASE"
            for item in (
                by_words(bracket.nodes, "WHEN", "ELSE") if is_case else by_commas(bracket.nodes)
            ):
                self._line(inside)
                self._parted(item, inside)
        self._line(base)
        self._piece(bracket.close)

    def _parted(self, item: Sequence[Node], indent: int) -> None:
        """An item of a bracket, broken at AND and OR where it is too long."""
        parts = by_words(item, "AND", "OR")
        if self._fits(item) or len(parts) == 1:
            self._sequence(item)
            return
        for number, part in enumerate(parts):
            if number:
                self._line(indent)
            self._sequence(part)

    def _fits(self, nodes: Sequence[Node]) -> bool:
        """Whether the nodes may stand on the rest of the line."""
        column = self._column if self._pending is None else self._pending
        last, width = self._last, 0
        first = True
        for piece in walk(nodes):
            if piece.type == "EOF":
                continue  # what comes last has nothing behind it
            begins_line = first and self._pending is not None
            if not begins_line and any(not comment.inline for comment in piece.comments):
                return False
            if "\n" in piece.text or self._breaks_between(last, piece):
                return False
            width += len(piece.text)
            if begins_line:
                kept = (c for c in piece.comments if c.own_line and c.shares_line)
                width += sum(len(comment.text) + 1 for comment in kept)
            else:
                width += sum(len(comment.text) + 1 for comment in piece.comments)
                width += len(" " if piece.comments else _between(last, piece))
            last, first = piece, False
        return column + width <= WIDTH and not _was_broken(nodes)

    @staticmethod
    def _breaks_between(last: Piece | None, piece: Piece) -> bool:
        both = last is not None and last.type in LITERALS and piece.type in LITERALS
        return both and piece.newline_before


def _was_broken(nodes: Sequence[Node]) -> bool:
    """Whether a clause in it begins a line in the source; it shall begin one again."""
    if is_query(nodes):
        for clause in clauses(nodes)[1:]:
            if next(walk(clause.nodes)).newline_before:
                return True
            if clause.breaks_before_lateral:
                return True
    return any(isinstance(node, Bracket) and _was_broken(node.nodes) for node in nodes)


def _until_bracket(nodes: Sequence[Node], index: int) -> Sequence[Node]:
    """The bracket at `index` and what follows it up to the next one."""
    end = index + 1
    while end < len(nodes) and _is_plain(nodes[end]):
        end += 1
    return nodes[index:end]


def _is_plain(node: Node) -> bool:
    return isinstance(node, Piece) and all(comment.inline for comment in node.comments)


def _between(last: Piece | None, piece: Piece) -> str:
    """What stands between two pieces on one line."""
    if last is None or piece.type in ("COMMA", "SEMICOLON", "RPAR", "RSQB", "RBRACE", "EOF"):
        return ""
    if last.type in ("LPAR", "LSQB", "LBRACE"):
        return ""
    if last.type == "COMMA" or "ARROW" in (last.type, piece.type):
        return " "
    both = last.type == "OPERATOR" and piece.type == "OPERATOR"
    if not both and (last.text in _SPACED or piece.text in _SPACED):
        return " "
    if last.type in ("RPAR", "RSQB", "RBRACE") and piece.type == "NAME":  # `f(x)AS y`
        return " "
    if last.text == "WITH" and piece.type == "LPAR":  # a keyword, or it were not in capitals
        return " "
    return "" if piece.glued else " "
