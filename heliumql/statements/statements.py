"""Statements: texts as statements, and each statement run as what it is.

`Connection` calls it: plain SQL goes to DuckDB, what has calls to `Evaluations`, CREATE, DROP and
SHOW to `Definitions`, prepared statements to `Prepared`; EXPLAIN and PROFILE are done in this file.
"""

from __future__ import annotations

import functools
import re
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import duckdb

from heliumql import frames, syntax
from heliumql.binder.mistakes import closed
from heliumql.binder.parameters import Parameters
from heliumql.errors import BindError, CatalogError, ExecutionError, HeliumQLError
from heliumql.physical import functions
from heliumql.relations.composable import Origin
from heliumql.relations.plain import PlainRelation
from heliumql.relations.relation import Relation, explain_format
from heliumql.source import Source, Span, joined
from heliumql.statements.definitions import Definitions
from heliumql.statements.evaluations import Evaluations
from heliumql.statements.groups import Group, leaves_all_as_it_is
from heliumql.statements.mistakes import placed, point_at_files
from heliumql.statements.parsed import Given, Parsed
from heliumql.statements.prepared import Prepared
from heliumql.statements.restored import Restored
from heliumql.statements.settings import use, with_values
from heliumql.stats import Stats
from heliumql.syntax import Statement

if TYPE_CHECKING:
    from heliumql.engines.engine import Engine
    from heliumql.explain import Estimate, Happened
    from heliumql.session import Session
    from heliumql.statements.explaining import Looked
    from heliumql.statements.standins import StandIn


