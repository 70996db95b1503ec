"""Statements for DuckDB with Flock, or for MotherDuck, as HQL.

Both are DuckDB's SQL already: the text stays as it is, and only calls of their AI functions and
statements about models and prompts are replaced.
"""

from heliumql.dialects.flock.translation import translated

__all__ = ["translated"]
