"""Candidates: what may replace the word at the cursor."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """What a candidate is; the value is what a reader sees of it."""

    ARGUMENT = "argument"
    VALUE = "value"
    COLUMN = "column"
    TABLE = "table"
    MODEL = "model"
    PROMPT = "prompt"
    VERB = "LLM call"
    SCHEMA = "schema"
    SETTING = "setting"
    FUNCTION = "function"
    KEYWORD = "keyword"
    FILE = "file"
    COMMAND = "command"


@dataclass(frozen=True)
class Candidate:
    """`text[start:cursor]` may become `replacement`."""

    replacement: str
    start: int  # offset into the text
    kind: Kind
    meta: str = ""  # a signature, a type, a meaning
    shown: str = ""  # in a menu, where that is not the replacement

    @property
    def label(self) -> str:
        return self.shown or self.replacement
