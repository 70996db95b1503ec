"""Calls: their names, references to their answers, the call graph, the answer store."""

from heliumql.calls.answers import Answer, AnswerStore
from heliumql.calls.graph import CallGraph, ReadyCall
from heliumql.calls.identity import Namer, kind_key, without_broken
from heliumql.calls.learnt import Learnt, OperatorStats
from heliumql.calls.minted import Messages, MintedCalls, SpilledBatches
from heliumql.calls.operator import Operator
from heliumql.calls.references import Reference, References
from heliumql.calls.storage import Storage

__all__ = [
    "Answer",
    "AnswerStore",
    "CallGraph",
    "Learnt",
    "Messages",
    "MintedCalls",
    "Namer",
    "Operator",
    "OperatorStats",
    "ReadyCall",
    "Reference",
    "References",
    "SpilledBatches",
    "Storage",
    "kind_key",
    "without_broken",
]
