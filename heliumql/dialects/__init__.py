"""Statements of other dialects, with their AI functions, as HQL.

translated(text, dialect)      HQL with the same meaning, or an error at what has none
DIALECTS                       those that there are
"""

from heliumql.dialects.translation import DIALECTS, translated

__all__ = ["DIALECTS", "translated"]
