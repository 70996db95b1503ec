"""Calls: their names, references to their answers, the call graph, the answer store."""
