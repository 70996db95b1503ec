"""EXPLAIN: what a statement is going to do, and after EXPLAIN ANALYZE what it did."""

from heliumql.explain.build import explained
from heliumql.explain.explanation import (
    FIRST_ROWS,
    Explanation,
    Figure,
    Happened,
    OperatorShown,
    RuleShown,
)
from heliumql.explain.foreseen import Estimate, foreseen
from heliumql.explain.json import as_json
from heliumql.explain.mermaid import as_mermaid
from heliumql.explain.stages import Stages, as_stages
from heliumql.explain.text import as_text

__all__ = [
    "FIRST_ROWS",
    "Estimate",
    "Explanation",
    "Figure",
    "Happened",
    "OperatorShown",
    "RuleShown",
    "Stages",
    "as_json",
    "as_mermaid",
    "as_stages",
    "as_text",
    "explained",
    "foreseen",
]
