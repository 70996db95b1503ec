"""A survey of a query: evaluates it as far as it goes without running a call.

The first pass names the calls of all operators that no cut stands below, so their rows, equal
calls, lengths and remembered answers are known exactly. Where every answer that cuts wait for is
remembered, the next pass follows, as it would in a run. EXPLAIN asks for it: no engine is started,
nothing is written, and it stops after a number of rows or seconds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from heliumql.binder.bind import printed
from heliumql.binder.cuts import CALL, INFO, Carried, Cut
from heliumql.binder.mistakes import without_excerpt
from heliumql.binder.tree import Node, arguments, constant_integer, walk
from heliumql.calls.account import Account
from heliumql.calls.answers import Answer, AnswerStore
from heliumql.calls.graph import CallGraph
from heliumql.calls.identity import Copies, Namer, without_broken
from heliumql.calls.minted import Messages, MintedCalls
from heliumql.calls.references import Reference, References
from heliumql.catalog.techniques import SHARE
from heliumql.physical import functions
from heliumql.physical.context import Context
from heliumql.physical.counting import Counting
from heliumql.physical.late import interrupted_after
from heliumql.physical.output import Column, Void, mentions, resolved
from heliumql.physical.scheduler import PlannedCalls, planned, workers_of
from heliumql.physical.snapshot import batches_of, begin_again, reading
from heliumql.prompts import Part, Parts, Placeholder, Role, Text, joined

_MOST_SCHEDULED = 20_000
_SAMPLES = 3  # calls of an operator that are kept to be shown


@dataclass(frozen=True)
class Seen:
    """What a survey saw of the calls of one site."""

    rows: int  # that asked, or would ask
    asked: bool  # and not only would
    sure: bool  # an answer that is NULL changes neither rows nor calls
    calls: int  # equal ones counted once, remembered ones not
    fetched: int  # calls whose answers are remembered
    prompt_bytes: float  # of a call, references left out
    references: float  # answers inside the messages of a call
    samples: tuple[Parts, ...] = ()  # a few of the calls; answers are named by their sites


@dataclass(frozen=True)
class Surveyed:
    """What a survey found.

    `complete`: it got to the rows; `sure`: and so does a run, whichever answers are NULL;
    `stopped`: there was too much to see.
    """

    sites: Mapping[int, Seen]
    complete: bool
    sure: bool
    stopped: bool
    passes: int
    failure: str | None = None  # what DuckDB said of the pass
    sql: str = ""  # of a pass
    planned: PlannedCalls | None = None  # the calls that are known, as a run would schedule them


@dataclass
class _Site:
    """What is counted of one site, in the last pass; `asked` and `identities` in all passes."""

    named: int = 0
    rows: Counter[bytes] = field(default_factory=Counter)  # that named each call
    asked: bool = False
    prompt_bytes: int = 0
    references: int = 0
    identities: dict[bytes, None] = field(default_factory=dict)


@dataclass(frozen=True)
class _Unnoted:
    """The answer store, looked into only: neither uses nor names are noted in it."""

    store: AnswerStore

    def get(self, identities: Iterable[bytes]) -> Mapping[bytes, Answer]:
        return self.store.get(identities, noted=False)

    def get_deferred(self, identities: Iterable[bytes]) -> Mapping[bytes, Answer]:
        return self.store.get_deferred(identities, noted=False)

    def note_deferred(self, finals: Mapping[bytes, bytes]) -> None:
        """A run will note them."""


class _Enough(Exception):
    """There is more to see than a survey looks at."""


class Survey:
    """One survey: `run` it once. DuckDB calls `call` and `ready`, as it does in a run."""

    def __init__(
        self,
        context: Context,
        columns: tuple[Column, ...],
        *,
        most_rows: int = 200_000,
        most_seconds: float = 2.0,
    ) -> None:
        self.number = functions.enter(self)
        self._context = context
        self._columns = columns
        self._most_rows = most_rows
        self._most_seconds = most_seconds
        self._references = References()
        store = _Unnoted(context.store)
        self._account = Account(sites=frozenset(context.sites))
        self._graph = CallGraph(
            self._references,
            {n: Namer(s.kind, self._references) for n, s in context.sites.items()},
            store.get,
            frozenset(n for n, s in context.sites.items() if s.cache != "use"),
            MintedCalls(context.window_bytes),
            store,
            frozenset(n for n, s in context.sites.items() if s.cache != "use"),
        )
        self._sites = {n: _Site() for n in context.sites}
        self._site_of: dict[bytes, int] = {}
        self._copies = Copies(self._references) if SHARE in context.off else None
        self._rows = 0  # rows that named calls, in all passes
        self._asking: dict[bytes, int] = {}  # most rows that asked for a call in one place
        self._inside = False  # rows hold text made of answers that may be NULL
        self._cuts: dict[int, dict[bytes, int]] = {}  # what each cut waits for: how many rows
        self._stop: BaseException | None = None
        self._late = False

    def run(self, carried: Carried) -> Surveyed:
        """Evaluates until answers are missing; the query was rewritten for this survey's number."""
        complete, passes, failure, sql = False, 0, None, ""
        connection = self._context.connection
        self._counting = Counting(carried)
        try:
            sql = printed(connection, carried.node)
            with (
                reading(connection),
                interrupted_after(self._most_seconds, connection, self._is_late),
            ):
                while not complete:
                    passes += 1
                    complete = self._evaluated(printed(connection, self._counting.query()))
                    if not complete and not self._goes_on(carried.cuts):
                        break
        except duckdb.Error as error:
            if isinstance(self._stop, _Enough):
                self._late = True
            elif self._stop is not None:
                raise self._stop from None
            elif not self._late:
                failure = without_excerpt(error)
        finally:
            functions.leave(self.number)
        unsure = {site for site in self._sites if self._reads_what_may_be_null(site)}
        sure = complete and not (unsure or self._inside or self._graph.void)
        if not sure:
            unsure |= _behind_a_null(carried.node)
        seen = {
            n: self._seen(n, site, complete, sure=sure or (n not in unsure and self._all_asked(n)))
            for n, site in self._sites.items()
        }
        planned = self._planned()
        self._graph.minted.clear()
        return Surveyed(seen, complete, sure, self._late, passes, failure, sql, planned)

    def _planned(self) -> PlannedCalls | None:
        """The calls that a run would begin with, scheduled; None where there are none, or many."""
        graph, context = self._graph, self._context
        calls = [i for i in dict.fromkeys(graph.opened) if i in graph.demanded]
        if not calls or len(calls) > _MOST_SCHEDULED:
            return None
        engines = {id(s.engine): workers_of(s.engine) for s in context.sites.values()}
        known = context.learnt.operator
        return planned(graph, calls, context.sites, engines, known, context.scheduler, context.off)

    def _evaluated(self, sql: str) -> bool:
        """One pass. Did it get to the rows? The calls that they need are then known."""
        context = self._context
        self._cuts.clear()
        self._counting.begin()
        if self._copies is not None:
            self._copies.begin()
        for site in self._sites.values():
            site.named = site.prompt_bytes = site.references = 0
            site.rows.clear()
        output: Counter[bytes] = Counter()  # rows that go out with each call
        try:
            with (
                context.one_thread.during(context.connection),
                closing(batches_of(context.connection.sql(sql), 2048)) as batches,
            ):
                for batch in batches:
                    if not self._held_back:
                        asked = mentions(batch, self._columns, self._references)
                        output.update(asked)
                        self._demand(asked)
                        self._look_inside(batch)
        except duckdb.Error:
            if self._stop is not None or self._late or not self._held_back:
                raise
            begin_again(context.connection)  # above a cut: not the user's error
        if self._held_back:
            return False
        self._note_asking(output)
        return True

    @property
    def _held_back(self) -> bool:
        waiting = self._cuts.keys() - self._counting.needless_cuts()
        return bool(waiting) or bool(self._counting.short())

    def _goes_on(self, cuts: tuple[Cut, ...]) -> bool:
        """Has all that the next pass waits for a remembered answer?"""
        short = self._counting.short()
        levels = [cuts[c].level for c in self._cuts] + [limit.level for limit in short]
        noted = [
            identity
            for number, calls in sorted(self._cuts.items())
            if cuts[number].level == min(levels)
            for identity, rows in calls.items()
            for _ in range(rows)
        ]
        if not noted:
            self._counting.grow([limit for limit in short if limit.level == min(levels)])
            return True
        if self._counting.limits:
            noted = self._graph.stored_of(noted) or noted
        wanted = set(noted)
        for number, calls in self._cuts.items():
            if cuts[number].level == min(levels):
                self._note_asking({i: rows for i, rows in calls.items() if i in wanted})
        self._demand(noted)
        return all(self._graph.settled(i) for i in noted)

    def _demand(self, identities: list[bytes]) -> None:
        for identity in identities:
            self._sites[self._site_of[identity]].asked = True
        self._graph.demand(identities, self._account)
        while ready := self._graph.ready_calls():
            for identity in ready:  # finds what is remembered under its final text
                if self._graph.is_ready(identity):
                    self._graph.take(identity)

    def _note_asking(self, rows: Mapping[bytes, int]) -> None:
        for identity, count in rows.items():
            self._asking[identity] = max(count, self._asking.get(identity, 0))

    def _look_inside(self, batch: pa.RecordBatch) -> None:
        """Would a run have to evaluate once more if the answers that are missing were NULL?"""

        def value(reference: Reference) -> str | None:
            if reference.identity in self._graph.void:
                raise Void
            known = reference.identity in self._graph.known
            return self._graph.value(reference) if known else None

        try:
            for number, column in enumerate(self._columns):
                resolved(batch.column(number), column.shape, self._references, value)
        except Void:
            self._inside = True

    # what DuckDB calls --------------------------------------------------------------------

    def call(
        self, site: int, prompts: pa.Array, systems: pa.Array, histories: pa.Array, path: str
    ) -> pa.Array:
        """Names a batch of calls; references to them, or answers that are remembered."""
        try:
            return self._named(site, prompts, systems, histories, path)
        except BaseException as stop:  # DuckDB keeps only the message
            self._stop = stop
            raise

    def _named(
        self, site: int, prompts: pa.Array, systems: pa.Array, histories: pa.Array, path: str
    ) -> pa.Array:
        graph, counted = self._graph, self._sites[site]
        contents = histories.to_pylist()
        texts = without_broken(prompts.to_pylist(), contents)
        identities = graph.namers[site].names(texts, systems.to_pylist(), contents)
        if self._copies is not None:
            identities = self._copies.named(identities)
        fresh = [None if i in graph.known else i for i in identities]
        graph.minted.add(site, fresh, prompts, systems, histories)
        for identity in identities:
            if identity is None:
                continue
            counted.rows[identity] += 1
            if identity not in self._site_of:
                counted.identities[identity] = None  # of the operator that names it first
                self._site_of[identity] = site
        self._measure(counted, prompts, systems, histories)
        if self._rows > self._most_rows:
            raise _Enough
        values = [None if i is None else graph.text(i, path) for i in identities]
        return pa.array(values, pa.string())

    def _measure(
        self, counted: _Site, prompts: pa.Array, systems: pa.Array, histories: pa.Array
    ) -> None:
        """Rows, bytes and references of a batch."""
        rows = len(prompts) - prompts.null_count
        counted.named += rows
        self._rows += rows
        said = [prompts, systems]
        if histories.null_count < len(histories):
            said.append(pc.struct_field(pc.list_flatten(histories), "content"))
        for texts in said:
            counted.prompt_bytes += pc.sum(pc.binary_length(texts)).as_py() or 0
            inside = pc.count_substring(texts, self._references.prefix)
            counted.references += pc.sum(inside).as_py() or 0

    def ready(self, cut: int, texts: pa.Array) -> pa.Array:
        """True where the text holds no reference; what the others wait for is noted."""
        result = []
        for text in texts.to_pylist():
            waiting = text is not None and self._references.inside(text)
            result.append(not waiting)
            if waiting:
                noted = self._cuts.setdefault(cut, {})
                for identity in self._references.identities(text):
                    noted[identity] = noted.get(identity, 0) + 1
        return pa.array(result, pa.bool_())

    def enough(self, limit: int, rows: pa.Array, places: pa.Array, outcomes: pa.Array) -> pa.Array:
        """Which rows are accepted, and notes them for an early limit."""
        return self._counting.enough(limit, rows, places, outcomes)

    def tested(self, predicate: int, conditions: pa.Array) -> pa.Array:
        """The conditions; nothing is learnt from a survey."""
        return conditions

    def maybe(self, texts: pa.Array) -> None:
        """Calls that might be asked early; a survey asks none."""

    # results ------------------------------------------------------------------------------

    def _reads_what_may_be_null(self, site: int) -> bool:
        """Do calls of the site that are asked for hold answers that nobody knows yet?"""
        graph, linked = self._graph, self._references.linked
        for identity in self._sites[site].rows:
            if identity not in linked or identity not in graph.demanded:
                continue
            messages = graph.minted.messages(identity)
            texts = [messages.prompt, messages.system]
            texts += [m["content"] for m in messages.history or ()]
            inside = (i for t in texts if t for i in self._references.identities(t))
            if any(i not in graph.known for i in inside):
                return True
        return False

    def _all_asked(self, site: int) -> bool:
        """An answer that is NULL lets rows ask for no other call of the site."""
        rows = self._sites[site].rows
        return bool(rows) and all(self._is_needed(identity) for identity in rows)

    def _is_needed(self, identity: bytes) -> bool:
        return identity in self._graph.demanded or identity in self._graph.known

    def _asking_rows(self, number: int) -> int:
        """Rows that ask for calls of the site: those that named it, as far as they come to ask.

        A join above may repeat them.
        """
        count = 0
        for identity, named in self._sites[number].rows.items():
            if not self._is_needed(identity):
                continue
            asking = self._asking.get(identity)
            if asking is None:  # other calls ask for it
                count += named
            elif asking > sum(s.rows[identity] for s in self._sites.values()):
                count += asking if self._site_of[identity] == number else 0
            else:
                count += min(named, asking)
        return count

    def _seen(self, number: int, site: _Site, complete: bool, *, sure: bool) -> Seen:
        graph = self._graph
        mine = list(site.identities)
        if complete or site.asked:  # only what rows demand
            left = sum(1 for i in mine if i in graph.demanded)
            fetched = sum(1 for i in mine if i in graph.known)
        else:
            missing = [i for i in mine if i not in graph.known]
            use = self._context.sites[number].cache == "use"
            fetched = len(mine) - len(missing) + (len(graph.lookup(missing)) if use else 0)
            left = len(mine) - fetched
        size = len(self._references.text(bytes(16)).encode())
        named = max(site.named, 1)
        samples = [i for i in mine if i in graph.minted][:_SAMPLES]
        return Seen(
            self._asking_rows(number) if complete or site.asked else site.named,
            site.asked,
            sure,
            left,
            fetched,
            max(0.0, site.prompt_bytes - site.references * size) / named,
            site.references / named,
            tuple(self._sample(graph.minted.messages(i)) for i in samples),
        )

    def _sample(self, messages: Messages) -> Parts:
        """The messages of a call; where an answer will stand is a placeholder."""
        said = [(m["role"] or "", m["content"] or "") for m in messages.history or ()]
        if messages.system is not None:
            said = [("system", messages.system), *(m for m in said if m[0] != "system")]
        parts: list[Part] = []
        for role, content in [*said, ("user", messages.prompt)]:
            parts.append(Role(role))
            end = 0
            for found in self._references.pattern.finditer(content):
                site = str(self._site_of[bytes.fromhex(found[1])])
                parts += [Text(content[end : found.start()]), Placeholder(site, (site,))]
                end = found.end()
            parts.append(Text(content[end:]))
        return joined(parts)

    def _is_late(self) -> None:
        """The relational part itself takes too long."""
        self._late = True


def _behind_a_null(query: Node) -> set[int]:
    """Sites that are asked only where another value is NULL."""
    found: set[int] = set()
    for node in walk(query):
        if node["type"] == "OPERATOR_COALESCE":
            for call in walk(node["children"][1:]):
                if call.get("function_name") in (CALL, INFO):
                    number = constant_integer(arguments(call)[1])
                    assert number is not None
                    found.add(number)
    return found
