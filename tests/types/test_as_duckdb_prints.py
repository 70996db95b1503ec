"""The canonical text of an answer is what DuckDB prints of the value, so it can stand for it."""

from __future__ import annotations

import json
import math
import struct
from random import Random

import duckdb
import pytest

from heliumql.types import parse_type


def decimal(random: Random, whole: int, behind: int) -> str:
    digits = "".join(random.choice("0123456789") for _ in range(random.randrange(1, whole + 2)))
    more = "".join(random.choice("04569") for _ in range(random.randrange(behind + 4)))
    sign = random.choice(("", "-"))
    return f"{sign}{int(digits)}" + (f".{more}" if more else "")


def single(random: Random) -> str:
    bits = random.getrandbits(32)
    [value] = struct.unpack("f", bits.to_bytes(4, "little"))
    return repr(value) if math.isfinite(value) else "0.5"


def double(random: Random) -> str:
    [value] = struct.unpack("d", random.getrandbits(64).to_bytes(8, "little"))
    return repr(value) if math.isfinite(value) else "0.5"


def day(random: Random) -> str:
    return f"{random.randrange(10_000):04}-{random.randrange(14):02}-{random.randrange(33)}"


def time(random: Random) -> str:
    seconds = random.choice(("", f":{random.randrange(62):02}"))
    fraction = random.choice(("", ".5", ".120000", ".1234567", ".9999999")) if seconds else ""
    return f"{random.randrange(25)}:{random.randrange(62):02}{seconds}{fraction}"


TEXTS = {
    "BIGINT": lambda r: str(r.randrange(-(1 << 63), 1 << 63)),
    "HUGEINT": lambda r: str(r.randrange(-(1 << 128), 1 << 128)),
    "FLOAT": single,
    "DOUBLE": double,
    "DECIMAL(5,2)": lambda r: decimal(r, 3, 2),
    "DECIMAL(9,0)": lambda r: decimal(r, 9, 0),
    "DECIMAL(4,4)": lambda r: decimal(r, 0, 4),
    "DECIMAL(38,10)": lambda r: decimal(r, 28, 10),
    "DATE": day,
    "TIME": time,
    "TIMESTAMP": lambda r: f"{day(r)}{r.choice('T ')}{time(r)}{r.choice(('', 'Z'))}",
    "UUID": lambda r: f"{r.getrandbits(128):032X}",
}


def with_dashes(text: str) -> str:
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


@pytest.mark.parametrize("kind", TEXTS)
def test_canonical_texts_are_those_of_duckdb(kind: str) -> None:
    random, returns = Random(kind), parse_type(kind)
    written, accepted = [], []
    for _ in range(3000):
        text = TEXTS[kind](random)
        text = with_dashes(text) if kind == "UUID" else text
        try:
            canonical = returns.accept(text)
        except ValueError:
            canonical = None
        inside = json.dumps(text) if kind in ("DATE", "TIME", "TIMESTAMP", "UUID") else text
        try:
            listed = returns.sql() + "[]"
            [nested] = json.loads(parse_type(listed).accept(f"[{inside}]"))
        except ValueError:
            assert canonical is None, text
        else:
            nested = nested if isinstance(nested, str) else returns.accept(json.dumps(nested))
            assert nested == canonical, text
        written.append(text)
        accepted.append(canonical)
    with duckdb.connect() as con:
        rows = con.execute(
            f"""
            SELECT text, TRY_CAST(text AS {kind}) AS value, CAST(value AS VARCHAR),
                   value IS NOT DISTINCT FROM TRY_CAST(canonical AS {kind})
            FROM (SELECT unnest(?) AS text, unnest(?) AS canonical)
            """,
            [written, accepted],
        ).fetchall()
    assert sum(a is not None for a in accepted) > 200
    for (text, value, printed, equal), canonical in zip(rows, accepted, strict=True):
        if canonical is None:
            assert value is None or refused_on_purpose(text), text
        else:
            assert equal, text
            assert canonical == printed or kind == "FLOAT", text


def refused_on_purpose(text: str) -> bool:
    """A day has no hour 24, and no calendar that models know a year 0."""
    return "24:00" in text or text.startswith("0000-")
