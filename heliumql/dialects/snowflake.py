"""Snowflake's AI functions."""

from __future__ import annotations

import re

from sqlglot import exp

from heliumql.dialects.answers import Functions, Parts, Translated, function
from heliumql.dialects.calls import (
    Constant,
    Given,
    Message,
    call,
    constant,
    json,
    literal,
    name_of,
    one_text,
    optional,
    prompt,
    sampling,
)
from heliumql.dialects.mistakes import mistake
from heliumql.dialects.schemas import of_json_schema, of_type_text

PROMPT = "AI:PROMPT"
_PLACEHOLDER = re.compile(r"\{(\d+)\}")
_PARAMETERS = {"temperature": "temperature", "top_p": "top_p", "max_tokens": "max_tokens"}
_SENTIMENTS = ["positive", "negative", "neutral", "mixed", "unknown"]


def _message(value: exp.Expr) -> list[exp.Expr]:
    """A prompt, which may be PROMPT('.. {0}', ..)."""
    if not (isinstance(value, exp.Anonymous) and value.this == PROMPT):
        if isinstance(value, exp.Array):
            hint = "give the messages before the last one as history => [..]"
            raise mistake("a conversation as a prompt cannot be carried over", value, hint)
        return prompt(value)
    template, *values = value.expressions
    text = constant(template, "the template of PROMPT")
    if not isinstance(text, str):
        raise mistake("the template of PROMPT must be a text", template, None)
    message = Message()
    position = 0
    for found in _PLACEHOLDER.finditer(text):
        message.say(text[position : found.start()])
        number = int(found[1])
        if number >= len(values):
            raise mistake(f"PROMPT has no value {found.group()}", template, None)
        message.put(values[number])
        position = found.end()
    return message.say(text[position:]).arguments()


def _complete(given: Given) -> Translated:
    model = given.text("model")
    message = _message(given.need("prompt"))
    options: dict[str, exp.Expr] = {}
    parameters = given.take("model_parameters")
    if parameters is not None:
        what = f"the parameters of {given.name}"
        options = sampling(constant(parameters, what), given.name, parameters, _PARAMETERS)
    returns = given.take("response_format")
    for name in ("show_details", "return_error_details"):
        place = given.call
        if given.flag(name):
            hint = "LATERAL LLM_GENERATE(..) AS g has g.llm, with tokens, status and error"
            raise mistake(f"{name} of {given.name} cannot be carried over", place, hint)
    generated = call(
        "LLM_GENERATE",
        *message,
        model=optional(model),
        **options,
        returns=literal(_type(returns)) if returns is not None else None,
    )
    return generated if returns is None else json(generated)


def _type(returns: exp.Expr) -> str:
    if isinstance(returns, exp.Literal) and returns.is_string:
        # TYPE OBJECT(..): the first letter and the last bracket were made quotes.
        return of_type_text(returns.this.removeprefix("YPE") + ")", "snowflake", returns)
    given = constant(returns, "response_format")
    if isinstance(given, dict) and given.get("type") == "json" and "schema" in given:
        return of_json_schema(given["schema"], returns)
    raise mistake(
        "this response_format cannot be carried over",
        returns,
        "what can be: TYPE OBJECT(..), and {'type': 'json', 'schema': {..}}",
    )


def _old_complete(given: Given) -> Translated:
    """SNOWFLAKE.CORTEX.COMPLETE: with options it gives an object of choices and usage."""
    hint = "use AI_COMPLETE(model, prompt, model_parameters => {..}), which gives the text alone"
    given.refuse(hint, "options")
    return _complete(given)


def _filter(given: Given) -> Translated:
    value = given.need("predicate")
    given.refuse("files are not available", "file")
    return call("LLM_FILTER", *_message(value))


