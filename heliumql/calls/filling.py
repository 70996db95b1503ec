"""Answers in messages: which calls they read, and their text once those are answered.

`CallGraph` asks for the first when rows need a call, for the second when it is to be run.
"""

from __future__ import annotations

from collections.abc import Callable

from heliumql.calls.minted import Messages
from heliumql.calls.references import Reference, References


def calls_inside(messages: Messages, references: References) -> list[bytes]:
    """The calls that the messages refer to, each once."""
    found = list[bytes]()
    texts = [messages.prompt, messages.system]
    texts += [m["content"] for m in messages.history or ()]
    for text in texts:
        if text is not None and references.nonce in text:
            found += references.identities(text)
    return list(dict.fromkeys(found))


def filled(
    messages: Messages, references: References, value: Callable[[Reference], str | None]
) -> Messages | None:
    """The messages with answers in the place of references; None where one has no text."""
    missing = False

    def text_of(reference: Reference) -> str:
        nonlocal missing
        text = value(reference)
        missing = missing or text is None
        return text or ""

    def put(text: str) -> str:
        if references.nonce not in text:
            return text
        return references.substituted(text, text_of)

    history = messages.history
    result = Messages(
        messages.site,
        put(messages.prompt),
        None if messages.system is None else put(messages.system),
        None
        if history is None
        else [{"role": m["role"], "content": put(m["content"] or "")} for m in history],
    )
    return None if missing else result
