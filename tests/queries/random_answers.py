"""Random types of answers, and what models may write where they were asked for."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from heliumql.types import INTEGERS, SqlType

SCALARS = (
    "VARCHAR", "BOOLEAN", *INTEGERS, "FLOAT", "DOUBLE", "DECIMAL", "DATE", "TIME", "TIMESTAMP",
    "UUID", "ENUM", "JSON",
)  # fmt: skip
WORDS = ("", "a", "null", "it's", '"quoted"', "{x}", "größer", "1", "a\nb")
NAMES = ("a", "b c", "Year", "größe", 'q"', "select")


def random_type(random: Random, depth: int = 2, *, nullable: bool = False) -> SqlType:
    """A type; only what stands inside another one may be null."""
    null = nullable and random.randrange(3) == 0
    match random.randrange(4) if depth else 0:
        case 2:
            item = random_type(random, depth - 1, nullable=True)
            return SqlType("LIST", item=item, nullable=null)
        case 3:
            names = random.sample(NAMES, random.randrange(1, 4))
            fields = tuple((n, random_type(random, depth - 1, nullable=True)) for n in names)
            return SqlType("STRUCT", fields=fields, nullable=null)
        case _:
            return scalar(random.choice(SCALARS), random, null=null)


def scalar(name: str, random: Random, *, null: bool) -> SqlType:
    match name:
        case "DECIMAL":
            width = random.randrange(1, 39)
            return SqlType(name, width=width, scale=random.randrange(width + 1), nullable=null)
        case "ENUM":
            return SqlType(name, values=("lo", "it's high", 'q"'), nullable=null)
        case _:
            return SqlType(name, nullable=null)


class Raw(float):
    """A number that JSON shows with these digits."""

    def __new__(cls, digits: str) -> Raw:
        number = super().__new__(cls, digits)
        number.digits = digits
        return number

    digits: str


def random_answer(random: Random, returns: SqlType) -> str:
    """What a model may write for the type."""
    value = random_value(random, returns)
    if isinstance(value, str) and not returns.is_nested:
        return value
    return written(value)


def written(value: object) -> str:
    match value:
        case Raw():
            return value.digits
        case list():
            return "[" + ",".join(map(written, value)) + "]"
        case dict():
            pairs = (f"{json.dumps(k)}:{written(v)}" for k, v in value.items())
            return "{" + ",".join(pairs) + "}"
        case _:
            return json.dumps(value, separators=(",", ":"))


def random_value(random: Random, returns: SqlType) -> object:
    """A value of the type, as JSON has it."""
    if returns.nullable and random.randrange(3) == 0:
        return None
    match returns.name:
        case "VARCHAR":
            return random.choice(WORDS)
        case "BOOLEAN":
            return random.random() < 0.5
        case "FLOAT" | "DOUBLE":
            return random.choice((0, -1, 0.1, 1e-7, 12345678.9, 3e20, random.uniform(-99, 99)))
        case "DECIMAL":
            whole = "".join(random.choices("0123456789", k=returns.width - returns.scale))
            behind = "".join(random.choices("0123456789", k=returns.scale))
            sign = random.choice(("", "-"))
            return Raw(f"{sign}{int(whole or '0')}" + (f".{behind}" if behind else ""))
        case "DATE":
            return str(moment(random).date())
        case "TIME":
            return str(moment(random).time())
        case "TIMESTAMP":
            return moment(random).isoformat(random.choice("T "))
        case "UUID":
            return str(UUID(int=random.getrandbits(128))).upper()
        case "ENUM":
            return random.choice(returns.values)
        case "JSON":
            return random.choice((None, 1, "x", [1, 2.5, "a"], {"k": {"l": [None]}}))
        case "LIST":
            assert returns.item is not None
            return [random_value(random, returns.item) for _ in range(random.randrange(4))]
        case "STRUCT":
            return {name: random_value(random, kind) for name, kind in returns.fields}
        case _:
            low, high = returns.bounds
            return random.choice((low, high, random.randrange(0, 100), random.randint(low, high)))


def moment(random: Random) -> datetime:
    second = timedelta(seconds=random.randrange(86_400 * 40_000))
    return datetime(1950, 1, 1) + second + timedelta(microseconds=random.choice((0, 500_000, 7)))
