"""HQL laid out anew: keywords in capitals, clauses on their own lines, 100 columns.

    formatted(text)        the same statements with the same comments, blanks and line ends aside

What is understood is what the grammar understands: brackets, words, literals. Nothing else of a
text is touched: names, strings and the order of tokens stay, and `formatted` checks that they did.
"""

from __future__ import annotations

from heliumql.errors import InternalError
from heliumql.formatting.keywords import KEYWORDS, with_keywords
from heliumql.formatting.layout import Layout
from heliumql.formatting.pieces import LITERALS, Piece, brackets, pieces
from heliumql.syntax import parse, parse_soup, split, tokenize

__all__ = ["formatted"]


def formatted(text: str) -> str:
    """The text laid out; ends with a line end. Laying it out again changes nothing.

    Raises ParseError where the text is not HQL.
    """
    parse(text)
    for tokens in split(tokenize(text)):
        parse_soup(tokens)
    layout = Layout("\r\n" if "\r\n" in text else "\n")
    statement: list[Piece] = []
    for piece in pieces(text):
        statement.append(piece)
        if piece.type in ("SEMICOLON", "EOF"):
            layout.statement(brackets(with_keywords(statement)))
            statement = []
    result = layout.text().rstrip()
    result = result + ("\r\n" if "\r\n" in text else "\n") if result else ""
    _check(text, result)
    return result


def _check(before: str, after: str) -> None:
    """Only blanks and the capitals of keywords differ."""
    old, new = pieces(before), pieces(after)
    if len(old) != len(new) or not all(map(_is_same, old, new)):
        raise InternalError("the formatter would have changed a statement")
    for one, other in zip(old, new, strict=True):
        comments = [comment.text for comment in one.comments]
        if comments != [comment.text for comment in other.comments]:
            raise InternalError("the formatter would have changed a comment")
    for index in range(1, len(old)):
        kinds = {old[index - 1].type, old[index].type}
        joined = old[index].glued != new[index].glued and kinds == {"OPERATOR"}
        literals = kinds <= set(LITERALS)
        if joined or (literals and old[index].newline_before != new[index].newline_before):
            raise InternalError("the formatter would have parted what belongs together")


def _is_same(old: Piece, new: Piece) -> bool:
    if old.type != new.type:
        return False
    is_keyword = new.text in KEYWORDS and old.type == "NAME" and old.text.upper() == new.text
    return old.text == new.text or is_keyword
