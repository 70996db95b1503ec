"""The verbs as macros of DuckDB: named arguments with defaults, and a value of the right type.

A macro hands what is constant about a call to `__hql_ask` as one JSON object, and the texts of the
rows as columns. What comes back is JSON where the type depends on the arguments: `from_json_strict`
takes a type as a constant text, and `__hql_type` is folded into one when the statement is bound.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from heliumql.syntax import HISTORY_TYPE
from heliumql.syntax.verbs.agg import SEPARATOR

ASK = "__hql_ask"  # (handle, transaction, description, text, system, history) -> VARCHAR
TYPE = "__hql_type"  # (description) -> VARCHAR, a JSON string
TYPED = ("llm_generate", "llm_classify", "llm_extract", "llm_agg")  # their answers come as JSON

_SAMPLING = ("max_tokens", "temperature", "top_p", "seed", "stop", "thinking")
_ALL = ("model", "retries", "on_error", "cache")
_OPTIONS = (*_SAMPLING, *_ALL)
_MESSAGES = ("system", "history")
NAMES = (
    "llm_generate", "llm_filter", "llm_classify", "llm_extract", "llm_score", "llm_agg",
    "llm_agg_list", "llm_embed", "llm_similarity",
)  # fmt: skip


def macros(handle: int) -> Iterator[str]:
    """The statements that make the macros; their calls go to the connection of that number."""

    def made(name: str, own: Sequence[str], rest: Sequence[str], body: str) -> str:
        given = ", ".join([*own, *(f"{option} := NULL" for option in rest)])
        return f"CREATE OR REPLACE TEMP MACRO {name}({given}) AS {body}"

    def verb(name: str, own: Sequence[str], constants: Sequence[str], cast: str) -> str:
        rest = (*constants, *_MESSAGES, *_OPTIONS)
        asked = _ask(handle, name, own[0], (*own[1:], *constants, *_OPTIONS))
        return made(name, own, rest, f"CAST({asked} AS {cast})")

    def typed(name: str, own: Sequence[str], constants: Sequence[str], rest: str = "") -> str:
        given = (*own[1:], *constants)
        text = rest or own[0]
        body = _typed(handle, "llm_agg" if rest else name, text, given)
        return made(name, own, (*constants, *_MESSAGES, *_OPTIONS), body)

    yield typed("llm_generate", ["prompt"], ["returns"])
    yield verb("llm_filter", ["prompt"], [], "BOOLEAN")
    yield typed("llm_classify", ["text", "labels"], ["instruction", "multi"])
    yield typed("llm_extract", ["text", "questions"], ["returns"])
    yield verb("llm_score", ["prompt"], [], "DOUBLE")
    between = f"'{SEPARATOR}'"
    gathered = f"string_agg(CAST(text AS VARCHAR), {between})"
    yield typed("llm_agg", ["text", "instruction"], ["returns"], gathered)
    joined = f"list_aggregate(CAST(texts AS VARCHAR[]), 'string_agg', {between})"
    yield typed("llm_agg_list", ["texts", "instruction"], ["returns"], joined)
    yield made("llm_embed", ["text"], _ALL, _vector(handle, "text", "FLOAT[]"))
    one, other = (_vector(handle, name, "DOUBLE[]") for name in ("one", "other"))
    yield made("llm_similarity", ["one", "other"], _ALL, f"list_cosine_similarity({one}, {other})")


def dropped() -> Iterator[str]:
    """The statements that take the macros away."""
    return (f"DROP MACRO IF EXISTS temp.{name}" for name in NAMES)


def _typed(handle: int, verb: str, text: str, constants: Sequence[str]) -> str:
    asked = _ask(handle, verb, text, (*constants, *_OPTIONS))
    described = _described(verb, constants, _ANY.get(verb, {}))
    return f"from_json_strict(CAST({asked} AS JSON), {TYPE}({described}))"


_ANY = {
    "llm_classify": {"labels": "['a', 'b']", "instruction": "NULL"},
    "llm_agg": {"instruction": "'any'"},
}
"""What stands for arguments on which the type does not depend, so that rows may differ in them."""


def _vector(handle: int, text: str, cast: str) -> str:
    asked = (
        f"CAST(CAST({_ask(handle, 'llm_embed', text, _ALL, messages=False)} AS JSON) AS FLOAT[])"
    )
    return asked if cast == "FLOAT[]" else f"CAST({asked} AS {cast})"


def _ask(
    handle: int, verb: str, text: str, constants: Sequence[str], *, messages: bool = True
) -> str:
    before = ("CAST(system AS VARCHAR)", f"CAST(history AS {HISTORY_TYPE})")
    system, history = before if messages else ("NULL", "NULL")
    described = _described(verb, constants)
    transaction = "CAST(txid_current() AS BIGINT)"
    text = f"CAST({text} AS VARCHAR)"
    return f"{ASK}({handle}, {transaction}, {described}, {text}, {system}, {history})"


def _described(
    verb: str, constants: Sequence[str], instead: Mapping[str, str] = MappingProxyType({})
) -> str:
    values = (f"'{name}': {instead.get(name, name)}" for name in constants)
    fields = ", ".join([f"'verb': '{verb}'", *values])
    return f"CAST(to_json({{{fields}}}) AS VARCHAR)"
