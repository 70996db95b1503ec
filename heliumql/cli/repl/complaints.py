"""What is said of errors; the shell lives on, also after one that is nobody's but ours."""

from __future__ import annotations

import traceback

from heliumql.cli.repl.database import MAX_CALLS, Opened
from heliumql.cli.repl.places import state_folder
from heliumql.errors import BudgetError


def unexpected(error: Exception) -> str:
    """A short text; the long one is in a file that it names."""
    what = f"internal error: {type(error).__name__}: {error}".partition("\n")[0]
    told = f"{what} (this is a bug in HeliumQL; please report it)"
    try:
        folder = state_folder()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = folder / "last_error.txt"
        file.write_text("".join(traceback.format_exception(error)))
    except OSError:
        return told  # nowhere to write: the short text has to do
    return f"{told}\nhint: {file} has the details"


def placed(told: str, line: int, name: str | None) -> str:
    """The error with the line of the file (from 0), where it says nothing of that itself."""
    if name is None or f"{name}:" in told:
        return told
    return f"{told}\n  at {name}:{line + 1}"


def with_advice(error: Exception, opened: Opened) -> Exception:
    """A budget that the shell has set by itself is easily taken for one of the language."""
    if isinstance(error, BudgetError) and opened.limits_calls and "llm_max_calls" in error.message:
        hint = f"{error.hint}. " if error.hint else ""
        error.hint = f"{hint}The shell begins with {MAX_CALLS}; ~/.hqlrc may hold another"
    return error