def _classify(given: Given) -> Translated:
    text = given.need("input")
    labels = _labels(given.need("categories"))
    options = given.take("config")
    config: Constant = {} if options is None else constant(options, "the options of AI_CLASSIFY")
    if not isinstance(config, dict):
        raise mistake("the options of AI_CLASSIFY must be an object", options, None)
    for key in config:
        if key not in ("task_description", "output_mode"):
            hint = "what can be: task_description, output_mode"
            raise mistake(f"{key} of AI_CLASSIFY cannot be carried over", options, hint)
    multi = config.get("output_mode", "single") == "multi"
    task = config.get("task_description")
    made = call(
        "LLM_CLASSIFY",
        one_text(text),
        literal(labels),
        *([] if task is None else [one_text(literal(task))]),
        multi=optional(multi or None),
    )

    def part(path: str) -> exp.Expr | None:
        if path == "labels" and multi:
            return json(made)
        if path == "labels[0]":
            # The first element; lists begin at 1 in DuckDB.
            return exp.Bracket(this=made, expressions=[exp.Literal.number(0)]) if multi else made
        return None

    # NULL where there is no answer, as there, not an object around a NULL.
    field = made if multi else exp.Array(expressions=[made])
    whole = json(exp.Struct(expressions=[exp.PropertyEQ(this=name_of("labels"), expression=field)]))
    empty = literal('{"labels":null}' if multi else '{"labels":[null]}')
    return Parts(part, exp.Nullif(this=whole, expression=empty), "take :labels[0]")


def _labels(node: exp.Expr) -> Constant:
    """['a', 'b'], or with descriptions {'a': '..', 'b': '..'}."""
    found = constant(node, "the labels of AI_CLASSIFY")
    if not isinstance(found, list):
        raise mistake("the labels of AI_CLASSIFY must be a list", node, None)
    if all(isinstance(label, str) for label in found):
        return found
    described: dict[str, Constant] = {}
    for label in found:
        match label:
            case {"label": str(name), **others} if not others:
                described[name] = ""
            case {"label": str(name), "description": str(text), **others} if not others:
                described[name] = text
            case _:
                hint = "what can be: 'label', {'label': '..', 'description': '..'}"
                raise mistake("this label cannot be carried over", node, hint)
    return described


def _extract(given: Given) -> Translated:
    text = given.need("text")
    given.refuse("files are not available", "file")
    node = given.need("responseFormat")
    questions = _questions(node)
    made = call("LLM_EXTRACT", one_text(text), literal(questions))

    def part(path: str) -> exp.Expr | None:
        field = path.removeprefix("response.")
        if field != path and field in questions:
            return exp.Dot(this=made, expression=name_of(field))
        if path == "response":
            return json(made)
        return None

    return Parts(part, None, "take :response or :response.field")


def _questions(node: exp.Expr) -> dict[str, Constant]:
    match constant(node, "responseFormat"):
        case {"schema": _}:
            hint = "write {'field': 'question', ..}"
            raise mistake("a JSON schema of AI_EXTRACT cannot be carried over", node, hint)
        case dict(fields) if fields and all(isinstance(v, str) for v in fields.values()):
            return dict(fields)
        case list(pairs) if pairs and all(
            isinstance(p, list) and len(p) == 2 and all(isinstance(t, str) for t in p)
            for p in pairs
        ):
            return {str(p[0]): p[1] for p in pairs if isinstance(p, list)}
        case _:
            hint = "what can be: {'field': 'question', ..} and [['field', 'question'], ..]"
            raise mistake("this responseFormat cannot be carried over", node, hint)


def _agg(given: Given) -> Translated:
    return call("LLM_AGG", one_text(given.need("expr")), one_text(given.need("task_description")))


def _summarize_agg(given: Given) -> Translated:
    return call("LLM_AGG", one_text(given.need("expr")), literal("Summarize the texts."))


def _summarize(given: Given) -> Translated:
    message = Message().say("Summarize this text.\n\n").put(given.need("text"))
    return call("LLM_GENERATE", *message.arguments())


