"""Random queries of the shapes that the optimizer's rules look at: predicates that ask a model.

Joins of all kinds, semi and anti joins, DISTINCT, groups, set operations and LIMIT stand below and
above predicates made of few templates, so that equal calls, equal subplans and what was learnt of
a template are met again. `query(random)` has one answer in SQL: whatever limits or keeps the first
row orders by all that tells rows apart, or reads a table as it stands.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

PROMPTS = ("is {} good?", "{} or not", "say {}")
WORDS = ("a", "b1", "3", "12", "it''s", "", "{x}")


@dataclass(frozen=True)
class Relation:
    """A query with its columns; `key` are those that are together different in every row."""

    sql: str
    numbers: tuple[str, ...]
    texts: tuple[str, ...]
    key: tuple[str, ...]
    rows: int  # about how many

    @property
    def columns(self) -> tuple[str, ...]:
        return self.numbers + self.texts


@dataclass
class Asking:
    """Makes one query."""

    random: Random
    ctes: list[tuple[str, Relation]] = field(default_factory=list)
    names: int = 0

    def chance(self, percent: int) -> bool:
        return self.random.randrange(100) < percent

    def fresh(self) -> str:
        self.names += 1
        return f"x{self.names}"

    # predicates ---------------------------------------------------------------------------

    def asks(self, columns: tuple[str, ...]) -> str:
        """A predicate that asks a model."""
        shown = "{" + self.random.choice(columns) + "}" if columns else "nothing"
        if len(columns) > 1 and self.chance(25):
            shown += " and {" + self.random.choice(columns) + "}"
        prompt = self.random.choice(PROMPTS).format(shown)
        match self.random.randrange(8):
            case 0 | 1 | 2 | 3:
                return f"LLM_FILTER('{prompt}')"
            case 4:
                word = self.random.choice(("3", "b1", "12"))
                return f"LLM_GENERATE('{prompt}') {self.random.choice(('=', '<>', '<'))} '{word}'"
            case 5:
                return f"LLM_GENERATE('{prompt}') LIKE '%{self.random.choice('3b1')}%'"
            case 6:
                return f"LLM_GENERATE('{prompt}', returns => 'INTEGER') < 3"
            case _:
                negated = self.random.choice(("", "NOT "))
                return f"LLM_GENERATE('{prompt}', returns => 'BOOLEAN') IS {negated}NULL"

    def plain(self, relation: tuple[str, ...]) -> str:
        """A predicate over numbers that asks nothing."""
        if not relation:
            return "TRUE"
        column = self.random.choice(relation)
        form = self.random.choice(("{} < 3", "{} % 2 = 0", "{} IS NOT NULL", "{} > 1", "{} <> 2"))
        return form.format(column)

    def predicate(self, numbers: tuple[str, ...], texts: tuple[str, ...], depth: int = 2) -> str:
        columns = numbers + texts
        if depth == 0 or self.chance(30):
            return self.asks(columns)

        def inner() -> str:
            if self.chance(25):
                return self.plain(numbers)
            return self.predicate(numbers, texts, depth - 1)

        match self.random.randrange(8):
            case 0 | 1 | 2:
                return f"{inner()} AND {inner()}"
            case 3 | 4:
                return f"({inner()} OR {inner()})"
            case 5:
                return f"NOT ({inner()})"
            case 6:
                return f"CASE WHEN {inner()} THEN {inner()} ELSE {inner()} END"
            case _:
                return f"coalesce({inner()}, {inner()})"

    # relations ----------------------------------------------------------------------------

    def table(self) -> Relation:
        if self.ctes and self.chance(45):
            name, relation = self.random.choice(self.ctes)
            parts = relation.numbers, relation.texts, relation.key, relation.rows
            return Relation(f"SELECT * FROM {name}", *parts)
        if self.chance(60):
            return Relation("SELECT * FROM t", ("id", "k"), ("body",), ("id",), 30)
        return Relation("SELECT * FROM p", ("k",), ("name",), (), 6)

    def relation(self, depth: int) -> Relation:
        if depth <= 0:
            return self.table()
        if self.chance(12) and self.ctes:
            return self.table()
        makers = (
            self.filtered, self.filtered, self.filtered, self.joined, self.joined, self.joined,
            self.half_joined, self.half_joined, self.distinct, self.grouped, self.grouped,
            self.limited, self.limited, self.limited, self.united, self.windowed, self.said,
            self.limited_table, self.first_of_each, self.counted,
        )  # fmt: skip
        return makers[self.random.randrange(len(makers))](depth - 1)

    def source(self, depth: int) -> tuple[Relation, str, tuple[str, ...], tuple[str, ...]]:
        """A relation to read, as FROM names it, with its numbers and texts by their names."""
        relation, alias = self.relation(depth), self.fresh()
        numbers = tuple(f"{alias}.{c}" for c in relation.numbers)
        texts = tuple(f"{alias}.{c}" for c in relation.texts)
        table = relation.sql.removeprefix("SELECT * FROM ")
        text = table if table.isalnum() else f"({relation.sql})"
        return relation, f"{text} AS {alias}", numbers, texts

    def where(self, numbers: tuple[str, ...], texts: tuple[str, ...], percent: int = 100) -> str:
        return f" WHERE {self.predicate(numbers, texts)}" if self.chance(percent) else ""

    def filtered(self, depth: int) -> Relation:
        relation, source, numbers, texts = self.source(depth)
        sql = f"SELECT {', '.join(numbers + texts)} FROM {source}{self.where(numbers, texts)}"
        return Relation(sql, relation.numbers, relation.texts, relation.key, relation.rows)

    def joined(self, depth: int) -> Relation:
        a, left, numbers, texts = self.source(depth)
        b, right, more_numbers, more_texts = self.source(depth - self.random.randrange(2))
        if a.rows * b.rows > 3000:
            return a
        kind = self.random.choice(("JOIN", "JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", ","))
        all_numbers, all_texts = numbers + more_numbers, texts + more_texts
        where = self.where(all_numbers, all_texts, 60)
        on = ""
        if kind != ",":
            on = " ON " + self.condition(numbers, texts, more_numbers, more_texts)
        elif numbers and more_numbers and self.chance(70):
            equal = f"{self.random.choice(numbers)} = {self.random.choice(more_numbers)}"
            where = f"{where} AND {equal}" if where else f" WHERE {equal}"
        elif a.rows * b.rows > 200:
            return a
        made = [(c, self.fresh()) for c in all_numbers + all_texts]
        named = dict(made)
        listed = ", ".join(f"{c} AS {n}" for c, n in made)
        whole = kind in ("JOIN", ",") and a.key and b.key
        aliases = (left.rpartition(" ")[2], right.rpartition(" ")[2])
        keys = [(aliases[0], c) for c in a.key] + [(aliases[1], c) for c in b.key]
        return Relation(
            f"SELECT {listed} FROM {left}{' ' if kind != ',' else ''}{kind} {right}{on}{where}",
            tuple(named[c] for c in all_numbers),
            tuple(named[c] for c in all_texts),
            tuple(named[f"{x}.{c}"] for x, c in keys) if whole else (),
            max(a.rows, b.rows) * 2,
        )

    def condition(
        self,
        numbers: tuple[str, ...],
        texts: tuple[str, ...],
        more_numbers: tuple[str, ...],
        more_texts: tuple[str, ...],
    ) -> str:
        """ON: keys, and now and then a model that is asked about one side or about both."""
        on = "TRUE"
        if numbers and more_numbers:
            on = f"{self.random.choice(numbers)} = {self.random.choice(more_numbers)}"
        if self.chance(45):
            sides = ((numbers, texts), (more_numbers, more_texts))
            both = (numbers + more_numbers, texts + more_texts)
            on += f" AND {self.predicate(*self.random.choice((*sides, both, both)), 1)}"
        return on

    def half_joined(self, depth: int) -> Relation:
        """Rows of one side that have, or have not, a partner on the other."""
        a, left, numbers, texts = self.source(depth)
        b, right, more_numbers, more_texts = self.source(depth - self.random.randrange(2))
        if not numbers or not more_numbers or a.rows * b.rows > 3000:
            return a
        outputs = ", ".join(numbers + texts)
        where = self.where(numbers, texts, 50)
        also = f"{where} AND" if where else " WHERE"
        match self.random.randrange(4):
            case 0:
                on = self.condition(numbers, texts, more_numbers, more_texts)
                kind = self.random.choice(("SEMI", "ANTI"))
                sql = f"SELECT {outputs} FROM {left} {kind} JOIN {right} ON {on}{where}"
            case 1:
                inner = self.where(more_numbers, more_texts, 50)
                kind = self.random.choice(("IN", "NOT IN"))
                key, other = self.random.choice(numbers), self.random.choice(more_numbers)
                sql = (
                    f"SELECT {outputs} FROM {left}{also} {key} {kind} "
                    f"(SELECT {other} FROM {right}{inner})"
                )
            case 2:
                on = self.condition(numbers, texts, more_numbers, more_texts)
                kind = self.random.choice(("EXISTS", "NOT EXISTS"))
                sql = (
                    f"SELECT {outputs} FROM {left}{also} {kind} (SELECT 1 FROM {right} WHERE {on})"
                )
            case _:  # the anti join of those who have no ANTI JOIN
                on = self.condition(numbers, texts, more_numbers, more_texts)
                missing = self.random.choice(more_numbers)
                sql = (
                    f"SELECT {outputs} FROM {left} LEFT JOIN {right} ON {on}"
                    f"{also} {missing} IS NULL"
                )
                return Relation(sql, a.numbers, a.texts, (), a.rows)
        return Relation(sql, a.numbers, a.texts, a.key, a.rows)

    def distinct(self, depth: int) -> Relation:
        a, source, numbers, texts = self.source(depth)
        kept = numbers + texts if self.chance(30) else numbers[-1:] + texts[-1:]
        if self.chance(70):
            where = self.where(numbers[-1:], texts[-1:] if kept[-1:] == texts[-1:] else (), 80)
        else:
            where = self.where(numbers, texts)
        names = tuple(c.rpartition(".")[2] for c in kept)
        return Relation(
            f"SELECT DISTINCT {', '.join(kept)} FROM {source}{where}",
            tuple(n for n in names if n in a.numbers),
            tuple(n for n in names if n in a.texts),
            names, max(1, a.rows // 2),
        )  # fmt: skip

    def grouped(self, depth: int) -> Relation:
        a, source, numbers, texts = self.source(depth)
        keys = (numbers + texts)[-1 - self.random.randrange(2) :]
        if self.chance(65):
            where = self.where(
                tuple(k for k in keys if k in numbers), tuple(k for k in keys if k in texts)
            )
        else:
            where = self.where(numbers, texts)
        named = [(k, self.fresh()) for k in keys]
        count = self.fresh()
        over = self.random.choice(numbers) if numbers else "1"
        aggregate = self.random.choice(("count(*)", f"count({over})", f"CAST(min({over}) AS INT)"))
        having = f" HAVING {self.predicate((), keys, 1)}" if self.chance(20) else ""
        return Relation(
            f"SELECT {', '.join(f'{k} AS {n}' for k, n in named)}, {aggregate} AS {count} "
            f"FROM {source}{where} GROUP BY {', '.join(keys)}{having}",
            (*(n for k, n in named if k in numbers), count),
            tuple(n for k, n in named if k in texts),
            tuple(n for _, n in named), max(1, a.rows // 2),
        )  # fmt: skip

    def counted(self, depth: int) -> Relation:
        """One row, whatever there is."""
        _, source, numbers, texts = self.source(depth)
        name = self.fresh()
        sql = f"SELECT count(*) AS {name} FROM {source}{self.where(numbers, texts)}"
        return Relation(sql, (name,), (), (name,), 1)

    def limited(self, depth: int) -> Relation:
        """The first rows in an order that tells all rows apart."""
        a, source, numbers, texts = self.source(depth)
        alias = source.rpartition(" ")[2]
        columns = numbers + texts
        order = [f"{alias}.{c}" for c in a.key or a.columns]
        if self.chance(30):
            order.insert(0, self.random.choice(columns) + self.random.choice(("", " DESC")))
        if self.chance(10):
            order.insert(0, f"LLM_GENERATE('rank {{{self.random.choice(columns)}}}')")
        count = self.random.choice((0, 1, 1, 2, 3, 5, 40))
        offset = f" OFFSET {self.random.choice((1, 3, 50))}" if self.chance(25) else ""
        sql = (
            f"SELECT {', '.join(columns)} FROM {source}{self.where(numbers, texts, 85)} "
            f"ORDER BY {', '.join(order)} LIMIT {count}{offset}"
        )
        return Relation(sql, a.numbers, a.texts, a.key, max(1, min(count, a.rows)))

    def limited_table(self, depth: int) -> Relation:
        """The first rows of a table as it stands."""
        numbers, texts = ("id", "k"), ("body",)
        count = self.random.choice((1, 2, 4, 9))
        sql = f"SELECT id, k, body FROM t{self.where(numbers, texts)} LIMIT {count}"
        return Relation(sql, numbers, texts, ("id",), count)

    def united(self, depth: int) -> Relation:
        a = self.relation(depth)
        b = a if self.chance(45) else self.relation(depth)
        if not a.numbers or not b.numbers:
            return a
        kind = self.random.choice(("UNION ALL", "UNION ALL", "UNION", "EXCEPT", "INTERSECT"))
        number, text = self.fresh(), self.fresh()
        parts = []
        for relation in (a, b):
            column = self.random.choice(relation.numbers)
            words = (*relation.texts, f"CAST({column} AS VARCHAR)")
            parts.append(
                f"SELECT {column} AS {number}, {self.random.choice(words)} AS {text} "
                f"FROM ({relation.sql}) AS {self.fresh()}"
            )
        if a is b and self.chance(60):  # the same twice
            parts[1] = parts[0]
        inner, alias = f" {kind} ".join(parts), self.fresh()
        where = self.where((f"{alias}.{number}",), (f"{alias}.{text}",), 50)
        sql = f"SELECT {alias}.{number}, {alias}.{text} FROM ({inner}) AS {alias}{where}"
        return Relation(sql, (number,), (text,), (), a.rows + b.rows)

    def windowed(self, depth: int) -> Relation:
        a, source, numbers, texts = self.source(depth)
        alias, name = source.rpartition(" ")[2], self.fresh()
        order = ", ".join(f"{alias}.{c}" for c in a.key or a.columns)
        over = f"PARTITION BY {self.random.choice(numbers)} " if numbers else ""
        function = self.random.choice(("row_number()", "rank()", "count(*)"))
        window = f"CAST({function} OVER ({over}ORDER BY {order}) AS INTEGER)"
        qualify = f" QUALIFY {window} <= 2" if self.chance(25) else ""
        return Relation(
            f"SELECT {', '.join(numbers + texts)}, {window} AS {name} FROM {source}"
            f"{self.where(numbers, texts, 60)}{qualify}",
            (*a.numbers, name), a.texts, a.key, a.rows,
        )  # fmt: skip

    def first_of_each(self, depth: int) -> Relation:
        """DISTINCT ON: the first row of each group."""
        a, source, numbers, texts = self.source(depth)
        alias = source.rpartition(" ")[2]
        on = self.random.choice(numbers + texts)
        order = ", ".join([on, *(f"{alias}.{c}" for c in a.key or a.columns)])
        sql = (
            f"SELECT DISTINCT ON ({on}) {', '.join(numbers + texts)} FROM {source}"
            f"{self.where(numbers, texts, 70)} ORDER BY {order}"
        )
        return Relation(sql, a.numbers, a.texts, a.key, max(1, a.rows // 2))

    def said(self, depth: int) -> Relation:
        """Answers as a column."""
        a, source, numbers, texts = self.source(depth)
        name, column = self.fresh(), self.random.choice(numbers + texts)
        call = f"LLM_GENERATE('{self.random.choice(PROMPTS).format('{' + column + '}')}')"
        sql = (
            f"SELECT {', '.join(numbers + texts)}, {call} AS {name} FROM {source}"
            f"{self.where(numbers, texts, 40)}"
        )
        return Relation(sql, a.numbers, (*a.texts, name), a.key, a.rows)

    def query(self) -> str:
        for _ in range(self.random.randrange(3)):
            made, name = self.relation(2), f"w{len(self.ctes)}"
            if made.sql.startswith("SELECT * FROM "):
                continue
            self.ctes.append((name, made))
            if self.chance(25):  # the same under another name
                self.ctes.append((f"w{len(self.ctes)}", made))
        body = self.relation(3)
        while "LLM_" not in body.sql:
            body = self.relation(3)
        kinds = ("", "", "MATERIALIZED ", "NOT MATERIALIZED ")
        listed = ", ".join(f"{n} AS {self.random.choice(kinds)}({r.sql})" for n, r in self.ctes)
        return f"WITH {listed} {body.sql}" if self.ctes else body.sql


def tables(random: Random) -> list[str]:
    """Statements that make t(id, k, body) and p(k, name), with NULLs and equal rows."""

    def number(bound: int) -> str:
        return "NULL" if random.randrange(7) == 0 else str(random.randrange(bound))

    def word() -> str:
        return "NULL" if random.randrange(9) == 0 else f"'{random.choice(WORDS)}'"

    made = [
        "CREATE OR REPLACE TABLE t (id INTEGER, k INTEGER, body VARCHAR)",
        "CREATE OR REPLACE TABLE p (k INTEGER, name VARCHAR)",
    ]
    t = [f"({i}, {number(5)}, {word()})" for i in range(random.choice((0, 1, 8, 20, 40)))]
    p = [f"({number(6)}, {word()})" for _ in range(random.choice((0, 1, 3, 6)))]
    for name, rows in (("t", t), ("p", p)):
        if rows:
            made.append(f"INSERT INTO {name} VALUES {', '.join(rows)}")
    return made


def query(random: Random) -> str:
    """A query over t and p."""
    return Asking(random).query()
