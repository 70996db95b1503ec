"""Definitions of tables and indexes hold no calls; `desugaring.py` asks before it walks."""

from __future__ import annotations

from collections.abc import Sequence

from heliumql.errors import BindError
from heliumql.syntax.from_clause import words
from heliumql.syntax.tokens import Token
from heliumql.syntax.tree import Call, Element, Group

_NO_CALLS = {"CHECK", "DEFAULT", "GENERATED", "AS", "USING"}


def refuse_definitions(elements: Sequence[Element]) -> None:
    """A call cannot stand in the definition of a table or index: DuckDB would have to keep it."""
    all_words = words(elements)
    match [word for word in all_words[:6] if word]:
        case ["CREATE", *rest] if "INDEX" in rest[:2]:
            place, defined = "an index", elements
        case ["CREATE", *rest] if "TABLE" in rest[:4]:
            end = all_words.index("AS") if "AS" in all_words else len(all_words)
            place, defined = "the definition of a table", elements[:end]
        case ["ALTER", *_]:
            place, defined = "the definition of a table", elements
        case _:
            return
    found = _first_call(defined, "")
    if found is not None:
        call, word = found
        where = {"CHECK": "CHECK", "DEFAULT": "DEFAULT", "AS": "a generated column"}.get(
            word, place
        )
        raise BindError(
            f"an LLM call cannot stand in {where}",
            span=call.span,
            hint="compute it in a query: CREATE TABLE .. AS SELECT, INSERT or UPDATE",
        )


def _first_call(elements: Sequence[Element], word: str) -> tuple[Call, str] | None:
    """The first call, and the word of the definition that it belongs to."""
    for element in elements:
        match element:
            case Call():
                return element, word
            case Group():
                found = _first_call(element.items, word)
                if found is not None:
                    return found
            case Token(type="COMMA"):
                word = ""
            case Token():
                word = element.word if element.word in _NO_CALLS else word
    return None
