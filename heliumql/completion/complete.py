"""Completion: what may stand at a cursor. Pure; the catalog is a value.

The place of the cursor decides what is gathered (a table after FROM, an argument in an LLM call,
a setting after SET ..), and how well it fits what was typed decides the order.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from heliumql.catalog.meanings import SETTING_MEANINGS
from heliumql.completion import suggestions as suggest
from heliumql.completion.candidate import Candidate, Kind
from heliumql.completion.commands import command_candidates
from heliumql.completion.cursor import Cursor, cursor_at
from heliumql.completion.place import OpenCall, Place
from heliumql.completion.snapshot import Snapshot
from heliumql.completion.suggestions import Suggestion, ranked
from heliumql.completion.texts import text_candidates
from heliumql.completion.values import argument_values, setting_values
from heliumql.completion.words import (
    AFTER,
    BEGIN_VALUES,
    CHOICES,
    CLAUSES,
    MODEL_OPTIONS,
    POSITIONAL,
    PROMPT_OPTIONS,
    STATEMENTS,
    TYPES,
    arguments_of,
)
from heliumql.syntax import identifier

_MOST = 200
_SET = re.compile(r"(SET|RESET)( SESSION| GLOBAL| LOCAL)?")
_SET_VALUE = re.compile(r"SET (?:SESSION |GLOBAL |LOCAL )?(\w+) (?:=|TO)")
_CREATE = re.compile(r"CREATE( OR REPLACE)?( TEMP| TEMPORARY)?")
_NAMED = re.compile(
    r"(?:CREATE(?: OR REPLACE)?(?: TEMP| TEMPORARY)?|DROP|DESCRIBE|DESC|ALTER)"
    r" (MODEL|PROMPT|TABLE|VIEW|MACRO|SCHEMA|FUNCTION|TYPE|SEQUENCE|INDEX)"
    r"( IF NOT EXISTS| IF EXISTS)?"
)
_OPTIONS = re.compile(
    r"CREATE(?: OR REPLACE)?(?: TEMP| TEMPORARY)? (MODEL|PROMPT)\b.* WITH \((?:[^()]*)"
)
_EXPLAINED = re.compile(r"(EXPLAIN( ANALYZE)?( \( [^()]*\))?|PROFILE|PREPARE \w+ AS)")
_ONLY_AT_START = {"SHOW", "CLEAR", "CREATE", "DROP", "INSERT", "ALTER", "DELETE", "MERGE"}
_QUERY_WORDS = ("SELECT", "FROM", "WITH", "VALUES", "TABLE")


def candidates(text: str, position: int, snapshot: Snapshot, most: int = _MOST) -> list[Candidate]:
    """What may replace the word before the position, the best first."""
    if text.lstrip().startswith("."):
        return command_candidates(text, position, snapshot, most)
    cursor = cursor_at(text, position)
    place = Place(cursor, snapshot)
    match cursor.where:
        case "nowhere":
            return []
        case "text":
            return text_candidates(place, most)
        case "name":
            return _in_quotes(place, cursor, most)
        case "code":
            return ranked(_in_code(place), cursor.typed, cursor.start, most)


def _in_quotes(place: Place, cursor: Cursor, most: int) -> list[Candidate]:
    """In a name whose quote is open: names only, all of them in quotes."""
    names = list(_members(place)) if _after_dot(place) else []
    if not names:
        names = [*suggest.columns(place), *suggest.tables(place)]
    quoted = [
        Suggestion(s.name, '"' + s.name.replace('"', '""') + '"', s.kind, s.meta, s.order)
        for s in names
        if s.kind in (Kind.COLUMN, Kind.TABLE, Kind.SCHEMA)
    ]
    found = ranked(quoted, cursor.typed[1:].replace('""', '"'), cursor.start, most)
    if not place.follows('"'):
        return found
    return [Candidate(c.replacement[:-1], c.start, c.kind, c.meta, c.replacement) for c in found]


def _in_code(place: Place) -> Iterator[Suggestion]:
    words, last = place.words, place.last
    if last is None:
        yield from suggest.keywords(place, STATEMENTS, 1)
    elif _after_dot(place):
        yield from _members(place)
    elif found := _SET.fullmatch(words):
        yield from _settings(place, after_reset=found[1] == "RESET")
    elif value := _SET_VALUE.fullmatch(words):
        yield from setting_values(place, value[1].lower())
    elif _CREATE.fullmatch(words):
        yield from suggest.keywords(place, AFTER["CREATE"], 1)
    elif named := _NAMED.fullmatch(words):
        yield from _named(place, named[1], is_new=words.startswith("CREATE"))
    elif last.word in AFTER and (last.word not in _ONLY_AT_START or words == last.word):
        yield from suggest.keywords(place, AFTER[last.word], 1)
        if last.word == "SHOW":
            yield from suggest.listed(SETTING_MEANINGS, Kind.SETTING, order=2)
    elif words in ("USE", "DETACH", "ATTACH"):
        yield from suggest.schemas(place)
    elif last.text == "::" or last.word == "RETURNS" or _is_cast(place):
        yield from suggest.listed(TYPES, Kind.VALUE, "type")
    elif options := _OPTIONS.fullmatch(words):
        yield from _definition_options(place, options[1])
    elif place.expects_table or words == "COPY":
        yield from _tables(place)
    elif _EXPLAINED.fullmatch(words):
        yield from suggest.keywords(place, STATEMENTS, 1)
        yield from suggest.keywords(place, ("ANALYZE",) if words == "EXPLAIN" else (), 0)
    else:
        yield from _expression(place)


def _expression(place: Place) -> Iterator[Suggestion]:
    """Where a value, an operator or the next clause may stand."""
    call = place.call
    if call is not None and call.is_verb:
        if call.argument and place.last is not None and place.last.type == "ARROW":
            yield from argument_values(place, call.argument)
            if call.argument in CHOICES or call.argument == "model":
                return
        elif call.at_start:
            yield from _arguments(place, call)
    if place.last is not None and place.last.type == "LPAR":
        yield from suggest.keywords(place, _QUERY_WORDS, 4)
    yield from suggest.columns(place)
    yield from suggest.tables_in_scope(place)
    begins = call is not None and call.is_verb and call.at_start and call.number > 0
    yield from suggest.keywords(place, BEGIN_VALUES if begins else CLAUSES, 2)
    yield from suggest.verbs(place, 3)
    if place.cursor.typed:
        yield from suggest.functions(place, 4)
        if not place.scope.references:
            yield from suggest.all_columns(place, 5)
    if len(place.cursor.typed) > 1:
        yield from suggest.keywords(place, sorted(place.snapshot.keywords), 6)


def _tables(place: Place) -> Iterator[Suggestion]:
    yield from suggest.tables(place)
    if place.last is not None and place.last.word in ("INTO", "UPDATE", "TABLE", "COPY"):
        return
    words = ("MODEL", "PROMPT") if place.words in ("DESCRIBE", "DESC") else ("LATERAL", "SELECT")
    yield from suggest.keywords(place, words, 3)
    yield from suggest.verbs(place, 2, as_table=True)
    yield from suggest.functions(place, 6, as_table=True)


def _arguments(place: Place, call: OpenCall) -> Iterator[Suggestion]:
    there = {*place.named_arguments, *POSITIONAL.get(call.name, ())[: call.positional]}
    for name, meaning in arguments_of(call.name).items():
        if name not in there:
            arrow = "" if place.follows(" =>") or place.follows("=>") else " => "
            yield Suggestion(name, name + arrow, Kind.ARGUMENT, meaning, -1)


def _settings(place: Place, *, after_reset: bool) -> Iterator[Suggestion]:
    tail = "" if after_reset or place.follows(" =") else " = "
    for setting in place.snapshot.settings:
        ours = setting.name.startswith("llm_")
        # The values of DuckDB's settings are those that they begin with.
        meta = " · ".join(filter(None, (setting.value if ours else "", setting.meaning)))
        yield Suggestion(setting.name, setting.name + tail, Kind.SETTING, meta, 0 if ours else 1)
    if place.words in ("SET", "RESET"):
        yield from suggest.keywords(place, ("VARIABLE", "SESSION", "GLOBAL"), 2)


def _named(place: Place, what: str, *, is_new: bool) -> Iterator[Suggestion]:
    """Names of things of a kind, after the word for it."""
    match what:
        case "MODEL":
            yield from suggest.models(place, quoted=False)
        case "PROMPT":
            yield from suggest.prompts(place)
        case "TABLE" | "VIEW":
            is_view = what == "VIEW"
            for table in suggest.shown_tables(place):
                if table.is_view == is_view:
                    yield Suggestion(table.name, place.name(table.name), Kind.TABLE)
        case "SCHEMA":
            yield from suggest.schemas(place)
    condition = "IF NOT EXISTS" if is_new else "IF EXISTS"
    if "EXISTS" not in place.words and not place.words.startswith("DESC"):
        yield from suggest.keywords(place, (condition,), 2)


def _definition_options(place: Place, what: str) -> Iterator[Suggestion]:
    """Keys and values of CREATE MODEL .. WITH (..) and of prompts."""
    before, last = place.cursor.before, place.last
    assert last is not None
    if last.type in ("LPAR", "COMMA"):
        keys = MODEL_OPTIONS if what == "MODEL" else dict.fromkeys(PROMPT_OPTIONS, "")
        written = {t.text.lower() for t in before}
        for name, meaning in keys.items():
            if name not in written:
                tail = "" if place.follows(" =") else " = "
                yield Suggestion(name, name + tail, Kind.ARGUMENT, meaning, 0)
    elif last.text in ("=", "=>", ":="):
        key = before[-2].text.lower()
        if key == "model" and what == "PROMPT":
            yield from suggest.models(place, quoted=True)
        yield from suggest.listed(CHOICES.get(key, ()), Kind.VALUE)


def _after_dot(place: Place) -> bool:
    before = place.cursor.before
    return len(before) > 1 and before[-1].text == "." and before[-2].type in ("NAME", "QUOTED_NAME")


def _members(place: Place) -> Iterator[Suggestion]:
    path: list[str] = []
    tokens = list(place.cursor.before)
    while len(tokens) > 1 and tokens[-1].text == "." and tokens[-2].type in ("NAME", "QUOTED_NAME"):
        path.insert(0, identifier(tokens[-2]))
        del tokens[-2:]
    yield from suggest.members(place, tuple(path))


def _is_cast(place: Place) -> bool:
    call, last = place.call, place.last
    return (
        call is not None and call.name in ("CAST", "TRY_CAST") and bool(last and last.word == "AS")
    )
