"""A chat completions server as a model's options describe it, and what to say when it fails."""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from yarl import URL

from heliumql.cost.event_model import Constants
from heliumql.engines.options import (
    OPENAI_KEYS,
    check_keys,
    read_flag,
    read_integer,
    read_number,
    read_template_arguments,
    read_text,
    read_texts,
)
from heliumql.engines.server_counts import Cache
from heliumql.errors import CatalogError, EngineError

_HOSTED = "https://api.openai.com/v1"
_CONCURRENCY = 64
_CEILING = 256
_ANSWER_SECONDS = 0.02  # on its way to us, and what it makes ready on the way there


class Unreachable(EngineError):
    """A server cannot be connected to; others may do."""


@dataclass(frozen=True)
class Server:
    """Where the calls go and how, read from the options of a model."""

    url: URL
    model: str
    key_name: str | None  # the environment variable that holds the key
    concurrency: int
    ceiling: int
    timeout: float
    requests_per_minute: float  # 0: no limit
    tokens_per_minute: float
    template_arguments: Mapping[str, object]  # for the chat template, beside the messages
    first_backoff: float
    kv_cache_tokens: int | None  # that its KV cache holds, if the options say so
    context: int | None  # tokens of prompt and answer, as the options say
    max_num_seqs: int | None  # calls that it computes at once, if the options say so
    priorities: bool  # it is told which call goes first

    @property
    def hosted(self) -> bool:
        """It is OpenAI's own, which refuses requests with parts that it does not know."""
        return self.url == URL(_HOSTED)

    @property
    def metrics(self) -> URL:
        """Where vLLM tells what it counts: beside the API, not below it."""
        return self.url.parent / "metrics"

    @property
    def completions(self) -> URL:
        return self.url / "chat/completions"

    @property
    def embeddings(self) -> URL:
        return self.url / "embeddings"

    def constants(self, concurrency: int, cache: Cache | None = None) -> Constants:
        """Its limits for a scheduler, with so many requests in flight, and what it says itself."""
        computed = min(concurrency, self.max_num_seqs or concurrency)
        told = cache or Cache(Constants.kv_cache_tokens, Constants.block_size)
        return Constants(
            block_size=told.block,
            kv_cache_tokens=max(told.block, self.kv_cache_tokens or told.tokens),
            max_num_seqs=computed,
            max_num_batched_tokens=max(Constants.max_num_batched_tokens, computed),
            # A request that is here when another is answered goes at once.
            max_waiting=concurrency - computed + max(1, concurrency // 4),
            answer_seconds=_ANSWER_SECONDS,
        )

    def key(self) -> str | None:
        """The key itself. Raises EngineError where the variable is not set."""
        if self.key_name is None:
            return None
        key = os.environ.get(self.key_name, "").strip()
        if not key:
            raise EngineError(
                f"the environment variable {self.key_name} is not set; it should hold"
                f" the API key for {self.url}",
                hint="set it, or name another variable with api_key_env",
            )
        return key

    def check_model(self, listing: bytes) -> None:
        """Raise EngineError where the server lists its models and this one is not among them."""
        names = [entry["id"] for entry in _models(listing)]
        if names and self.model not in names and f"{self.model}:latest" not in names:
            shown = ", ".join(names[:20]) + (", .." if len(names) > 20 else "")
            raise EngineError(
                f"the server at {self.url} has no model {self.model!r}", hint=f"it has {shown}"
            )

    def is_vllm(self, listing: bytes) -> bool:
        """Its list of models says that vLLM owns them."""
        return any(entry.get("owned_by") == "vllm" for entry in _models(listing))

    def listed_context(self, listing: bytes) -> int | None:
        """The context of the model, as vLLM says it in its list of models; None elsewhere."""
        for entry in _models(listing):
            length = entry.get("max_model_len")
            if entry["id"] == self.model and isinstance(length, int) and length > 0:
                return length
        return None

    def unreachable(self, error: Exception) -> Unreachable:
        """The error of a server that cannot be connected to."""
        reason = getattr(error, "os_error", None) or error
        reason = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
        hint = "is it running, and is base_url right?"
        if "CERTIFICATE_VERIFY_FAILED" in str(reason):
            hint = "the environment variable SSL_CERT_FILE may name a file of your own authorities"
        return Unreachable(f"the server at {self.url} is unreachable: {reason}", hint=hint)

    def too_busy(self, message: str) -> EngineError:
        """The error of a server that has answered nothing but 429 for its timeout."""
        return EngineError(
            f"the server at {self.url} was too busy for {self.timeout:g} seconds (429): {message}",
            hint="run the statement again later; what was answered is kept",
        )

    def refused(
        self, status: int, message: str, location: str | None = None, url: URL | None = None
    ) -> EngineError:
        """The error of a status, of a request to the URL, that no call can overcome."""
        message = f" ({message})" if message else ""
        if status in (401, 403):
            hint = (
                f"look at the key in the environment variable {self.key_name}"
                if self.key_name
                else "name the environment variable that holds the key with api_key_env"
            )
            return EngineError(
                f"the server at {self.url} refused the credentials: {status}{message}", hint=hint
            )
        if status == 404:
            return EngineError(
                f"the server at {self.url} does not know the model {self.model!r}"
                f" or the path {(url or self.url).path}: 404{message}",
                hint="base_url usually ends in /v1",
            )
        if status == 429:
            return EngineError(f"the account at {self.url} has no quota left{message}")
        return EngineError(
            f"the server at {self.url} redirects to {location}", hint="use that as base_url"
        )


def read_servers(options: Mapping[str, object], first_backoff: float) -> list[Server]:
    """One for each address in base_url; what else the options say holds for each.

    Raises CatalogError where they do not describe servers.
    """
    check_keys("openai", options, OPENAI_KEYS)
    if options.get("workers") is not None:
        raise CatalogError(
            "workers of engine 'openai' are its servers",
            hint="name several: base_url = ['http://one:8000/v1', 'http://two:8000/v1']",
        )
    model = read_text(options, "model")
    if model is None:
        raise CatalogError(
            "engine 'openai' needs the option 'model'", hint="the name that the server knows"
        )
    urls = [_address(base) for base in read_texts(options, "base_url", (_HOSTED,))]
    for number, url in enumerate(urls):
        if url in urls[:number]:
            raise CatalogError(f"base_url names {url} twice", hint="a server is one worker")
    # A number that the user gave is a promise to somebody's server: never more than that.
    computed = options.get("max_num_seqs") is not None
    max_num_seqs = read_integer(options, "max_num_seqs", 1) if computed else None
    given = options.get("concurrency") is not None or computed
    # Answers of one length end together, and what is sent then comes too late for the next step.
    usual = _CONCURRENCY if max_num_seqs is None else 2 * max_num_seqs
    concurrency = read_integer(options, "concurrency", usual)
    block = Constants.block_size
    given_context = options.get("max_model_len") is not None
    return [
        Server(
            url=url,
            model=model,
            key_name=read_text(
                options, "api_key_env", "OPENAI_API_KEY" if url == URL(_HOSTED) else None
            ),
            concurrency=concurrency,
            ceiling=concurrency if given else _CEILING,
            timeout=read_number(options, "timeout", 600.0, 0.001),
            requests_per_minute=read_number(options, "requests_per_minute", 0.0),
            tokens_per_minute=read_number(options, "tokens_per_minute", 0.0),
            template_arguments=read_template_arguments(options),
            first_backoff=first_backoff,
            kv_cache_tokens=read_integer(options, "kv_cache_tokens", 0, block) or None,
            context=read_integer(options, "max_model_len", 0) if given_context else None,
            max_num_seqs=max_num_seqs,
            priorities=read_flag(options, "priorities", False),
        )
        for url in urls
    ]


def _address(base: str) -> URL:
    """An address in base_url, checked."""
    try:
        url = URL(base)
    except ValueError as error:
        raise CatalogError(f"base_url {base!r} is not a URL: {error}") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise CatalogError(
            f"base_url {base!r} is not an HTTP address", hint="for example http://localhost:8000/v1"
        )
    if url.user or url.password:
        raise CatalogError("base_url holds credentials", hint="use api_key_env")
    return URL(base.rstrip("/"))


def proxy_for(url: URL) -> str | None:
    """The proxy that the environment names for the address, if any; asked once, not per call."""
    assert url.host is not None
    if url.host in ("localhost", "127.0.0.1", "::1") or urllib.request.proxy_bypass(url.host):
        return None
    return urllib.request.getproxies().get(url.scheme)


def _models(body: bytes) -> list[dict[str, Any]]:
    """The models in a list of them, each with its id; empty where the server sent another thing."""
    try:
        entries = json.loads(body)["data"]
        return [entry for entry in entries if isinstance(entry["id"], str)]
    except (ValueError, KeyError, TypeError):
        return []
