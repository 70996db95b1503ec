"""The shell as a user has it: in a process of its own, on a terminal, typed into.

Before each prompt the line editor asks the terminal for bracketed paste, and takes that back when
an entry is accepted; between the two is what the entry has shown.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import pexpect

PROGRAM = [sys.executable, "-m", "heliumql"]
CTRL_C, CTRL_D, ALT_ENTER = "\x03", "\x04", "\x1b\r"
PASTE, PASTE_END = "\x1b[200~", "\x1b[201~"

_PROMPTED, _ACCEPTED = r"\x1b\[\?2004h", r"\x1b\[\?2004l"
_REDRAWN = re.compile(r"\r[^\r\n]*\x1b\[K")  # the line of progress
_ORDERS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_SECONDS = 40


def environment(home: Path, **extra: str) -> dict[str, str]:
    """Of the user `home`, who has no startup files and no pager."""
    dropped = {"NO_COLOR", "COLUMNS", "LINES", "VISUAL", "EDITOR"}
    own = {"HOME": str(home), "TERM": "xterm-256color", "PROMPT_TOOLKIT_NO_CPR": "1", "PAGER": ""}
    own |= {"XDG_STATE_HOME": str(home / "state"), "XDG_CONFIG_HOME": str(home / "config")}
    return {k: v for k, v in os.environ.items() if k not in dropped} | own | extra


class Terminal:
    """A shell on a terminal of so many lines and columns."""

    def __init__(
        self,
        home: Path,
        *arguments: str,
        program: Sequence[str] = PROGRAM,
        lines: int = 50,
        columns: int = 100,
        **extra: str,
    ) -> None:
        command, *rest = [*program, *arguments]
        self.process = pexpect.spawn(
            command,
            rest,
            env=environment(home, **extra),
            dimensions=(lines, columns),
            encoding="utf-8",
            timeout=_SECONDS,
            cwd=str(home),
        )
        self.process.delaybeforesend = None
        self.process.expect(_PROMPTED)
        self.greeting = cleaned(self.process.before)

    def run(self, entry: str, end: str = "\r") -> str:
        """Types an entry, and waits for the next prompt; what was shown in between."""
        self.type(entry + end)
        return self.shown()

    def type(self, keys: str) -> None:
        self.process.send(keys)

    def accepted(self) -> None:
        """Waits until what was typed is an entry that runs."""
        self.process.expect(_ACCEPTED)

    def shown(self) -> str:
        """Waits for the entry to be run; what it has shown."""
        self.accepted()
        return self.until_prompt()

    def until_prompt(self) -> str:
        self.process.expect(_PROMPTED)
        return cleaned(self.process.before)

    def until(self, pattern: str) -> str:
        """Waits for this to be on the terminal; what came before it, as it came."""
        self.process.expect(pattern)
        return str(self.process.before)

    def leave(self) -> int | None:
        """Ctrl-D; the exit status."""
        self.type(CTRL_D)
        return self.ended()

    def ended(self) -> int | None:
        self.process.expect(pexpect.EOF)
        self.process.close()
        return self.process.exitstatus

    def close(self) -> None:
        self.process.close(force=True)


def cleaned(shown: str) -> str:
    """What stays on the terminal, without colours."""
    text = _ORDERS.sub("", _REDRAWN.sub("", shown)).replace("\r\n", "\n")
    return text.replace("\r", "").strip("\n")
