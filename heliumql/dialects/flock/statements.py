"""Statements that only Flock has, about models, prompts and keys, as those of HQL."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from heliumql.dialects.calls import braced
from heliumql.dialects.flock.fields import Fields, filled, named, span_of, struct, written
from heliumql.dialects.flock.parameters import of_model
from heliumql.dialects.flock.prompts import Prompts
from heliumql.dialects.mistakes import mistake
from heliumql.source import Span
from heliumql.syntax.literals import LITERAL_TYPES, decode, quoted
from heliumql.syntax.mistakes import suggestion
from heliumql.syntax.statements import Value
from heliumql.syntax.tokens import Token
from heliumql.syntax.tree import Element, Group, parse_soup

_OLLAMA = "http://localhost:11434/v1"
_PROVIDERS: dict[str, dict[str, Value]] = {"openai": {}, "ollama": {"base_url": _OLLAMA}}
_ELSEWHERE = "CREATE MODEL name WITH (engine = 'openai', base_url = '..', api_key_env = '..', ..)"
_EXTENSIONS = ("FLOCK", "FLOCKMTL", "MOTHERDUCK")
_KEYS = ("OPENAI", "OLLAMA", "AZURE_LLM", "ANTHROPIC", "TYPESAFE")


def own_statement(tokens: Sequence[Token], source: str, prompts: Prompts) -> str | None:
    """What stands for the statement; nothing for one that is not needed, None for any other SQL."""
    match [token.word for token in tokens[:3]]:
        case ["GET", ("MODELS" | "PROMPTS") as what, *_]:
            _ends(tokens, 2)
            return f"SHOW {what}"
        case ["GET", ("MODEL" | "PROMPT") as what, *_]:
            return f"DESCRIBE {what} {named(_name(tokens, 2))}"
        case ["DELETE", ("MODEL" | "PROMPT") as what, *_]:
            name = _name(tokens, 2)
            if what == "PROMPT":
                prompts.remove(name)
            return f"DROP {what} IF EXISTS {named(name)}"
        case ["CREATE", "MODEL" | "PROMPT", *_] if _is_open(tokens, 2):
            return _made(tokens, 1, source, prompts)
        case ["UPDATE", "MODEL" | "PROMPT", *_] if _is_open(tokens, 2):
            return _made(tokens, 1, source, prompts)
        case ["CREATE", "LOCAL", "MODEL" | "PROMPT"]:
            return _made(tokens, 2, source, prompts)
        case ["CREATE", "GLOBAL", "MODEL" | "PROMPT"]:
            return _no_scope(tokens[1].span)
        case ["UPDATE", "MODEL" | "PROMPT", *_] if tokens[2:] and tokens[2].type in LITERAL_TYPES:
            return _no_scope(tokens[-1].span)
        case ["INSTALL" | "LOAD", name, *_] if name in _EXTENSIONS:
            return ""
        case ["CREATE", *_]:
            _no_key(tokens)
    return None


def _is_open(tokens: Sequence[Token], index: int) -> bool:
    return len(tokens) > index and tokens[index].type == "LPAR"


def _ends(tokens: Sequence[Token], index: int) -> None:
    if len(tokens) > index:
        raise mistake(f"the statement ends before {tokens[index].text}", tokens[index].span, None)


def _name(tokens: Sequence[Token], index: int) -> str:
    if len(tokens) <= index or tokens[index].type not in LITERAL_TYPES:
        place = tokens[min(index, len(tokens) - 1)].span
        raise mistake("a name in quotes is missing", place, f"{tokens[0].text} .. 'name'")
    _ends(tokens, index + 1)
    return decode(tokens[index]).text


def _no_scope(place: Span) -> str:
    hint = "leave it out: models and prompts live in the database that is open"
    raise mistake("GLOBAL and LOCAL cannot be carried over", place, hint)


def _no_key(tokens: Sequence[Token]) -> None:
    """Raises BindError at a secret of a provider."""
    if not any(token.word == "SECRET" for token in tokens[1:5]):
        return
    for before, token in pairwise(tokens):
        if before.word == "TYPE" and token.text.strip("'\"").upper() in _KEYS:
            hint = (
                "leave it out: a key is in an environment variable, OPENAI_API_KEY or the one"
                " that api_key_env of CREATE MODEL names"
            )
            raise mistake("the secret of a provider cannot be carried over", token.span, hint)


def _made(tokens: Sequence[Token], index: int, source: str, prompts: Prompts) -> str:
    """CREATE or UPDATE of a model or prompt; `index` is that of the word which says which."""
    verb = "CREATE" if tokens[0].word == "CREATE" else "CREATE OR REPLACE"
    match parse_soup(tokens[index + 1 :]):
        case (Group(open=Token(type="LPAR")) as group,):
            arguments = filled(group)
        case items:
            place = items[1].start if len(items) > 1 else tokens[index].start
            hint = "CREATE MODEL('name', 'model', 'provider'), CREATE PROMPT('name', 'text')"
            raise mistake("arguments in parentheses are all there is", Span(place, place + 1), hint)
    if tokens[index].word == "PROMPT":
        if len(arguments) != 2:
            hint = "CREATE PROMPT('name', 'text')"
            raise mistake("a prompt is a name and a text", span_of([group]), hint)
        name, text = (_text(argument) for argument in arguments)
        prompts.add(name, text)
        return f"{verb} PROMPT {named(name)}() AS {quoted(braced(text))}"
    if not 3 <= len(arguments) <= 4:
        hint = "CREATE MODEL('name', 'model', 'provider')"
        raise mistake("a model is a name, a model and a provider", span_of([group]), hint)
    name, model, provider = (_text(argument) for argument in arguments[:3])
    where = _PROVIDERS.get(provider.lower())
    if where is None:
        hint = f"{suggestion(provider, _PROVIDERS, 'providers')}; any other server: {_ELSEWHERE}"
        said = f"a model of the provider {provider} cannot be carried over"
        raise mistake(said, span_of(arguments[2]), hint)
    given = arguments[3] if len(arguments) > 3 else ()
    fields = struct("a model", given, source) if given else Fields("a model", span_of([group]), ())
    options: dict[str, Value] = {"engine": "openai", **where, "model": model, **of_model(fields)}
    listed = ", ".join(f"{key} = {written(value)}" for key, value in options.items())
    return f"{verb} MODEL {named(name)} WITH ({listed})"


def _text(items: Sequence[Element]) -> str:
    match items:
        case [Token(type=kind) as token] if kind in LITERAL_TYPES:
            return decode(token).text
        case _:
            raise mistake("this must be a text in quotes", span_of(items), None)
