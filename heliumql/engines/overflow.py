"""Prompts that do not fit the context of a server: what it says of them, and what words tell.

Pure functions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from heliumql.engines.engine import Messages

_CODES = ("context_length_exceeded", "exceed_context_size_error")
_SAID = re.compile(
    r"(maximum|model's|available) context (length|size|window)|maximum model length"
    r"|prompt is too long",
    re.IGNORECASE,
)
_NUMBER = r"(?<![\d,])(\d[\d,]*)"
_CONTEXT = re.compile(
    r"(?:context (?:length|size|window)|model length)(?: of| is)?(?: only)?\W{0,2}" + _NUMBER
)
_PROMPT = re.compile(
    "|".join(
        pattern.replace("N", _NUMBER)
        for pattern in (
            "resulted in N tokens",
            "N in the messages",
            "(?<!at least )N input tokens",
            r"prompt \(length N\)",
            r"(?:input|request) \(N tokens",
            "N tokens from the input",
            "too long: N tokens",
        )
    ),
    re.IGNORECASE,
)
_ANSWER = re.compile(r"output tokens|completion|max_tokens", re.IGNORECASE)
_WORDS_OF_A_TOKEN = 2


@dataclass(frozen=True)
class Overflow:
    """What a server said of a request that is too long, as far as it did."""

    prompt_tokens: int | None
    context: int | None
    fits: bool  # the prompt would fit, with a shorter answer, for all that is known


def read_overflow(message: str, code: str | None) -> Overflow | None:
    """What an error message of a server says of the context; None where it is about another thing.

    It knows those of OpenAI, vLLM, SGLang and llama.cpp, and of servers that speak like them.
    """
    if code not in _CODES and not _SAID.search(message):
        return None
    context, prompt = _read(_CONTEXT, message), _read(_PROMPT, message)
    if prompt is not None and context is not None:
        fits = prompt < context
    else:
        fits = bool(_ANSWER.search(message)) and "without any output" not in message
    return Overflow(prompt, context, fits)


def surely_tokens(messages: Messages, context: int) -> int:
    """A number of tokens that the messages have at least; 0 where they are clearly short.

    Tokenizers cut at spaces: a word is a token or more. The few that join words do not come to two
    words a token on average. What has few spaces is for the server to judge.
    """
    if sum(len(content) for _, content in messages) <= 2 * _WORDS_OF_A_TOKEN * context:
        return 0  # a word and its space are two characters at least
    return sum(len(content.split()) for _, content in messages) // _WORDS_OF_A_TOKEN


def _read(pattern: re.Pattern[str], message: str) -> int | None:
    found = pattern.search(message)
    if found is None:
        return None
    return next(int(number.replace(",", "")) for number in found.groups() if number)
