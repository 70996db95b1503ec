"""The logical plan as people read it: a graph of relational work and LLM operators."""

from heliumql.logical.nodes import (
    Dag,
    DagBuilder,
    Fetch,
    Generate,
    Node,
    Output,
    Query,
    Recurse,
    Wait,
    described,
)

__all__ = [
    "Dag",
    "DagBuilder",
    "Fetch",
    "Generate",
    "Node",
    "Output",
    "Query",
    "Recurse",
    "Wait",
    "described",
]