def _translate(given: Given) -> Translated:
    text = given.need("text")
    source, target = given.text("source_language"), given.text("target_language")
    if target is None:
        raise mistake(f"{given.name} needs a target language", given.call, None)
    languages = f"from {source} to {target}" if source else f"to {target}"
    task = f"Translate this text {languages}. Answer with the translation only.\n\n"
    message = Message().say(task).put(text)
    return call("LLM_GENERATE", *message.arguments())


def _sentiment(given: Given) -> Translated:
    text = given.need("text")
    hint = "take :categories[0]:sentiment, or ask for each aspect with LLM_CLASSIFY"
    given.refuse(hint, "categories")
    what = literal("What is the overall sentiment?")
    made = call("LLM_CLASSIFY", one_text(text), literal(list(_SENTIMENTS)), what)
    return Parts(lambda path: made if path == "categories[0].sentiment" else None, None, hint)


def _similarity(given: Given) -> Translated:
    options = given.take("config_object")
    config = constant(options, "the options of AI_SIMILARITY") if options is not None else {}
    if not isinstance(config, dict) or config.keys() - {"model"}:
        raise mistake("these options cannot be carried over", options, "what can be: model")
    first, second = one_text(given.need("input1")), one_text(given.need("input2"))
    return call("LLM_SIMILARITY", first, second, model=optional(config.get("model")))


def _embed(given: Given) -> Translated:
    model = given.text("model")
    return call("LLM_EMBED", one_text(given.need("input")), model=optional(model))


_FILES = "files are not available, texts are"
_COMPLETE = function(
    "model prompt model_parameters response_format show_details return_error_details", _complete
)
_OLD = function("model prompt options", _old_complete)
_CLASSIFY = function("input categories config", _classify)
_SUMMARIZE = function("text", _summarize)
_TRANSLATE = function("text source_language target_language", _translate)
_EMBED = function("model input", _embed)

FUNCTIONS: Functions = {
    "AI_COMPLETE": _COMPLETE,
    "SNOWFLAKE.CORTEX.COMPLETE": _OLD,
    "SNOWFLAKE.CORTEX.TRY_COMPLETE": _OLD,
    "AI_FILTER": function("predicate file", _filter),
    "AI_CLASSIFY": _CLASSIFY,
    "AI_EXTRACT": function("text responseFormat", _extract),
    "AI_AGG": function("expr task_description", _agg),
    "AI_SUMMARIZE_AGG": function("expr", _summarize_agg),
    "AI_SUMMARIZE": _SUMMARIZE,
    "SNOWFLAKE.CORTEX.SUMMARIZE": _SUMMARIZE,
    "AI_TRANSLATE": _TRANSLATE,
    "SNOWFLAKE.CORTEX.TRANSLATE": _TRANSLATE,
    "AI_SENTIMENT": function("text categories", _sentiment),
    "AI_SIMILARITY": function("input1 input2 config_object", _similarity),
    "AI_EMBED": _EMBED,
    "SNOWFLAKE.CORTEX.EMBED_TEXT_768": _EMBED,
    "SNOWFLAKE.CORTEX.EMBED_TEXT_1024": _EMBED,
    "SNOWFLAKE.CORTEX.CLASSIFY_TEXT": "use AI_CLASSIFY",
    "SNOWFLAKE.CORTEX.EXTRACT_ANSWER": "use AI_EXTRACT(text, {'answer': 'question'})",
    "SNOWFLAKE.CORTEX.SENTIMENT": "use LLM_SCORE('How positive is this, from -1 to 1? {text}')",
    "AI_COUNT_TOKENS": "LATERAL LLM_GENERATE(..) AS g has g.llm.prompt_tokens",
    "AI_TRANSCRIBE": _FILES,
    "AI_PARSE_DOCUMENT": _FILES,
    "AI_REDACT": "use LLM_GENERATE with a prompt of your own",
    "PROMPT": "PROMPT(..) stands in a call of an AI function",
}
