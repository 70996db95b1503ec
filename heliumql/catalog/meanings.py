"""What each setting is, in a few words: Tab and SHOW llm_settings say it."""

from __future__ import annotations

from collections.abc import Mapping

SETTING_MEANINGS: Mapping[str, str] = {
    "llm_default_model": "the model of calls that name none",
    "llm_optimizer": "off: every call by itself, nothing shared or kept",
    "llm_disabled_rules": "optimizer rules and techniques not to use, with commas",
    "llm_verify": "evaluate twice and compare",
    "llm_scheduler": "the order of calls",
    "llm_cache": "whether kept answers are used",
    "llm_cache_path": "the file that keeps answers",
    "llm_cache_bytes": "answers beyond this go, the longest unused first",
    "llm_on_error": "what a failed call becomes",
    "llm_max_error_ratio": "share of failed calls that fails a statement",
    "llm_max_calls": "most calls of a statement",
    "llm_max_tokens": "most tokens of a statement, prompt and answer",
    "llm_max_seconds": "longest time of a statement",
    "llm_max_cost": "most money of a statement",
    "llm_on_budget": "what happens where a budget ends",
    "llm_window_bytes": "memory for prompts that wait",
    "llm_batch_rows": "rows of a batch",
}


def shown(value: object) -> str | None:
    """A value as SET takes it; None where there is none."""
    match value:
        case bool():
            return "on" if value else "off"
        case float():
            return f"{value:g}"
        case None:
            return None
        case _:
            return str(value)
