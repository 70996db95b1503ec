"""The AI functions of Databricks SQL. `ai_query` fails the statement where a call fails."""

from __future__ import annotations

from sqlglot import exp

from heliumql.dialects.answers import Functions, Parts, Translated, Translator, function
from heliumql.dialects.calls import (
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
from heliumql.dialects.schemas import of_type_text

_PARAMETERS = {
    "temperature": "temperature",
    "top_p": "top_p",
    "max_tokens": "max_tokens",
    "seed": "seed",
    "stop": "stop",
}
_VALUE = ("result", "response")
_SENTIMENTS = ["positive", "negative", "neutral", "mixed"]


def _query(given: Given) -> Translated:
    model = given.text("endpoint")
    message = prompt(given.need("request"))
    given.refuse("files are not available, texts are", "files")
    fails = given.flag("failOnError")
    options: dict[str, exp.Expr] = {}
    node = given.take("modelParameters")
    if node is not None:
        what = "modelParameters of ai_query"
        options = sampling(constant(node, what), "ai_query", node, _PARAMETERS)
    returns, as_text = _returns(given)
    made: exp.Expr = call(
        "LLM_GENERATE",
        *message,
        model=optional(model),
        **options,
        returns=optional(returns),
        on_error=literal("fail") if fails is not False else None,
    )
    if as_text:
        made = exp.cast(json(made), exp.DType.TEXT)
    if fails is not False:
        return made
    hint = "take .result; LATERAL LLM_GENERATE(..) AS g has g.llm.error"
    return Parts(lambda path: made if path in _VALUE else None, None, hint)


def _returns(given: Given) -> tuple[str | None, bool]:
    """The type of the answer, and whether the value is a text of JSON."""
    node = given.take("returnType")
    if node is not None:
        text = constant(node, "returnType")
        return of_type_text(str(text), "databricks", node), False
    node = given.take("responseFormat")
    if node is None:
        return None, False
    text = constant(node, "responseFormat")
    if not isinstance(text, str) or text.lstrip().startswith("{"):
        hint = "give a type: 'STRUCT<answer: STRUCT<name: STRING>>'"
        raise mistake("a JSON schema of ai_query cannot be carried over", node, hint)
    found = exp.DataType.build(text, dialect="databricks")
    if len(found.expressions) != 1 or not isinstance(found.expressions[0], exp.ColumnDef):
        hint = "it has one field, which holds the answer's type"
        raise mistake("this responseFormat cannot be carried over", node, hint)
    inner = found.expressions[0].args["kind"]
    return of_type_text(inner.sql("databricks"), "databricks", node), True


def _gen(given: Given) -> Translated:
    return call("LLM_GENERATE", *prompt(given.need("prompt")))


def _classify(given: Given) -> Translated:
    text, node = given.need("content"), given.need("labels")
    labels = constant(node, "the labels of ai_classify")
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        hint = "give ARRAY('a', 'b')"
        raise mistake("these labels cannot be carried over", node, hint)
    return call("LLM_CLASSIFY", one_text(text), literal(labels))


def _extract(given: Given) -> Translated:
    text, node = given.need("content"), given.need("labels")
    labels = constant(node, "the labels of ai_extract")
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        hint = "give ARRAY('a', 'b')"
        raise mistake("these labels cannot be carried over", node, hint)
    made = call("LLM_EXTRACT", one_text(text), literal(labels))

    def part(path: str) -> exp.Expr | None:
        return exp.Dot(this=made, expression=name_of(path)) if path in labels else None

    return Parts(part, made, "take one of its labels")


def _summarize(given: Given) -> Translated:
    text, words = given.need("content"), given.take("max_words")
    most = constant(words, "max_words") if words is not None else 50
    limit = f" in at most {most} words" if most else ""
    message = Message().say(f"Summarize this text{limit}.\n\n").put(text)
    return call("LLM_GENERATE", *message.arguments())


def _translate(given: Given) -> Translated:
    text, language = given.need("content"), given.text("to_lang")
    message = Message().say(
        f"Translate this text to {language}. Answer with the translation only.\n\n"
    )
    return call("LLM_GENERATE", *message.put(text).arguments())


def _told(task: str) -> Translator:
    """A task without options."""

    def translate(given: Given) -> Translated:
        message = Message().say(f"{task}\n\n").put(given.need("content"))
        return call("LLM_GENERATE", *message.arguments())

    return translate


def _sentiment(given: Given) -> Translated:
    what = literal("What is the sentiment?")
    return call("LLM_CLASSIFY", one_text(given.need("content")), literal([*_SENTIMENTS]), what)


def _similarity(given: Given) -> Translated:
    first, second = one_text(given.need("expr1")), one_text(given.need("expr2"))
    return call("LLM_SIMILARITY", first, second)


FUNCTIONS: Functions = {
    "AI_QUERY": function("endpoint request returnType failOnError", _query),
    "AI_GEN": function("prompt", _gen),
    "AI_CLASSIFY": function("content labels", _classify),
    "AI_EXTRACT": function("content labels", _extract),
    "AI_SUMMARIZE": function("content max_words", _summarize),
    "AI_TRANSLATE": function("content to_lang", _translate),
    "AI_FIX_GRAMMAR": function("content", _told("Correct the grammar of this text.")),
    "AI_ANALYZE_SENTIMENT": function("content", _sentiment),
    "AI_SIMILARITY": function("expr1 expr2", _similarity),
    "AI_MASK": "use LLM_GENERATE with a prompt of your own",
    "AI_PARSE_DOCUMENT": "files are not available, texts are",
    "AI_FORECAST": "models that are not language models are not available",
    "VECTOR_SEARCH": "use ORDER BY LLM_SIMILARITY(..) DESC LIMIT k",
}
