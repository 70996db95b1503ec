"""Call sites of a statement bound: to a model, its engine and parameters.

`Session.site` binds each call of a query with `bound_site`.
"""

from __future__ import annotations

from typing import Any

from heliumql.calls.identity import kind_key
from heliumql.catalog import Catalog, Settings
from heliumql.engines.engine import CallSpec, tasks_of
from heliumql.engines.options import read_thinking
from heliumql.errors import CatalogError
from heliumql.physical.site import Site
from heliumql.planning.sampling import sampling_of
from heliumql.shared import Shared
from heliumql.syntax import CallSite

_TEMPLATE_VERSION = 2  # of the way messages are made of a call; part of every identity


def bound_site(call: CallSite, catalog: Catalog, settings: Settings, shared: Shared) -> Site:
    """The call site with its model, engine and parameters.

    Raises CatalogError where there is no such model, or where it does something else.
    """
    name = call.model or settings.default_model or catalog.default_model(call.span)
    try:
        model = catalog.model(name, call.model_span)
    except CatalogError as error:
        if call.model is None:
            error.span, error.hint = call.span, f"llm_default_model is {name!r}; {error.hint}"
        raise
    try:
        engine = shared.engine(model)  # checks the options
    except CatalogError as error:
        raise CatalogError(
            f"the model {model.name} cannot be used: {error.message}",
            span=call.span,
            hint=error.hint or "CREATE OR REPLACE or DROP the model",
        ) from None
    if call.task not in tasks_of(engine):
        raise _cannot(call, model.name)
    options = {k: v for k, v in model.options.items() if v is not None}
    parameters = sampling_of(call, options)
    retries = call.retries if call.retries is not None else int(str(options.get("retries", 2)))
    thinking = call.thinking or read_thinking(options)
    identity = {**model.identity(), "thinking": thinking}
    what: dict[str, Any] = {"template": _TEMPLATE_VERSION, "model": identity}
    if call.task == "embed":
        what["task"] = call.task
        identity["thinking"] = None
    else:
        what["returns"] = call.returns.hql()
        what["sampling"] = [parameters.max_tokens, parameters.temperature, parameters.top_p,
                            parameters.seed, list(parameters.stop)]  # fmt: skip
    on_error: Any = call.on_error or settings.on_error
    cache: Any = call.cache or settings.cache
    if call.returns.distinct:
        what["distinct"] = True
    if call.version > 1:
        what["verb"] = [call.verb, call.version]
    if cache == "off":  # no call that may be fetched or kept is the same
        what["cache"] = "off"
    aggregate = call.verb == "LLM_AGG"
    if aggregate:  # how it is cut up where it is long depends on the context
        what["aggregate"] = options.get("max_model_len")
    kind = kind_key(what)
    return Site(
        call.number,
        call.name,
        model.name,
        engine,
        CallSpec(parameters, call.returns, retries, call.task, thinking),
        kind,
        kind_key({"kind": kind.hex(), "template": call.template or call.name})[:16],
        call.template,
        on_error,
        cache,
        call.span,
        float(str(options.get("price_in", 0.0))),
        float(str(options.get("price_out", 0.0))),
        aggregate=aggregate,
    )


def _cannot(call: CallSite, model: str) -> CatalogError:
    """The error of a call whose model does something else."""
    if call.task == "embed":
        return CatalogError(
            f"the model {model} does not embed",
            span=call.model_span or call.span,
            hint="models of the engines openai and simulated do, and those of vllm that are made"
            " with task = 'embed'",
        )
    return CatalogError(
        f"the model {model} embeds, it does not generate",
        span=call.model_span or call.span,
        hint="name another with model => '..'",
    )
