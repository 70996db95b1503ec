"""Tables of the Trading workflow (queries/trading.hql), generated from a seed.

    python benchmark/trading/tables.py [--stocks 2] [--scale 0.02] [--day 1] FOLDER

writes stocks.csv, documents.csv and posts.csv; queries/data/trading/ holds those of the line above.
At scale 1 the texts are as long as those of the original workflow; every text is another. On the
second day fundamentals and a third of the posts are those of the first; everything else is new.
"""

from __future__ import annotations

import argparse
import csv
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

# What the analysts read: the length in tokens at scale 1.
_DOCUMENTS = {
    "fundamentals": (("profile", 1200), ("statements", 17000), ("insider trades", 5000),
                     ("insider mood", 900)),
    "market": (("prices", 5000), ("indicators", 2500)),
    "news": (("world", 17000), ("company", 5000), ("sector", 2000), ("central banks", 1500),
             ("regulation", 1200)),
}  # fmt: skip
_PLATFORMS = (2400, 2000, 1600)  # posts on each of three platforms, in tokens together
_POSTS = 8  # on each platform
_BYTES_PER_TOKEN = 4

_COLUMNS = {
    "stocks": ("stock", "name", "sector"),
    "documents": ("stock", "analyst", "part", "title", "body"),
    "posts": ("stock", "platform", "post", "body"),
}
_SECTORS = ("energy", "health", "software", "retail", "banks", "chips", "shipping", "food")
_WORDS = (
    "revenue", "margin", "guidance", "demand", "supply", "quarter", "growth", "cost", "price",
    "share", "outlook", "order", "debt", "cash", "profit", "loss", "market", "product",
    "customer", "plant", "region", "contract", "risk", "rate", "bond", "index", "volume",
    "analyst", "forecast", "estimate", "report", "rises", "falls", "slows", "doubles", "holds",
    "beats", "misses", "cuts", "raises", "delays", "wins", "steady", "strong", "weak", "early",
    "late", "higher", "lower", "large", "small", "new", "rare", "broad", "sharp", "modest",
    "doubtful",
)  # fmt: skip


@dataclass(frozen=True)
class Tables:
    """The rows of one day."""

    stocks: Sequence[tuple[str, str, str]]
    documents: Sequence[tuple[str, str, int, str, str]]
    posts: Sequence[tuple[str, int, int, str]]

    def create_in(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Makes the tables, or makes them anew."""
        for name, columns in _COLUMNS.items():
            values = zip(*getattr(self, name), strict=True)
            rows = pa.table([list(v) for v in values], names=list(columns))
            connection.register("__rows", rows)
            connection.execute(f"CREATE OR REPLACE TABLE {name} AS FROM __rows")
            connection.unregister("__rows")

    def write(self, folder: Path) -> None:
        """One CSV file a table."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, columns in _COLUMNS.items():
            with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
                rows = csv.writer(file, lineterminator="\n")
                rows.writerow(columns)
                rows.writerows(getattr(self, name))


def generate(stocks: int, *, scale: float = 1.0, day: int = 1, seed: int = 0) -> Tables:
    """The tables of `stocks` stocks on a day, the same for the same arguments."""
    names = [(f"HQ{i:02}", f"Company {i}", _SECTORS[i % len(_SECTORS)]) for i in range(stocks)]

    def text(tokens: float, *what: object) -> str:
        length = max(60, int(tokens * scale * _BYTES_PER_TOKEN))
        return _text(random.Random(repr((seed, *what))), length)

    documents = []
    posts = []
    for number, (stock, _, _) in enumerate(names):
        for analyst, parts in _DOCUMENTS.items():
            written = 1 if analyst == "fundamentals" else day
            for part, (title, tokens) in enumerate(parts, 1):
                body = f"{title} of {stock}: " + text(tokens, written, stock, title)
                documents.append((stock, analyst, part, title, body))
        for platform, tokens in enumerate(_PLATFORMS):
            written = 1 if platform == number % len(_PLATFORMS) else day
            for post in range(_POSTS):
                body = text(tokens / _POSTS, written, stock, platform, post)
                posts.append((stock, platform, post, body))
    return Tables(names, documents, posts)


def _text(draw: random.Random, length: int) -> str:
    """Words until the text is long enough; a number now and then keeps texts apart."""

    def words() -> Iterator[str]:
        left = length
        while left > 0:
            found = [*draw.choices(_WORDS, k=11), f"{draw.randrange(10_000) / 100}%."]
            left -= sum(map(len, found)) + len(found)
            yield from found

    return " ".join(words())[:length]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--stocks", type=int, default=2)
    parser.add_argument("--scale", type=float, default=0.02)
    parser.add_argument("--day", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    tables = generate(chosen.stocks, scale=chosen.scale, day=chosen.day, seed=chosen.seed)
    tables.write(chosen.folder)


if __name__ == "__main__":
    main()
