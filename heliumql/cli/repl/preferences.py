"""What the shell can be told about itself (`.mode`, `.timer on` ..), as one immutable value."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from heliumql.cli.arguments import FORMATS
from heliumql.cli.table import ROWS
from heliumql.errors import HeliumQLError

MODES = ("table", "box", "line", "csv", "tsv", "json", "jsonl", "markdown")
_OTHER_NAMES = {
    "duckbox": "table", "tabs": "tsv", "lines": "line", "ndjson": "jsonl", "jsonlines": "jsonl",
    "md": "markdown",
}  # fmt: skip
_FLAGS = {"on": True, "true": True, "yes": True, "1": True}
_FLAGS |= {"off": False, "false": False, "no": False, "0": False}


class CommandError(HeliumQLError):
    """A dot command is wrong."""


@dataclass(frozen=True)
class Preferences:
    """The settings of the shell; `SET llm_..` has those of the language."""

    mode: str = "table"  # how results are written: one of MODES
    nullvalue: str | None = None  # what stands for NULL; None: what is usual in the mode
    maxrows: int | None = None
    """Rows of a table on a terminal, of longer ones the first and last; 0: all; None: 40, and of
    longer ones as many as fit."""
    maxwidth: int = 0  # columns that a table may take; 0: those of the terminal
    headers: bool = True  # names of columns
    timer: bool = False  # tell how long statements without calls take, too
    stats: bool = True  # one line about the calls of each statement
    pager: str = "on"  # on | off | always: for results higher than the terminal, also while growing
    progress: bool = True
    echo: bool = False  # show what is read from files and pipes
    bail: bool = False  # end at the first error in a file or pipe

    def with_value(self, name: str, words: Sequence[str]) -> Preferences:
        """A changed copy. Raises CommandError where the name or the value does not exist."""
        names = [f.name for f in fields(self)]
        if name not in names:
            raise CommandError(f"no setting {name!r} of the shell", hint=near(name, names))
        if len(words) != 1:
            raise CommandError(f".{name} takes one value", hint=_form(name))
        value: dict[str, Any] = {name: _fitting(name, words[0], getattr(self, name))}
        return replace(self, **value)

    def shown(self) -> list[tuple[str, str]]:
        """Names and values, as text."""
        shown = {f.name: _text(getattr(self, f.name)) for f in fields(self)}
        if self.maxrows is None:
            shown["maxrows"] = f"{ROWS}, of longer results as many as fit"
        return list(shown.items())


def mode_of(path: Path) -> str | None:
    """The mode that the ending of a file says. Raises CommandError where no mode writes such."""
    ending = path.suffix.lower()[1:]
    mode = _OTHER_NAMES.get(ending, ending)
    if mode not in MODES and mode in FORMATS:
        raise CommandError(
            f"the shell writes text, not {mode}", hint=f"COPY (SELECT ..) TO '{path}'"
        )
    return mode if path.suffix and mode in MODES else None


def near(name: str, names: Sequence[str], dot: str = "") -> str:
    """A hint: the name that is meant, or those there are."""
    found = difflib.get_close_matches(name.lower(), names, 1)
    if found:
        return f"did you mean {dot}{found[0]}?"
    return "there are " + ", ".join(dot + n for n in names)


def flag(name: str, word: str) -> bool:
    """Raises CommandError where the word is neither on nor off."""
    value = _FLAGS.get(word.lower())
    if value is None:
        raise CommandError(f".{name} is on or off, not {word!r}")
    return value


def _fitting(name: str, word: str, before: object) -> object:
    match name:
        case "mode":
            mode = _OTHER_NAMES.get(word.lower(), word.lower())
            if mode not in MODES:
                raise CommandError(f"no mode {word!r}", hint=near(mode, MODES))
            return mode
        case "nullvalue":
            return word
        case "pager":
            if word.lower() == "always":
                return "always"
            if word.lower() not in _FLAGS:
                raise CommandError(f".pager is on, off or always, not {word!r}")
            return "on" if flag(name, word) else "off"
    if isinstance(before, bool):
        return flag(name, word)
    if not word.isdecimal():
        raise CommandError(f".{name} is a whole number, not {word!r}", hint=_form(name))
    return int(word)


def _form(name: str) -> str:
    match name:
        case "mode":
            return ".mode " + " | ".join(MODES)
        case "maxrows" | "maxwidth":
            return f".{name} NUMBER, 0 for no limit"
        case "nullvalue":
            return '.nullvalue TEXT, "" for nothing'
        case "pager":
            return ".pager on | off | always"
    return f".{name} on | off"


def _text(value: object) -> str:
    match value:
        case None:
            return "as is usual in the mode"
        case bool():
            return "on" if value else "off"
        case "":
            return '""'
        case _:
            return str(value)
