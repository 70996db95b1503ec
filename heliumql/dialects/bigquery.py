"""BigQuery's AI functions. A prompt is a text, or a tuple of texts and columns."""

from __future__ import annotations

from sqlglot import exp

from heliumql.dialects.answers import Functions, Parts, Translated, Translator, function
from heliumql.dialects.calls import (
    Constant,
    Given,
    call,
    constant,
    constant_json,
    literal,
    name_of,
    one_text,
    optional,
    prompt,
    sampling,
)
from heliumql.dialects.mistakes import mistake
from heliumql.dialects.schemas import of_fields

_PARAMETERS = {
    "temperature": "temperature",
    "topP": "top_p",
    "maxOutputTokens": "max_tokens",
    "seed": "seed",
    "stopSequences": "stop",
}
_STATUS = "LATERAL LLM_GENERATE(..) AS g has g.llm, with status, error and tokens"


def _options(given: Given) -> dict[str, exp.Expr | None]:
    """Model and sampling; where the call goes is said by the model in the catalog."""
    given.ignore("connection_id")
    given.ignore("request_type")
    options: dict[str, exp.Expr | None] = {"model": optional(given.text("endpoint"))}
    node = given.take("model_params")
    if node is not None:
        what = f"model_params of {given.name}"
        found = constant_json(node, what) if isinstance(node, exp.Literal) else constant(node, what)
        match found:
            case {"generationConfig": dict(config), **others} if not others:
                options |= sampling(config, given.name, node, _PARAMETERS)
            case _:
                hint = 'what can be: {"generationConfig": {..}}'
                raise mistake(f"{what} cannot be carried over", node, hint)
    return options


def _generate(given: Given) -> Translated:
    message = prompt(given.need("prompt"))
    options = _options(given)
    node = given.take("output_schema")
    if node is None:
        made = call("LLM_GENERATE", *message, **options)
        return _result(made)
    schema = constant(node, "output_schema")
    if not isinstance(schema, str):
        raise mistake("output_schema must be a text", node, None)
    names, returns = of_fields(schema, "bigquery", node)
    typed = call("LLM_GENERATE", *message, **options, returns=literal(returns))

    def part(path: str) -> exp.Expr | None:
        field, dot, rest = path.partition(".")
        if field not in names or "[" in path:
            return None
        made = exp.Dot(this=typed, expression=name_of(field))
        return exp.Dot(this=made, expression=name_of(rest)) if dot else made

    return Parts(part, None, f"take a field of output_schema; {_STATUS}")


def _result(made: exp.Expr) -> Parts:
    hint = f"take .result; {_STATUS}"
    return Parts(lambda path: made if path == "result" else None, None, hint)


def _typed(returns: str) -> Translator:
    """AI.GENERATE_BOOL and the like."""

    def translate(given: Given) -> Translated:
        message = prompt(given.need("prompt"))
        made = call("LLM_GENERATE", *message, **_options(given), returns=literal(returns))
        return _result(made)

    return translate


def _asked(verb: str) -> Translator:
    """AI.IF and AI.SCORE."""

    def translate(given: Given) -> Translated:
        message = prompt(given.need("prompt"))
        _managed(given)
        return call(verb, *message, **_options(given))

    return translate


def _managed(given: Given) -> None:
    given.refuse("leave it out: answers are always those of the model", "optimization_mode")
    given.refuse("leave it out: answers are always those of the model", "embeddings")
    given.refuse("SET llm_max_error_ratio = .. before the statement", "max_error_ratio")


def _classify(given: Given) -> Translated:
    text = given.need("input")
    if isinstance(text, exp.Tuple):
        hint = "join the parts with ||"
        raise mistake("an input of several parts cannot be carried over", text, hint)
    labels = _labels(given.need("categories"))
    given.refuse("say it in the labels' descriptions", "examples")
    mode = given.text("output_mode")
    _managed(given)
    multi = literal(True) if mode == "multi" else None
    return call("LLM_CLASSIFY", one_text(text), literal(labels), **_options(given), multi=multi)


def _labels(node: exp.Expr) -> Constant:
    """['a', 'b'], or with descriptions [('a', '..'), ('b', '..')]."""
    if isinstance(node, exp.Array) and all(isinstance(n, exp.Tuple) for n in node.expressions):
        pairs = [[constant(n, "a label") for n in item.expressions] for item in node.expressions]
        if pairs and all(len(p) == 2 and all(isinstance(t, str) for t in p) for p in pairs):
            return {str(name): description for name, description in pairs}
    found = constant(node, "categories")
    if not isinstance(found, list) or not all(isinstance(label, str) for label in found):
        hint = "what can be: ['a', 'b'], [('a', 'description'), ..]"
        raise mistake("these categories cannot be carried over", node, hint)
    return found


def _similarity(given: Given) -> Translated:
    first, second = one_text(given.need("content1")), one_text(given.need("content2"))
    return call("LLM_SIMILARITY", first, second, **_options(given))


def _embed(given: Given) -> Translated:
    made = call("LLM_EMBED", one_text(given.need("content")), **_options(given))
    return _result(made)


_ROWS = "call AI.GENERATE in a SELECT over the rows: SELECT .., AI.GENERATE(prompt).result FROM .."

FUNCTIONS: Functions = {
    "AI.GENERATE": function("prompt", _generate),
    "AI.GENERATE_BOOL": function("prompt", _typed("BOOLEAN")),
    "AI.GENERATE_INT": function("prompt", _typed("BIGINT")),
    "AI.GENERATE_DOUBLE": function("prompt", _typed("DOUBLE")),
    "AI.IF": function("prompt", _asked("LLM_FILTER")),
    "AI.SCORE": function("prompt", _asked("LLM_SCORE")),
    "AI.CLASSIFY": function("input categories", _classify),
    "AI.SIMILARITY": function("content1 content2", _similarity),
    "AI.EMBED": function("content", _embed),
    "AI.GENERATE_TABLE": _ROWS,
    "AI.GENERATE_TEXT": _ROWS,
    "ML.GENERATE_TEXT": _ROWS,
    "AI.GENERATE_EMBEDDING": "call AI.EMBED in a SELECT over the rows",
    "ML.GENERATE_EMBEDDING": "call AI.EMBED in a SELECT over the rows",
    "ML.PREDICT": "models that are not language models are not available",
    "AI.FORECAST": "models that are not language models are not available",
}
