"""The demonstration data: what its makers write is what is committed, and it is consistent."""

from __future__ import annotations

import csv
import json
import random

import duckdb
import pytest

from catalog.demo import data
from catalog.demo.draw import Draw
from catalog.demo.prompts import any_question
from catalog.demo.reviews import Opinion, Review, summarize, write_review


def test_regenerating_gives_the_committed_files() -> None:
    for name, text in data.tables().items():
        assert (data.FOLDER / name).read_bytes() == text.encode(), name


def test_duckdb_reads_the_tables_with_their_types() -> None:
    with duckdb.connect() as con:

        def types(name: str) -> list[str]:
            rel = con.sql(f"FROM read_csv('{data.FOLDER / name}.csv')")
            return [f"{n} {t}" for n, t in zip(rel.columns, rel.types, strict=True)]

        assert types("products") == [
            "product_id BIGINT", "name VARCHAR", "category VARCHAR", "price DOUBLE"
        ]  # fmt: skip
        assert types("reviews") == [
            "review_id BIGINT", "product_id BIGINT", "author VARCHAR", "stars BIGINT",
            "posted DATE", "body VARCHAR",
        ]  # fmt: skip
        assert types("documents") == ["id BIGINT", "title VARCHAR", "body VARCHAR"]
        assert types("truth") == [
            "review_id BIGINT", "sentiment VARCHAR", "topics VARCHAR", "complaint BOOLEAN",
            "summary VARCHAR",
        ]  # fmt: skip


def test_every_review_has_a_product_and_a_truth() -> None:
    products, reviews, truth = (_rows(n) for n in ("products", "reviews", "truth"))
    assert {r["product_id"] for r in reviews} <= {p["product_id"] for p in products}
    assert [r["review_id"] for r in reviews] == [t["review_id"] for t in truth]


def test_stars_and_complaint_agree_with_the_sentiment() -> None:
    stars = {r["review_id"]: int(r["stars"]) for r in _rows("reviews")}
    allowed = {"positive": {5}, "negative": {1}, "mixed": {2, 3, 4}}
    for row in _rows("truth"):
        assert stars[row["review_id"]] in allowed[row["sentiment"]]
        assert (row["complaint"] == "true") == (stars[row["review_id"]] <= 2)
        assert json.loads(row["topics"])


def test_documents_are_long() -> None:
    assert all(600 <= len(d["body"].split()) <= 1500 for d in _rows("documents"))


@pytest.mark.parametrize(
    ("likes", "dislikes", "line"),
    [
        (["battery"], [], "Likes the battery."),
        ([], ["price", "size"], "Dislikes the price and the size."),
        (["a", "b", "c"], ["d"], "Likes the a, the b and the c, dislikes the d."),
        ([], [], "No opinion."),
    ],
)
def test_summaries_name_what_is_liked_and_disliked(
    likes: list[str], dislikes: list[str], line: str
) -> None:
    assert summarize(likes, dislikes) == line


@pytest.mark.parametrize(
    ("liked", "sentiment", "score", "complaint"),
    [
        ([True, True], "positive", 5, False),
        ([True, True, False], "mixed", 4, False),
        ([True, False], "mixed", 3, False),
        ([True, False, False], "mixed", 2, True),
        ([False], "negative", 1, True),
        ([], "neutral", 3, False),
    ],
)
def test_facts_follow_from_the_opinions(
    liked: list[bool], sentiment: str, score: int, complaint: bool
) -> None:
    review = Review("", tuple(Opinion(f"aspect {n}", x) for n, x in enumerate(liked)))
    assert (review.sentiment, review.score, review.complaint) == (sentiment, score, complaint)


def test_reviews_are_a_function_of_the_seed() -> None:
    first, again = (write_review(random.Random(5), ["price", "size"]) for _ in range(2))
    assert first == again


def test_right_answers_are_of_the_type_asked_for() -> None:
    draw = Draw(random.Random(3))
    for _ in range(3000):
        review = draw.review()
        question = any_question(draw, review)
        assert question.returns.accept(question.answer) == question.answer, question


def _rows(name: str) -> list[dict[str, str]]:
    with (data.FOLDER / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
