"""What relations are made of relations with: `filter`, `select`, `to_parquet` and the like.

`Relation` is one. Each of these is one statement with the query inside it, so calls are planned for
the whole: rows that a later `limit` drops ask no model. Expressions are HQL, calls among them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from heliumql.binder.parameters import Parameters
from heliumql.errors import BindError
from heliumql.frames import Lazy
from heliumql.relations.composed import Query, copy_to, listed, query_of, written
from heliumql.source import Source, Span
from heliumql.syntax.literals import quoted_name

if TYPE_CHECKING:
    from heliumql.relations.relation import Relation


@dataclass(frozen=True)
class Origin:
    """The statement that a relation was made of, and what runs another on its connection."""

    source: Source
    span: Span
    parameters: Parameters
    run: Callable[[Source, Parameters], Relation | None]


class Composable(Lazy, ABC):
    """Rows that others can be made of. `origin` is there where a statement gave them."""

    origin: Origin | None = None

    @property
    @abstractmethod
    def columns(self) -> list[str]:
        """The names of the columns."""

    # other rows ---------------------------------------------------------------------------

    def filter(self, condition: str, params: Parameters = None) -> Relation:
        """The rows for which a condition holds.

        >>> import heliumql
        >>> con = heliumql.connect()
        >>> numbers = con.sql("SELECT * FROM range(10) AS r(n)")
        >>> numbers.filter("n > ? AND n % 2 = 0", [5]).fetchall()
        [(6,), (8,)]
        """
        return self._inside("filter", "WHERE (\n", written(condition), "\n)", params=params)

    def select(self, *expressions: str, params: Parameters = None) -> Relation:
        """These expressions of each row; those that nothing needs are not asked for.

        >>> import heliumql
        >>> con = heliumql.connect()
        >>> con.sql("SELECT 20 AS a, 22 AS b").select("a + b AS sum", "a").fetchall()
        [(42, 20)]
        """
        return self._inside("select", "SELECT\n", *listed(expressions or ["*"]), params=params)

    project = select

    def aggregate(self, expressions: str, by: str = "", *, params: Parameters = None) -> Relation:
        """One row for each group, those of `by` first; one row for all where that is empty.

        `expressions` are several with commas between them, as DuckDB's relations take them.

        >>> import heliumql
        >>> con = heliumql.connect()
        >>> con.sql("FROM range(10) AS r(n)").aggregate("sum(n) AS s", by="n % 2 AS odd").fetchall()
        [(0, 20), (1, 25)]
        """
        groups = [by] if by.strip() else []
        every = [*listed([*groups, expressions]), "GROUP BY ALL ORDER BY ALL" if groups else ""]
        return self._inside("aggregate", "SELECT\n", *every, params=params)

    def order(self, *expressions: str, params: Parameters = None) -> Relation:
        """The rows in order: `order("stars DESC", "name")`."""
        return self._inside("order", "ORDER BY\n", *listed(expressions), params=params)

    def limit(self, count: int, offset: int = 0) -> Relation:
        """The first rows after `offset` of them; calls of the others are not made.

        >>> import heliumql
        >>> con = heliumql.connect()
        >>> con.sql("FROM range(10)").limit(2, offset=3).fetchall()
        [(3,), (4,)]
        """
        return self._inside("limit", f"LIMIT {int(count)} OFFSET {int(offset)}")

    def distinct(self) -> Relation:
        """The rows, equal ones once."""
        return self._inside("distinct", "SELECT DISTINCT *")

    def query(self, name: str, text: str, params: Parameters = None) -> Relation:
        """A query in which this relation has a name: joins, windows, whatever SQL has.

        >>> import heliumql
        >>> con = heliumql.connect()
        >>> numbers = con.sql("SELECT * FROM range(4) AS r(n)")
        >>> numbers.query("r", "SELECT a.n, b.n FROM r a JOIN r b ON a.n = b.n + 2").fetchall()
        [(2, 0), (3, 1)]
        """
        query = self._query("query")
        before = f"WITH {quoted_name(name)} AS (\n"
        return self._rows(*query.between(before, "\n)\n", written(text), params=params))

    def count(self) -> int:
        """How many rows there are; asks only those models on which that depends."""
        row = self._inside("count", "SELECT count(*)").fetchone()
        assert row is not None
        return int(row[0])

    # where rows go ------------------------------------------------------------------------

    def to_table(self, name: str, *, replace: bool = False, temp: bool = False) -> None:
        """Writes the rows into a new table.

        >>> import heliumql
        >>> con = heliumql.connect()
        >>> con.sql("SELECT 42 AS answer").to_table("answers")
        >>> con.sql("FROM answers").fetchall()
        [(42,)]
        """
        kind = f"CREATE{' OR REPLACE' if replace else ''}{' TEMP' if temp else ''} TABLE"
        self._write("to_table", f"{kind} {quoted_name(name)} AS\n")

    create = to_table

    def insert_into(self, name: str) -> None:
        """Adds the rows to a table that there is."""
        self._write("insert_into", f"INSERT INTO {quoted_name(name)}\n")

    def to_parquet(self, path: str | Path, **options: object) -> None:
        """Writes a Parquet file; options as those of COPY: `compression="zstd"`."""
        self._write("to_parquet", "COPY (\n", copy_to(path, "parquet", options))

    def to_csv(self, path: str | Path, **options: object) -> None:
        """Writes a CSV file; options as those of COPY: `header=False`, `delimiter="|"`."""
        self._write("to_csv", "COPY (\n", copy_to(path, "csv", options))

    # how ----------------------------------------------------------------------------------

    def _inside(
        self, method: str, *after: str | tuple[Source, Span], params: Parameters = None
    ) -> Relation:
        query = self._query(method)
        return self._rows(*query.inside(self.columns, *after, params=params))

    def _write(self, method: str, before: str, *after: str | tuple[Source, Span]) -> None:
        query = self._query(method)
        written = self._origin(method).run(*query.between(before, *after))
        if written is not None:
            written.fetchall()

    def _query(self, method: str) -> Query:
        origin = self._origin(method)
        return query_of(origin.source, origin.span, origin.parameters, method)

    def _origin(self, method: str) -> Origin:
        if self.origin is None:
            raise BindError(
                f"{method} takes a query, and these are rows that are there already",
                hint='con.register("name", relation) makes a table of them',
            )
        return self.origin

    def _rows(self, source: Source, parameters: Parameters) -> Relation:
        assert self.origin is not None
        rows = self.origin.run(source, parameters)
        assert rows is not None
        return rows
