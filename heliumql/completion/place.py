"""What is around the cursor, looked up once: words before it, the call it is in, its scope."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from heliumql.completion.cursor import Cursor
from heliumql.completion.references import CLOSE, OPEN, expects_table, open_block
from heliumql.completion.scope import Scope
from heliumql.completion.snapshot import Column, Snapshot
from heliumql.completion.words import CLAUSES, STATEMENTS
from heliumql.syntax import Token, identifier

_SIMPLE = re.compile(r"[^\W\d][\w$]*")
_KEYWORDS = frozenset(word for phrase in (*CLAUSES, *STATEMENTS) for word in phrase.split())


@dataclass(frozen=True)
class OpenCall:
    """The innermost parenthesis open at the cursor, where a name stands before it."""

    name: str  # upper case
    is_verb: bool
    opener: int  # its place among the tokens before the cursor
    positional: int  # arguments without a name that stand before the cursor
    number: int  # of the argument the cursor is in, from 0
    at_start: bool  # nothing of that argument stands before the word
    argument: str  # the name before => where the cursor is in its value, lower case


@dataclass(frozen=True)
class Place:
    """A cursor and the catalog it is completed from."""

    cursor: Cursor
    snapshot: Snapshot

    @cached_property
    def words(self) -> str:
        """The tokens before the word as one text, words in upper case."""
        return " ".join(t.word or t.text for t in self.cursor.before)

    @property
    def last(self) -> Token | None:
        return self.cursor.before[-1] if self.cursor.before else None

    @cached_property
    def scope(self) -> Scope:
        before, after = self.cursor.before, self.cursor.after
        return Scope((*before, *after), open_block(before), self.snapshot)

    @cached_property
    def expects_table(self) -> bool:
        return expects_table(self.cursor.before)

    @cached_property
    def call(self) -> OpenCall | None:
        """The call whose arguments the cursor is among."""
        return _open_call(self.cursor.before)

    @cached_property
    def named_arguments(self) -> frozenset[str]:
        """Names before => in the call, on both sides of the cursor."""
        if self.call is None:
            return frozenset()
        after, depth = list[Token](), 0
        for token in self.cursor.after:
            depth += (token.type in OPEN) - (token.type in CLOSE)
            if depth < 0:
                break
            after.append(token)
        tokens = [*self.cursor.before[self.call.opener :], *after]
        pairs = itertools.pairwise(tokens)
        return frozenset(a.text.lower() for a, b in pairs if a.type == "NAME" and b.type == "ARROW")

    @cached_property
    def parameters(self) -> tuple[Column, ...]:
        """Those of the prompt or macro that the statement makes."""
        if not re.match(
            r"CREATE (OR REPLACE )?(TEMP |TEMPORARY )?(PROMPT|MACRO|FUNCTION)\b", self.words
        ):
            return ()
        tokens = self.cursor.before
        opener = next((i for i, t in enumerate(tokens) if t.type == "LPAR"), len(tokens))
        found: list[Column] = []
        starts = True
        for index in range(opener + 1, len(tokens)):
            token = tokens[index]
            if token.type == "RPAR":
                break
            if starts and token.type in ("NAME", "QUOTED_NAME"):
                following = tokens[index + 1] if index + 1 < len(tokens) else None
                typed = following.text if following and following.type == "NAME" else ""
                found.append(Column(identifier(token), typed))
            starts = token.type == "COMMA"
        return tuple(found)

    # how things are written ---------------------------------------------------------------

    @cached_property
    def in_lower_case(self) -> bool:
        """Keywords are written small: as the word is, else as the keywords before it are."""
        typed = [c for c in self.cursor.typed if c.isalpha()]
        if typed:
            return all(c.islower() for c in typed)
        before = [t.text for t in self.cursor.before if t.word in _KEYWORDS]
        return bool(before) and before[-1].islower()

    def keyword(self, text: str) -> str:
        return text.lower() if self.in_lower_case else text.upper()

    def name(self, text: str, *, after_dot: bool = False) -> str:
        """An identifier, in quotes where it needs them."""
        plain = _SIMPLE.fullmatch(text) is not None
        if plain and (after_dot or text.upper() not in self.snapshot.reserved):
            return text
        return '"' + text.replace('"', '""') + '"'

    def follows(self, text: str) -> bool:
        """The text stands right after the cursor."""
        return self.cursor.text.startswith(text, self.cursor.position)


def _open_call(tokens: Sequence[Token]) -> OpenCall | None:
    stack: list[int] = []
    for index, token in enumerate(tokens):
        if token.type in OPEN:
            stack.append(index)
        elif token.type in CLOSE and stack:
            stack.pop()
    if not stack or stack[-1] == 0 or tokens[stack[-1]].type != "LPAR":
        return None
    opener = stack[-1]
    name = tokens[opener - 1]
    if name.type not in ("NAME", "VERB", "QUOTED_NAME"):
        return None
    depth, number, start, named_from = 0, 0, opener + 1, None
    for index in range(opener + 1, len(tokens)):
        token = tokens[index]
        depth += (token.type in OPEN) - (token.type in CLOSE)
        if depth == 0 and token.type == "COMMA":
            number, start = number + 1, index + 1
        elif depth == 0 and token.type == "ARROW" and named_from is None:
            named_from = number
    written = tokens[start:]
    named = len(written) > 1 and written[0].type == "NAME" and written[1].type == "ARROW"
    return OpenCall(
        identifier(name).upper(),
        name.type == "VERB",
        opener,
        number if named_from is None else named_from,
        number,
        not written,
        written[0].text.lower() if named else "",
    )
