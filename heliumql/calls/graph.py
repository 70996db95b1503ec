"""The call graph of a statement: which calls are needed, which may run, which are answered.

Calls enter on demand of rows (never because they were named), become ready the moment the answers
inside their messages are there, and are run once however many rows ask: under their identity, and
again under the identity of their final text, since two calls that waited for different answers may
end up saying the same.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from heliumql.calls.answers import Answer
from heliumql.calls.identity import Namer
from heliumql.calls.minted import Messages, MintedCalls
from heliumql.calls.references import INFO_PATH, Reference, References, field_text

Lookup = Callable[[Iterable[bytes]], Mapping[bytes, Answer]]


@dataclass(frozen=True, slots=True)
class ReadyCall:
    """A call whose messages hold no reference any more; `identity` names its final text."""

    identity: bytes
    messages: Messages


@dataclass
class Counts:
    """How many (row, call) pairs were asked for and where their answers came from."""

    asked: int = 0
    shared: int = 0
    cached: int = 0


@dataclass
class _Waiting:
    """A call that waits for others."""

    missing: set[bytes]


@dataclass
class CallGraph:
    """The calls of one statement. Not safe for threads: one thread drives a statement."""

    references: References
    namers: Mapping[int, Namer]
    lookup: Lookup
    unfetched: frozenset[int] = frozenset()  # sites whose calls may not come from the store
    minted: MintedCalls = field(default_factory=MintedCalls)
    counts: Counts = field(default_factory=Counts)

    def __post_init__(self) -> None:
        self.known: dict[bytes, Answer] = {}
        self.void: set[bytes] = set()  # a call they refer to has no text: to be named anew
        self.cached: set[bytes] = set()
        self.demanded: set[bytes] = set()  # and not answered yet
        self._ready: deque[tuple[bytes, Messages | None]] = deque()
        self._waiting: dict[bytes, _Waiting] = {}
        self._dependents: dict[bytes, list[bytes]] = {}
        self._running: dict[bytes, list[bytes]] = {}  # final identity -> those that wait for it

    # naming -------------------------------------------------------------------------------

    def text(self, identity: bytes, path: str = "") -> str | None:
        """What the call is to DuckDB in this pass: its answer, else a reference to it."""
        answer = self.known.get(identity)
        if answer is None:
            return self.references.text(identity, path)
        return self._part(identity, answer, path)

    # demand -------------------------------------------------------------------------------

    def demand(self, identities: Iterable[bytes], *, again: bool = False) -> None:
        """Rows need these calls; each mention counts as one pair of row and call.

        `again`: the rows have asked before, so only calls that are new to them count.
        """
        fresh: list[bytes] = []
        for identity in identities:
            if identity not in self.demanded and identity not in self.known:
                self.counts.asked += 1
                self.demanded.add(identity)
                fresh.append(identity)
            elif not again:
                self.counts.asked += 1
                self._again(identity)
        while fresh:
            found = self.lookup(self._fetchable(fresh))
            below: list[bytes] = []
            for identity in fresh:
                answer = found.get(identity)
                if answer is not None:
                    self.counts.cached += 1
                    self.cached.add(identity)
                    self._settle(identity, answer)
                else:
                    below += self._open(identity)
            fresh = below

    def _fetchable(self, identities: list[bytes]) -> list[bytes]:
        if not self.unfetched:
            return identities
        return [i for i in identities if self.minted.messages(i).site not in self.unfetched]

    def _again(self, identity: bytes) -> None:
        if identity in self.cached:
            self.counts.cached += 1
        else:
            self.counts.shared += 1

    def _open(self, identity: bytes) -> list[bytes]:
        """Waits for the calls inside its messages, or is ready; those that are new are returned."""
        if not any(identity in namer.linked for namer in self.namers.values()):
            self._ready.append((identity, None))
            return []
        messages = self.minted.messages(identity)
        inside = self._inside(messages)
        fresh = []
        for dependency in inside:
            self.counts.asked += 1
            if dependency in self.demanded or dependency in self.known:
                self._again(dependency)
            else:
                self.demanded.add(dependency)
                fresh.append(dependency)
        if any(self._without_text(d) for d in inside):
            self._settle_void(identity)
            return fresh
        missing = {d for d in inside if d not in self.known}
        if missing:
            self._waiting[identity] = _Waiting(missing)
            for dependency in missing:
                self._dependents.setdefault(dependency, []).append(identity)
        else:
            self._ready.append((identity, messages if inside else None))
        return fresh

    def _inside(self, messages: Messages) -> list[bytes]:
        references, found = self.references, list[bytes]()
        texts = [messages.prompt, messages.system]
        texts += [m["content"] for m in messages.history or ()]
        for text in texts:
            if text is not None and references.nonce in text:
                found += references.identities(text)
        return list(dict.fromkeys(found))

    # running ------------------------------------------------------------------------------

    @property
    def open_calls(self) -> int:
        """Demanded calls that have no answer yet."""
        return len(self._ready) + len(self._waiting) + len(self._running)

    def take(self, count: int) -> list[ReadyCall]:
        """Up to `count` ready calls, in the order in which rows asked for them."""
        taken: list[ReadyCall] = []
        while self._ready and len(taken) < count:
            identity, messages = self._ready.popleft()
            if messages is None:
                call: ReadyCall | None = ReadyCall(identity, self.minted.messages(identity))
            else:
                call = self._named_by_text(identity, messages)
            if call is None:
                continue
            if call.identity in self._running:  # the same text is on its way
                self._running[call.identity].append(identity)
                self.counts.shared += 1
                continue
            self._running[call.identity] = [identity]
            taken.append(call)
        return taken

    def _named_by_text(self, identity: bytes, messages: Messages) -> ReadyCall | None:
        """The call under the name of its final text; None where that settles it already."""
        final = self._final(messages)
        if final is None:
            self._settle_void(identity)
            return None
        name = self.namers[final.site].name(final.prompt, final.system, final.history)
        answer = self.known.get(name)
        if answer is not None:
            self.counts.shared += 1
            self._settle(identity, answer)
            return None
        answer = None
        if final.site not in self.unfetched:
            answer = self.lookup([name]).get(name)
        if answer is not None:
            self.counts.cached += 1
            self.cached.add(identity)
            self._settle(identity, answer)
            return None
        return ReadyCall(name, final)

    def returned(self, calls: Iterable[ReadyCall]) -> None:
        """Calls that were taken and could not be submitted; they are ready again."""
        for call in calls:
            for identity in self._running.pop(call.identity, []):
                self._ready.appendleft((identity, call.messages))

    def answered(self, identity: bytes, answer: Answer) -> list[bytes]:
        """The answer of a running call; the identities that it settles."""
        settled = self._running.pop(identity, [])
        for name in {identity, *settled}:
            self._settle(name, answer)
        return settled

    def _final(self, messages: Messages) -> Messages | None:
        """The messages with answers in the place of references; None where one has no text."""
        missing = False

        def value(reference: Reference) -> str:
            nonlocal missing
            text = self.value(reference)
            missing = missing or text is None
            return text or ""

        def filled(text: str) -> str:
            if self.references.nonce not in text:
                return text
            return self.references.substituted(text, value)

        history = messages.history
        result = Messages(
            messages.site,
            filled(messages.prompt),
            None if messages.system is None else filled(messages.system),
            None
            if history is None
            else [{"role": m["role"], "content": filled(m["content"] or "")} for m in history],
        )
        return None if missing else result

    # answers ------------------------------------------------------------------------------

    def settled(self, identity: bytes) -> bool:
        return identity in self.known or identity in self.void

    def value(self, reference: Reference) -> str | None:
        """The text that a reference to an answered call stands for; None is NULL."""
        return self._part(reference.identity, self.known[reference.identity], reference.path)

    def _part(self, identity: bytes, answer: Answer, path: str) -> str | None:
        if path.startswith(INFO_PATH):
            info = answer.info("cache" if identity in self.cached else "engine")
            return field_text(info, path.removeprefix(INFO_PATH))
        return field_text(answer.text, path)

    def _without_text(self, identity: bytes) -> bool:
        if identity in self.void:
            return True
        answer = self.known.get(identity)
        return answer is not None and answer.text is None

    def _settle(self, identity: bytes, answer: Answer) -> None:
        self.known[identity] = answer
        self.demanded.discard(identity)
        self.minted.forget(identity)
        self._release(identity)

    def _settle_void(self, identity: bytes) -> None:
        self._make_void(identity)
        self._release(identity)

    def _make_void(self, identity: bytes) -> None:
        self.void.add(identity)
        self.counts.asked -= 1  # it will be asked for under another name, or not at all

    def _release(self, identity: bytes) -> None:
        """Lets those that waited for the call go on."""
        stack = [identity]
        while stack:
            done = stack.pop()
            for dependent in self._dependents.pop(done, ()):
                waiting = self._waiting.get(dependent)
                if waiting is None:
                    continue
                if self._without_text(done):
                    del self._waiting[dependent]
                    self._make_void(dependent)
                    stack.append(dependent)
                    continue
                waiting.missing.discard(done)
                if not waiting.missing:
                    del self._waiting[dependent]
                    self._ready.append((dependent, self.minted.messages(dependent)))
