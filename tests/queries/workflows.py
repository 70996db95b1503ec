"""Random tables and random workflows over them: DAGs of CTEs in which anything reads answers.

`workflow(random)` is a query that DuckDB gives one answer to: whatever orders or limits does so by
all columns, or by columns that are different in every row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

NASTY = (
    "a", "b1", "3", "it''s", '"', "{a}", "{{", " ", "", "12", "%", "$1", "x;y", "-- c", "b''||''",
    "\ue000", "\ue000" + "0" * 16 + "a" * 32 + "\ue001", "Ünï",
)  # fmt: skip
TYPES = ("INTEGER", "BOOLEAN", "ENUM(''lo'',''hi'')")
STRUCT = "STRUCT(s VARCHAR, n INTEGER, e ENUM(''a'',''b''))"


@dataclass(frozen=True)
class Column:
    name: str
    type: str  # text, int, bool, enum, texts, messages


@dataclass(frozen=True)
class Relation:
    """Something to select from; `key` names columns that are together different in every row."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    rows: int  # about how many


@dataclass
class Workflow:
    random: Random
    ctes: list[str] = field(default_factory=list)
    relations: list[Relation] = field(default_factory=list)
    names: int = 0
    calls: int = 0

    # choices ------------------------------------------------------------------------------

    def one(self, *options: object) -> object:
        return options[self.random.randrange(len(options))]

    def below(self, bound: int) -> int:
        return self.random.randrange(bound)

    def chance(self, percent: int) -> bool:
        return self.random.randrange(100) < percent

    def fresh(self) -> str:
        self.names += 1
        return f"c{self.names}"

    def column(self, scope: Sequence[Column], kind: str) -> str | None:
        fitting = [c.name for c in scope if c.type == kind]
        return fitting[self.below(len(fitting))] if fitting else None

    # expressions --------------------------------------------------------------------------

    def call(self, scope: Sequence[Column], kind: str, depth: int) -> str:
        """A call in the place of a value; `kind` is an SQL type, or FILTER."""
        self.calls += 1
        verb = "LLM_FILTER" if kind == "FILTER" else "LLM_GENERATE"
        prompt = self.prompt(scope, depth)
        options = self.options(scope, depth)
        if kind not in ("FILTER", "VARCHAR"):
            options += f", returns => '{kind}'"
        return f"{verb}({prompt}{options})"

    def prompt(self, scope: Sequence[Column], depth: int) -> str:
        printable = [c.name for c in scope if c.type in ("text", "int", "bool", "enum")]
        tag = self.one("p", "q", "{{r}}", "it''s")
        if self.chance(70) and printable:
            names = [printable[self.below(len(printable))] for _ in range(1 + self.below(2))]
            return f"'{tag} " + " ".join("{" + n + "}" for n in names) + "'"
        if self.chance(10):
            return f"'{tag}'"
        return f"'{str(tag).replace('{{', '').replace('}}', '')} ' || {self.text(scope, depth - 1)}"

    def options(self, scope: Sequence[Column], depth: int) -> str:
        result = ""
        if self.chance(12):
            result += f", system => {self.text(scope, depth - 1)}"
        messages = self.column(scope, "messages")
        if messages is not None and self.chance(50):
            result += f", history => {messages}"
        return result

    def text(self, scope: Sequence[Column], depth: int) -> str:
        name = self.column(scope, "text")
        if depth <= 0 or self.chance(20):
            return name or f"'{self.one(*NASTY)}'"
        d = depth - 1
        text, integer, truth = self.text, self.integer, self.truth
        match self.below(22):
            case 0 | 1 | 2 | 3:
                return self.call(scope, "VARCHAR", d)
            case 4:
                return f"({text(scope, d)} || {text(scope, d)})"
            case 5:
                return f"concat({text(scope, d)}, '-', {text(scope, d)})"
            case 6:
                return f"concat_ws('|', {text(scope, d)}, {text(scope, d)})"
            case 7:
                return f"coalesce({text(scope, d)}, {text(scope, d)}, 'none')"
            case 8 | 9:
                return (
                    f"CASE WHEN {truth(scope, d)} THEN {text(scope, d)}"
                    + (f" WHEN {truth(scope, d)} THEN {text(scope, d)}" if self.chance(30) else "")
                    + (f" ELSE {text(scope, d)}" if self.chance(70) else "")
                    + " END"
                )
            case 10:
                return f"{self.one('upper', 'trim', 'reverse')}({text(scope, d)})"
            case 11:
                return f"CAST({self.one(integer, truth)(scope, d)} AS VARCHAR)"  # type: ignore[operator]
            case 12:
                return f"replace({text(scope, d)}, '3', 'x')"
            case 13:
                return f"([{text(scope, d)}, {text(scope, d)}])[{1 + self.below(3)}]"
            case 14:
                return f"({{'a': {text(scope, d)}, 'b': {integer(scope, d)}}}).a"
            case 15:
                return f"nullif({text(scope, d)}, {text(scope, d)})"
            case 16:
                return f"{self.one('greatest', 'least')}({text(scope, d)}, {text(scope, d)})"
            case 17:
                return f"CAST({self.call(scope, TYPES[2], d)} AS VARCHAR)"
            case 18:
                lists = self.column(scope, "texts")
                return f"{lists}[1]" if lists else text(scope, d)
            case 19:
                return f"({self.call(scope, STRUCT, d)}).s"
            case 20:
                lists = self.column(scope, "texts")
                return f"array_to_string({lists}, ',')" if lists else text(scope, d)
            case _:
                return f"ifnull({text(scope, d)}, 'n')"

    def integer(self, scope: Sequence[Column], depth: int) -> str:
        name = self.column(scope, "int")
        if depth <= 0 or self.chance(25):
            return name or str(self.below(5))
        d = depth - 1
        match self.below(9):
            case 0 | 1:
                return self.call(scope, "INTEGER", d)
            case 2:
                return f"({self.integer(scope, d)} + {self.integer(scope, d)}) % 7"
            case 3:
                return f"TRY_CAST({self.text(scope, d)} || '' AS INTEGER)"
            case 4:
                return f"CAST(length({self.text(scope, d)}) AS INTEGER)"
            case 5:
                return (
                    f"CASE WHEN {self.truth(scope, d)} THEN {self.integer(scope, d)} "
                    f"ELSE {self.integer(scope, d)} END"
                )
            case 6:
                return f"coalesce({self.integer(scope, d)}, 0)"
            case 7:
                return f"({self.call(scope, STRUCT, d)}).n"
            case _:
                return f"CAST({self.truth(scope, d)} AS INTEGER)"

    def truth(self, scope: Sequence[Column], depth: int) -> str:
        name = self.column(scope, "bool")
        if depth <= 0 or (name is not None and self.chance(15)):
            return name or f"{self.integer(scope, 0)} < 3"
        d = depth - 1
        text, integer, truth = self.text, self.integer, self.truth
        match self.below(14):
            case 0 | 1:
                return self.call(scope, "FILTER", d)
            case 2:
                return f"{text(scope, d)} {self.one('=', '<>', '<', '>=')} {text(scope, d)}"
            case 3:
                return f"{text(scope, d)} LIKE '%{self.one('3', 'b', '1')}%'"
            case 4:
                return f"({text(scope, d)}) IS {self.one('', 'NOT ')}NULL"
            case 5:
                return f"({integer(scope, d)}) {self.one('<', '=', '>')} {integer(scope, d)}"
            case 6:
                return f"({truth(scope, d)} AND {truth(scope, d)})"
            case 7:
                return f"({truth(scope, d)} OR {truth(scope, d)})"
            case 8:
                return f"NOT ({truth(scope, d)})"
            case 9:
                return f"{text(scope, d)} IN ('3', 'b1', {text(scope, d)})"
            case 10:
                return f"({text(scope, d)}) IS DISTINCT FROM ({text(scope, d)})"
            case 11:
                return f"{text(scope, d)} {self.one('', 'NOT ')}IN ({self.subquery(scope, d)})"
            case 12:
                return f"{self.call(scope, TYPES[2], d)} = '{self.one('lo', 'hi')}'"
            case _:
                return f"{self.call(scope, 'BOOLEAN', d)}"

    def subquery(self, scope: Sequence[Column], depth: int) -> str:
        """A column of texts; of a small relation, correlated now and then."""
        other = self.random.choice([r for r in self.relations if r.rows <= 12])
        alias = self.fresh()
        inner = [Column(f"{alias}.{c.name}", c.type) for c in other.columns]
        where = self.where([*inner, *scope], 1) if self.chance(30) else ""
        return f"SELECT {self.text(inner, min(1, depth))} FROM {other.name} {alias}{where}"

    def where(self, scope: Sequence[Column], depth: int) -> str:
        return f" WHERE {self.truth(scope, depth)}"

    def value(self, scope: Sequence[Column], depth: int) -> tuple[str, str]:
        """An expression and its type."""
        match self.below(8):
            case 0 | 1 | 2 | 3:
                return self.text(scope, depth), "text"
            case 4 | 5:
                return self.integer(scope, depth), "int"
            case 6:
                return self.truth(scope, depth), "bool"
            case _:
                return self.call(scope, TYPES[2], depth - 1), "enum"

    # relations ----------------------------------------------------------------------------

    def pick(self, most: int = 60) -> Relation:
        """A relation to read: rather a late one."""
        fitting = [r for r in self.relations if r.rows <= most]
        return fitting[max(self.below(len(fitting)), self.below(len(fitting)))]

    def scope(self, relation: Relation, alias: str) -> list[Column]:
        return [Column(f"{alias}.{c.name}", c.type) for c in relation.columns]

    def order(self, relation: Relation, alias: str) -> str:
        """An order in which rows that are not equal have one place."""
        names = relation.key or tuple(c.name for c in relation.columns)
        return ", ".join(f"{alias}.{n}" for n in names)

    def add(self, body: str, columns: Sequence[Column], key: Sequence[str], rows: int) -> None:
        name = f"r{len(self.ctes)}"
        listed = ", ".join(c.name for c in columns)
        kind = self.one("", "", "", "MATERIALIZED ")
        self.ctes.append(f"{name}({listed}) AS {kind}({body})")
        self.relations.append(Relation(name, tuple(columns), tuple(key), rows))

    def kept(self, relation: Relation, alias: str) -> tuple[list[str], list[Column], list[str]]:
        """Columns passed on under fresh names; the key of the relation, if all of it is kept."""
        items, columns, renamed = [], [], {}
        for column in relation.columns:
            if column.name in relation.key or self.chance(65):
                name = self.fresh()
                renamed[column.name] = name
                items.append(f"{alias}.{column.name}")
                columns.append(Column(name, column.type))
        return items, columns, [renamed[k] for k in relation.key]

    def select(self) -> None:
        source = self.pick()
        scope = self.scope(source, "s")
        items, columns, key = self.kept(source, "s")
        for _ in range(1 + self.below(2)):
            expression, kind = self.value(scope, 3)
            items.append(expression)
            columns.append(Column(self.fresh(), kind))
        where = self.where(scope, 2) if self.chance(35) else ""
        self.add(
            f"SELECT {', '.join(items)} FROM {source.name} s{where}", columns, key, source.rows
        )

    def lateral(self) -> None:
        source = self.pick()
        scope = self.scope(source, "s")
        items, columns, key = self.kept(source, "s")
        text = f"{source.name} s"
        for number in range(1 + self.below(2)):
            self.calls += 1
            g = f"g{number}"
            match self.below(6):
                case 0 | 1 | 2:
                    inside, made = "", [("text", "text"), ("messages", "messages")]
                case 3:
                    inside = f", returns => '{STRUCT}'"
                    made = [("s", "text"), ("n", "int"), ("e", "enum")]
                case 4:
                    inside, made = ", returns => 'INTEGER'", [("text", "int")]
                case _:
                    inside, made = f", returns => '{TYPES[2]}'", [("text", "enum")]
            text += (
                f", LATERAL LLM_GENERATE({self.prompt(scope, 2)}{inside}"
                f"{self.options(scope, 2)}) {g}"
            )
            for column, kind in made:
                scope.append(Column(f"{g}.{column}", kind))
                if self.chance(70):
                    items.append(f"{g}.{column}")
                    columns.append(Column(self.fresh(), kind))
        if not items:
            items, columns = ["1"], [Column(self.fresh(), "int")]
        where = self.where(scope, 2) if self.chance(25) else ""
        self.add(f"SELECT {', '.join(items)} FROM {text}{where}", columns, key, source.rows)

    def fan_out(self) -> None:
        source = self.pick(12)
        items, columns, _ = self.kept(source, "s")
        scope = self.scope(source, "s")
        name = self.fresh()
        if self.chance(50):
            self.calls += 1
            join = self.one(
                "LEFT JOIN LATERAL LLM_GENERATE({}) g ON TRUE", ", LATERAL LLM_GENERATE({}) g"
            )
            inside = f"{self.prompt(scope, 1)}, returns => 'VARCHAR[]'"
            sql = f"{source.name} s {str(join).format(inside)}"
            body = f"SELECT {', '.join([*items, 'g.text'])} FROM {sql}"
        else:
            item = f"unnest(string_split({self.text(scope, 2)}, '{self.one('3', ' ', 'b')}'))"
            if self.chance(50):
                item = f"unnest([{self.text(scope, 2)}, {self.text(scope, 1)}])"
            body = f"SELECT {', '.join([*items, item])} FROM {source.name} s"
        self.add(body, [*columns, Column(name, "text")], (), source.rows * 2)

    def join(self) -> None:
        a, b = self.pick(12), self.pick(12)
        scope = self.scope(a, "a") + self.scope(b, "b")
        kind = str(self.one("JOIN", "JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "SEMI JOIN",
                            "ANTI JOIN"))  # fmt: skip
        condition = self.truth(scope, 2)
        pairs = [
            (x.name, y.name)
            for x in self.scope(a, "a")
            for y in self.scope(b, "b")
            if x.type == y.type and x.type in ("int", "text", "enum")
        ]
        if pairs and self.chance(75):
            x, y = self.random.choice(pairs)
            equal = f"{x} = {y}"
            condition = f"{equal} AND {condition}" if self.chance(60) else equal
        items, columns, key = self.kept(a, "a")
        if kind not in ("SEMI JOIN", "ANTI JOIN"):
            more = self.kept(b, "b")
            items, columns = items + more[0], columns + more[1]
            key = [*key, *more[2]] if key and more[2] and kind == "JOIN" else []
        if not items:
            items, columns = ["1"], [Column(self.fresh(), "int")]
        self.add(
            f"SELECT {', '.join(items)} FROM {a.name} a {kind} {b.name} b ON {condition}",
            columns, key, a.rows * b.rows // 2 + 1,
        )  # fmt: skip

    def group(self) -> None:
        source = self.pick()
        scope = self.scope(source, "s")
        order = self.order(source, "s")
        items, columns = [], []
        if self.chance(85):
            expression, kind = self.value(scope, 2 if self.chance(60) else 0)
            items.append(expression)
            columns.append(Column(self.fresh(), kind))
        groups = len(items)
        for _ in range(1 + self.below(3)):
            argument = self.text(scope, 2)
            name = self.fresh()
            choices: list[tuple[str, str]] = [
                (f"count({argument})", "int"),
                (f"count(DISTINCT {argument})", "int"),
                (f"max({argument})", "text"),
                (f"min({self.integer(scope, 2)})", "int"),
                (f"bool_or({self.truth(scope, 2)})", "bool"),
            ]
            if source.key:
                choices += [
                    (f"string_agg({argument}, ';' ORDER BY {order})", "text"),
                    (f"string_agg({argument}, ';' ORDER BY {order})", "text"),
                    (f"list({argument} ORDER BY {order})", "texts"),
                    (f"(list({argument} ORDER BY {order} DESC))[1]", "text"),
                    (f"first({argument} ORDER BY {order})", "text"),
                    (f"any_value({argument} ORDER BY {order})", "text"),
                    (f"string_agg({argument}, ';' ORDER BY {order}) "
                     f"FILTER (WHERE {self.truth(scope, 2)})", "text"),
                ]  # fmt: skip
                if len(source.key) == 1:
                    choices.append((f"arg_max({argument}, s.{source.key[0]})", "text"))
            expression, kind = choices[self.below(len(choices))]
            items.append(expression)
            columns.append(Column(name, kind))
        tail = " GROUP BY 1" if groups else ""
        if self.chance(20):
            tail += f" HAVING count({self.text(scope, 1)}) >= 1"
        key = [columns[0].name] if groups else []
        self.add(
            f"SELECT {', '.join(items)} FROM {source.name} s{tail}", columns, key,
            max(1, source.rows // 2),
        )  # fmt: skip

    def distinct(self) -> None:
        source = self.pick()
        columns = [c for c in source.columns if c.type != "messages"]
        if not columns:
            return
        taken = columns[: 1 + self.below(len(columns))]
        made = [Column(self.fresh(), c.type) for c in taken]
        listed = ", ".join(f"s.{c.name}" for c in taken)
        if self.chance(60):
            self.add(
                f"SELECT DISTINCT {listed} FROM {source.name} s", made,
                [c.name for c in made], source.rows,
            )  # fmt: skip
            return
        on = self.text(self.scope(source, "s"), 1)
        everything = ", ".join(f"s.{c.name}" for c in source.columns)
        self.add(
            f"SELECT DISTINCT ON ({on}) {listed} FROM {source.name} s ORDER BY {everything}",
            made, (), source.rows,
        )  # fmt: skip

    def union(self) -> None:
        a, b = self.pick(30), self.pick(30)
        scope_a, scope_b = self.scope(a, "s"), self.scope(b, "s")
        kind = str(self.one("UNION ALL", "UNION ALL", "UNION", "EXCEPT", "INTERSECT"))
        types = [str(self.one("text", "text", "int")) for _ in range(1 + self.below(2))]
        make: dict[str, Callable[[Sequence[Column], int], str]] = {
            "text": self.text, "int": self.integer,
        }  # fmt: skip
        left = ", ".join(make[t](scope_a, 2) for t in types)
        right = ", ".join(make[t](scope_b, 2) for t in types)
        columns = [Column(self.fresh(), t) for t in types]
        key = [] if kind == "UNION ALL" else [c.name for c in columns]
        self.add(
            f"SELECT {left} FROM {a.name} s {kind} SELECT {right} FROM {b.name} s", columns, key,
            a.rows + b.rows,
        )  # fmt: skip

    def window(self) -> None:
        source = self.pick()
        scope = self.scope(source, "s")
        items, columns, key = self.kept(source, "s")
        order = self.order(source, "s")
        partition, _ = self.value(scope, 1)
        over = f"PARTITION BY {partition} " if self.chance(60) else ""
        argument = self.text(scope, 2)
        ordered = f"({over}ORDER BY {order})"
        first = f"({over}ORDER BY {self.text(scope, 2)}, {order})"
        choices = [
            (f"count(*) OVER ({over})", "int"),
            (f"row_number() OVER {first}", "int"),
            (f"CAST(sum({self.integer(scope, 2)}) OVER {ordered} AS INTEGER)", "int"),
            (f"max({argument}) OVER {ordered}", "text"),
        ]
        if source.key:
            choices += [
                (f"lag({argument}) OVER {ordered}", "text"),
                (f"lead({argument}, 1, 'none') OVER {ordered}", "text"),
                (f"first_value({argument}) OVER {ordered}", "text"),
                (f"last_value({argument} IGNORE NULLS) OVER {ordered}", "text"),
                (f"string_agg({argument}, ',') OVER {ordered}", "text"),
                (f"list({argument}) OVER {ordered}", "texts"),
            ]
        expression, kind = choices[self.below(len(choices))]
        items.append(expression)
        columns.append(Column(self.fresh(), kind))
        tail = f" QUALIFY row_number() OVER {first} <= 2" if self.chance(20) else ""
        body = f"SELECT {', '.join(items)} FROM {source.name} s{tail}"
        self.add(body, columns, key, source.rows)

    def limit(self) -> None:
        source = self.pick()
        scope = self.scope(source, "s")
        items, columns, key = self.kept(source, "s")
        expression, kind = self.value(scope, 2)
        leading = f"{self.text(scope, 2)} {self.one('', 'DESC', 'NULLS FIRST')}, "
        leading = leading if self.chance(50) else ""
        count = 1 + self.below(5)
        offset = " OFFSET 1" if self.chance(25) else ""
        self.add(
            f"SELECT {', '.join([*items, expression])} FROM {source.name} s "
            f"ORDER BY {leading}{self.order(source, 's')} LIMIT {count}{offset}",
            [*columns, Column(self.fresh(), kind)], key, count,
        )  # fmt: skip

    def neighbours(self) -> None:
        """Each row reads what the others of its group said."""
        source = self.pick(12)
        items, columns, key = self.kept(source, "s")
        scope, others = self.scope(source, "s"), self.scope(source, "o")
        pairs = [(x.name, y.name) for x, y in zip(scope, others, strict=True)
                 if x.type in ("int", "text", "enum", "bool")]  # fmt: skip
        if not pairs:
            return
        x, y = self.random.choice(pairs)
        where = f" WHERE {x} = {y}"
        if source.key:
            where += f" AND s.{source.key[0]} <> o.{source.key[0]}"
            made = f"string_agg({self.text(others, 1)}, ',' ORDER BY {self.order(source, 'o')})"
        else:
            made = f"max({self.text(others, 1)})"
        items.append(f"(SELECT {made} FROM {source.name} o{where})")
        columns.append(Column(self.fresh(), "text"))
        self.add(f"SELECT {', '.join(items)} FROM {source.name} s", columns, key, source.rows)

    def loop(self) -> None:
        source = self.pick(6)
        name = f"l{len(self.ctes)}"
        scope = self.scope(source, "s")
        inner = [Column("n", "int"), Column("k", "int"), Column("d", "text")]
        condition = f" AND {self.truth(inner, 2)}" if self.chance(70) else ""
        start = self.text(scope, 2)
        step = self.text(inner, 2)
        number = self.column(scope, "int") or "1"
        union = self.one("UNION ALL", "UNION ALL", "UNION")
        self.ctes.append(
            f"{name}(n, k, d) AS (SELECT 1, {number}, {start} FROM {source.name} s {union} "
            f"SELECT n + 1, k, {step} FROM {name} WHERE n < {2 + self.below(3)}{condition})"
        )
        columns = (Column("n", "int"), Column("k", "int"), Column("d", "text"))
        self.relations.append(Relation(name, columns, (), source.rows * 3))

    def query(self, size: int) -> str:
        steps = (
            self.select, self.select, self.lateral, self.lateral, self.join, self.group,
            self.group, self.distinct, self.union, self.window, self.limit, self.fan_out,
            self.neighbours, self.loop,
        )  # fmt: skip
        while len(self.ctes) < size:
            steps[self.below(len(steps))]()
        if not self.calls:
            self.lateral()
        last = self.relations[-1]
        if len(self.relations) > 3 and self.chance(30):
            last = self.pick(1000)
        return f"WITH RECURSIVE {', '.join(self.ctes)} SELECT * FROM {last.name}"


def tables(random: Random) -> list[str]:
    """Statements that make the tables `t` and `p`."""

    def text() -> str:
        return "NULL" if random.randrange(6) == 0 else f"'{random.choice(NASTY)}'"

    def number() -> str:
        return "NULL" if random.randrange(8) == 0 else str(random.randrange(4))

    t = [f"({i}, {number()}, {text()})" for i in range(random.randrange(7))]
    p = [f"({number()}, {text()})" for _ in range(random.randrange(5))]
    made = [
        "CREATE OR REPLACE TABLE t (id INTEGER, grp INTEGER, body VARCHAR)",
        "CREATE OR REPLACE TABLE p (k INTEGER, name VARCHAR)",
    ]
    if t:
        made.append(f"INSERT INTO t VALUES {', '.join(t)}")
    if p:
        made.append(f"INSERT INTO p VALUES {', '.join(p)}")
    return made


def workflow(random: Random, most: int = 4) -> str:
    """A query over `t` and `p`."""
    t = (Column("id", "int"), Column("grp", "int"), Column("body", "text"))
    p = (Column("k", "int"), Column("name", "text"))
    relations = [Relation("p", p, (), 5), Relation("t", t, ("id",), 7)]
    return Workflow(random, relations=relations).query(1 + random.randrange(most))
