"""Write the demonstration data from a seed: `python -m catalog.demo.data`.

catalog/data/products.csv, reviews.csv, documents.csv, and truth.csv: what is true of each review.
"""

from __future__ import annotations

import csv
import datetime
import io
import json
import random
from collections.abc import Iterable, Sequence
from pathlib import Path

from catalog.demo.documents import write_document
from catalog.demo.reviews import Review, write_review

FOLDER = Path(__file__).resolve().parents[1] / "data"
SEED = 11
REVIEWS = 400

_COMMON = ("price", "delivery", "support", "quality", "design", "size", "packaging")
# Category: what its reviews talk about, and products with prices.
_CATEGORIES: dict[str, tuple[tuple[str, ...], str]] = {
    "audio": (
        ("battery", "sound", "comfort", "software", "weight"),
        "Echo Ridge Headphones 129.00 | Tern Earbuds 59.90 | Hollow Oak Speaker 89.00 | "
        "Larkspur Radio 74.50 | Quiet Harbor Headset 149.00 | Bass Canyon Soundbar 219.00 | "
        "Pebble Clip Speaker 24.90",
    ),
    "kitchen": (
        ("cleaning", "noise", "instructions", "smell"),
        "Copper Kettle 49.00 | Morning Mill Coffee Grinder 79.00 | Whisper Blender 99.00 | "
        "Four Slice Toaster 39.90 | Stone Oven Pan 45.00 | Rice Garden Cooker 64.00 | Cold "
        "Peak Ice Maker 139.00",
    ),
    "mobile": (
        ("battery", "screen", "software", "sound", "weight"),
        "Nimbus Phone 399.00 | Nimbus Phone Mini 329.00 | Slate Reader 119.00 | Canvas Tablet "
        "279.00 | Orbit Watch 189.00 | Trail Navigator 159.00 | Pixel Pine Camera 449.00",
    ),
    "furniture": (
        ("comfort", "instructions", "weight", "smell"),
        "Fjord Armchair 249.00 | Standing Desk Oslo 389.00 | Birch Bookshelf 119.00 | Cloud "
        "Mattress 499.00 | Paper Moon Lamp 54.00 | Kitchen Stool Duo 98.00",
    ),
    "outdoor": (
        ("comfort", "weight", "instructions", "cleaning"),
        "Two Seasons Tent 179.00 | Ridge Backpack 109.00 | River Boots 134.00 | Down Sleeping "
        "Bag 159.00 | Camp Stove Ember 69.00 | Folding Canoe 899.00 | Dawn Headlamp 34.50",
    ),
    "pantry": (
        ("taste", "smell"),
        "Hill Farm Coffee 14.90 | Smoked Sea Salt 7.50 | Orchard Honey 11.20 | Midnight "
        "Chocolate Box 18.00 | Green Leaf Tea 9.80 | Fig and Walnut Granola 8.40",
    ),
}
_AUTHORS = (
    "Ada", "Ben", "Carla", "Dmitri", "Elena", "Farid", "Grace", "Hiro", "Ines", "Jakob", "Kira",
    "Luis", "Mei", "Noor", "Oskar", "Priya", "Quinn", "Rosa", "Stefan", "Tuuli", "Umar", "Vera",
    "Wanda", "Xavier", "Yara", "Zoltan",
)  # fmt: skip
# Product, sections, sentences around the verdict of a section.
_REPORTS = (
    ("Nimbus Phone", 9, 9),
    ("Whisper Blender", 8, 6),
    ("Fjord Armchair", 7, 10),
    ("Ridge Backpack", 9, 7),
    ("Echo Ridge Headphones", 8, 11),
    ("Hill Farm Coffee", 6, 8),
)


def tables() -> dict[str, str]:
    """The text of each file, by file name."""
    rng = random.Random(SEED)
    products: list[tuple[int, str, str, str]] = []
    for category, (_, names) in _CATEGORIES.items():
        for name, price in (item.rsplit(" ", 1) for item in names.split(" | ")):
            products.append((len(products) + 1, name, category, price))
    reviews, truth = [], []
    written: list[tuple[int, Review]] = []
    for review_id in range(1, REVIEWS + 1):
        product_id, _, category, _ = rng.choice(products)
        review = fresh_review(rng, category)
        if written and rng.random() < 0.04:  # some people send the same text twice
            product_id, review = rng.choice(written)
        written.append((product_id, review))
        posted = datetime.date(2025, 1, 1) + datetime.timedelta(days=rng.randrange(540))
        author = rng.choice(_AUTHORS)
        reviews.append((review_id, product_id, author, review.score, posted, review.body))
        facts = (review.sentiment, json.dumps(review.topics), str(review.complaint).lower())
        truth.append((review_id, *facts, review.summary))
    documents = []
    for number, (name, sections, filler) in enumerate(_REPORTS, 1):
        category = next(c for _, n, c, _ in products if n == name)
        aspects = rng.sample(aspects_of(category), sections)
        document = write_document(rng, name, aspects, filler)
        documents.append((number, f"Test report: {name}", document.body))
    return {
        "products.csv": _csv(("product_id", "name", "category", "price"), products),
        "reviews.csv": _csv(
            ("review_id", "product_id", "author", "stars", "posted", "body"), reviews
        ),
        "documents.csv": _csv(("id", "title", "body"), documents),
        "truth.csv": _csv(("review_id", "sentiment", "topics", "complaint", "summary"), truth),
    }


def aspects_of(category: str) -> list[str]:
    """What reviews of a category talk about."""
    return [*_COMMON, *_CATEGORIES[category][0]]


def fresh_review(rng: random.Random, category: str) -> Review:
    """A review as the table has them: with at least one opinion."""
    while True:
        review = write_review(rng, aspects_of(category))
        if review.opinions:
            return review


def _csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue()


CATEGORIES = tuple(sorted(_CATEGORIES))


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in tables().items():
        (FOLDER / name).write_text(text, encoding="utf-8", newline="")


if __name__ == "__main__":
    main()
