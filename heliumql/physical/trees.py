"""Trees of calls: what an aggregate becomes whose prompt does not fit into the context.

The engine refuses the prompt and says how long it is. Its texts are cut into chunks that fit; each
is a call of the same site, and a call that reads the answers of all of them makes one of them. That
one is named and run as any call that reads others, and its answer is that of the aggregate. Chunks
and merges that turn out not to fit become trees themselves.

Where the texts are cut depends on them and on the context alone, never on what was learnt or on
what else runs: each way to evaluate a query, and each run of it, makes the same calls.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import pyarrow as pa

from heliumql.calls.answers import Answer
from heliumql.calls.graph import CallGraph, ReadyCall
from heliumql.calls.minted import Messages
from heliumql.engines.engine import MESSAGES, LimitedEngine
from heliumql.physical.aggregate import Aggregate, room, taken_apart
from heliumql.physical.site import Site


@dataclass(frozen=True)
class Tree:
    """A running call that is answered by another one, `whole`, which reads `chunks`."""

    identity: bytes
    site: int
    whole: bytes
    chunks: tuple[bytes, ...]
    bytes: int  # that its prompt had


class Trees:
    """The trees of one call graph. Not safe for threads: the dispatcher drives it."""

    def __init__(self, graph: CallGraph, sites: Mapping[int, Site]) -> None:
        self._graph = graph
        self._sites = sites
        self._trees: dict[bytes, Tree] = {}  # by the calls that answer them

    def grow(self, call: ReadyCall, refused: Answer) -> Answer | None:
        """Makes a tree of a running call that an engine found too long; None.

        The answer where that is not possible: the call fails.
        """
        prompt = taken_apart(call.messages.prompt)
        if len(prompt.texts) < 2:
            return replace(refused, error=f"a text is too long by itself: {refused.error}")
        chunks = prompt.chunks(self._room(call, prompt, refused))
        merges = [self._trees[n] for n in self._graph.names(call.identity) if n in self._trees]
        if merges and (
            len(chunks) == len(prompt.texts) or prompt.bytes >= min(t.bytes for t in merges)
        ):
            error = f"the answers about its parts do not get shorter: {refused.error}"
            return replace(refused, error=error)
        parts = self._minted(call.messages, [chunk.text for chunk in chunks])
        references = [self._graph.references.text(part) for part in parts]
        [whole] = self._minted(call.messages, [prompt.merging(references).text])
        site = call.messages.site
        self._trees[whole] = Tree(call.identity, site, whole, tuple(parts), prompt.bytes)
        self._graph.grow(call.identity, whole)
        return None

    def grown(self) -> Iterator[tuple[bytes, Site, Answer]]:
        """Running calls whose trees are done, with their answers, to be told to the graph."""
        graph = self._graph
        while graph.grown:
            tree = self._trees.pop(graph.grown.pop())
            if not graph.names(tree.identity):
                continue  # nobody needs it any more
            answer = graph.known.get(tree.whole)
            if answer is None:  # a chunk has no answer
                known = filter(None, map(graph.known.get, tree.chunks))
                failed = next(a for a in known if a.text is None)
                answer = Answer(None, failed.error, failed.finish_reason)
            yield tree.identity, self._sites[tree.site], answer

    def _room(self, call: ReadyCall, prompt: Aggregate, refused: Answer) -> int:
        site = self._sites[call.messages.site]
        engine = site.engine
        return room(
            prompt.bytes,
            call.messages.bytes,
            refused.prompt_tokens,
            engine.context_tokens if isinstance(engine, LimitedEngine) else None,
            site.spec.sampling.max_tokens,
        )

    def _minted(self, of: Messages, prompts: list[str]) -> list[bytes]:
        """The names of calls that say what another one does, but for the prompt."""
        graph, site = self._graph, of.site
        if site in graph.alone:
            identities = [secrets.token_bytes(16) for _ in prompts]
            named = zip(identities, prompts, strict=True)
            graph.references.linked.update(i for i, p in named if graph.references.inside(p))
        else:
            namer = graph.namers[site]
            identities = [namer.name(prompt, of.system, of.history) for prompt in prompts]
        graph.minted.add(
            site,
            [None if i in graph.known else i for i in identities],
            pa.array(prompts, pa.string()),
            pa.array([of.system] * len(prompts), pa.string()),
            pa.array([of.history] * len(prompts), MESSAGES),
        )
        return identities
