"""The worker process of the embedded vLLM engine; vllm_process.py runs this file as a program.

It holds one synchronous vLLM engine and imports nothing of HeliumQL. Messages, each a pickled
tuple, go over one socket:

    from the parent   ("start", settings)               first of all
                      ("calls", spec, [(call, [(role, content), ..], priority), ..])
                      ("cancel", [call, ..])
    to the parent     ("ready", max_model_len) or ("failed", kind, what), where kind is
                      missing (no such model), load or broken
                      ("answers", [(call, text, error, finish_reason, prompt_tokens,
                                    cached_tokens, output_tokens), ..])

`spec` holds `sampling` (keyword arguments of SamplingParams), `constraint` (of
StructuredOutputsParams, or None). The process ends when the socket or the parent does.
"""

from __future__ import annotations

import os
import queue
import re
import secrets
import shutil
import signal
import sys
import threading
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import Any, NoReturn

Answer = tuple[bytes, str | None, str | None, str, int, int, int]
Messages = list[tuple[str, str]]

_BREAK = f"\ue000{secrets.token_hex(8)}\ue001"
"""Marks a place in a rendered prompt where tokenization starts anew; no data can hold it."""
_LISTENING_SECONDS = 1.0
_DEFAULT_KV_TOKENS = 32768
_CPU_BLOCK = 32  # vLLM's CPU attention takes multiples of 32; small blocks share more


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to judge
    connection = Connection(int(sys.argv[1]))
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    listener = threading.Thread(target=_listen, args=(connection, inbox), daemon=True)
    listener.start()
    _, settings = inbox.get()
    try:
        if settings["fetch"]:
            _fetch_config(settings["engine_args"]["model"], settings["engine_args"].get("revision"))
        engine = _load(settings)
        prompts = Prompts(_tokenizer(settings), settings["thinking"], settings["template_args"])
    except Exception as error:  # whatever a model can fail with is said to the parent
        kind = "missing" if isinstance(error, LookupError) else "load"
        connection.send(("failed", kind, _one_line(error)))
        raise
    connection.send(("ready", engine.model_config.max_model_len))
    try:
        _serve(engine, prompts, connection, inbox)
    except (BrokenPipeError, ConnectionResetError):
        _leave()
    except Exception as error:  # the engine is broken; the parent decides what becomes of its calls
        connection.send(("failed", "broken", _one_line(error)))
        raise


def _listen(connection: Connection, inbox: queue.SimpleQueue[Any]) -> None:
    """Take messages the moment they come, so that the parent never waits for a model step, and
    end the process when the parent is gone."""
    parent = int(sys.argv[2])
    try:
        while True:
            while not connection.poll(_LISTENING_SECONDS):
                if os.getppid() != parent:  # a fork of the parent may hold the socket open
                    raise EOFError
            inbox.put(connection.recv())
    except (EOFError, OSError):
        _leave()


def _leave() -> NoReturn:
    """End now, whatever the other threads are doing, and leave no files."""
    shutil.rmtree(os.environ["TMPDIR"], ignore_errors=True)
    os._exit(0)


def _serve(
    engine: Any, prompts: Prompts, connection: Connection, inbox: queue.SimpleQueue[Any]
) -> None:
    """Add what has come, compute one step, send what has finished; for ever."""
    while True:
        answers: list[Answer] = []
        for message in _waiting(inbox, block=not engine.has_unfinished_requests()):
            match message:
                case ("calls", spec, calls):
                    answers += _add(engine, prompts, spec, calls)
                case ("cancel", calls):
                    engine.abort_request([call.hex() for call in calls])
        if engine.has_unfinished_requests():
            answers += [_answer(output, prompts) for output in engine.step() if output.finished]
        if answers:
            connection.send(("answers", answers))


def _waiting(inbox: queue.SimpleQueue[Any], block: bool) -> Iterator[Any]:
    """All messages that wait now; at least one if `block`."""
    if block:
        yield inbox.get()
    while True:
        try:
            yield inbox.get_nowait()
        except queue.Empty:
            return


def _add(engine: Any, prompts: Prompts, spec: dict[str, Any], calls: list[Any]) -> list[Answer]:
    """Hand calls to vLLM; those that it cannot take are answered at once."""
    from vllm import SamplingParams
    from vllm.sampling_params import RequestOutputKind, StructuredOutputsParams

    constraint = spec["constraint"]
    parameters = SamplingParams(
        **spec["sampling"],
        structured_outputs=StructuredOutputsParams(**constraint) if constraint else None,
        output_kind=RequestOutputKind.FINAL_ONLY,
    )
    refused: list[Answer] = []
    most = engine.model_config.max_model_len
    for call, messages, priority in calls:
        count = 0
        try:
            tokens = prompts.tokens(messages, typed=constraint is not None)
            count = len(tokens)
            if count + parameters.max_tokens > most:
                # vLLM would cut max_tokens down without a word
                raise ValueError(
                    f"prompt of {count} tokens and max_tokens = {parameters.max_tokens} "
                    f"do not fit the context of {most} tokens"
                )
            engine.add_request(
                call.hex(), {"prompt_token_ids": tokens}, parameters, priority=priority
            )
        except Exception as error:  # one call that vLLM or a chat template refuses is a row's error
            refused.append((call, None, _one_line(error), "error", count, 0, 0))
    return refused


def _answer(output: Any, prompts: Prompts) -> Answer:
    completion = output.outputs[0]
    reason = completion.finish_reason
    error = None if reason in ("stop", "length") else f"vLLM ended the call: {reason}"
    return (
        bytes.fromhex(output.request_id),
        prompts.without_thoughts(completion.text) if error is None else None,
        error,
        reason if error is None else "error",
        len(output.prompt_token_ids),
        output.num_cached_tokens or 0,
        len(completion.token_ids),
    )


