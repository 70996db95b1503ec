"""How a vLLM worker makes its engine; vllm_worker.py runs it. Nothing of HeliumQL is imported."""

from __future__ import annotations

from typing import Any

_DEFAULT_KV_TOKENS = 32768
_CPU_BLOCK = 32  # vLLM's CPU attention takes multiples of 32; small blocks share more


def load(settings: dict[str, Any], watch: type[object]) -> tuple[Any, Any, bool]:
    """The vLLM engine of this process, its KV cache sized in tokens, and the tokenizer; whether
    typed answers may begin with thoughts.

    `watch` is mixed into the class of its scheduler.
    """
    import psutil
    from vllm.config import ParallelConfig
    from vllm.engine.arg_utils import EngineArgs
    from vllm.platforms import current_platform
    from vllm.usage.usage_lib import UsageContext
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
    config = EngineArgs(**arguments).create_engine_config(UsageContext.ENGINE_CONTEXT)
    chosen = config.scheduler_config.get_scheduler_cls()
    config.scheduler_config.scheduler_cls = type(chosen.__name__, (watch, chosen), {})
    embeds = settings["task"] == "embed"
    tokenizer = _tokenizer(settings["engine_args"], chats=not embeds)
    thinks = not embeds and _constrain_after_thoughts(config, tokenizer)
    engine = LLMEngine.from_vllm_config(config, disable_log_stats=True)
    if embeds and "embed" not in engine.get_supported_tasks():
        raise ValueError("the model gives no embedding of a text")
    return engine, tokenizer, thinks


def _tokenizer(arguments: dict[str, Any], *, chats: bool) -> Any:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(
        arguments["model"], revision=arguments.get("revision")
    )
    if chats and not tokenizer.chat_template:
        raise ValueError(
            "the model has no chat template, so it cannot be given messages; "
            "take one that was made for instructions or chat"
        )
    return tokenizer


def _constrain_after_thoughts(config: Any, tokenizer: Any) -> bool:
    """Have vLLM keep an answer to its type from the end of its thoughts on, where the prompt ends
    with the beginning of thoughts. False where the model has no tokens for that."""
    from vllm.reasoning import ReasoningParserManager
    from vllm.reasoning.basic_parsers import BaseThinkingReasoningParser

    opening, closing = "<think>", "</think>"
    if not {opening, closing} <= tokenizer.get_vocab().keys():
        return False

    class Thoughts(BaseThinkingReasoningParser):  # type: ignore[misc]  # vLLM is untyped here
        """vLLM's own look for tags in the whole prompt, of which data may hold any."""

        start_token, end_token = opening, closing

        def is_reasoning_end(self, input_ids: Any) -> bool:
            return self.start_token_id not in input_ids[-2:]  # a line may end after it

    ReasoningParserManager.register_module("heliumql", module=Thoughts)
    config.structured_outputs_config.reasoning_parser = "heliumql"
    return True


def fetch_config(model: str, revision: str | None) -> None:
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
