"""Flock's functions, each as the HQL that is written in its place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from heliumql.dialects.calls import braced
from heliumql.dialects.flock.context import (
    Column,
    Written,
    column,
    context,
    message,
    one_text,
    refers,
)
from heliumql.dialects.flock.fields import call, filled, span_of, struct
from heliumql.dialects.flock.parameters import Options, of_call
from heliumql.dialects.flock.prompts import Prompts
from heliumql.dialects.mistakes import mistake
from heliumql.source import Span
from heliumql.syntax.literals import quoted
from heliumql.syntax.tokens import Token
from heliumql.syntax.tree import Element, Group


@dataclass(frozen=True)
class Called:
    """A call as it stands in the text; `written` makes HQL of an expression in it."""

    name: Token
    group: Group
    source: str
    written: Written
    prompts: Prompts

    @property
    def said(self) -> str:
        return self.name.text.lower()

    @property
    def span(self) -> Span:
        return Span(self.name.start, self.group.end)


Translate: TypeAlias = Callable[[Called], str]


def _asking(verb: str, returns: str | None = None) -> Translate:
    """A function that asks about each row; `returns` is the type where no schema says one."""

    def translate(called: Called) -> str:
        model, prompt, *more = _arguments(called, called.group.items, 2, 3)
        options = _options(called, model, returns)
        if verb == "LLM_FILTER" and options.returns is not None:
            raise mistake("the answer of llm_filter is true or false", span_of(model), None)
        text, columns = _question(called, prompt)
        if more:
            columns += _inputs(called, more[0], columns)
        return _with_type(verb, message(text, columns), options)

    return translate


def _reducing(returns: str | None = None) -> Translate:
    """A function that asks about all rows of a group; sort keys may stand behind the prompt."""

    def translate(called: Called) -> str:
        items = called.group.items
        end = next((i for i in range(len(items)) if _is_order(items[i : i + 2])), len(items))
        model, prompt = _arguments(called, items[:end], 2, 2)
        options = _options(called, model, returns)
        text, columns = _question(called, prompt)
        if not columns:
            hint = "'context_columns': [{'data': column}]"
            raise mistake(f"{called.said} needs context_columns", span_of(prompt), hint)
        with_names = len(columns) > 1 or refers(text, columns)
        joined = one_text(columns, "\n", with_names=with_names)
        order = f" {called.written(items[end:])}" if end < len(items) else ""
        return _with_type("LLM_AGG", [joined, quoted(braced(text))], options, order)

    return translate


def _is_order(items: Sequence[Element]) -> bool:
    return [item.word for item in items if isinstance(item, Token)] == ["ORDER", "BY"]


def _embedding(called: Called) -> str:
    model, given = _arguments(called, called.group.items, 2, 2)
    fields = struct(f"the model of {called.said}", model, called.source)
    fields.refuse("a model that embeds takes none", "model_parameters")
    options = of_call(fields)
    asked = struct(called.said, given, called.source)
    columns = context(asked, called.written)
    asked.finished()
    if not columns:
        hint = "{'context_columns': [{'data': column}]}"
        raise mistake(f"{called.said} needs context_columns", span_of(given), hint)
    return call("LLM_EMBED", [one_text(columns, " ", with_names=False)], options.named)


def _with_type(verb: str, arguments: Sequence[str], options: Options, order: str = "") -> str:
    made = call(verb, arguments, {**options.named, "returns": options.returns}, order)
    return made if options.returns in (None, "JSON") else f"CAST({made} AS JSON)"


def _options(called: Called, model: Sequence[Element], returns: str | None) -> Options:
    options = of_call(struct(f"the model of {called.said}", model, called.source))
    return replace(options, returns=options.returns or returns)


def _question(called: Called, items: Sequence[Element]) -> tuple[str, list[Column]]:
    fields = struct(called.said, items, called.source)
    fields.refuse("answers are true or false; LLM_SCORE('..') >= 0.8 has one", "threshold")
    text = called.prompts.asked(fields)
    columns = context(fields, called.written)
    fields.finished()
    return text, columns


def _inputs(called: Called, items: Sequence[Element], before: Sequence[Column]) -> list[Column]:
    """Columns as they were given before there was context_columns: `{'title': title}`."""
    fields = struct("the third argument", items, called.source)
    fields.refuse("it is in context_columns, too", *(column.name for column in before))
    return [column(field.key, field.items, called.written) for field in fields.rest()]


def _arguments(
    called: Called, items: Sequence[Element], least: int, most: int
) -> list[tuple[Element, ...]]:
    group = Group(called.group.open, tuple(items), called.group.close)
    parts = filled(group)
    if not least <= len(parts) <= most:
        hint = f"{called.said}({{'model_name': 'm'}}, {{'prompt': '..', 'context_columns': [..]}})"
        raise mistake(f"{called.said} takes a model and a prompt", called.span, hint)
    return parts


_FUSION = "write the score in SQL and rank by it: row_number() OVER (ORDER BY a + b DESC)"
_NO_METRICS = "heliumql run --stats text tells what was asked"

FUNCTIONS: Mapping[str, Translate | str] = {
    "LLM_COMPLETE": _asking("LLM_GENERATE"),
    "LLM_COMPLETE_JSON": _asking("LLM_GENERATE", "JSON"),
    "LLM_FILTER": _asking("LLM_FILTER"),
    "LLM_EMBEDDING": _embedding,
    "LLM_REDUCE": _reducing(),
    "LLM_REDUCE_JSON": _reducing("JSON"),
    "LLM_RERANK": "a score for each row ranks: list(title ORDER BY LLM_SCORE('..{title}') DESC)",
    "LLM_FIRST": "a score for each row ranks: arg_max(title, LLM_SCORE('..{title}'))",
    "LLM_LAST": "a score for each row ranks: arg_min(title, LLM_SCORE('..{title}'))",
    "AI_CLASSIFY": "LLM_CLASSIFY(text, ['a', 'b']) gives the label",
    "FUSION_RRF": "add 1 / (60 + dense_rank() OVER (ORDER BY score DESC)) of each; rank by that",
    "FUSION_COMBSUM": _FUSION,
    "FUSION_COMBMNZ": _FUSION,
    "FUSION_COMBMED": _FUSION,
    "FUSION_COMBANZ": _FUSION,
    "FLOCK_GET_METRICS": _NO_METRICS,
    "FLOCK_GET_DEBUG_METRICS": _NO_METRICS,
    "FLOCK_RESET_METRICS": _NO_METRICS,
}
"""By names in capitals; a text says what to use, where there is nothing like it."""
