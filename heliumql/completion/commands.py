"""Completion of dot commands and their arguments: `.mode json`, `.read file.hql`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from heliumql.completion import suggestions as suggest
from heliumql.completion.candidate import Candidate, Kind
from heliumql.completion.cursor import cursor_at
from heliumql.completion.paths import path_candidates
from heliumql.completion.place import Place
from heliumql.completion.snapshot import Snapshot
from heliumql.completion.suggestions import Suggestion, ranked

_CHOICES = re.compile(r"[\w-]+(?:\|[\w-]+)+")
_ENDINGS = {
    ".read": (".hql", ".sql"),
    ".open": (".duckdb", ".db", ".ddb"),
    ".output": (".csv", ".json", ".jsonl", ".md", ".txt"),
    ".once": (".csv", ".json", ".jsonl", ".md", ".txt"),
}
_ON_OFF = ("on", "off")


def command_candidates(text: str, position: int, snapshot: Snapshot, most: int) -> list[Candidate]:
    """What may stand at a position in the line of a dot command."""
    line = text[:position]
    begin = len(line) - len(line.lstrip())
    name, _, rest = line[begin:].partition(" ")
    if "\n" in line[begin:]:
        return []
    known = {f".{n.lstrip('.')}": described for n, described in snapshot.dot_commands.items()}
    if len(name) + begin >= len(line):
        found = [
            Suggestion(n[1:], n, Kind.COMMAND, f"{arguments}  {what}".strip())
            for n, (arguments, what) in sorted(known.items())
        ]
        return ranked(found, name[1:], begin, most)
    arguments, _ = known.get(name.lower(), ("", ""))
    typed = rest.rpartition(" ")[2]
    start = position - len(typed)
    if _takes_file(name.lower(), arguments):
        typed = rest.lstrip()
        start = position - len(typed)
        endings = _ENDINGS.get(name.lower(), ())
        return path_candidates(snapshot.list_files(typed), start, endings, most)
    number = len(rest[: len(rest) - len(typed)].split())
    place = Place(cursor_at("", 0), snapshot)
    return ranked(_values(arguments, number, place), typed, start, most)


def _takes_file(name: str, arguments: str) -> bool:
    return name in _ENDINGS or re.search(r"\b(FILE|FILENAME|PATH)\b", arguments.upper()) is not None


def _values(arguments: str, number: int, place: Place) -> Iterator[Suggestion]:
    """What the argument of that number may be, as the help of the command writes it."""
    words = [word.strip("[]?<>") for word in arguments.split()]
    word = words[min(number, len(words) - 1)] if words else ""
    if _CHOICES.fullmatch(word):
        yield from suggest.listed(word.split("|"), Kind.VALUE)
    match word.upper():
        case "TABLE" | "NAME" | "VIEW":
            yield from suggest.tables(place)
        case "MODEL":
            yield from suggest.models(place, quoted=False)
        case "PROMPT":
            yield from suggest.prompts(place)
        case "MODE":
            modes = ("table", "line", "csv", "json", "jsonl", "markdown")
            yield from suggest.listed(modes, Kind.VALUE)
        case "COMMAND":
            names = sorted(n.lstrip(".") for n in place.snapshot.dot_commands)
            yield from suggest.listed(names, Kind.COMMAND)
