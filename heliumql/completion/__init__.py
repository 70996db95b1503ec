"""What can stand at a cursor in a text of HQL: names, keywords, arguments, files.

`candidates(text, cursor, snapshot)` is pure; `SnapshotReader` reads the live catalog of a
connection. The shell and the notebook show what they give.
"""

from heliumql.completion.candidate import Candidate, Kind
from heliumql.completion.complete import candidates
from heliumql.completion.reader import SnapshotReader
from heliumql.completion.snapshot import Column, Function, Setting, Snapshot, Table

__all__ = [
    "Candidate",
    "Column",
    "Function",
    "Kind",
    "Setting",
    "Snapshot",
    "SnapshotReader",
    "Table",
    "candidates",
]
