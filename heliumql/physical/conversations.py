"""Open calls as the scheduler sees them: a workload, made of the call graph.

Prefixes follow the rendered text, so that they are the engine's prefixes; tokens are estimated from
bytes, by the ratio that is learnt for each operator (true tokens are counted in the workers).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from heliumql.calls.graph import CallGraph
from heliumql.calls.learnt import OperatorStats
from heliumql.calls.minted import Messages
from heliumql.calls.references import CLOSE, OPEN
from heliumql.physical.site import Site, assumed_output_tokens
from heliumql.scheduling.prefix_tree import tree_of_texts
from heliumql.scheduling.workload import Workload

_TOKENS_PER_BYTE = 0.25  # of an operator that never ran
_ROLE, _CONTENT = "\x02", "\x03"  # begin a message and its text; data that holds them only parts


class _Conversations:
    """The texts of calls, each with a reference to its own answer behind it, and their lengths."""

    def __init__(self, outputs: Sequence[int]) -> None:
        calls = len(outputs)
        self.texts = [""] * calls
        self._prompts = [0] * calls  # characters, without the own answer
        self._ratios = [0.0] * calls  # tokens of a character
        self._outputs = outputs  # tokens
        self._marks: dict[int, list[tuple[int, int, int]]] = {}
        """Answers inside the prompt of a call: where they stand, how many tokens they have."""

    def put(
        self, call: int, plain: str, own: str, ratio: float, marks: list[tuple[int, int, int]]
    ) -> None:
        if not plain.isascii():
            ratio *= len(plain.encode()) / len(plain)
        self._ratios[call] = ratio
        self._prompts[call] = len(plain)
        if marks:
            self._marks[call] = marks
            plain = _narrow(plain)
        self.texts[call] = plain + _narrow(own)

    def tokens(self, call: int, end: int) -> int:
        """Tokens of the first `end` characters."""
        more = 0
        if end > self._prompts[call]:
            end, more = self._prompts[call], self._outputs[call]
        characters = end
        for start, stop, tokens in self._marks.get(call, ()):
            if stop > end:
                break
            characters -= stop - start
            more += tokens
        return int(characters * self._ratios[call]) + more

    def cut(self, call: int, end: int) -> int:
        """The end, moved to the start of the reference in whose middle it is."""
        if end >= self._prompts[call]:
            return end if end == len(self.texts[call]) else self._prompts[call]
        for start, stop, _ in self._marks.get(call, ()):
            if start < end < stop:
                return start
        return end

    def prompt_tokens(self, call: int) -> int:
        return max(1, self.tokens(call, self._prompts[call]))


def workload_of(
    graph: CallGraph,
    calls: Sequence[bytes],
    sites: Mapping[int, Site],
    engines: Mapping[int, int],
    known: Callable[[bytes], OperatorStats | None],
) -> Workload:
    """The calls as columns. `engines` numbers the engines of the calls' sites; `known` tells what
    earlier runs of an operator took.

    Calls may need others that are not among `calls` (those of an engine that is not started yet);
    then they need what these need.
    """
    stats = {n: known(site.template) for n, site in sites.items()}
    shown = {n: found is not None and found.calls > 0 for n, found in stats.items()}
    expected = {n: _expected_tokens(site, stats[n]) for n, site in sites.items()}
    number = {identity: n for n, identity in enumerate(calls)}
    site_of = [graph.minted.site(identity) for identity in calls]

    def answer_tokens(identity: bytes) -> int:
        answer = graph.known.get(identity)
        if answer is not None:
            return answer.output_tokens
        if identity in graph.minted:
            return expected[graph.minted.site(identity)]
        return 0

    output = [expected[site] for site in site_of]
    conversations = _Conversations(output)
    references = graph.references
    ratios = {
        n: (known.tokens_per_byte if known is not None else None) or _TOKENS_PER_BYTE
        for n, known in stats.items()
    }
    for call, messages in graph.minted.each(calls):
        identity, site = calls[call], site_of[call]
        plain = f"{engines[site]}{_rendered(messages)}"
        marks = []
        if identity in references.linked:
            for found in references.pattern.finditer(plain):
                tokens = answer_tokens(bytes.fromhex(found[1]))
                marks.append((found.start(), found.end(), tokens))
        conversations.put(call, plain, references.text(identity), ratios[site], marks)
    tree, _ = tree_of_texts(conversations.texts, conversations.tokens, conversations.cut)
    needs: list[tuple[int, ...]] = []
    for identity in calls:
        missing = graph.waits_for(identity)
        needs.append(_needs(graph, missing, number) if missing else ())
    return Workload(
        query=_queries(needs, site_of),
        operator=_operators(needs, site_of),
        prompt=[conversations.prompt_tokens(call) for call in range(len(calls))],
        output=output,
        needs=needs,
        tree=tree,
        engine=[engines[site] for site in site_of],
        known=[shown[site] for site in site_of],
    )


def _needs(
    graph: CallGraph, missing: Iterable[bytes], number: Mapping[bytes, int]
) -> tuple[int, ...]:
    """The numbered calls among the missing ones; of the others, those that they wait for."""
    found = set()
    seen = set(missing)
    stack = list(seen)
    while stack:
        identity = stack.pop()
        if identity in number:
            found.add(number[identity])
        else:
            below = graph.waits_for(identity) - seen
            seen |= below
            stack += below
    return tuple(sorted(found))


def _narrow(text: str) -> str:
    """The text with references in ASCII: where all else is, it takes half of the memory."""
    return text.replace(OPEN, "\x0e").replace(CLOSE, "\x0f")


def _expected_tokens(site: Site, stats: OperatorStats | None) -> int:
    """How long the answers of an operator are expected to be."""
    if stats is not None and stats.calls:
        return max(1, round(stats.mean_output_tokens))
    return max(1, round(assumed_output_tokens(site.spec)))


def _rendered(messages: Messages) -> str:
    """The conversation as one text that continued ones begin with."""
    if messages.history is None:  # what most calls have, quickly
        system = "" if messages.system is None else f"{_ROLE}system{_CONTENT}{messages.system}"
        return f"{system}{_ROLE}user{_CONTENT}{messages.prompt}{_ROLE}assistant{_CONTENT}"
    texts = [f"{_ROLE}{role}{_CONTENT}{content}" for role, content in _said(messages)]
    return "".join(texts) + f"{_ROLE}assistant{_CONTENT}"


def _said(messages: Messages) -> list[tuple[str, str]]:
    said = [(m["role"] or "", m["content"] or "") for m in messages.history or ()]
    if messages.system is not None:
        said = [("system", messages.system), *(m for m in said if m[0] != "system")]
    return [*said, ("user", messages.prompt)]


def beginning(
    messages: Messages, characters: int, engine: int
) -> tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]:
    """Two conversations that have the first characters of a rendered call in common."""
    left = characters - len(str(engine))
    same: list[tuple[str, str]] = []
    for role, content in _said(messages):
        left -= len(role) + 2
        if left < 0:
            break
        if left <= len(content):
            cut = content[:left]
            return (*same, (role, cut)), (*same, (role, f"{cut} ?"))
        same.append((role, content))
        left -= len(content)
    return (*same, ("user", "a")), (*same, ("user", "?"))


def _operators(needs: Sequence[Sequence[int]], sites: Sequence[int]) -> list[int]:
    """Numbers of the operators: greater than those of the operators that they read."""
    level = _levels(needs)
    top: dict[int, int] = {}
    for call, site in enumerate(sites):
        top[site] = max(top.get(site, 0), level[call])
    number = {site: n for n, site in enumerate(sorted(top, key=lambda s: (top[s], s)))}
    return [number[site] for site in sites]


def _levels(needs: Sequence[Sequence[int]]) -> list[int]:
    if not any(needs):
        return [0] * len(needs)
    level = [-1 if below else 0 for below in needs]
    for start in range(len(needs)):
        stack = [start] if level[start] < 0 else []
        while stack:
            call = stack[-1]
            below = [level[need] for need in needs[call]]
            if min(below, default=0) < 0:
                stack += [need for need in needs[call] if level[need] < 0]
            else:
                level[call] = max(below, default=-1) + 1
                stack.pop()
    return level


def _queries(needs: Sequence[Sequence[int]], sites: Sequence[int]) -> list[int]:
    """Which query each call belongs to: calls that need each other are of one.

    Calls that need no other and that nobody waits for are told apart by their places among the
    calls of their operator: the first of each belong to the first row.
    """
    parent = list(range(len(needs)))

    def root(call: int) -> int:
        while parent[call] != call:
            parent[call] = parent[parent[call]]
            call = parent[call]
        return call

    linked = set()
    for call, below in enumerate(needs):
        for need in below:
            linked.add(call)
            linked.add(need)
            first, second = sorted((root(call), root(need)))
            parent[second] = first
    place: dict[int, int] = {}
    numbers: dict[tuple[str, int], int] = {}
    queries = []
    for call, site in enumerate(sites):
        if call in linked:
            key = ("linked", root(call))
        else:
            place[site] = place.get(site, -1) + 1
            key = ("row", place[site])
        queries.append(numbers.setdefault(key, len(numbers)))
    return queries
