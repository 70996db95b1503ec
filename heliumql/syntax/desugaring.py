"""HQL to core SQL; the binder and the session call these functions.

The walk copies the user's text and writes SQL of its own only where a call stands:

    value     LLM_GENERATE('On {x}')              __hql_llm(1, ('On ' || CAST("x" AS VARCHAR)), ..)
    lateral   t, LATERAL LLM_GENERATE(..) AS g    t, LATERAL (SELECT .. FROM (SELECT ..)) AS g
    table     LLM_GENERATE((SELECT ..), ..)       (SELECT __t.*, __g.* FROM (..) AS __t, LATERAL ..)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from heliumql.errors import BindError, HeliumQLError
from heliumql.source import Span
from heliumql.syntax.arguments import CallParts
from heliumql.syntax.call_sql import CallSql, Site, column
from heliumql.syntax.core import CallSite, Core, DesugarContext, PromptCore
from heliumql.syntax.definitions import refuse_definitions
from heliumql.syntax.from_clause import alias, left_join_on_true, words
from heliumql.syntax.inferred import inferred_types
from heliumql.syntax.literals import quoted_name
from heliumql.syntax.message import Expression
from heliumql.syntax.position import Level, Position
from heliumql.syntax.prompt import parameter, read_prompt
from heliumql.syntax.statements import CreateMacro, CreatePrompt, CreateView
from heliumql.syntax.template import Placeholder
from heliumql.syntax.tokens import Token, tokenize
from heliumql.syntax.tree import Call, Element, Group, parse_soup
from heliumql.syntax.uses import Uses
from heliumql.syntax.verbs import read_call
from heliumql.syntax.verbs.embedding import compared
from heliumql.syntax.writer import Writer
from heliumql.types import SqlType


def desugar(text: str, context: DesugarContext) -> Core:
    """Core SQL of a statement, or of a query inside one."""
    with _placed(context.offset):
        walk = _Desugar(text, context)
        walk.statement()
        return walk.core()


def desugar_view(create: CreateView, context: DesugarContext) -> Core:
    """The view as `CREATE OR REPLACE TEMP VIEW`."""
    recursive = "RECURSIVE " if "RECURSIVE" in create.header.upper().split() else ""
    head = f"CREATE OR REPLACE TEMP {recursive}VIEW {quoted_name(create.name)}{create.columns} AS "
    return _named_body(create, head, context)


def desugar_macro(create: CreateMacro, context: DesugarContext) -> Core:
    """The macro as `CREATE OR REPLACE TEMP MACRO`."""
    table = "TABLE " if create.kind == "table" else ""
    name = quoted_name(create.name)
    head = f"CREATE OR REPLACE TEMP MACRO {name}{create.parameters} AS {table}"
    return _named_body(create, head, context)


def desugar_prompt(create: CreatePrompt, context: DesugarContext) -> PromptCore:
    """The prompt as `CREATE OR REPLACE TEMP MACRO`, once as a value and once as a table."""
    offset = create.span.start
    with _placed(offset):
        context = replace(context, offset=offset)
        parts = read_prompt(create)
        number = context.next_site()
        # The parameters have no types: DuckDB does not bind a table macro with typed parameters
        # to columns. The types are casts in the template instead.
        parameters = ", ".join(quoted_name(name) for name, _ in create.parameters)
        head = f"CREATE OR REPLACE TEMP MACRO {quoted_name(create.name)}({parameters}) AS "
        types = {name.lower(): type_text for name, type_text in create.parameters}

        def made(as_table: bool) -> _Desugar:
            walk = _Desugar(create.text, context, column=lambda p: parameter(p, types))
            span = create.body_span.shifted(-offset)
            walk.writer.put(head + ("TABLE " if as_table else ""), span)
            walk.prompt(parts, span, number, create.name, as_table=as_table)
            return walk

        scalar, table = made(False).core(), made(True).core()
        return PromptCore(scalar.text, table.text, scalar.sites, scalar.source_map)


def _named_body(create: CreateView | CreateMacro, head: str, context: DesugarContext) -> Core:
    with _placed(create.body_span.start):
        walk = _Desugar(create.body, replace(context, offset=create.body_span.start))
        name = create.name_span.shifted(-create.body_span.start)
        walk.writer.put(head, name)
        walk.statement()
        return walk.core()


class _Desugar:
    """One walk over a text; spans count from the beginning of the text until the core is made."""

    def __init__(
        self,
        text: str,
        context: DesugarContext,
        column: Callable[[Placeholder], str] = column,
    ) -> None:
        self.writer = Writer(text, context.offset)
        self._sql = CallSql(self.writer, self._expression, column)
        self._text = text
        self._context = context
        self._sites: dict[int, CallSite] = {}
        self._known: dict[int, Site] = {}  # by where the call begins
        self._numbers: dict[str, tuple[int, ...]] = {}  # of values, by how they are written
        self._outer: set[int] = set()  # calls that were LEFT JOINed ON TRUE
        self._uses = Uses(())
        self._inferred: dict[int, SqlType] = {}  # of values, by where the call begins

    def core(self) -> Core:
        sites = tuple(self._sites[number] for number in sorted(self._sites))
        return Core(self.writer.text(), sites, self.writer.source_map())

    def statement(self) -> None:
        tokens = tokenize(self._text)
        if all(token.type != "VERB" for token in tokens):
            self.writer.copy(0, len(self._text))
            return
        elements = parse_soup(tokens)
        refuse_definitions(elements)
        self._uses = Uses(elements)
        self._inferred = inferred_types(elements, self._text)
        self._elements(elements, 0, len(self._text), "query")

    def prompt(
        self, parts: CallParts, span: Span, number: int, name: str, *, as_table: bool
    ) -> None:
        """The body of the macro that a prompt is."""
        site = Site((number,), parts, span)
        self._add_site(site, "LLM_GENERATE", name, diagnostics=False)
        if as_table:
            self._sql.select(site, outer=False, messages=False, info=False, sample=False)
        else:
            self._sql.value(site)

    # --- The walk ---------------------------------------------------------------------------

    def _elements(self, elements: Sequence[Element], start: int, end: int, level: Level) -> None:
        """Copy the text from `start` to `end`, which holds the elements, with calls written."""
        position = Position(level)
        block = Span(start, end)
        for index, element in enumerate(elements):
            match element:
                case Group():
                    self.writer.copy(start, element.open.end)
                    inner = position.inside(element)
                    self._elements(element.items, element.open.end, element.close.start, inner)
                    start = element.close.start
                case Call():
                    self.writer.copy(start, element.start)
                    if position.expects_table:
                        self._table(element, elements[index + 1 :], position, block)
                    else:
                        _refuse_other_aggregates(element, elements[index + 1 :])
                        self._scalar(element)
                    start = element.end
                case Token() if element.word == "LEFT" and level != "values":
                    join = self._without_left(elements, index)
                    if join is not None:
                        self.writer.copy(start, element.start)
                        start = elements[join].start
                case Token():
                    pass
            position.take(element)
        self.writer.copy(start, end)

    def _expression(self, expression: Expression) -> None:
        span = expression.span
        self._elements(expression.items, span.start, span.end, "values")

    def _scalar(self, call: Call) -> None:
        if call.verb.text.upper() == "LLM_SIMILARITY":
            self._similarity(call)
            return
        site = self._site_of(call, as_table=False)
        self._add_site(site, call.verb.text.upper(), None, diagnostics=False)
        self._sql.value(site)

    def _similarity(self, call: Call) -> None:
        """How alike two texts are: an expression over the calls that embed them."""
        written = self._text[call.start : call.end]
        sites = []
        for place, parts in enumerate(compared(call, self._text)):
            site = Site(self._numbered(f"{written} {place}"), parts, call.span)
            name = f"LLM_EMBED#{len(self._sites) + 1}"
            self._add_site(site, call.verb.text.upper(), name, diagnostics=False)
            sites.append(site)
        self._sql.similarity(*sites)

    def _table(self, call: Call, after: Sequence[Element], position: Position, block: Span) -> None:
        name = alias(after)
        site = self._site_of(call, as_table=True)
        hidden = Span(position.from_start, call.end)
        messages = self._uses.named("messages", name, block, hidden)
        info = self._uses.named("llm", name, block, hidden)
        sample = self._uses.named("sample", name, block, hidden)
        self._add_site(site, call.verb.text.upper(), name, diagnostics=info)
        span = site.span

        def lateral() -> None:
            outer = call.start in self._outer
            self.writer.put("(", span)
            self._sql.select(site, outer=outer, messages=messages, info=info, sample=sample)
            self.writer.put(")", span)

        if site.parts.table is None:
            if not position.lateral and not position.begins:
                self.writer.put("LATERAL ", span)
            lateral()
            return
        items = site.parts.table
        self.writer.put("(SELECT __t.*, __g.* FROM (", span)
        self._elements(items, items[0].start, items[-1].end, "query")
        self.writer.put(") AS __t, LATERAL ", span)
        lateral()
        self.writer.put(" AS __g)", span)

    def _without_left(self, elements: Sequence[Element], index: int) -> int | None:
        """Where JOIN stands, if at `index` is `LEFT JOIN call ON TRUE`.

        A call gives at least one row once an empty list gives one too, so LEFT changes nothing; and
        without it DuckDB need not join the calls back to their rows.
        """
        found = left_join_on_true(elements, index)
        if found is None:
            return None
        join, call = found
        if self._site_of(call, as_table=True).parts.table is not None:
            return None
        self._outer.add(call.start)
        return join

    # --- Sites ------------------------------------------------------------------------------

    def _numbered(self, written: str | None, samples: int = 1) -> tuple[int, ...]:
        """New numbers, or those of a value which was written alike before: DuckDB is to see one
        expression in `SELECT LLM_GENERATE('x {y}') .. GROUP BY LLM_GENERATE('x {y}')`."""
        numbers = None if written is None else self._numbers.get(written)
        if numbers is None:
            numbers = tuple(self._context.next_site() for _ in range(samples))
        if written is not None:
            self._numbers[written] = numbers
        return numbers

    def _site_of(self, call: Call, *, as_table: bool) -> Site:
        """The site of the call: one, also where its SQL is written more than once."""
        if call.start not in self._known:
            inferred = self._inferred.get(call.start)
            parts = read_call(call, self._text, as_table=as_table, inferred=inferred)
            written = None if as_table else self._text[call.start : call.end]
            numbers = self._numbered(written, parts.options.get("n", 1))
            self._known[call.start] = Site(numbers, parts, call.span)
        return self._known[call.start]

    def _add_site(self, site: Site, verb: str, name: str | None, *, diagnostics: bool) -> None:
        offset = self._context.offset
        options = dict(site.parts.options)
        options.pop("n", None)
        if "model_span" in options:
            options["model_span"] = options["model_span"].shifted(offset)
        shown = name or f"{verb}#{len(self._sites) + 1}"
        many = len(site.numbers)
        for sample, number in enumerate(site.numbers):
            self._sites.setdefault(
                number,
                CallSite(
                    number=number,
                    verb=verb,
                    returns=site.parts.returns,
                    span=site.span.shifted(offset),
                    name=shown if many == 1 else f"{shown} ({sample + 1} of {many})",
                    template=site.parts.template,
                    version=site.parts.version,
                    task=site.parts.task,
                    sample=sample,
                    diagnostics=diagnostics,
                    **options,
                ),
            )


def _refuse_other_aggregates(call: Call, after: Sequence[Element]) -> None:
    """No verb is a window function; one is an aggregate, whose order stands inside."""
    verb = call.verb.word
    if verb != "LLM_AGG":
        match words(after[:1]), after[1:2]:
            case (["OVER"], _) | (["FILTER"], [Group()]):
                what = "a window function" if words(after[:1]) == ["OVER"] else "an aggregate"
                raise BindError(
                    f"{verb} is not {what}",
                    span=Span(call.start, after[0].end),
                    hint="it is asked for each row; LLM_AGG is the aggregate",
                )
        return
    match words(after[:2]):
        case ["OVER", *_]:
            raise BindError(
                "LLM_AGG is no window function",
                span=Span(call.start, after[0].end),
                hint="it answers once for each group: GROUP BY, and join the answers to the rows",
            )
        case ["WITHIN", "GROUP"]:
            raise BindError(
                "the order of LLM_AGG stands inside its parentheses",
                span=Span(after[0].start, after[1].end),
                hint="LLM_AGG(column, 'Summarize these texts.' ORDER BY other)",
            )


@contextmanager
def _placed(offset: int) -> Iterator[None]:
    """Errors raised inside point into the file, not into the statement."""
    try:
        yield
    except HeliumQLError as error:
        if error.span is not None:
            error.span = error.span.shifted(offset)
        raise
