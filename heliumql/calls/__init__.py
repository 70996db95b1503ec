"""Calls: their names, references to their answers, the call graph, the answer store."""

from heliumql.calls.answers import Answer, AnswerStore
from heliumql.calls.graph import CallGraph, ReadyCall
from heliumql.calls.identity import Namer, kind_key, without_broken
from heliumql.calls.minted import Messages, MintedCalls, SpilledBatches
from heliumql.calls.references import Reference, References

__all__ = [
    "Answer",
    "AnswerStore",
    "CallGraph",
    "Messages",
    "MintedCalls",
    "Namer",
    "ReadyCall",
    "Reference",
    "References",
    "SpilledBatches",
    "kind_key",
    "without_broken",
]
