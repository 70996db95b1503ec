"""Sequences: statements that a connection is given at once, run in order.

Queries with calls between which nothing changes form groups, and are evaluated together.
`Connection` calls it for `sql_many`, `run_file` and the command line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from heliumql import syntax
from heliumql.binder.parameters import Parameters, of_each
from heliumql.errors import BindError, HeliumQLError
from heliumql.relations.relation import Relation
from heliumql.statements.groups import leaves_all_as_it_is
from heliumql.statements.parsed import Parsed
from heliumql.statements.statements import Statements

Given = Sequence[tuple[Parsed, Parameters]]


def run_in_order(statements: Statements, given: Given) -> Iterator[tuple[Parsed, Relation | None]]:
    """Runs each when it is asked for; a mistake stops at its statement."""
    ahead: dict[int, Relation | None] = {}
    for number, (parsed, parameters) in enumerate(given):
        if number not in ahead and statements.may_group(parsed.statement):
            ahead = _planned_ahead(statements, given, number)
        if number in ahead:
            yield parsed, ahead.pop(number)
        else:
            yield parsed, statements.run(parsed, parameters)


def _planned_ahead(statements: Statements, given: Given, start: int) -> dict[int, Relation | None]:
    """The relations of the queries that form a group with the one at `start`."""
    group, ahead = statements.new_group(), dict[int, Relation | None]()
    for number in range(start, len(given)):
        parsed, parameters = given[number]
        if not leaves_all_as_it_is(parsed.statement):
            break
        if statements.may_group(parsed.statement):
            try:
                ahead[number] = statements.run(parsed, parameters, group)
            except HeliumQLError:  # raised when it is its turn
                break
    return ahead


def run_for_rows(
    statements: Statements, given: Given, evaluated: Callable[[Relation], Relation]
) -> list[Relation]:
    """Runs all in order; the rows of those that are queries."""
    results = []
    for parsed, relation in run_in_order(statements, given):
        if relation is None:
            continue
        rows = evaluated(relation)
        says = relation.columns in (["Count"], ["Success"])
        if not says or syntax.shell(parsed.statement.text).kind == "select":
            results.append(rows)  # else what DuckDB says of a change
    return results


def parsed_each(statements: Statements, texts: Sequence[str], parameters: Parameters) -> Given:
    """The one statement of each text, with the parameters that it names."""
    parsed: list[Parsed] = []
    for text in texts:
        found = statements.parsed(text)
        if len(found) != 1:
            raise BindError(
                f"sql_many takes one statement in each text; one has {len(found)}",
                hint="sql takes a text of several statements",
            )
        parsed += found
    if not isinstance(parameters, Mapping):
        return [(one, parameters) for one in parsed]
    return with_parameters(parsed, parameters)


def with_parameters(parsed: Sequence[Parsed], parameters: Parameters) -> Given:
    """The statements of one text, each with its parameters."""
    given = of_each([one.statement.text for one in parsed], parameters)
    return list(zip(parsed, given, strict=True))


def run_together(statements: Statements, given: Given) -> list[Relation | None]:
    """Runs all at once; a query is evaluated when rows of it, or of one of its group, are read."""
    relations = []
    group = statements.new_group()
    for parsed, parameters in given:
        if not leaves_all_as_it_is(parsed.statement):
            group = statements.new_group()
        joins = statements.may_group(parsed.statement)
        relations.append(statements.run(parsed, parameters, group if joins else None))
    return relations
