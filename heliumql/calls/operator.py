"""LLM operators by name: what the answer store and what is learnt are kept under."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Operator:
    """What the calls of one site have in common: the same in every statement and process.

    `template` names the operator (kind and prompt template), `kind` its model, parameters and type
    as they enter identities; `model` and `name` are for display.
    """

    template: bytes
    kind: bytes
    model: str
    name: str


def operator_id(db: sqlite3.Connection, operator: Operator) -> int:
    """The row of an operator, made where there is none; inside a transaction."""
    key = (operator.template, operator.model)
    query = "SELECT id FROM operators WHERE template = ? AND model = ?"
    found = db.execute(query, key).fetchone()
    if found is None:
        db.execute(
            "INSERT INTO operators (template, kind, model, name) VALUES (?, ?, ?, ?)",
            (operator.template, operator.kind, operator.model, operator.name),
        )
        found = db.execute(query, key).fetchone()
    return int(found[0])
