"""Which words are keywords where they stand, and which of them begin a clause.

Only these are written in capitals: a name that is taken for a keyword would come out otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from heliumql.formatting.pieces import Piece


def words(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


# The words that DuckDB reserves: none of them is a name where it stands without quotes, except
# after a dot or AS, and as the name of an argument or field.
_RESERVED = words(
    """ALL ANALYSE ANALYZE AND ANY AS ASC BOTH CASE CAST CHECK COLLATE CONSTRAINT CREATE DEFAULT
    DESC DESCRIBE DISTINCT DO ELSE END EXCEPT FALSE FOR FOREIGN FROM GROUP HAVING IN INTERSECT
    INTO LAMBDA LATERAL LEADING LIMIT NOT NULL OFFSET ON ONLY OR ORDER PIVOT PRIMARY QUALIFY
    REFERENCES RETURNING SELECT SHOW SOME SUMMARIZE TABLE THEN TO TRAILING TRUE UNION UNIQUE
    UNPIVOT USING WHEN WHERE WINDOW WITH"""
)

# Words that are keywords after certain others, or at the beginning of a statement.
_AFTER = {
    "BY": {"GROUP", "ORDER", "PARTITION"},
    "FIRST": {"NULLS"},
    "LAST": {"NULLS"},
    "RECURSIVE": {"WITH"},
    "REPLACE": {"OR"},
    "EXISTS": {"NOT", "IF"},
    "JOIN": {"LEFT", "RIGHT", "FULL", "INNER", "CROSS", "OUTER", "ASOF", "POSITIONAL", "NATURAL"},
}
_STARTING = words(
    "SELECT FROM WITH VALUES INSERT UPDATE DELETE MERGE CREATE DROP ALTER EXPLAIN PROFILE PREPARE"
    " EXECUTE SET RESET SHOW DESCRIBE DESC CLEAR COPY PIVOT UNPIVOT"
)
_CREATED = words("TABLE VIEW MACRO FUNCTION MODEL PROMPT TEMP TEMPORARY SCHEMA TYPE")
_TYPES = ("STRUCT", "ENUM", "MAP", "UNION")  # names of fields stand in their parentheses
_WORDS = words(
    "LEFT RIGHT FULL INNER CROSS ASOF POSITIONAL MODELS PROMPTS CACHE BETWEEN IS LIKE ILIKE OVER"
    " FILTER PARTITION"
)
KEYWORDS = _RESERVED | _STARTING | _CREATED | _WORDS | _AFTER.keys()
"""Every word that may come out in capitals."""

_QUERY_STARTS = ("SELECT", "FROM", "WITH", "VALUES", "TABLE")


def with_keywords(statement: Sequence[Piece]) -> list[Piece]:
    """The pieces of one statement, keywords in capitals."""
    head = statement[0].word if statement else ""
    result: list[Piece] = []
    in_type: list[bool] = []
    for index, piece in enumerate(statement):
        before = statement[index - 1] if index else None
        after = statement[index + 1] if index + 1 < len(statement) else None
        if piece.type in ("LPAR", "LSQB", "LBRACE"):
            is_type = before is not None and before.word in _TYPES and piece.type == "LPAR"
            in_type.append(is_type or any(in_type))
        elif piece.type in ("RPAR", "RSQB", "RBRACE") and in_type:
            in_type.pop()
        elif not any(in_type) and _is_keyword(head, len(in_type), index, before, piece, after):
            piece = replace(piece, text=piece.text.upper())
        result.append(piece)
    return result


def _is_keyword(
    head: str, depth: int, index: int, before: Piece | None, piece: Piece, after: Piece | None
) -> bool:
    word = piece.word
    if not word or piece.type != "NAME":
        return False
    if index == 0:
        return word in _STARTING
    assert before is not None
    if before.token.text == "." or (after is not None and after.token.text in (".", ":")):
        return False
    if after is not None and after.type == "ARROW":
        return False
    if head in ("SET", "RESET", "DROP", "SHOW", "CLEAR", "DESCRIBE", "DESC"):
        return index == 1 and word in (_CREATED | {"MODELS", "PROMPTS", "CACHE"})
    if before.word in ("MODEL", "PROMPT") and head == "CREATE":
        return False
    if before.word == "AS":
        # `SELECT 1 AS from` names a column, CREATE VIEW v AS FROM t does not.
        return depth == 0 and head in ("CREATE", "PREPARE") and word in _QUERY_STARTS
    if head == "CREATE" and index <= 4 and word in _CREATED and depth == 0:
        return True
    if before.word in _AFTER.get(word, ()):
        return True
    if word in ("LEFT", "RIGHT", "FULL", "INNER", "CROSS", "ASOF", "POSITIONAL"):
        return after is not None and after.word in ("JOIN", "OUTER")
    if word == "JOIN":
        return after is not None and (after.word != "" or after.type in ("LPAR", *_NAMES))
    if word in ("OVER", "FILTER"):
        return before.type == "RPAR" and after is not None and after.type == "LPAR"
    if word == "PARTITION":
        return after is not None and after.word == "BY"
    if word in ("IS", "LIKE", "ILIKE", "BETWEEN"):
        # BETWEEN may be the name of a column; then no operand follows.
        operands = ("NAME", "NUMBER", *_NAMES, "PARAMETER", *(["LPAR"] * (word == "BETWEEN")))
        ends = ("FROM", "UNION", "WHERE", "AS", "AND", "OR", "ORDER", "GROUP")
        is_operand = after is not None and after.type in operands and after.word not in ends
        return is_operand and (before.word not in _RESERVED or word != "BETWEEN")
    if word == "VALUES":
        return after is not None and after.type == "LPAR" and before.type in ("LPAR", "RPAR")
    return word in _RESERVED


_NAMES = ("NAME", "QUOTED_NAME", "STRING")
