"""Prompts of LLM_AGG, cut into parts: nothing is lost, in order, and each part fits."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from heliumql.physical.aggregate import Aggregate, room, taken_apart

PIECES = st.lists(st.text(alphabet="aé-\n ", max_size=40), min_size=1, max_size=30)


@given(st.text(alphabet="aé-\n ", max_size=60), PIECES, st.integers(0, 400))
def test_chunks_put_together_are_the_texts_and_each_fits_or_is_one_text(
    instruction: str, pieces: list[str], most: int
) -> None:
    whole = Aggregate(instruction, tuple(pieces))
    chunks = whole.chunks(most)
    assert [text for chunk in chunks for text in chunk.texts] == pieces
    assert all(chunk.texts for chunk in chunks)
    assert all(chunk.instruction == instruction for chunk in chunks)
    assert all(chunk.bytes <= most or len(chunk.texts) == 1 for chunk in chunks)
    # as few as can be: what begins a chunk had no room in the one before
    for before, after in itertools.pairwise(chunks):
        joined = Aggregate(instruction, (*before.texts, after.texts[0]))
        assert joined.bytes > most


@given(st.text(alphabet="aé-\n ", max_size=200))
def test_a_prompt_taken_apart_is_the_same_prompt(prompt: str) -> None:
    assert taken_apart(prompt).text == prompt


@given(
    st.integers(2, 10**6), st.integers(0, 10**4), st.integers(0, 10**6),
    st.none() | st.integers(1, 10**5), st.integers(1, 10**5),
)  # fmt: skip
def test_a_part_is_shorter_than_the_whole(
    prompt: int, beside: int, tokens: int, context: int | None, answer: int
) -> None:
    assert 0 < room(prompt, prompt + beside, tokens, context, answer) < prompt


def test_the_instruction_is_what_stands_before_the_first_line() -> None:
    prompt = taken_apart("Sum up.\n---\none\n---\ntwo")
    assert (prompt.instruction, prompt.texts) == ("Sum up.", ("one", "two"))
    assert taken_apart("no texts").texts == ()


def test_a_merge_says_so_once() -> None:
    merge = Aggregate("Sum up.", ("one", "two")).merging(["a", "b"])
    assert merge.text == (
        "Sum up.\nThe texts are answers about parts of the whole; make one answer of them."
        "\n---\na\n---\nb"
    )
    assert taken_apart(merge.text).merging(["c"]).instruction == merge.instruction


def test_room_is_left_for_the_answer_and_for_other_messages() -> None:
    # four bytes a token: 1,000 tokens of context, of which 100 are for the answer
    alone = room(40_000, 40_000, 10_000, 1_000, 100)
    assert 3_000 < alone <= 900 * 4
    assert room(40_000, 41_000, 10_250, 1_000, 100) == alone - 1_000
    # max_tokens is most of the context: half of it is left for the prompt
    assert 1_500 < room(40_000, 40_000, 10_000, 1_000, 950) <= 500 * 4
    # nothing is known, or other messages fill the context
    assert room(40_000, 40_000, 10_000, None, 100) == 20_000
    assert room(40_000, 90_000, 22_500, 1_000, 100) == 20_000
