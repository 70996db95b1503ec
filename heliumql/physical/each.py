"""Call by call: runs every call where SQL evaluates it, before DuckDB goes on.

Two uses. As the reference (`SET llm_optimizer = 'off'`): every call by itself, nothing merged,
deferred, stored or fetched. And as the way out for statements that cannot be evaluated in passes:
then equal calls are one and answers are stored, and up to a vector of rows is in flight at once.
"""

from __future__ import annotations

import re
import secrets
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from heliumql import frames
from heliumql.binder.mistakes import bind_error, is_users_mistake
from heliumql.binder.parameters import Parameters
from heliumql.calls.account import Account
from heliumql.calls.budget import Budget
from heliumql.calls.graph import CallGraph
from heliumql.calls.identity import Copies, Namer, without_broken
from heliumql.calls.references import Reference, References
from heliumql.catalog.techniques import SHARE
from heliumql.physical import functions
from heliumql.physical.context import Context
from heliumql.physical.dispatch import Dispatcher, Interrupted
from heliumql.physical.failure import failure
from heliumql.physical.snapshot import batches_of
from heliumql.syntax import CALL_FUNCTION, Core
from heliumql.trace import span

_SITE = re.compile(re.escape(CALL_FUNCTION) + r"\((\d+)")


@dataclass(frozen=True)
class Asked:
    """A vector of calls of one site; `path` is the part of the answers that is wanted."""

    site: int
    prompts: pa.Array  # VARCHAR
    systems: pa.Array  # VARCHAR
    histories: pa.Array  # HISTORY_TYPE
    path: str = ""


class EachCall:
    """One statement, evaluated call by call. `reference`: equal calls are not merged.

    `account` is that of the statement, where it is evaluated in several parts.
    """

    def __init__(
        self,
        context: Context,
        core: Core,
        parameters: Parameters,
        names: tuple[str, ...] = (),
        *,
        reference: bool,
        account: Account | None = None,
    ) -> None:
        self.context = context
        self.core = core
        self.parameters = parameters
        self.names = names
        self.reference = reference
        self.passes = 1
        self.references = References()
        namers = {n: Namer(s.kind, self.references) for n, s in context.sites.items()}
        unfetched = frozenset(n for n, s in context.sites.items() if s.cache != "use")
        alone = {n for n, s in context.sites.items() if reference or s.sampled}
        self._copies = Copies(self.references) if SHARE in context.off else None
        if self._copies is not None:
            alone = set(context.sites)
        self.graph = CallGraph(
            self.references, namers, context.store.get, unfetched, alone=frozenset(alone)
        )
        self.dispatcher = Dispatcher(
            self.graph,
            context.sites,
            context.store,
            context.learnt,
            context.flights,
            context.interrupted,
            context.progress,
            timed=context.timed or context.traced,
        )
        self.account = account or Account(
            budget=Budget(context.limits), timed=context.timed, track=context.track
        )
        self.dispatcher.accounts.append(self.account)
        if reference:
            self.graph.lookup = lambda identities: {}
        self._draws: dict[bytes, list[bytes]] = {}  # the names of the draws of one call
        self._asked: Counter[tuple[bytes, str]] = Counter()  # how many were asked for
        self._lock = threading.Lock()
        self._fault: BaseException | None = None

    def call(
        self, site: int, prompts: pa.Array, systems: pa.Array, histories: pa.Array, path: str
    ) -> pa.Array:
        """The answers of a vector of calls, all in flight at once."""
        (answers,) = self.calls([Asked(site, prompts, systems, histories, path)])
        return answers

    def calls(self, asked: Sequence[Asked]) -> list[pa.Array]:
        """The answers of calls of several sites, all in flight at once."""
        try:
            with self._lock:
                return self._calls(asked)
        except BaseException as fault:  # DuckDB keeps only the message
            self._fault = fault
            raise

    def _calls(self, asked: Sequence[Asked]) -> list[pa.Array]:
        if self._fault is not None:
            raise self._fault
        named = [self._named(a.site, a.prompts, a.systems, a.histories, a.path) for a in asked]
        waiting = [i for identities in named for i in identities if i is not None]
        self.graph.demand(waiting, self.account)
        self.dispatcher.run_until(lambda: all(map(self.graph.settled, waiting)), self.account)
        value = self.graph.value
        return [
            pa.array(
                [None if i is None else value(Reference(i, a.path)) for i in identities],
                pa.string(),
            )
            for a, identities in zip(asked, named, strict=True)
        ]

    def _named(
        self, site: int, prompts: pa.Array, systems: pa.Array, histories: pa.Array, path: str
    ) -> list[bytes | None]:
        """The names of a vector of calls, whose messages are kept."""
        contents = histories.to_pylist()
        texts = without_broken(prompts.to_pylist(), contents)
        identities = self.graph.namers[site].names(texts, systems.to_pylist(), contents)
        if self.context.sites[site].sampled:
            identities = [i and self._drawn(i, path) for i in identities]
        elif self._copies is not None:
            identities = self._copies.named(identities)
        elif self.reference:
            identities = [i and secrets.token_bytes(16) for i in identities]
        self.graph.minted.add(site, identities, prompts, systems, histories)
        return identities

    def _drawn(self, identity: bytes, path: str) -> bytes:
        """Another name each time; what is told of a call comes under the name of its text."""
        drawn = self._draws.setdefault(identity, [])
        number = self._asked[identity, path]
        self._asked[identity, path] += 1
        if number == len(drawn):
            drawn.append(secrets.token_bytes(16))
        return drawn[number]

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows as DuckDB gives them."""
        try:
            functions.enter_sites(self.context.sites, self)
            with span(self.context.track, "run", how="call by call"):
                connection, names = self.context.connection, self.context.names
                relation = frames.sql(connection, self._text(), self.parameters, names)
                assert relation is not None
                with closing(batches_of(relation, self.context.batch_rows)) as batches:
                    for batch in batches:
                        yield batch.rename_columns(list(self.names))
        except duckdb.Error as error:
            raise self._explained(error) from None
        finally:
            self.close()

    def execute(self) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
        """Runs a statement that is not a query; the columns and rows that DuckDB returns."""
        try:
            functions.enter_sites(self.context.sites, self)
            with span(self.context.track, "run", how="call by call"):
                connection, variables = self.context.connection, self.context.names
                result = frames.execute(connection, self._text(), self.parameters, variables)
                names = tuple(column[0] for column in result.description or ())
                return names, list(result.fetchall())
        except duckdb.Error as error:
            raise self._explained(error) from None
        finally:
            self.close()

    def _text(self) -> str:
        """Core SQL; sampled calls as a function that DuckDB evaluates for every row."""
        sampled = {n for n, s in self.context.sites.items() if s.sampled}
        return _SITE.sub(
            lambda m: f"{functions.SAMPLED}({m[1]}" if int(m[1]) in sampled else m[0],
            self.core.text,
        )

    def _explained(self, error: duckdb.Error) -> BaseException:
        if self._fault is not None:
            return self._fault
        if self.context.interrupted.is_set():
            return Interrupted()
        if is_users_mistake(error):
            return bind_error(error, self.core)
        return failure(error)

    def close(self) -> None:
        self.dispatcher.close()
        functions.leave_sites(self.context.sites, self)
        self.graph.minted.clear()
