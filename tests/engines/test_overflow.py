"""Prompts that do not fit the context of a server: its messages, and what words tell."""

from __future__ import annotations

import pytest

from heliumql.engines.overflow import Overflow, read_overflow, surely_tokens

OPENAI = "context_length_exceeded"
MESSAGES = {
    "OpenAI": (
        "This model's maximum context length is 8192 tokens. However, your messages resulted in "
        "9120 tokens. Please reduce the length of the messages.",
        Overflow(9120, 8192, fits=False),
    ),
    "OpenAI, the answer too": (
        "This model's maximum context length is 4097 tokens. However, you requested 5360 tokens "
        "(1360 in the messages, 4000 in the completion). Please reduce the length.",
        Overflow(1360, 4097, fits=True),
    ),
    "vLLM": (
        "This model's maximum context length is 1024 tokens. However, your prompt contains 1900 "
        "input tokens, which exceeds this limit even without any output tokens. Please reduce",
        Overflow(1900, 1024, fits=False),
    ),
    "vLLM, not counted to the end": (
        "This model's maximum context length is 1024 tokens. However, your prompt contains at "
        "least 1025 input tokens, which exceeds this limit even without any output tokens.",
        Overflow(None, 1024, fits=False),
    ),
    "vLLM, the answer too": (
        "'max_tokens' or 'max_completion_tokens' is too large: 500. This model's maximum context "
        "length is 100 tokens and your request has 20 input tokens (500 > 100 - 20).",
        Overflow(20, 100, fits=True),
    ),
    "vLLM, the answer too, not counted to the end": (
        "This model's maximum context length is 1,024 tokens. However, you requested 256 output "
        "tokens and your prompt contains at least 769 input tokens, for a total of at least 1025",
        Overflow(None, 1024, fits=True),
    ),
    "vLLM's engine": (
        "The decoder prompt (length 1025) is longer than the maximum model length of 1024. Make "
        "sure that `max_model_len` is no smaller than the number of text tokens.",
        Overflow(1025, 1024, fits=False),
    ),
    "SGLang": (
        "The input (9000 tokens) is longer than the model's context length (8192 tokens).",
        Overflow(9000, 8192, fits=False),
    ),
    "SGLang, the answer too": (
        "Requested token count exceeds the model's maximum context length of 8192 tokens. You "
        "requested a total of 9000 tokens: 8000 tokens from the input messages and 1000 tokens "
        "for the completion.",
        Overflow(8000, 8192, fits=True),
    ),
    "llama.cpp": (
        "request (9,000 tokens) exceeds the available context size (8,192 tokens), try increasing",
        Overflow(9000, 8192, fits=False),
    ),
}


@pytest.mark.parametrize(("message", "meant"), MESSAGES.values(), ids=MESSAGES)
def test_messages_of_servers(message: str, meant: Overflow) -> None:
    assert read_overflow(message, "400") == meant


def test_a_code_is_enough() -> None:
    assert read_overflow("too much", OPENAI) == Overflow(None, None, fits=False)


@pytest.mark.parametrize(
    "message",
    [
        "prompt too long",
        "max_tokens is too large: 100000. This model supports at most 16384 completion tokens",
        "unknown parameter context_length",
    ],
)
def test_other_messages_are_not_about_the_context(message: str) -> None:
    assert read_overflow(message, "400") is None


def test_words_are_counted_only_where_they_may_be_too_many() -> None:
    words = [("system", "be brief"), ("user", "word " * 998)]
    assert surely_tokens(words, 500) == 500
    assert surely_tokens(words, 2000) == 0
    # without spaces nothing is sure: sixteen blanks, or a rule of them, may be one token
    assert surely_tokens([("user", "=" * 100_000)], 500) == 0
    assert surely_tokens([("user", " " * 100_000)], 500) == 0
