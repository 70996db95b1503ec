"""The call graph: which calls are needed, which may run, which are answered.

Calls enter on demand of rows (never because they were named), become ready the moment the answers
inside their messages are there, and are run once however many rows ask: under their identity, and
again under the identity of their final text, since two calls that waited for different answers may
end up saying the same.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Protocol

from heliumql.calls.account import Account
from heliumql.calls.answers import Answer
from heliumql.calls.filling import calls_inside, filled
from heliumql.calls.identity import Namer
from heliumql.calls.minted import Messages, MintedCalls
from heliumql.calls.references import INFO_PATH, Reference, References, field_text

Lookup = Callable[[Iterable[bytes]], Mapping[bytes, Answer]]


class Deferred(Protocol):
    """Answers by the names that calls have while they wait for others (`AnswerStore`)."""

    def get_deferred(self, identities: Iterable[bytes]) -> Mapping[bytes, Answer]: ...

    def note_deferred(self, finals: Mapping[bytes, bytes]) -> None: ...


@dataclass(frozen=True, slots=True)
class ReadyCall:
    """A call whose messages hold no reference any more; `identity` names its final text."""

    identity: bytes
    messages: Messages


@dataclass
class _Waiting:
    """A call that waits for others."""

    missing: set[bytes]


@dataclass
class CallGraph:
    """The calls of statements evaluated together. Not safe for threads: one at a time drives it."""

    references: References
    namers: Mapping[int, Namer]
    lookup: Lookup
    unfetched: AbstractSet[int] = frozenset()  # sites whose calls may not come from the store
    minted: MintedCalls = field(default_factory=MintedCalls)
    deferred: Deferred | None = None
    anew: AbstractSet[int] = frozenset()  # sites whose calls are asked whatever is stored
    alone: AbstractSet[int] = frozenset()  # sites whose calls are never the same as others

    def __post_init__(self) -> None:
        self.known: dict[bytes, Answer] = {}
        self.void: set[bytes] = set()  # a call they refer to has no text: to be named anew
        self.cached: set[bytes] = set()
        self.demanded: dict[bytes, tuple[Account, ...]] = {}
        """Who asks for the calls that are not answered yet; the first one pays."""
        self.asked_anew: set[bytes] = set()  # also where an equal call says nothing of it
        self.early: dict[bytes, Account] = {}  # run for this account, and not demanded by rows yet
        self._offered: dict[bytes, Account] = {}  # may be run when nothing else is to be run
        self._ready: dict[bytes, Messages | None] = {}
        self.opened: list[bytes] = []  # calls that wait to be run, as they came; the scheduler's
        self.readied: list[bytes] = []  # of these, those whose inputs have come; the scheduler's
        self.over: list[bytes] = []  # of these, those that are answered or not needed any more
        self._waiting: dict[bytes, _Waiting] = {}
        self._dependents: dict[bytes, list[bytes]] = {}
        self._running: dict[bytes, list[bytes]] = {}  # final identity -> those that wait for it
        self._wholes: dict[bytes, bytes] = {}  # call that became a tree -> the call that answers it
        self._trees: set[bytes] = set()  # calls that answer others
        self.grown: list[bytes] = []  # of these, those that are settled

    # naming -------------------------------------------------------------------------------

    def text(self, identity: bytes, path: str = "") -> str | None:
        """What the call is to DuckDB in this pass: its answer, else a reference to it."""
        answer = self.known.get(identity)
        if answer is None or identity in self.early:  # a reference tells which rows need it
            return self.references.text(identity, path)
        return self._part(identity, answer, path)

    def forget(self, identity: bytes) -> None:
        """A call that nobody asks for yet is to be named again before it is asked for."""
        if identity not in self.demanded and identity not in self.references.linked:
            self.minted.forget(identity)

    # demand -------------------------------------------------------------------------------

    def demand(self, identities: Iterable[bytes], account: Account, *, again: bool = False) -> None:
        """Rows need these calls; each mention counts as one pair of row and call.

        `again`: the rows have asked before, so only calls that are new to them count.
        """
        fresh: list[bytes] = []
        for identity in identities:
            askers = self.demanded.get(identity)
            if askers is None and identity not in self.known:
                account.asked += 1
                self.demanded[identity] = account.alone
                fresh.append(identity)
            elif self.early.get(identity) is account:
                account.asked += 1
                del self.early[identity]
            elif askers is not None and account not in askers:
                self._join(identity, account)
            elif not again:
                account.asked += 1
                self._again(identity, account)
        while fresh:
            found = self._stored(fresh)
            below: list[bytes] = []
            for identity in fresh:
                answer = found.get(identity)
                if answer is not None:
                    account.cached += 1
                    self.cached.add(identity)
                    self._settle(identity, answer)
                else:
                    below += self._open(identity, account)
            fresh = below

    def _stored(self, identities: list[bytes]) -> Mapping[bytes, Answer]:
        """Those that were answered before; also calls that read others, which are not looked at."""
        linked = self.references.linked
        found = dict(self.lookup(self._fetchable([i for i in identities if i not in linked])))
        if self.deferred is not None and not self.anew:
            found |= self.deferred.get_deferred(i for i in identities if i in linked)
        return found

    def stored_of(self, identities: Sequence[bytes]) -> list[bytes]:
        """Those of the calls, again as often, that were answered before."""
        found = self._stored([i for i in dict.fromkeys(identities) if i not in self.known])
        return [i for i in identities if i in found]

    def _same(self, identities: Iterable[bytes], final: bytes) -> None:
        """The calls of these names came to what is stored under the name of their final text."""
        others = {i: final for i in identities if i != final}
        # Where calls are asked anew, others that read them are to be found by their texts alone.
        if others and self.deferred is not None and not self.anew:
            self.deferred.note_deferred(others)

    def _fetchable(self, identities: list[bytes]) -> list[bytes]:
        if not self.unfetched:
            return identities
        anew = self.asked_anew
        return [
            i for i in identities if i not in anew and self.minted.site(i) not in self.unfetched
        ]

    def _again(self, identity: bytes, account: Account) -> None:
        if identity in self.cached:
            account.cached += 1
        else:
            account.shared += 1

    def _join(self, identity: bytes, account: Account) -> None:
        """Another statement needs an open call, and so the calls that this one waits for."""
        stack = [identity]
        while stack:
            needed = stack.pop()
            askers = self.demanded[needed]
            if account in askers:
                continue
            self.demanded[needed] = (*askers, account)
            account.asked += 1
            account.shared += 1
            if needed in self._waiting:
                stack += self._waiting[needed].missing
            whole = self._wholes.get(needed)
            if whole in self.demanded:
                stack.append(whole)

    def _open(self, identity: bytes, account: Account) -> list[bytes]:
        """Waits for the calls inside its messages, or is ready; those that are new are returned."""
        if identity not in self.references.linked:
            self.opened.append(identity)
            self._make_ready(identity, None)
            return []
        self.opened.append(identity)
        messages = self.minted.messages(identity)
        inside = calls_inside(messages, self.references)
        fresh = []
        for dependency in inside:
            askers = self.demanded.get(dependency)
            if self.early.get(dependency) is account:
                account.asked += 1
                del self.early[dependency]
                continue
            if askers is not None and account not in askers:
                self._join(dependency, account)
                continue
            account.asked += 1
            if askers is not None or dependency in self.known:
                self._again(dependency, account)
            else:
                self.demanded[dependency] = account.alone
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
            self._make_ready(identity, messages if inside else None)
        return fresh

    def _make_ready(self, identity: bytes, messages: Messages | None) -> None:
        """The inputs of the call are there; `messages` where they hold references."""
        self._ready[identity] = messages
        self.readied.append(identity)

    # running ------------------------------------------------------------------------------

    @property
    def open_calls(self) -> int:
        """Demanded calls that have no answer yet."""
        return len(self._ready) + len(self._waiting) + len(self._running)

    def is_ready(self, identity: bytes) -> bool:
        return identity in self._ready

    def ready_calls(self, most: int | None = None) -> list[bytes]:
        """The calls that may run now, in the order in which they became ready."""
        return list(itertools.islice(self._ready, most))

    @property
    def startable(self) -> int:
        """Calls that may run now, those included that nobody has to have."""
        return len(self._ready) + len(self._offered)

    def waits_for(self, identity: bytes) -> AbstractSet[bytes]:
        """The calls whose answers the call waits for."""
        waiting = self._waiting.get(identity)
        return waiting.missing if waiting is not None else frozenset()

    def is_open(self, identity: bytes) -> bool:
        """The call is to be run, and is not on its way yet."""
        return identity in self._ready or identity in self._waiting

    def take(self, identity: bytes) -> ReadyCall | None:
        """A ready call, to be run now; None where there is nothing to run.

        Its text may be that of a call that is answered or on its way.
        """
        messages = self._ready.pop(identity)
        if identity not in self.demanded:  # answered meanwhile, as the text of another
            return None
        if messages is None:
            call: ReadyCall | None = ReadyCall(identity, self.minted.messages(identity))
        else:
            call = self._named_by_text(identity, messages)
        if call is None:
            return None
        if call.identity in self._running:  # the same text is on its way
            leader = self._running[call.identity][0]
            self._running[call.identity].append(identity)
            self.demanded[identity][0].shared += 1
            if leader in self._wholes:
                self._answered_by(identity, self._wholes[leader])
            return None
        self._running[call.identity] = [identity]
        return call

    def take_offered(self, sites: AbstractSet[int]) -> ReadyCall | None:
        """A call of these sites that rows may turn out to need, to be run now."""
        for identity in reversed(list(self._offered)):
            if not self._is_free(identity):
                del self._offered[identity]
            elif self.minted.site(identity) in sites:
                account = self._offered.pop(identity)
                self.demanded[identity] = account.alone
                self.early[identity] = account
                self._running[identity] = [identity]
                return ReadyCall(identity, self.minted.messages(identity))
        return None

    def offer(self, identities: Iterable[bytes], account: Account) -> None:
        """Calls that rows may turn out to need: run when there is nothing else to run.

        Those that need another call first are left until they are certain.
        """
        self._offered = {i: a for i, a in self._offered.items() if a is not account} | {
            identity: account
            for identity in reversed(list(identities))  # the first of them is taken first
            if identity not in self.references.linked
        }

    def _is_free(self, identity: bytes) -> bool:
        """Nobody has asked for the call, and nobody has answered it."""
        if identity in self.known or identity in self.demanded or identity in self._running:
            return False
        return identity in self.minted and not self.lookup(self._fetchable([identity]))

    def _named_by_text(self, identity: bytes, messages: Messages) -> ReadyCall | None:
        """The call under the name of its final text; None where that settles it already."""
        final = filled(messages, self.references, self.value)
        if final is None:
            self._settle_void(identity)
            return None
        if final.site in self.alone:
            return ReadyCall(identity, final)
        name = self.namers[final.site].name(final.prompt, final.system, final.history)
        answer = self.known.get(name)
        if answer is not None:
            self.demanded[identity][0].shared += 1
            self._same([identity], name)
            self._settle(identity, answer)
            return None
        answer = None
        if final.site not in self.unfetched and name not in self.asked_anew:
            answer = self.lookup([name]).get(name)
        if answer is not None:
            self.demanded[identity][0].cached += 1
            self.cached.add(identity)
            self._same([identity], name)
            self._settle(identity, answer)
            return None
        return ReadyCall(name, final)

    def grow(self, running: bytes, whole: bytes) -> None:
        """A running call is not run as it is: a minted call, that reads others, answers it.

        It stays on its way meanwhile. Once it is `answered` it counts no more, but those do that
        it was made of.
        """
        for identity in self._running[running]:
            self._answered_by(identity, whole)
            self.over.append(identity)  # nothing of it is in an engine
        self._trees.add(whole)
        if self.settled(whole):
            self.grown.append(whole)

    def _answered_by(self, identity: bytes, whole: bytes) -> None:
        self._wholes[identity] = whole
        for account in self.demanded[identity]:
            self.demand([whole], account, again=True)

    def answered(self, identity: bytes, answer: Answer) -> list[bytes]:
        """The answer of a running call; the identities that it settles."""
        settled = self._running.pop(identity, [])
        if settled and settled[0] in self._wholes:
            for number, account in enumerate(self.demanded[settled[0]]):
                account.asked -= 1
                account.shared -= number > 0  # the first one pays
            for name in settled:
                del self._wholes[name]
        if identity in self.demanded and identity not in settled:
            self.demanded[identity][0].shared += 1  # it was ready to say the same
        if answer.error is None:
            self._same(settled, identity)
        for name in {identity, *settled}:
            self._settle(name, answer)
        return settled

    def is_running(self, identity: bytes) -> bool:
        """The call was taken to be run, has no answer yet, and somebody needs it."""
        return identity in self._running

    def open_of(self, account: Account) -> int:
        """How many calls a statement still waits for, as far as they are known."""
        return sum(account in askers for askers in self.demanded.values())

    def certain(self, account: Account) -> list[bytes]:
        """Calls that only this statement needs and that are run whatever others are answered.

        Those that read other calls may come to the same text, or to none.
        """
        linked, alone = self.references.linked, account.alone
        ready = self._ready
        return [i for i in ready if i not in linked and self.demanded.get(i) == alone]

    def refused(self, identity: bytes, answer: Answer) -> None:
        """A taken call is not going to be run; the answer says why. It counts as not asked for."""
        for name in self._running[identity][:1]:
            payer = self.demanded[name][0]
            payer.asked -= 1
            payer.refused += 1
        self.answered(identity, answer)

    def names(self, running: bytes) -> Sequence[bytes]:
        """The calls that wait for a running one, itself among them; none if it is not one."""
        return self._running.get(running, ())

    def wasted(self, account: Account) -> int:
        """Calls that were run early for this account and that no row has needed."""
        return sum(a is account and i in self.known for i, a in self.early.items())

    def payer(self, running: bytes) -> Account:
        """The statement that a running call is run for."""
        return self.demanded[self._running[running][0]][0]

    def askers(self, running: bytes) -> list[tuple[bytes, Account]]:
        """Who needs a running call, and under which identities; nobody, if it is not one."""
        names = self._running.get(running, ())
        return [(name, account) for name in names for account in self.demanded[name]]

    def withdraw(self, account: Account, *, running: bool = True) -> list[bytes]:
        """The statement asks for nothing more; the running calls that nobody needs any more.

        Another statement pays for those that it needs too. `running`: also what is on its way.
        """
        way = [names for names in self._running.values() if running or names[0] not in self._wholes]
        leaders = {names[0] for names in way}
        followers = {n for names in self._running.values() for n in names[1:]}
        gone = set()
        self._offered = {i: a for i, a in self._offered.items() if a is not account}
        for identity, askers in list(self.demanded.items()):
            if account not in askers:
                continue
            if not running and (identity in leaders or identity in followers):
                continue
            others = tuple(a for a in askers if a is not account)
            if self.early.get(identity) is account:
                del self.early[identity]
            elif askers[0] is account and identity not in followers:
                account.asked -= 1
                if others:
                    others[0].shared -= 1
            if others:
                self.demanded[identity] = others
            else:
                del self.demanded[identity]
                self._waiting.pop(identity, None)
                self._wholes.pop(identity, None)
                gone.add(identity)
        for identity in gone:
            self._ready.pop(identity, None)
            self.over.append(identity)
        unneeded = []
        for final, names in list(self._running.items()):
            left = [n for n in names if n not in gone]
            if not left:
                del self._running[final]
                unneeded.append(final)
            elif left[0] != names[0]:
                self.demanded[left[0]][0].shared -= 1
            names[:] = left
        return unneeded

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
        self.demanded.pop(identity, None)
        self._ready.pop(identity, None)  # as the text of another, that was run
        self.over.append(identity)
        self.minted.forget(identity)
        self._release(identity)

    def _settle_void(self, identity: bytes) -> None:
        self._make_void(identity)
        self._release(identity)

    def _make_void(self, identity: bytes) -> None:
        self.void.add(identity)
        self.over.append(identity)
        # It will be asked for under another name, or not at all.
        self.demanded.pop(identity)[0].asked -= 1

    def _release(self, identity: bytes) -> None:
        """Lets those that waited for the call go on."""
        stack = [identity]
        while stack:
            done = stack.pop()
            if done in self._trees:
                self.grown.append(done)
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
                    self._make_ready(dependent, self.minted.messages(dependent))
