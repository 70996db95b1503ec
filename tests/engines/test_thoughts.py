"""Thoughts are no part of an answer."""

from __future__ import annotations

import pytest

from heliumql.engines.thoughts import without_thoughts


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<think>\nhm, 1 < 2\n</think>\n\nyes", "yes"),
        ("\n <think></think>yes\n", "yes"),
        ("hm\n</think>\n\nyes", "yes"),
        ("</think>yes", "yes"),
        ("<think>a</think>\n<think>b</think>yes", "yes"),
        ("<think>a</think>it ends with </think> always", "it ends with </think> always"),
        ("<think>a</think>", ""),
        ("<think>\nnot done with it", None),
        ("<think>a</think><think>b", None),
        (" no thoughts at all\n", " no thoughts at all\n"),
        ("a tag: <think>x</think> is it", "a tag: <think>x</think> is it"),
        ("the tag <think> opens", "the tag <think> opens"),
        ("", ""),
    ],
)
def test_only_what_comes_first_is_taken_for_thoughts(text: str, expected: str | None) -> None:
    assert without_thoughts(text) == expected


def test_where_the_prompt_begins_no_thoughts_an_end_of_them_is_text() -> None:
    assert without_thoughts("the tag </think> closes", opened=False) == "the tag </think> closes"
    assert without_thoughts("<think>hm</think>yes", opened=False) == "yes"
