"""The calls of plain DuckDB statements: a vector of rows at a time, its calls in flight at once.

DuckDB calls `Vectors.ask` from any of its threads. Each vector has a call graph and a dispatcher of
its own; answers, engines and calls in flight are those of the connection, so equal calls of several
vectors, threads and statements run once.
"""

from __future__ import annotations

import functools
import json
import re
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace

import pyarrow as pa

from heliumql.calls.account import Account
from heliumql.calls.budget import Budget, Limits, limits_of
from heliumql.errors import BindError, ExecutionError
from heliumql.extensions.macros import TYPED
from heliumql.extensions.spoken import Spoken, spoken
from heliumql.extensions.stopping import Stop, noticing_ctrl_c
from heliumql.physical import functions
from heliumql.physical.context import Context
from heliumql.physical.dispatch import Interrupted
from heliumql.physical.each import Asked, EachCall
from heliumql.session import Session
from heliumql.statements.runs import stats_of
from heliumql.stats import Stats
from heliumql.syntax import Core, SourceMap

_REMEMBERED = 64  # statements, by their transactions
_DESCRIPTIONS = 256
_PLACEHOLDER = re.compile(r"(?<!\{)\{([A-Za-z_]\w*(?:\.\w+)*|\d+)\}(?!\})")
_NO_TEXT = Core("", (), SourceMap(()))


@dataclass
class _Statement:
    """What the vectors of one statement have in common."""

    account: Account
    stats: Stats = field(default_factory=Stats)
    stopped: bool = False  # by the user: DuckDB may call again, having passed over the error
    turn: threading.Lock = field(default_factory=threading.Lock)


class Vectors:
    """The calls of one loaded connection."""

    def __init__(self, session: Session, *, keep_placeholders: bool) -> None:
        self.keep_placeholders = keep_placeholders
        self.total = Stats()
        self.last: Stats | None = None
        self._session = session
        self._statements: OrderedDict[int, _Statement] = OrderedDict()
        self._running: set[Stop] = set()
        self._lock = threading.Lock()
        self._spoken = functools.lru_cache(_DESCRIPTIONS)(
            lambda description: spoken(description, functions.next_site)
        )

    def stop(self) -> None:
        """Ends the calls in flight; answers that came are kept."""
        with self._lock:
            running = list(self._running)
        for stop in running:
            stop.set()

    def ask(
        self,
        transaction: int,
        descriptions: pa.Array,
        texts: pa.Array,
        systems: pa.Array,
        histories: pa.Array,
    ) -> pa.Array:
        """The answers of a vector of calls; NULL where the text is."""
        stop = Stop()
        with self._lock:
            self._running.add(stop)
        try:
            with noticing_ctrl_c(stop):
                return self._answers(transaction, descriptions, texts, systems, histories, stop)
        finally:
            with self._lock:
                self._running.discard(stop)

    def _answers(
        self,
        transaction: int,
        descriptions: pa.Array,
        texts: pa.Array,
        systems: pa.Array,
        histories: pa.Array,
        stop: Stop,
    ) -> pa.Array:
        if not self.keep_placeholders:
            _refuse_templates(texts)
            _refuse_templates(systems)
        groups = _rows_by_description(descriptions)
        calls = [self._spoken(description) for description in groups]
        asked = [
            Asked(
                call.site.number,
                pa.array([call.prompt(t) for t in _taken(texts, rows).to_pylist()], pa.string()),
                _taken(systems, rows),
                _taken(histories, rows),
            )
            for call, rows in zip(calls, groups.values(), strict=True)
        ]
        context = self._context(calls, stop)
        statement = self._statement(transaction, context.limits)
        if statement.stopped:
            raise Interrupted
        with self._paying(statement, stop) as account:
            evaluation = EachCall(context, _NO_TEXT, None, reference=False, account=account)
            try:
                answers = evaluation.calls(asked)
            except (Interrupted, KeyboardInterrupt):
                statement.stopped = True
                raise Interrupted from None
            finally:
                evaluation.close()
        shown = [_shown(c, a) for c, a in zip(calls, answers, strict=True)]
        return _in_order(shown, list(groups.values()))

    def _context(self, calls: Sequence[Spoken], stop: Stop) -> Context:
        session, shared = self._session, self._session.shared
        settings = session.settings
        return Context(
            session.duckdb,
            {call.site.number: session.site(call.site) for call in calls},
            shared.store,
            shared.learnt,
            shared.flights,
            shared.caster,
            shared.one_thread,
            shared.kept,
            limits=limits_of(settings),
            window_bytes=settings.window_bytes,
            progress=session.progress,
            interrupted=stop,
        )

    def _statement(self, transaction: int, limits: Limits) -> _Statement:
        """The statement of a transaction: statements of one are taken together."""
        with self._lock:
            statement = self._statements.get(transaction)
            if statement is None or statement.account.budget.limits != limits:
                statement = _Statement(Account(budget=Budget(limits)))
                self._statements[transaction] = statement
            self._statements.move_to_end(transaction)
            while len(self._statements) > _REMEMBERED:
                self._statements.popitem(last=False)
            return statement

    @contextmanager
    def _paying(self, statement: _Statement, stop: Stop) -> Iterator[Account]:
        """The account of a vector; where a budget counts its calls, that of its statement.

        Then the vectors of a statement take turns.
        """
        limits = statement.account.budget.limits
        counts = limits.any or limits.error_ratio < 1
        while counts and not statement.turn.acquire(timeout=0.05):
            if stop.is_set():
                raise Interrupted
        before = stats_of(statement.account) if counts else Stats()
        account = statement.account if counts else Account(budget=Budget(limits))
        try:
            yield account
        finally:
            did = stats_of(account)
            if counts:
                account.failure = None
                statement.turn.release()
            with self._lock:
                statement.stats = did if counts else statement.stats + did
                self.last = statement.stats
                self.total += _since(before, did)
            self._session.shared.flush()


