"""Completion inside a string: models, choices, types, files, and the columns of a template."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from heliumql.completion import suggestions as suggest
from heliumql.completion.candidate import Candidate, Kind
from heliumql.completion.paths import path_candidates
from heliumql.completion.place import Place
from heliumql.completion.suggestions import Suggestion, ranked
from heliumql.completion.values import argument_values, setting_values
from heliumql.completion.words import CHOICES, TYPES
from heliumql.syntax import Token

_BRACE = re.compile(r'\{(?P<path>(?:(?:\w+|"[^"{}]*")\.)*)(?P<name>"[^"{}]*|\w*)\Z')
_ESCAPED_BRACES = re.compile(r"\{\{|\}\}")
_WORD = re.compile(r"\w*\Z")
_SET_VALUE = re.compile(r"SET (?:SESSION |GLOBAL |LOCAL )?(\w+) (?:=|TO)")
_PROMPT = re.compile(r"CREATE (OR REPLACE )?(TEMP |TEMPORARY )?PROMPT\b")
_OPTION_KEY = re.compile(r"CREATE .*\b(MODEL|PROMPT) .* (\w+) (?:=|=>|:=)")
_COPIED = re.compile(r"COPY\b.* (FROM|TO)|ATTACH|(EXPORT|IMPORT) DATABASE")
_TEMPLATES = ("prompt", "text", "system")
_DATA = (
    ".csv", ".tsv", ".parquet", ".json", ".jsonl", ".ndjson", ".gz", ".zst", ".arrow", ".feather",
    ".xlsx",
)  # fmt: skip
_READERS = re.compile(r"READ_\w+|\w+_SCAN|SNIFF_CSV|GLOB")


def text_candidates(place: Place, most: int) -> list[Candidate]:
    """What may stand in the string that is open at the cursor."""
    cursor, last = place.cursor, place.last
    call = place.call
    if last is None:
        return []
    argument = call.argument if call is not None and last.type == "ARROW" else ""
    if call is not None and call.is_verb and (argument or call.at_start):
        template = argument in _TEMPLATES or (not argument and call.number == 0)
        if template:
            return _placeholders(place, most)
        if argument == "returns":
            return _types(place, most)
        return _values(place, argument_values(place, argument), most)
    if found := _SET_VALUE.fullmatch(place.words):
        return _values(place, setting_values(place, found[1].lower()), most)
    if _PROMPT.match(place.words) and (last.word == "AS" or _is_option(last, place, "system")):
        return _placeholders(place, most)
    if last.word == "RETURNS":
        return _types(place, most)
    if (option := _OPTION_KEY.fullmatch(place.words)) and last.text in ("=", "=>", ":="):
        key = option[2].lower()
        if key == "model" and option[1] == "PROMPT":
            return _values(place, suggest.models(place, quoted=True), most)
        return _values(place, suggest.listed(CHOICES.get(key, ()), Kind.VALUE), most)
    reads = call is not None and call.at_start and _READERS.fullmatch(call.name)
    if reads or place.expects_table or _COPIED.fullmatch(place.words):
        paths = place.snapshot.list_files(cursor.typed.replace("''", "'"))
        found_files = path_candidates(paths, cursor.start, _DATA, most)
        closing = "" if place.follows("'") else "'"
        return [_in_string(c, closing) for c in found_files]
    return []


def _in_string(path: Candidate, closing: str) -> Candidate:
    """A path as a string has it; a folder is gone on in."""
    end = "" if path.replacement.endswith("/") else closing
    return replace(path, replacement=path.replacement.replace("'", "''") + end)


def _is_option(last: Token, place: Place, name: str) -> bool:
    before = place.cursor.before
    return last.text in ("=", "=>") and len(before) > 1 and before[-2].text.lower() == name


def _values(place: Place, found: Iterable[Suggestion], most: int) -> list[Candidate]:
    """Values that are strings, without the quote that stands there already."""
    closing = "" if place.follows("'") else "'"
    inner = [
        replace(s, replacement=s.replacement[1:-1] + closing)
        for s in found
        if s.replacement.startswith("'")
    ]
    return ranked(inner, place.cursor.typed, place.cursor.start, most)


def _types(place: Place, most: int) -> list[Candidate]:
    typed = place.cursor.typed
    word = _WORD.search(typed)
    start = place.cursor.start + (word.start() if word else len(typed))
    found = suggest.listed(TYPES, Kind.VALUE, "type")
    return ranked(found, place.cursor.text[start : place.cursor.position], start, most)


def _placeholders(place: Place, most: int) -> list[Candidate]:
    """Columns in scope, behind the `{` of a template."""
    typed = place.cursor.typed
    plain = _ESCAPED_BRACES.sub("  ", typed)
    found = _BRACE.search(plain)
    if found is None:
        return []
    start = place.cursor.start + found.start("name")
    closing = "" if place.follows("}") else "}"
    return [
        c
        if c.replacement.endswith(".")
        else replace(c, replacement=c.replacement + closing, shown=c.replacement)
        for c in ranked(_fillers(place, found["path"]), found["name"].strip('"'), start, most)
    ]


def _fillers(place: Place, path: str) -> Iterator[Suggestion]:
    parts = [part.strip('"') for part in path.split(".")[:-1]]
    if parts:
        yield from (s for s in suggest.members(place, tuple(parts)) if s.kind is Kind.COLUMN)
        return
    if _PROMPT.match(place.words):
        yield from suggest.column_names(place, place.parameters)
        return
    yield from suggest.columns(place)
    if not place.scope.references and not place.parameters:
        yield from suggest.all_columns(place, 1)
    elif len(place.scope.references) > 1:
        for table in suggest.tables_in_scope(place, 2):
            yield replace(table, replacement=table.replacement + ".")
