"""What the demonstration model learns of the verbs: prompts to the letter, answers by rule."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Sequence
from dataclasses import replace

import pytest

import heliumql
from catalog.demo import aggregates, extraction, verbs
from catalog.demo.dialogs import with_hint
from catalog.demo.draw import Draw
from catalog.demo.prompts import INTEGER, TEXTS, Question
from catalog.demo.reviews import Opinion, Review
from heliumql.engines.engine import CallSpec
from heliumql.engines.simulated import ScriptedAnswer, SimulatedEngine
from heliumql.types import TEXT, SqlType


def _review(*opinions: str) -> Review:
    """`_review('+price', '-size')` likes the price and dislikes the size."""
    return Review(" ".join(opinions), tuple(Opinion(o[1:], o[0] == "+") for o in opinions))


REVIEWS = [
    _review("+price", "-size"),
    _review("+battery", "+price"),
    _review(),
    _review("+screen", "-price", "+design"),
]


def _asked(query: str) -> str:
    """The user message of the one call of a query."""
    said: list[str] = []

    def answer(messages: Sequence[tuple[str, str]], spec: CallSpec) -> ScriptedAnswer:
        said.append(messages[-1][1])
        return ScriptedAnswer("")

    with heliumql.connect() as con:
        con.register_model("m", SimulatedEngine({"instant": True}, answer))
        con.execute("SET llm_default_model = 'm'")
        con.execute(query).fetchall()
    assert len(set(said)) == 1
    return said[0]


@pytest.mark.parametrize("instruction", ["", "Which topic is it?"])
@pytest.mark.parametrize(
    ("labels", "sql"),
    [
        ((("plot", ""), ("other", "")), "['plot', 'other']"),
        (
            (("plot", "about the story"), ("other", "")),
            "[{'label': 'plot', 'description': 'about the story'}, {'label': 'other'}]",
        ),
    ],
)
def test_prompts_of_labels_are_those_of_llm_classify(
    instruction: str, labels: tuple[verbs.Label, ...], sql: str
) -> None:
    more = f", '{instruction}'" if instruction else ""
    one = _asked(f"SELECT LLM_CLASSIFY('A film.', {sql}{more})")
    assert one == verbs.one_label(instruction, labels, "A film.")
    some = _asked(f"SELECT LLM_CLASSIFY('A film.', {sql}{more}, multi => true)")
    assert some == verbs.some_labels(instruction, labels, "A film.")


def test_prompts_of_scores_are_those_of_llm_score() -> None:
    draw = Draw(random.Random(5))
    user = verbs.score_dialog(draw).turns[-1].user
    question = user.removesuffix("\nAnswer with a number.").replace("'", "''")
    assert _asked(f"SELECT LLM_SCORE('{question}')") == user


def test_prompts_of_aggregates_are_those_of_llm_agg() -> None:
    texts = "(VALUES (1, 'a'), (2, 'b')) AS t(n, x)"
    free = _asked(f"SELECT LLM_AGG(x, 'Sum up.' ORDER BY n) FROM {texts}")
    assert free == aggregates.aggregate("Sum up.", ["a", "b"])
    typed = _asked(f"SELECT LLM_AGG(x, 'Likes?' ORDER BY n, returns => 'VARCHAR[]') FROM {texts}")
    likes = Question("", "Likes?", "", TEXTS)
    assert typed == aggregates.aggregate(with_hint("Likes?", likes), ["a", "b"])


def test_prompts_of_extraction_are_those_of_llm_extract() -> None:
    fields = [("director", "Who directed it?"), ("year", "")]
    types = (
        ("director", replace(TEXT, nullable=True)),
        ("year", replace(INTEGER, nullable=True)),
    )
    asked = _asked(
        "SELECT LLM_EXTRACT('A film.', {'director': 'Who directed it?', 'year': ''}, "
        "returns => 'STRUCT(director VARCHAR, year INTEGER)')"
    )
    assert asked == extraction.extract(fields, SqlType("STRUCT", fields=types), "A film.")


def test_prompt_of_merged_answers() -> None:
    assert aggregates.merged("Sum up.", ["a", "b"]) == (
        "Sum up.\nThe texts are answers about parts of the whole; make one answer of them."
        "\n---\na\n---\nb"
    )


@pytest.mark.parametrize(
    ("inquiry", "line", "without"),
    [
        (
            aggregates.SUMMARY,
            "Likes the price, the battery and the screen, dislikes the size and the price.",
            "No opinion.",
        ),
        (aggregates.LIKED, "the price, the battery and the screen", "nothing"),
        (aggregates.DISLIKED, "the size and the price", "nothing"),
        (aggregates.OFTEN, "the price", "nothing more than once"),
        (aggregates.FEELING, "mixed", "neutral"),
    ],
    ids=lambda inquiry: getattr(inquiry, "task", ""),
)
def test_answers_about_several_reviews(
    inquiry: aggregates.Inquiry, line: str, without: str
) -> None:
    assert inquiry.answer(REVIEWS) == line
    assert inquiry.answer([_review(), _review()]) == without


def test_typed_answers_about_several_reviews_are_of_their_type() -> None:
    draw = Draw(random.Random(4))
    turns = [aggregates.aggregate_dialog(draw).turns[-1] for _ in range(200)]
    lists = [t for t in turns if "JSON array" in t.user]
    labels = [t for t in turns if "Answer with one of" in t.user]
    assert lists
    assert labels
    for turn in lists:
        assert turn.user.split("\n---\n")[0].endswith("\nAnswer with a JSON array: [string, ...].")
        assert TEXTS.accept(turn.answer) == turn.answer
    for turn in labels:
        assert turn.answer in re.split("[:,.] ?", turn.user.split("one of: ")[1])


def test_an_answer_about_the_whole_follows_from_the_answers_about_parts() -> None:
    draw = Draw(random.Random(8))
    for _ in range(300):
        parts = [[draw.review() for _ in range(draw.rng.randint(1, 5))] for _ in range(3)]
        whole = aggregates.summary_of([r for part in parts for r in part])
        assert _merged([aggregates.summary_of(part) for part in parts]) == whole


def _merged(lines: Sequence[str]) -> str:
    """What a reader of nothing but the summaries can make of them."""
    said = [re.search(r"(?:Likes ([^.]*?))?(?:, )?(?:[Dd]islikes ([^.]*))?\.", x) for x in lines]
    texts = [m.groups(default="") if m else ("", "") for m in said]
    return aggregates.summary_of(
        [
            _review(*(f"{sign}{name}" for name in re.findall(r"the (\w+)", text)))
            for likes, dislikes in texts
            for sign, text in (("+", likes), ("-", dislikes))
        ]
    )


def test_one_of_the_labels_is_the_answer() -> None:
    draw = Draw(random.Random(1))
    for _ in range(300):
        turn = verbs.classify_dialog(draw).turns[-1]
        assert turn.answer in _labels(turn.user), turn


def test_labels_that_fit_come_in_the_order_of_the_labels() -> None:
    draw = Draw(random.Random(2))
    for _ in range(300):
        turn = verbs.classify_multi_dialog(draw).turns[-1]
        fit, labels = json.loads(turn.answer), _labels(turn.user)
        assert fit == [label for label in labels if label in fit], turn


def _labels(user: str) -> list[str]:
    text = re.split(r"\nAnswer with|\n\nText: ", user.split("Labels:", 1)[1], maxsplit=1)[0]
    if "\n" in text:
        return [line.removeprefix("- ").split(": ")[0] for line in text.strip().split("\n")]
    return text.strip().split(", ")


def test_the_topic_is_the_first_one_that_has_a_label() -> None:
    review = _review("+price", "-delivery")
    made = [verbs.by_topic(Draw(random.Random(seed)), review) for seed in range(200)]
    by_labels = {
        frozenset({"price", "delivery"} & {name for name, _ in choice.labels}): choice.fit
        for choice in made
        if choice.fit[0] in ("price", "delivery")
    }
    assert by_labels == {
        frozenset({"price", "delivery"}): ("price",),
        frozenset({"price"}): ("price",),
        frozenset({"delivery"}): ("delivery",),
    }
    nothing = [verbs.by_topic(Draw(random.Random(seed)), _review()) for seed in range(50)]
    assert {choice.fit for choice in nothing} == {("other",)}


def test_the_kind_of_a_complaint_is_that_of_the_first_one() -> None:
    (delivery, _, _), *_ = verbs.KINDS
    for opinions, kinds in (
        (("+price", "-delivery", "-price"), {*delivery, "other"}),
        (("-size", "-price"), {"other"}),
        (("+battery",), {"no complaint", "none"}),
    ):
        review = _review(*opinions)
        made = [verbs.by_kind(Draw(random.Random(seed)), review) for seed in range(200)]
        assert {choice.fit[0] for choice in made} == kinds


def test_fields_are_null_where_the_review_does_not_say() -> None:
    draw = Draw(random.Random(3))
    for _ in range(300):
        dialog = extraction.extract_dialog(draw)
        turn, review = dialog.turns[-1], dialog.reviews[0]
        shape = turn.user.split("JSON object: ", 1)[1].split(".\n\nText: ", 1)[0]
        answer = json.loads(turn.answer)
        assert list(answer) == re.findall(r'(?:^\{|, )"(\w+)": ', shape), turn
        for name, value in answer.items():
            nullable = re.search(rf'"{name}": [^,]*?(?:, \.\.\.\])? \| null', shape)
            assert value is not None or nullable, turn
            if name in ("praised", "best") and not review.likes:
                assert value is None


@pytest.mark.parametrize("score", [1, 2, 3, 4, 5])
def test_anger_is_the_opposite_of_satisfaction(score: int) -> None:
    opinions = {5: "+", 4: "++-", 3: "+-", 2: "+--", 1: "-"}[score]
    review = _review(*(f"{sign}{name}" for sign, name in zip(opinions, "abc", strict=False)))
    made = {
        (question.answer, "0 to 10" in question.instruction, _angry(question.instruction))
        for question in (verbs.rating(Draw(random.Random(seed)), review) for seed in range(400))
        if re.search("0 to 10|1 to 5", question.instruction)
    }
    assert made == {
        (f"{2 * score}.0", True, False),
        (f"{10 - 2 * score}.0", True, True),
        (f"{score}.0", False, False),
        (f"{6 - score}.0", False, True),
    }


def _angry(instruction: str) -> bool:
    return bool(re.search("angry|anger|upset|annoyed|unhappy|negative", instruction))