def _since(before: Stats, now: Stats) -> Stats:
    """What was done between two counts of one account."""
    changed = {
        f.name: getattr(now, f.name) - getattr(before, f.name)
        for f in fields(Stats)
        if isinstance(getattr(now, f.name), int)
    }
    return replace(now, **changed)


def _rows_by_description(descriptions: pa.Array) -> dict[str, list[int] | None]:
    """The rows of each description; None: all of them, in the usual case that there is one."""
    different = descriptions.unique().to_pylist()
    if None in different:
        raise ExecutionError("an argument of a call cannot be described")
    if len(different) == 1:
        return {different[0]: None}
    rows: dict[str, list[int] | None] = {}
    for number, description in enumerate(descriptions.to_pylist()):
        found = rows.setdefault(description, [])
        assert found is not None
        found.append(number)
    return rows


def _taken(column: pa.Array, rows: list[int] | None) -> pa.Array:
    return column if rows is None else column.take(pa.array(rows))


def _in_order(parts: Sequence[pa.Array], rows: Sequence[list[int] | None]) -> pa.Array:
    """The values of groups of rows, in the order of the rows."""
    if len(parts) == 1:
        return parts[0]
    numbers = [number for group in rows for number in group or ()]
    places = sorted(range(len(numbers)), key=numbers.__getitem__)
    return pa.concat_arrays(parts).take(pa.array(places))


def _shown(call: Spoken, answers: pa.Array) -> pa.Array:
    """Answers as the macro of the verb takes them: as JSON where their type is not fixed."""
    if call.site.verb.lower() not in TYPED or call.value.is_nested:
        return answers
    texts = answers.to_pylist()
    encoded = [None if t is None else json.dumps(t, ensure_ascii=False) for t in texts]
    return pa.array(encoded, pa.string())


def _refuse_templates(texts: pa.Array) -> None:
    """A text that is the same for all rows and has `{name}` in it was meant as a template.

    Raises BindError: here a text is a value like any other, and nothing can be put into it.
    """
    first = texts[0].as_py() if len(texts) else None
    found = None if first is None else _PLACEHOLDER.search(first)
    if found is None or len(texts.unique()) > 1:
        return
    raise BindError(
        f"{found[0]} is not filled in here: to DuckDB the prompt is a text like any other",
        hint=f"write '..' || {found[1] if not found[1].isdigit() else 'column'} || '..', or run the"
        " statement by the sql() of what heliumql.load gave; load(con, placeholders='keep') lets"
        " such texts pass",
    )
