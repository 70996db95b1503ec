"""What laying out does to texts, and that it changes nothing but their looks."""

from __future__ import annotations

import re
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliumql.errors import HeliumQLError, ParseError
from heliumql.formatting import formatted
from heliumql.syntax import DesugarContext, LlmSql, desugar, parse, split, tokenize

REPOSITORY = Path(__file__).parents[2]


def texts() -> dict[str, str]:
    """Every script of the repository, and every query of the tests, by name."""
    found = {}
    for path in sorted(REPOSITORY.glob("[qtbc]*/**/*.hql")):
        found[str(path.relative_to(REPOSITORY))] = path.read_text("utf-8")
    for path in sorted((REPOSITORY / "tests").glob("*/*.sql")):
        # Queries stand under `---- name` lines; tests/syntax has other marks, too.
        for number, part in enumerate(re.split(r"(?m)^----.*$", path.read_text("utf-8"))):
            found[f"{path.relative_to(REPOSITORY)}#{number}"] = part
    return found


TEXTS = texts()


def is_hql(text: str) -> bool:
    try:
        parse(text)
        formatted(text)
        return True
    except HeliumQLError:
        return False


GOOD = {name: text for name, text in TEXTS.items() if is_hql(text)}


def cores(text: str) -> list[list[str]]:
    """The tokens of the core SQL of each statement with calls, keywords in capitals."""
    found = []
    for statement in parse(text):
        if isinstance(statement, LlmSql):
            numbers = count()
            context = DesugarContext(lambda numbers=numbers: next(numbers), 0)
            core = desugar(statement.text, context)
            found.append([t.word or t.text for t in tokenize(core.text)])
    return found


def test_there_are_many_texts_to_lay_out() -> None:
    assert len(GOOD) > 300
    assert len(GOOD) > 0.9 * len(TEXTS)


@pytest.mark.parametrize("file", sorted({name.partition("#")[0] for name in GOOD}))
def test_laying_out_again_changes_nothing(file: str) -> None:
    for name, text in GOOD.items():
        if name.partition("#")[0] == file:
            once = formatted(text)
            assert formatted(once) == once, name
            assert once == "" or once.endswith("\n")


@pytest.mark.parametrize("file", sorted({name.partition("#")[0] for name in GOOD}))
def test_statements_mean_what_they_meant(file: str) -> None:
    for name, text in GOOD.items():
        if name.partition("#")[0] == file:
            once = formatted(text)
            assert [type(s) for s in parse(once)] == [type(s) for s in parse(text)], name
            try:
                before = cores(text)
            except HeliumQLError:
                continue  # a statement that is refused later; its tokens are the same
            assert cores(once) == before, name


ATOMS = st.sampled_from(
    [
        *("select", "FROM", "where", "a", "t.b", "(", ")", "[1, 2]", "{'k': end_}", ",", ",", ";"),
        *("'x y'", "'it''s'", "$$ a\n b $$", "E'\\n'", '"Odd "', "-- c\n", "/* d */", "/* e */\n"),
        *("case", "when", "then", "end", "and", "between", "as", "join", "lateral", "\n", "\n\n"),
        *("LLM_GENERATE('{a}', system => 'long enough to be broken somewhere, one would think')",),
        *("=", "<=", "-", "::", "||", "!~~", "=>", "union all", "with x as (select 1)", "order by"),
        *(
            "values",
            "(1, 2)",
            "group by",
            "on",
            "left",
            "\t",
            "$1",
            "?",
            "1.5e3",
            "struct(end int)",
        ),
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(ATOMS, max_size=40).map(" ".join))
def test_any_soup_of_tokens_stays_what_it_is(text: str) -> None:
    try:
        once = formatted(text)  # raises InternalError where it would change the statement
    except ParseError:
        return
    assert formatted(once) == once
    parts = [[t.text.upper() for t in tokens] for tokens in split(tokenize(text))]
    assert [[t.text.upper() for t in tokens] for tokens in split(tokenize(once))] == parts


def test_short_statements_stay_on_a_line_and_clauses_that_begin_one_do_so() -> None:
    assert formatted("select  a,b from t  where x=1 ;") == "SELECT a, b FROM t WHERE x = 1;\n"
    assert formatted("select a\nfrom t where x") == "SELECT a\nFROM t\nWHERE x\n"


def test_long_lists_conditions_and_calls_are_broken() -> None:
    text = (
        "select first_column_of_the_table, second_column_of_the_table, third_column_of_the_table,"
        " fourth_column from t join u on t.key_of_the_table = u.key_of_the_table and t.kind = "
        "'a rather long constant text' and t.x between 1 and 2, lateral LLM_GENERATE('Sum up {a}',"
        " system => 'You are a careful summarizer of long texts, which you read with care.') g"
    )
    assert formatted(text) == (
        "SELECT\n"
        "  first_column_of_the_table,\n"
        "  second_column_of_the_table,\n"
        "  third_column_of_the_table,\n"
        "  fourth_column\n"
        "FROM t\n"
        "JOIN u ON t.key_of_the_table = u.key_of_the_table\n"
        "  AND t.kind = 'a rather long constant text'\n"
        "  AND t.x BETWEEN 1 AND 2,\n"
        "  LATERAL LLM_GENERATE(\n"
        "    'Sum up {a}',\n"
        "    system => 'You are a careful summarizer of long texts, which you read with care.'\n"
        "  ) g\n"
    )


def test_names_that_look_like_keywords_keep_their_case() -> None:
    for text in (
        'SELECT 1 AS from, t.order, "select", {end: 1} FROM t\n',
        "SELECT g.desc FROM t, LATERAL LLM_GENERATE('{a}' RETURNS STRUCT(desc VARCHAR)) AS g\n",
        "SET llm_optimizer = on\n",
        "CREATE MODEL table WITH (engine = 'simulated')\n",
        "SELECT left(a, 1), values, first, last FROM t\n",
    ):
        assert "".join(formatted(text).split()) == "".join(text.split())


def test_a_word_stands_apart_from_the_bracket_before_it() -> None:
    assert (
        formatted("select f(x)as y,[1]as z,x[1]as w from (select 1)as t")
        == "SELECT f(x) AS y, [1] AS z, x[1] AS w FROM (SELECT 1) AS t\n"
    )
    text = "create model m with(engine='simulated');"
    assert formatted(text) == "CREATE MODEL m WITH (engine = 'simulated');\n"


def test_comments_stay_where_they_were() -> None:
    text = (
        "-- above\n\nselect a, -- of a\n  /* inner */ b\n-- about t\nfrom t -- the end\n;"
        " -- behind\n\n\n\n-- last\n"
    )
    assert formatted(text) == (
        "-- above\n\nSELECT\n  a, -- of a\n  /* inner */ b\n-- about t\nFROM t -- the end\n  ;"
        " -- behind\n\n-- last\n"
    )


def test_texts_and_line_ends_stay_as_they_are() -> None:
    assert formatted("select\r\n'a  b\r\n'\r\n") == "SELECT 'a  b\r\n'\r\n"
    assert formatted("SELECT 'a'\n'b'") == "SELECT 'a'\n  'b'\n"  # one literal, in SQL
    assert formatted("") == formatted(" \n") == ""
    assert formatted("-- only a comment") == "-- only a comment\n"


@pytest.mark.parametrize(
    "text", ["SELECT 'a", "SELECT (1", "SELECT LLM_FILTER('a',)", "CREATE MODEL"]
)
def test_a_mistake_is_the_usual_error(text: str) -> None:
    with pytest.raises(ParseError) as caught:
        formatted(text)
    assert caught.value.span is not None
