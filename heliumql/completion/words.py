"""What does not depend on a connection: verbs, their arguments, settings, common keywords."""

from __future__ import annotations

from collections.abc import Mapping

VERBS: Mapping[str, str] = {
    "LLM_GENERATE": "('prompt {column}', returns => .., ..) → VARCHAR or a type of yours",
    "LLM_FILTER": "('yes or no? {column}', ..) → BOOLEAN",
    "LLM_CLASSIFY": "(text, ['label', ..], 'instruction', multi => ..) → VARCHAR",
    "LLM_EXTRACT": "(text, {'field': 'question'}, returns => ..) → STRUCT",
    "LLM_SCORE": "('how much, 0 to 10? {column}', ..) → DOUBLE",
    "LLM_AGG": "(text, 'instruction' ORDER BY ..) → VARCHAR",
    "LLM_EMBED": "(text, model => ..) → FLOAT[]",
    "LLM_SIMILARITY": "(a, b, model => ..) → DOUBLE",
}
"""The verbs and a hint of their signature."""

TABLE_VERBS = ("LLM_GENERATE", "LLM_EXTRACT")

OPTIONS: Mapping[str, str] = {
    "system": "system message: a template or an expression",
    "history": "messages before the prompt, such as g.messages",
    "model": "a model of the catalog",
    "max_tokens": "most tokens of an answer; 256 unless said",
    "temperature": "0 unless said: the likeliest answer",
    "top_p": "share of likely tokens to draw from; 1 unless said",
    "seed": "makes samples repeatable",
    "stop": "texts that end an answer",
    "n": "samples of a row",
    "thinking": "whether a reasoning model thinks first",
    "retries": "of an answer that does not fit, or a failed request",
    "on_error": "what a failed call becomes",
    "cache": "whether kept answers are used",
}
"""Arguments of all verbs that ask a model for a text."""

_RETURNS = {"returns": "the type of the answer, as a string"}
OWN_ARGUMENTS: Mapping[str, Mapping[str, str]] = {
    "LLM_GENERATE": {**_RETURNS, "prompt": "the user message: a template or an expression"},
    "LLM_FILTER": {"prompt": "the question: a template or an expression"},
    "LLM_CLASSIFY": {
        "text": "what is classified",
        "labels": "['a', 'b'] or {'a': 'what it means'}",
        "instruction": "what to go by",
        "multi": "all labels that fit, not one",
    },
    "LLM_EXTRACT": {
        "text": "what is read",
        "questions": "{'field': 'question'}",
        **_RETURNS,
    },
    "LLM_SCORE": {"prompt": "the question: a template or an expression"},
    "LLM_AGG": {"text": "of each row", "instruction": "what to make of them", **_RETURNS},
    "LLM_EMBED": {},
    "LLM_SIMILARITY": {},
}
POSITIONAL: Mapping[str, tuple[str, ...]] = {
    "LLM_GENERATE": ("prompt",),
    "LLM_FILTER": ("prompt",),
    "LLM_SCORE": ("prompt",),
    "LLM_CLASSIFY": ("text", "labels", "instruction"),
    "LLM_EXTRACT": ("text", "questions"),
    "LLM_AGG": ("text", "instruction"),
}
"""What arguments without a name are, in their order."""

_EMBEDDING = ("model", "retries", "on_error", "cache")


def arguments_of(verb: str) -> dict[str, str]:
    """Named arguments of a verb and what they mean, its own first."""
    own = dict(OWN_ARGUMENTS.get(verb, {}))
    embeds = verb in ("LLM_EMBED", "LLM_SIMILARITY")
    return own | {n: m for n, m in OPTIONS.items() if not embeds or n in _EMBEDDING}


CHOICES: Mapping[str, tuple[str, ...]] = {
    "thinking": ("'auto'", "'on'", "'off'"),
    "on_error": ("'null'", "'fail'"),
    "cache": ("'use'", "'refresh'", "'off'"),
    "multi": ("true", "false"),
    "engine": ("'vllm'", "'openai'", "'simulated'"),
    "task": ("'generate'", "'embed'"),
}
"""Values of arguments and of options of CREATE MODEL that are choices, as they are written."""

TYPES = (
    "VARCHAR", "INTEGER", "BIGINT", "DOUBLE", "BOOLEAN", "DATE", "TIMESTAMP", "JSON",
    "STRUCT(", "ENUM(", "VARCHAR[]", "INTEGER[]",
)  # fmt: skip

MODEL_OPTIONS: Mapping[str, str] = {
    "engine": "vllm, openai or simulated",
    "model": "its name, or the folder that holds it",
    "base_url": "of a server, or a list of several",
    "api_key_env": "the environment variable that has the key",
    "workers": "how many run side by side",
    "concurrency": "calls in flight at a worker",
    "max_model_len": "tokens of prompt and answer together",
    "kv_cache_tokens": "memory for prefixes, in tokens",
    "dtype": "of the weights",
    "revision": "of the model",
    "timeout": "seconds for a request",
    "retries": "of failed requests",
    "requests_per_minute": "limit of a server",
    "tokens_per_minute": "limit of a server",
    "price_in": "of a million prompt tokens",
    "price_out": "of a million answer tokens",
    "thinking": "whether it thinks before it answers",
    "task": "generate or embed",
    "chat_template_args": "of the model's chat template",
    "enforce_eager": "vLLM without compiled graphs",
    "max_tokens": "default of its calls",
    "temperature": "default of its calls",
    "top_p": "default of its calls",
    "seed": "default of its calls",
    "stop": "default of its calls",
}
PROMPT_OPTIONS = ("model", "system", "max_tokens", "temperature", "top_p", "seed", "stop")

