"""Messages to token ids, by the chat template of the model. vllm_worker.py uses it; nothing of
HeliumQL is imported."""

from __future__ import annotations

import re
import secrets
from typing import Any

_BREAK = f"\ue000{secrets.token_hex(8)}\ue001"
"""Marks a place in a rendered prompt where tokenization starts anew; no data can hold it."""
_OPENING, _CLOSING = "<think>", "</think>"


class Prompts:
    """Renders and tokenizes. `typed_thoughts`: a typed answer may begin with thoughts, else it is
    kept to its type from its first token."""

    def __init__(
        self, tokenizer: Any, template_arguments: dict[str, Any], typed_thoughts: bool
    ) -> None:
        self._tokenizer = tokenizer
        self._template_arguments = template_arguments
        self._typed_thoughts = typed_thoughts
        # single characters cannot be cut apart; no chat format known to us uses one
        special = [t for t in tokenizer.all_special_tokens if len(t) > 1]
        if typed_thoughts:  # the tags are tokens, too
            special += [_OPENING, _CLOSING]
        self._special = re.compile(
            f"(?=({'|'.join(map(re.escape, special)) or '(?!)'})).", re.DOTALL
        )

    def tokens(
        self, messages: list[tuple[str, str]], thinking: str = "auto", *, typed: bool = False
    ) -> tuple[list[int], bool]:
        """The prompt, and whether it ends with the beginning of thoughts.

        Text in a message that looks like a control token stays text: it is cut in two before the
        tokenizer sees it, so data cannot end a message or take another role.
        """
        text = self._tokenizer.apply_chat_template(
            [{"role": role, "content": self._broken(content)} for role, content in messages],
            tokenize=False,
            add_generation_prompt=True,
            **self._arguments(thinking, typed),
        )
        end = text.rstrip()
        thinks = end.endswith(_OPENING)
        if thinks and thinking == "off":  # the template leaves no choice
            text, thinks = f"{end}\n\n{_CLOSING}\n\n", False
        elif typed and not self._typed_thoughts:
            thinks = False
        elif typed and thinking == "on" and not thinks and not end.endswith(_CLOSING):
            text, thinks = f"{text}{_OPENING}\n", True
        tokens: list[int] = []
        for piece in text.split(_BREAK):
            tokens += self._tokenizer(piece, add_special_tokens=False)["input_ids"]
        return tokens, thinks

    def _arguments(self, thinking: str, typed: bool) -> dict[str, Any]:
        """What the template is given beside the messages."""
        if thinking != "auto":
            thinks = thinking == "on" and (self._typed_thoughts or not typed)
            return {**self._template_arguments, "enable_thinking": thinks}
        if typed:  # a model that may choose gives typed answers straight away
            return {"enable_thinking": False, **self._template_arguments}
        return self._template_arguments

    def _broken(self, content: str) -> str:
        return self._special.sub(lambda m: m.group() + _BREAK, content)
