"""A model made of a hash: what it says depends on the messages and the type asked for, alone.

Both evaluations that the tests compare ask it: HeliumQL through the simulated engine (`script`),
plain DuckDB through a function (`value`). It knows no HQL: types are read by DuckDB.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from heliumql.engines.engine import CallSpec
from heliumql.engines.simulated import ScriptedAnswer

Messages = Sequence[tuple[str, str]]

# Few, so that answers of different calls are often equal; nasty, so that nothing may be read as
# SQL, a template, a parameter or a reference.
TEXTS = (
    "3",
    ' it\'s "q" {a} %s ',
    "12",
    "b1",
    "",
    "$1 {{x}} \\n",
    "\ue000" + "0" * 16 + "a" * 32 + "\ue001",
)
_HINT = re.compile(r"\nAnswer (?:with|true)[^\n]*\Z")  # what is added for models that answer freely


@dataclass(frozen=True)
class HashModel:
    """Answers by `seed`; one call in `failing` fails (0: none), one in `wild` misses its type."""

    seed: int = 0
    failing: int = 11
    wild: int = 9
    texts: tuple[str, ...] = TEXTS[:4]

    def script(self, messages: Messages, spec: CallSpec) -> ScriptedAnswer:
        """What the simulated engine is told."""
        said, _ = self._said(messages, spec.returns.sql())
        return ScriptedAnswer(said) if said is not None else ScriptedAnswer(error="boom")

    def value(self, messages: Messages, kind: str) -> str | None:
        """The answer as it counts; None where the call fails."""
        return self._said(messages, kind)[1]

    def _said(self, messages: Messages, kind: str) -> tuple[str | None, str | None]:
        said = [(role, _HINT.sub("", content)) for role, content in messages]
        returns = duckdb.sqltype(kind)
        text = json.dumps([self.seed, str(returns), said])
        number = int.from_bytes(hashlib.md5(text.encode()).digest())
        if "FAIL" in said[-1][1] or (self.failing and number % self.failing == 0):
            return None, None
        number //= self.failing or 1
        if kind == "FLOAT[]":
            if self.wild and number % self.wild == 0:
                return "[]", None
            vector = [number % 7 - 3, number // 7 % 5 / 2, 1]
            return str(vector), ",".join(f"{x:g}" for x in vector).join("[]")
        if returns.id == "varchar" and kind != "JSON":
            text = self.texts[number % len(self.texts)]
            return text, text
        if self.wild and number % self.wild == 0:
            return "neither this nor that", None
        value = {"k": number % 5} if kind == "JSON" else self._value(returns, number // 9)
        if not isinstance(value, str | bool | int | float):
            text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
            return f" {text}\n", text
        text = value if isinstance(value, str) else json.dumps(value)
        return f"{text} ", text

    def _value(self, returns: duckdb.DuckDBPyType, number: int) -> object:
        match returns.id:
            case "varchar":
                return self.texts[number % len(self.texts)]
            case "boolean":
                return number % 2 == 1
            case "double":
                return number % 7 / 2
            case "enum":
                values = dict(returns.children)["values"]
                return values[number % len(values)]
            case "list":
                item = dict(returns.children)["child"]
                return [self._value(item, number // 3 + i) for i in range(number % 3)]
            case "struct":
                parts = returns.children
                return {n: self._value(t, number // (2 + i)) for i, (n, t) in enumerate(parts)}
            case _:
                return number % 5
