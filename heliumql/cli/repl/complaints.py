"""What is said of an error that is nobody's but ours; the shell lives on."""

from __future__ import annotations

import traceback

from heliumql.cli.repl.places import state_folder


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
