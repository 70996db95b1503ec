"""Deferred values: text that stands for the answer of a call until there is one.

A reference is `U+E000 nonce identity path U+E001`: the nonce (64 random bits of this statement)
keeps data that looks like a reference from being taken for one; the path leads to a field of a
typed answer. Whoever substitutes does it in one pass, so answers are never expanded again.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

OPEN, CLOSE = "\ue000", "\ue001"
INFO_PATH = "#"  # the path of what is known of the run of a call


@dataclass(frozen=True)
class Reference:
    """The answer of the call `identity`, or what the path leads to in it."""

    identity: bytes
    path: str = ""


@dataclass(frozen=True)
class References:
    """The references of one statement: makes, finds and substitutes them."""

    nonce: str = field(default_factory=lambda: secrets.token_hex(8))
    linked: set[bytes] = field(default_factory=set, repr=False, compare=False)
    """The calls that were named with a reference in their messages."""

    def __post_init__(self) -> None:
        pattern = re.compile(f"{OPEN}{self.nonce}([0-9a-f]{{32}})([.#0-9a-f]*){CLOSE}")
        object.__setattr__(self, "pattern", pattern)
        object.__setattr__(self, "prefix", OPEN + self.nonce)

    pattern: re.Pattern[str] = field(init=False, repr=False, compare=False)
    prefix: str = field(init=False, repr=False, compare=False)

    def text(self, identity: bytes, path: str = "") -> str:
        return f"{self.prefix}{identity.hex()}{path}{CLOSE}"

    def inside(self, text: str | None) -> bool:
        return text is not None and self.nonce in text

    def find(self, text: str) -> list[Reference]:
        """All references in the text, in order."""
        return [Reference(bytes.fromhex(i), p) for i, p in self.pattern.findall(text)]

    def identities(self, text: str) -> list[bytes]:
        """The identities that the text refers to, each once, in order."""
        return list(dict.fromkeys(bytes.fromhex(i) for i, _ in self.pattern.findall(text)))

    def whole(self, text: str) -> Reference | None:
        """The reference that the text is, if it is exactly one."""
        found = self.pattern.fullmatch(text)
        return Reference(bytes.fromhex(found[1]), found[2]) if found else None

    def field(self, text: str, name: str) -> str:
        """The reference to a field of what the text (exactly one reference) refers to."""
        return text[: -len(CLOSE)] + "." + name.encode().hex() + CLOSE

    def substituted(self, text: str, value: Callable[[Reference], str]) -> str:
        """The text with every reference replaced by its value, in one pass."""
        return self.pattern.sub(lambda m: value(Reference(bytes.fromhex(m[1]), m[2])), text)

    def nameless(self, text: str) -> str:
        """The text as it enters an identity: the same in every statement.

        What data says in the way of a reference does not come out as one.
        """
        if self.nonce not in text:
            return text
        return text.replace(OPEN, OPEN + "\0").replace(f"{OPEN}\0{self.nonce}", OPEN)


def field_text(document: str | None, path: str) -> str | None:
    """The text that the path leads to in an answer: a bare value, or JSON of a nested one."""
    if not path or document is None:
        return document
    value = json.loads(document)
    for name in path.lstrip(".").split("."):
        if value is None:
            return None
        value = value.get(bytes.fromhex(name).decode())
    match value:
        case None:
            return None
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case _:
            return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
