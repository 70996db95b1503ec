"""Commands that show what is there: databases, tables, models, prompts, functions, answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heliumql.cli.repl.dot_commands.command import Command
from heliumql.cli.repl.dot_commands.display import show_rows
from heliumql.cli.repl.preferences import CommandError
from heliumql.source import display_width
from heliumql.syntax import VERB_NAMES

if TYPE_CHECKING:
    from heliumql.cli.repl.shell import Shell

_TABLES = """
SELECT CASE WHEN database_name IN (current_database(), 'temp') THEN '' ELSE database_name || '.' END
    || CASE WHEN schema_name = 'main' THEN '' ELSE schema_name || '.' END
    || name AS shown, name, sql
FROM (SELECT database_name, schema_name, table_name AS name, sql, internal FROM duckdb_tables()
      UNION ALL
      SELECT database_name, schema_name, view_name, sql, internal FROM duckdb_views())
WHERE NOT internal AND schema_name <> 'heliumql' AND NOT starts_with(name, '__hql')
ORDER BY shown
"""
_FUNCTIONS = """
SELECT DISTINCT function_name, function_type FROM duckdb_functions()
WHERE NOT starts_with(function_name, '__hql') AND (NOT internal OR ?) ORDER BY ALL
"""


def _tables(shell: Shell, words: list[str]) -> None:
    rows = shell.connection.duckdb.execute(_TABLES).fetchall()
    names = [shown for shown, name, _ in rows if _fits(words, shown, name)]
    if not names:
        shell.screen.dim(f"no table like {words[0]}" if words else "no tables yet")
        return
    shell.screen.show(_in_columns(names, shell.screen.width))


def _schema(shell: Shell, words: list[str]) -> None:
    entries = _made(shell)
    ours = {name for kind, name, _ in entries if kind == "view"}
    rows = shell.connection.duckdb.execute(_TABLES).fetchall()
    texts = [sql for shown, name, sql in rows if name not in ours and _fits(words, shown, name)]
    texts += [text for _, name, text in entries if _fits(words, name, name)]
    if not texts:
        shell.screen.dim(f"nothing is named like {words[0]}" if words else "nothing is made yet")
        return
    shell.screen.show("\n".join(text.rstrip("; \n") + ";" for text in texts))


def _functions(shell: Shell, words: list[str]) -> None:
    entries = _made(shell)
    found = [(name, "verb") for name in VERB_NAMES]
    found += [(name, kind) for kind, name, _ in entries if kind in ("prompt", "macro")]
    ours = {name.lower() for name, _ in found}
    rows = shell.connection.duckdb.execute(_FUNCTIONS, [bool(words)]).fetchall()
    found += [(name, kind) for name, kind in rows if name.lower() not in ours]
    shown = [(name, kind) for name, kind in found if _fits(words, name, name)]
    if not shown:
        raise CommandError(f"no function like {words[0]}", hint=".functions % lists all")
    show_rows(shell, ["name", "kind"], shown)  # type: ignore[arg-type]
    if not words:
        shell.screen.dim(".functions % lists those of DuckDB, too")


def _made(shell: Shell) -> list[tuple[str, str, str]]:
    """Kind (model, prompt, view, macro), name and statement of what HQL made and keeps."""
    entries = shell.connection.catalog.entries.values()
    return [(entry.kind, entry.name, entry.text) for entry in entries]


def _query(name: str, sql: str, what: str) -> Command:
    """A command that is short for a statement."""
    return Command(name, f".{name}", what, lambda shell, words: shell.query(sql), most=0)


def _fits(words: list[str], *names: str) -> bool:
    """Whether one of the names is as the pattern: with % and _ as in LIKE, or a part of it."""
    if not words:
        return True
    import re

    pattern = words[0].lower()
    if "%" not in pattern:
        return any(pattern in name.lower() for name in names)
    like = "".join(".*" if c == "%" else "." if c == "_" else re.escape(c) for c in pattern)
    return any(re.fullmatch(like, name.lower(), re.S) for name in names)


def _in_columns(names: list[str], width: int) -> str:
    """The names one below the other, in as many columns as fit."""
    widest = max(map(display_width, names)) + 2
    columns = max(1, width // widest)
    lines = -(-len(names) // columns)
    return "\n".join(
        "".join(n + " " * (widest - display_width(n)) for n in names[i::lines]).rstrip()
        for i in range(lines)
    )


CATALOG = (
    Command("tables", ".tables [PATTERN]", "tables and views", _tables),
    Command("schema", ".schema [NAME]", "the statements that made tables, models, prompts ..",
            _schema),
    Command("functions", ".functions [PATTERN]", "LLM verbs, prompts, macros; with % DuckDB's",
            _functions),
    _query("databases", "SHOW DATABASES", "databases that are open"),
    _query("models", "SHOW MODELS", "models, as SHOW MODELS"),
    _query("prompts", "SHOW PROMPTS", "prompts, as SHOW PROMPTS"),
    _query("cache", "SHOW CACHE", "the answers that are kept, as SHOW CACHE"),
)  # fmt: skip
