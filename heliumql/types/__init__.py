"""Answer types: the SQL type of an LLM call, its JSON schema, and the check of an answer.

Used by the parser (`RETURNS`, `returns =>`), the engines (constrained decoding) and the
dispatcher (every answer is checked again on arrival).
"""

from heliumql.types.parse import parse_type
from heliumql.types.schema import PATTERNS
from heliumql.types.sql_type import BOOLEAN, INTEGERS, TEXT, SqlType

__all__ = ["BOOLEAN", "INTEGERS", "PATTERNS", "TEXT", "SqlType", "parse_type"]
