"""Texts as pieces: a token with the comments before it, and what stood between it and the last.

`layout.py` writes them again; `brackets` makes the tree that it walks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from heliumql.syntax import Token, tokenize

LITERALS = ("STRING", "ESCAPED_STRING", "DOLLAR_STRING")
_OPENING = {"LPAR": "RPAR", "LSQB": "RSQB", "LBRACE": "RBRACE"}
_COMMENT_PART = re.compile(r"--[^\r\n]*|/\*|\*/")


@dataclass(frozen=True)
class Comment:
    """A comment as written, without blanks at its end."""

    text: str
    own_line: bool  # nothing but blanks before it on its line
    blank_before: bool  # an empty line before it
    ends_line: bool  # nothing but blanks after it on its line

    @property
    def shares_line(self) -> bool:
        """What comes next stands on its line."""
        return self.text.startswith("/*") and not self.ends_line

    @property
    def inline(self) -> bool:
        """It stands in the middle of a line."""
        return not self.own_line and self.shares_line


@dataclass(frozen=True)
class Piece:
    """A token, or the end of the text (`type` EOF); `text` is what is going to be written."""

    token: Token
    text: str
    comments: tuple[Comment, ...]
    glued: bool  # nothing stood between it and the token before
    newline_before: bool
    blank_before: bool  # an empty line right before it

    @property
    def type(self) -> str:
        return self.token.type

    @property
    def word(self) -> str:
        return self.token.word


@dataclass(frozen=True)
class Bracket:
    """`(..)`, `[..]`, `{..}` or `CASE .. END`."""

    open: Piece
    nodes: tuple[Node, ...]
    close: Piece


Node: TypeAlias = Piece | Bracket


def pieces(text: str) -> list[Piece]:
    """The pieces of a text, the last one its end. Texts are those of the tokens."""
    found = []
    end = 0
    for token in (*tokenize(text), Token("EOF", "", len(text), len(text))):
        gap = text[end : token.start]
        after = gap
        comments: list[Comment] = []
        for start, stop in _comments(gap):
            before = after[: start - (len(gap) - len(after))]
            after = gap[stop:]
            line = _first_line(after)
            comments.append(
                Comment(
                    text=gap[start:stop].rstrip(),
                    own_line="\n" in before or (end == 0 and not comments),
                    blank_before=before.count("\n") > 1,
                    ends_line=line is not None and not line.strip(),
                )
            )
        found.append(
            Piece(
                token,
                token.text,
                tuple(comments),
                glued=not gap,
                newline_before="\n" in gap,
                blank_before=after.count("\n") > 1,
            )
        )
        end = token.end
    return found


def brackets(found: Sequence[Piece]) -> tuple[Node, ...]:
    """The pieces as a tree. Brackets match, as the parser has seen; CASE and END need not."""
    nodes, _ = _nodes(found, 0, None)
    return tuple(nodes)


def walk(nodes: Sequence[Node]) -> Iterator[Piece]:
    """The pieces of a tree, in order."""
    for node in nodes:
        if isinstance(node, Piece):
            yield node
        else:
            yield node.open
            yield from walk(node.nodes)
            yield node.close


def _nodes(found: Sequence[Piece], index: int, closer: str | None) -> tuple[list[Node], int]:
    """The nodes from `index` on up to what closes them, and the index of that."""
    nodes: list[Node] = []
    while index < len(found):
        piece = found[index]
        if closer in (piece.type, _case_word(piece)):
            return nodes, index
        if closer == "END" and piece.type in _OPENING.values():
            return nodes, index  # a CASE without END: a column of that name
        inside = _OPENING.get(piece.type) or ("END" if _case_word(piece) == "CASE" else None)
        if inside is None:
            nodes.append(piece)
            index += 1
            continue
        inner, close = _nodes(found, index + 1, inside)
        if close < len(found) and inside in (found[close].type, _case_word(found[close])):
            nodes.append(Bracket(piece, tuple(inner), found[close]))
            index = close + 1
        else:
            nodes.append(piece)
            index += 1
    return nodes, index


def _case_word(piece: Piece) -> str:
    """CASE or END, where the piece is that keyword: then it is in capitals."""
    return piece.text if piece.type == "NAME" and piece.text in ("CASE", "END") else ""


def _comments(gap: str) -> Iterator[tuple[int, int]]:
    """Where the comments of a gap between tokens stand."""
    depth = start = 0
    for part in _COMMENT_PART.finditer(gap):
        match part.group():
            case "/*":
                start = part.start() if depth == 0 else start
                depth += 1
            case "*/":
                depth -= 1
                if depth == 0:
                    yield start, part.end()
            case _ if depth == 0:
                yield part.span()


def _first_line(text: str) -> str | None:
    """The text up to the end of its first line; None where it has no end."""
    line, newline, _ = text.partition("\n")
    return line if newline else None