class Prompts:
    """Messages to token ids, by the chat template of the model."""

    def __init__(self, tokenizer: Any, thinking: bool, template_args: dict[str, Any]) -> None:
        self._tokenizer = tokenizer
        self._thinking = thinking
        self._template_args = template_args
        # single characters cannot be cut apart; no chat format known to us uses one
        special = [t for t in tokenizer.all_special_tokens if len(t) > 1]
        self._special = re.compile(
            f"(?=({'|'.join(map(re.escape, special)) or '(?!)'})).", re.DOTALL
        )

    def tokens(self, messages: Messages, typed: bool) -> list[int]:
        """The prompt. Text in a message that looks like a control token stays text: it is cut in
        two before the tokenizer sees it, so data cannot end a message or take another role."""
        text = self._tokenizer.apply_chat_template(
            [{"role": role, "content": self._broken(content)} for role, content in messages],
            tokenize=False,
            add_generation_prompt=True,
            # a constrained answer starts with its first token, so there is no room for thoughts
            **{"enable_thinking": self._thinking and not typed, **self._template_args},
        )
        tokens: list[int] = []
        for piece in text.split(_BREAK):
            tokens += self._tokenizer(piece, add_special_tokens=False)["input_ids"]
        return tokens

    def _broken(self, content: str) -> str:
        return self._special.sub(lambda m: m.group() + _BREAK, content)

    def without_thoughts(self, text: str) -> str:
        """The answer proper of a model that thinks aloud first."""
        if not self._thinking:
            return text
        if "</think>" in text:
            return text.rpartition("</think>")[2].lstrip()
        return "" if text.lstrip().startswith("<think>") else text


def _tokenizer(settings: dict[str, Any]) -> Any:
    from transformers import AutoTokenizer

    arguments = settings["engine_args"]
    tokenizer = AutoTokenizer.from_pretrained(
        arguments["model"], revision=arguments.get("revision")
    )
    if not tokenizer.chat_template:
        raise ValueError(
            "the model has no chat template, so it cannot be given messages; "
            "take one that was made for instructions or chat"
        )
    return tokenizer


def _load(settings: dict[str, Any]) -> Any:
    """The vLLM engine of this process, its KV cache sized in tokens."""
    import psutil
    from vllm.config import ParallelConfig
    from vllm.engine.arg_utils import EngineArgs
    from vllm.platforms import current_platform
    from vllm.utils.torch_utils import get_dtype_size
    from vllm.v1.engine.llm_engine import LLMEngine

    arguments = {
        "max_model_len": -1,  # as much as the model and the KV cache allow
        "scheduling_policy": "priority",
        "structured_outputs_config": {"backend": "xgrammar", "disable_any_whitespace": True},
        **settings["engine_args"],
    }
    kv_tokens = settings["kv_cache_tokens"]
    on_cpu = current_platform.is_cpu()
    if on_cpu:
        arguments = {
            "dtype": "float32" if settings["small"] else "auto",
            "enforce_eager": True,  # compiling takes 20 s and gains little here
            "block_size": _CPU_BLOCK,
            **arguments,
        }
        kv_tokens = kv_tokens or max(_DEFAULT_KV_TOKENS, arguments["max_model_len"])
    elif kv_tokens is None:
        arguments["gpu_memory_utilization"] = settings["memory_share"]
    if kv_tokens is not None:
        model = EngineArgs(**arguments).create_model_config()
        parallel = ParallelConfig()
        token_bytes = (
            2  # keys and values
            * model.get_num_layers(parallel)
            * model.get_num_kv_heads(parallel)
            * model.get_head_size()
            * get_dtype_size(model.dtype)
        )
        spare = _CPU_BLOCK  # one block of the cache is never used
        kv_bytes = (kv_tokens + spare) * token_bytes
        if settings["kv_cache_tokens"] is None:
            share = psutil.virtual_memory().available // (4 * settings["workers"])
            kv_bytes = min(kv_bytes, share)
        arguments["kv_cache_memory_bytes"] = kv_bytes
    return LLMEngine.from_engine_args(EngineArgs(**arguments))


def _fetch_config(model: str, revision: str | None) -> None:
    """Look the name up on the Hugging Face hub, so that a wrong one is told as such, and soon:
    vLLM asks for file after file, each with retries. Raises LookupError."""
    from huggingface_hub import errors, hf_hub_download

    try:
        hf_hub_download(model, "config.json", revision=revision)
    except errors.GatedRepoError:
        raise LookupError(
            f"model {model} is gated: ask for access on its page, then run `hf auth login`"
        ) from None
    except errors.RepositoryNotFoundError:
        raise LookupError(
            f"the Hugging Face hub has no model {model} (or a private one: run `hf auth login`)"
        ) from None
    except errors.RevisionNotFoundError:
        raise LookupError(f"model {model} has no revision {revision}") from None
    except errors.LocalEntryNotFoundError:
        raise LookupError(
            f"model {model} is not on this machine and the Hugging Face hub cannot be reached"
        ) from None
    except errors.EntryNotFoundError:
        raise LookupError(f"{model} on the Hugging Face hub has no config.json") from None


def _one_line(error: BaseException) -> str:
    text = re.sub(r"\[type=\w+, input_value=.*", "", str(error), flags=re.DOTALL)  # pydantic's
    return " ".join(text.split()) or type(error).__name__


if __name__ == "__main__":
    main()
