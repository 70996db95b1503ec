"""Values of arguments: NAME=VALUE, numbers, ports."""

from __future__ import annotations

import argparse
import json
import re

from heliumql.cli.parser import UsageError


def pairs(option: str, given: list[str]) -> dict[str, object]:
    """`["k=1", "name=Ada"]` -> `{"k": 1, "name": "Ada"}`"""
    result: dict[str, object] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"{option} {text}: a value is missing", hint=f"{option} {text}=VALUE")
        if not re.fullmatch(r"[^\W\d]\w*", name):
            hint = f"{option} {name[1:]}=.." if name.startswith("$") else None
            raise UsageError(f"{option} {text}: {name!r} is not a name", hint=hint)
        if name in result:
            raise UsageError(f"{option} {name} is given twice")
        result[name] = json_or_text(value)
    return result


def json_or_text(text: str) -> object:
    try:
        return json.loads(text, parse_constant=_refuse)
    except ValueError:
        return text


def positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above zero")
    return value


def port(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", text) or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: 0 to 65535")
    return int(text)


def seed(text: str) -> int:
    if not re.fullmatch(r"[0-9]+", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number, zero or more")
    return int(text)


def whole(text: str) -> int:
    if not re.fullmatch(r"[0-9]+", text) or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above zero")
    return int(text)


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is not JSON")  # Python's reader takes NaN and Infinity