STATEMENTS = (
    "SELECT", "FROM", "WITH", "CREATE", "INSERT INTO", "UPDATE", "DELETE FROM", "SET", "RESET",
    "SHOW", "DESCRIBE", "SUMMARIZE", "EXPLAIN", "EXPLAIN ANALYZE", "PROFILE", "DROP", "ALTER TABLE",
    "COPY", "ATTACH", "DETACH", "USE", "CLEAR CACHE", "BEGIN", "COMMIT", "ROLLBACK", "MERGE INTO",
    "VALUES", "PIVOT", "UNPIVOT", "PREPARE", "EXECUTE", "DEALLOCATE", "INSTALL", "LOAD", "PRAGMA",
    "CALL", "VACUUM", "CHECKPOINT", "EXPORT DATABASE", "IMPORT DATABASE",
)  # fmt: skip
"""What a statement begins with, the usual first."""

CLAUSES = (
    "SELECT", "FROM", "WHERE", "GROUP BY", "ORDER BY", "HAVING", "LIMIT", "JOIN", "LEFT JOIN",
    "INNER JOIN", "CROSS JOIN", "RIGHT JOIN", "FULL JOIN", "ASOF JOIN", "LATERAL", "ON", "USING",
    "AND", "OR", "NOT", "IN", "IS NULL", "IS NOT NULL", "AS", "DISTINCT", "UNION ALL", "UNION",
    "EXCEPT", "INTERSECT", "CASE", "WHEN", "THEN", "ELSE", "END", "BETWEEN", "LIKE", "ILIKE",
    "EXISTS", "CAST", "OVER", "PARTITION BY", "QUALIFY", "WINDOW", "OFFSET", "ASC", "DESC",
    "NULLS FIRST", "NULLS LAST", "FILTER", "RETURNS", "RETURNING", "VALUES", "SET", "INTO",
    "WITH", "RECURSIVE", "MATERIALIZED", "NULL", "TRUE", "FALSE", "EXCLUDE", "REPLACE", "TABLE",
    "INTERVAL", "COLLATE", "ON TRUE", "SAMPLE", "USING SAMPLE", "SELECT DISTINCT",
)  # fmt: skip
"""Keywords inside a query, the usual first."""

AFTER: Mapping[str, tuple[str, ...]] = {
    "SHOW": ("TABLES", "ALL TABLES", "MODELS", "PROMPTS", "CACHE", "DATABASES", "llm_settings"),
    "CLEAR": ("CACHE",),
    "CREATE": (
        "TABLE", "VIEW", "MODEL", "PROMPT", "MACRO", "SCHEMA", "TEMP", "OR REPLACE", "TYPE",
        "SEQUENCE", "INDEX", "FUNCTION", "SECRET",
    ),
    "DROP": ("TABLE", "VIEW", "MODEL", "PROMPT", "MACRO", "SCHEMA", "TYPE", "SEQUENCE", "INDEX"),
    "INSERT": ("INTO", "OR REPLACE INTO", "OR IGNORE INTO"),
    "GROUP": ("BY",), "ORDER": ("BY",), "PARTITION": ("BY",),
    "LEFT": ("JOIN", "OUTER JOIN"), "RIGHT": ("JOIN", "OUTER JOIN"), "FULL": ("JOIN", "OUTER JOIN"),
    "INNER": ("JOIN",), "CROSS": ("JOIN",), "ASOF": ("JOIN",), "NATURAL": ("JOIN",),
    "UNION": ("ALL", "BY NAME", "SELECT"),
    "IS": ("NULL", "NOT NULL", "DISTINCT FROM"),
    "NULLS": ("FIRST", "LAST"),
    "ALTER": ("TABLE", "VIEW", "SEQUENCE"),
    "DELETE": ("FROM",), "MERGE": ("INTO",),
}  # fmt: skip
"""What stands after a word, where nothing else does."""

BEGIN_VALUES = ("CASE", "NOT", "CAST", "EXISTS", "INTERVAL", "NULL", "TRUE", "FALSE")
"""Keywords that a value begins with."""

TABLE_FUNCTIONS = (
    "range", "generate_series", "unnest", "read_csv", "read_parquet", "read_json", "read_ndjson",
    "read_text", "read_blob", "read_duckdb", "read_xlsx", "st_read", "glob", "sniff_csv",
    "parquet_metadata", "parquet_schema", "json_each", "json_tree", "query", "query_table",
    "sqlite_scan", "postgres_scan", "mysql_scan", "delta_scan", "iceberg_scan",
    "duckdb_columns", "duckdb_constraints", "duckdb_databases", "duckdb_extensions",
    "duckdb_functions", "duckdb_indexes", "duckdb_keywords", "duckdb_memory", "duckdb_schemas",
    "duckdb_secrets", "duckdb_settings", "duckdb_tables", "duckdb_types", "duckdb_views",
)  # fmt: skip
"""DuckDB's, that are of use in FROM; most of the others are its internals."""