class Statements:
    """The statements of one connection: parsed, and run in its session."""

    def __init__(self, session: Session, evaluations: Evaluations) -> None:
        self._session = session
        self._duckdb = session.duckdb
        self._evaluations = evaluations
        self._definitions = Definitions(session)
        self._prepared = Prepared(session.duckdb)
        self._restored = Restored(session.catalog)

    # of texts -----------------------------------------------------------------------------

    def parsed(self, text: str | Source, name: str | None = None) -> tuple[Parsed, ...]:
        """The statements of a text; errors in one of them will show this text."""
        if not isinstance(text, str | Source):
            raise TypeError(f"a statement is a text, not {type(text).__name__}")
        self._catch_up()
        source = text if isinstance(text, Source) else Source(text, name)
        try:
            found = syntax.parse(source.text, llm_names=self._llm_names)
        except HeliumQLError as error:
            raise error.with_source(source) from None
        return tuple(Parsed(s, source) for s in found)

    def one(self, text: str | Source, taker: str) -> Parsed:
        """The statement of a text, for a method that takes one."""
        parsed = self.parsed(text)
        if len(parsed) != 1:
            raise BindError(f"{taker} takes one statement; this text has {len(parsed)}")
        return parsed[0]

    def read_again(self, parsed: Parsed) -> Parsed:
        """The statement as it is read now: names in it may have come to hold calls since."""
        if not isinstance(parsed.statement, syntax.Sql):
            return parsed
        if not self.names_calls(parsed.statement.text):
            return parsed
        (found,) = self.parsed(joined((parsed.source, parsed.statement.span)))
        return found

    def _catch_up(self) -> None:
        """What other connections have made since the last statement has its name here too."""
        if self._definitions.is_behind:
            self._evaluations.begin()
            self._restored.make(self._definitions.caught_up(), self._make_again)

    def names_calls(self, text: str) -> bool:
        """A name in a plain statement has come to hold calls since it was parsed."""
        names = self._llm_names
        return bool(names) and not all(
            isinstance(s, syntax.Sql) for s in syntax.parse(text, llm_names=names)
        )

    def _holds_calls(self, text: str) -> bool:
        found = syntax.parse(text, llm_names=self._llm_names)
        return any(isinstance(s, syntax.LlmSql) for s in found)

    @property
    def _llm_names(self) -> frozenset[str]:
        return self._session.catalog.callable_names | self._prepared.names

    # run ----------------------------------------------------------------------------------

    def run(
        self, parsed: Parsed, parameters: Parameters = None, group: Group | None = None
    ) -> Relation | None:
        """Runs one statement; the rows of a query are evaluated when they are read.

        Those of a query with calls together with those of the others in the group.
        """
        self._evaluations.begin()
        self._restored.make(self._definitions.taken_back(), self._make_again)
        names = frames.seen(self._prepared.read_by(parsed.statement))
        try:
            statement = self.with_settings(parsed.statement)
            with frames.using(names):
                relation = self._run(statement, Given(parameters, parsed.source, group))
            self._restored.make(self._definitions.taken_back(), self._make_again)
            if relation is not None:
                span = parsed.statement.span
                made = functools.partial(self._run_made, names)
                relation.origin = Origin(parsed.source, span, parameters, made)
            return relation
        except HeliumQLError as error:
            point_at_files(error, parsed)
            raise error.with_source(parsed.source) from None
        except duckdb.InterruptException:
            raise
        except duckdb.ConnectionException as error:
            raise closed(error) from None
        except duckdb.Error as error:
            raise placed(self._duckdb, error, parsed, parameters) from error

    def _run_made(
        self, names: frames.Names, source: Source, parameters: Parameters
    ) -> Relation | None:
        """Runs a statement that was made of a relation, which sees what the relation saw."""
        found = self.parsed(source)
        if len(found) != 1:
            raise BindError("a piece of a query holds a whole statement", source=source)
        with frames.using({**frames.seen(source.text), **names}):
            return self.run(found[0], parameters)

    def register_model(self, name: str, engine: Engine, options: Mapping[str, object]) -> None:
        """An engine made in Python, as a model of this session."""
        self._definitions.register_model(name, engine, options)

    def new_group(self) -> Group:
        """A group without queries yet."""
        return Group(self._evaluations.begin_group)

    def may_group(self, statement: Statement) -> bool:
        """A query with calls; where some may stay unanswered, no other is to be told of that."""
        settings = self._session.settings
        if not leaves_all_as_it_is(statement) or not settings.optimizer:
            return False
        if not isinstance(statement, syntax.LlmSql) and not self.names_calls(statement.text):
            return False
        from heliumql.calls.budget import limits_of

        limits = limits_of(settings)
        return not (limits.any and limits.partial)

    def _run(self, statement: Statement, given: Given) -> Relation | None:
        """Each kind of statement as what it is."""
        held = self._evaluations.held
        match statement:
            case syntax.Sql():
                again = syntax.parse(statement.text, llm_names=self._llm_names)
                if again and not isinstance(again[0], syntax.Sql):
                    # A name in it has come to hold calls since the file was parsed.
                    return self._run(replace(again[0], span=statement.span), given)
                return self._plain(statement.text, given.parameters)
            case syntax.LlmSql():
                return self._with_calls(statement, given)
            case syntax.CreateModel():
                self._definitions.create_model(statement, given.restoring)
            case syntax.CreatePrompt() | syntax.CreateView() | syntax.CreateMacro():
                self._definitions.create_named(statement, given.restoring)
            case syntax.DropModel() | syntax.DropPrompt() | syntax.DropNamed():
                self._definitions.drop(statement)
            case syntax.SetOption():
                try:
                    self.set(statement.name, statement.value)
                except CatalogError as error:
                    error.span = statement.name_span
                    raise
                except ExecutionError as error:  # there is no such place for answers
                    error.span = statement.value_span
                    raise
            case syntax.ResetOption():
                use(self._session, self._session.settings.without(statement.name), statement.name)
            case syntax.Show():
                shown = self._definitions.show(statement)
                if shown is None:  # a table of that name goes first
                    return self._plain(statement.text, None)
                return held(*shown)
            case syntax.Describe():
                return held(*self._definitions.describe(statement))
            case syntax.ClearCache():
                from heliumql.statements import cache

                count = cache.cleared(statement, self._duckdb, self._session.shared)
                return held(("Count",), [(count,)])
            case syntax.Explain():
                return self._explain(statement, given)
            case syntax.Prepare():
                self._prepared.prepare(statement)
            case syntax.Execute():
                return self._run(*self._prepared.executed(statement, given))
            case syntax.Deallocate():
                self._prepared.deallocate(statement)
            case syntax.Profile():
                return self._profile(statement, given)
            case _:
                raise BindError(f"{statement.text[:20]} is not available yet", span=statement.span)
        return None

    def _plain(self, text: str, parameters: Parameters) -> Relation | None:
        """A statement without LLM parts: DuckDB's, as it was written."""
        if isinstance(self._evaluations.result, duckdb.DuckDBPyConnection):
            self._evaluations.result = None
        started = time.monotonic()
        relation = frames.sql(self._duckdb, text, parameters, frames.current())
        self._evaluations.add_stats(Stats(seconds=time.monotonic() - started))
        return None if relation is None else PlainRelation(relation, self._evaluations)

    def _with_calls(self, statement: syntax.LlmSql, given: Given) -> Relation | None:
        """A statement with calls: a query, or one that changes something."""
        text, offset = statement.text, statement.span.start
        parameters, source = given.parameters, given.source
        self._restored.check(text, self._make_again)
        outer = syntax.shell(text)
        match outer.kind:
            case "select":
                return self._evaluations.query(text, parameters, offset, source, given.group)
            case "create_table_as" | "insert" | "copy_to" if outer.query and outer.span:
                around = outer.before + outer.after
                named = parameters is not None and re.search(r"[?$]", around)
                if self._session.settings.optimizer and not named and not self._holds_calls(around):
                    planned = self._session.planned(
                        outer.query, parameters, offset + outer.span.start
                    )
                    if planned.bound is not None:
                        return self._evaluations.filled(outer, planned, parameters, source)
        core = syntax.desugar(text, syntax.DesugarContext(functions.next_site, offset))
        planned = self._session.call_by_call(core, parameters, f"{outer.kind} with calls")
        return self._evaluations.executed(planned, parameters, source)

    def _explain(self, statement: syntax.Explain, given: Given) -> Relation:
        from heliumql.statements.explaining import rendered

        inner, given = self._prepared.executed(statement.statement, given)
        found = self._looked_at(inner, given)
        happened = self._happened(inner, given) if statement.analyze else None
        key = "analyzed_plan" if statement.analyze else "logical_plan"
        shown = rendered(self._session, inner, found, happened, statement.format)
        stats = happened.stats if happened is not None else None
        return self._evaluations.held(("explain_key", "explain_value"), [(key, shown)], stats)

    def _profile(self, statement: syntax.Profile, given: Given) -> Relation:
        from heliumql.statements.profiling import COLUMNS, profile_rows, sampling

        inner, given = self._prepared.executed(statement.statement, given)
        if not isinstance(inner, syntax.LlmSql) or syntax.shell(inner.text).kind != "select":
            raise BindError(
                "PROFILE takes a query with calls",
                span=statement.span,
                hint="PROFILE SELECT LLM_GENERATE('..') FROM ..",
            )
        found = self._looked_at(inner, given)
        settings = self._session.settings
        self._session.settings = sampling(settings, len(found.planned.sites))
        try:
            happened = self._happened(inner, given)
        finally:
            self._session.settings = settings
        stats = self._evaluations.sampled(happened.stats)
        return self._evaluations.held(COLUMNS, profile_rows(self._session, found, happened), stats)

    def explained(
        self,
        text: str | tuple[Source, Span],
        parameters: Parameters,
        format: str,
        *,
        analyze: bool,
    ) -> str:
        """EXPLAIN of the one statement of a text, in that format."""
        options = ("ANALYZE, " if analyze else "") + f"FORMAT {explain_format(format)}"
        relation = self.run(self.one(joined(f"EXPLAIN ({options}) ", text), "explain"), parameters)
        assert relation is not None
        return str(relation.fetchall()[0][1])

    def estimate(self, parsed: Parsed, parameters: Parameters = None) -> Estimate:
        """What a statement is expected to cost. It is planned and looked at, never run."""
        self._evaluations.begin()
        self._restored.make(self._definitions.taken_back(), self._make_again)
        names = frames.seen(self._prepared.read_by(parsed.statement))
        with frames.using(names):
            return self._estimate(parsed, parameters)

    def stand_in(self, parsed: Parsed, parameters: Parameters = None) -> StandIn | None:
        """A temporary table for the one that a statement, explained and not run, would make."""
        from heliumql.statements.standins import stand_in

        self._evaluations.begin()
        statement = self.with_settings(parsed.statement)
        outer = syntax.shell(statement.text)
        with frames.using(frames.seen(statement.text)):
            try:
                return stand_in(self._session, outer, parameters, statement.span.start)
            except HeliumQLError as error:
                raise error.with_source(parsed.source) from None

    def _estimate(self, parsed: Parsed, parameters: Parameters) -> Estimate:
        from heliumql.calls.budget import limits_of
        from heliumql.explain import Estimate, foreseen

        given = Given(parameters, parsed.source)
        statement, given = self._prepared.executed(self.with_settings(parsed.statement), given)
        if not isinstance(statement, syntax.LlmSql) and not self.names_calls(statement.text):
            return Estimate()
        try:
            found = self._looked_at(statement, given)
        except HeliumQLError as error:
            raise error.with_source(parsed.source) from None
        return foreseen(found.explanation, limits_of(self._session.settings))

    def _looked_at(self, statement: Statement, given: Given) -> Looked:
        """The explanation of a statement, as far as it can be had without running it."""
        from heliumql.statements.explaining import look_at

        text, offset = statement.text, statement.span.start
        if isinstance(statement, syntax.CreateView):
            text, offset = statement.body, statement.body_span.start
        elif isinstance(statement, syntax.CreateMacro):
            raise BindError("EXPLAIN takes a query", span=statement.span)
        self._restored.check(text, self._make_again)
        return look_at(self._session, text, given.parameters, offset)

    def _happened(self, statement: Statement, given: Given) -> Happened:
        """Runs the statement: what it did, how many rows it gave, and the first few of them."""
        from heliumql.statements.explaining import watched

        return watched(self._session, self._evaluations, lambda: self._run(statement, given))

    # settings, and what is there from before ----------------------------------------------

    def set(self, name: str, value: object) -> None:
        """`SET llm_..`."""
        use(self._session, self._session.settings.with_value(name, value), name)

    def restore(self) -> None:
        """Makes again for this session what statements made earlier."""
        self._restored.make(self._session.catalog.stored(self._duckdb), self._make_again)

    def take_over(self, other: Session) -> None:
        """Makes again what another connection has for its session only, and takes its settings."""
        theirs, ours = other.catalog, self._session.catalog
        ours.models.update(theirs.models)
        missing = [e for k, e in theirs.entries.items() if k not in ours.entries]
        ours.entries.update({(e.kind, e.name.lower()): e for e in missing})
        self._restored.make([e for e in missing if e.kind != "model"], self._make_again)
        self._session.settings = other.settings

    def with_settings(self, statement: Statement) -> Statement:
        """The statement with what our settings are now, where it reads them."""
        return with_values(statement, self._session.settings)

    def _make_again(self, text: str) -> None:
        self._run(syntax.parse(text, llm_names=self._llm_names)[0], Given(restoring=True))
