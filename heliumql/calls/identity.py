"""Identities: a call is named by what it computes (architecture: the idea).

The identity is a 128-bit BLAKE2b hash of everything that can change the answer: the model, the
parameters, the type and the messages. Where a message refers to another call, that call's identity
is hashed, not its text: a Merkle hash, known before any model has run.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from heliumql.calls.references import References
from heliumql.errors import ExecutionError

History = Sequence[Mapping[str, str | None]] | None

_SIZE = 16


def kind_key(parts: Mapping[str, Any]) -> bytes:
    """The name of what a site's calls share: model, parameters, type. Order does not matter."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=True)
    return hashlib.blake2b(text.encode(), digest_size=32).digest()


def without_broken(prompts: list[str | None], histories: Sequence[History]) -> list[str | None]:
    """The prompts, NULL where the history has a message without content: there is no call.

    Raises ExecutionError where a message has no role: nobody knows who says it.
    """
    return [
        None if history and _is_broken(history) else prompt
        for prompt, history in zip(prompts, histories, strict=True)
    ]


def _is_broken(history: Sequence[Mapping[str, str | None] | None]) -> bool:
    for message in history:
        if message is None or message["content"] is None:
            return True
        if message["role"] is None:
            raise ExecutionError(
                "a message of a history has no role",
                hint="history => [{'role': 'user', 'content': ..}, ..], or g.messages of a call",
            )
    return False


@dataclass
class Copies:
    """Names equal calls apart: the second of a pass is another one than the first, and so on.

    The next pass, which has the same calls and maybe more, gives the same names.
    """

    references: References
    _met: Counter[bytes] = field(default_factory=Counter)

    def begin(self) -> None:
        """A pass begins."""
        self._met.clear()

    def named(self, identities: Sequence[bytes | None]) -> list[bytes | None]:
        """The names of a batch of calls that equal ones have in common, told apart."""
        return [None if i is None else self._named(i) for i in identities]

    def _named(self, identity: bytes) -> bytes:
        before = self._met[identity]
        self._met[identity] += 1
        if not before:
            return identity
        other = hashlib.blake2b(identity + before.to_bytes(8), digest_size=_SIZE).digest()
        if identity in self.references.linked:
            self.references.linked.add(other)
        return other


@dataclass
class Namer:
    """Names the calls of one site. Holds hash states of the messages that rows share."""

    kind: bytes
    references: References
    _states: dict[tuple[str | None, str, bool], Any] = field(default_factory=dict)

    def names(
        self,
        prompts: Sequence[str | None],
        systems: Sequence[str | None] | None = None,
        histories: Sequence[History] | None = None,
    ) -> list[bytes | None]:
        """The identities of a batch; None where the prompt is NULL."""
        nameless, nonce = self.references.nameless, self.references.nonce
        if systems is None and histories is None:
            base, linked = self._state(None, "", False), self._state(None, "", True)
            result: list[bytes | None] = []
            for prompt in prompts:
                if prompt is None:
                    result.append(None)
                    continue
                if nonce in prompt:
                    state = linked.copy()
                    state.update(nameless(prompt).encode())
                    self.references.linked.add(state.digest())
                else:
                    state = base.copy()
                    state.update(prompt.encode())
                result.append(state.digest())
            return result
        return [
            None
            if prompt is None
            else self.name(
                prompt,
                None if systems is None else systems[i],
                None if histories is None else histories[i],
            )
            for i, prompt in enumerate(prompts)
        ]

    def name(self, prompt: str, system: str | None, history: History) -> bytes:
        """The identity of one call."""
        nameless, nonce = self.references.nameless, self.references.nonce
        before = ""
        if history:
            pairs = [[m["role"], m["content"]] for m in history]
            before = json.dumps(pairs, ensure_ascii=False)
        linked = nonce in prompt or nonce in before or (system is not None and nonce in system)
        before = nameless(before)
        system = None if system is None else nameless(system)
        state = self._state(system, before, linked).copy()
        state.update(nameless(prompt).encode())
        identity: bytes = state.digest()
        if linked:
            self.references.linked.add(identity)
        return identity

    def _state(self, system: str | None, history: str, linked: bool) -> Any:
        """The hash of what goes before the prompt; calls that refer to others are a kind apart.

        Else text that looks like a reference could be taken for a call that holds one.
        """
        state = self._states.get((system, history, linked))
        if state is None:
            person = b"linked" if linked else b""
            state = hashlib.blake2b(self.kind, digest_size=_SIZE, person=person)
            for part in (None if system is None else system.encode(), history.encode()):
                # Lengths keep (a, bc) and (ab, c) apart; no system differs from an empty one.
                state.update(b"-" if part is None else b"%d:" % len(part) + part)
            if len(self._states) > 1024:
                self._states.clear()
            self._states[(system, history, linked)] = state
        return state
