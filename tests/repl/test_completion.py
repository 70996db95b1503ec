"""What is offered at a cursor: `|` in a text, and the candidates there, the best first."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliumql.completion import (
    Candidate,
    Column,
    Function,
    Kind,
    Setting,
    Snapshot,
    Table,
    candidates,
)
from heliumql.completion.matching import FUZZY, INNER_WORD, PREFIX, rank

FILES = ("data/", "reviews.csv", "report.hql", "shop.duckdb", "it's.parquet")


def list_files(prefix: str) -> list[str]:
    return [f for f in FILES if f.startswith(prefix)]


SNAPSHOT = Snapshot(
    tables=(
        Table("reviews", (Column("review_id", "INTEGER"), Column("body", "VARCHAR"),
                          Column("stars", "INTEGER"))),
        Table("movies", (Column("movie_id", "INTEGER"), Column("title", "VARCHAR"),
                         Column("stars", "INTEGER"), Column("Odd Name", "VARCHAR"),
                         Column("order", "INTEGER"))),
        Table("good_reviews", (Column("body", "VARCHAR"),), is_view=True),
        Table("orders", (Column("total", "DOUBLE"),), schema="shop"),
        Table("events", (Column("at", "TIMESTAMP"),), database="other"),
        Table("catalog", (Column("kind", "VARCHAR"),), schema="heliumql"),
        Table("scratch", (Column("x", "INTEGER"),), database="temp"),
    ),
    schemas=("main", "shop", "heliumql"),
    databases=("memory", "other", "system", "temp"),
    models={"demo": "vllm", "qwen": "vllm Qwen/Qwen3-0.6B", "odd model": "openai"},
    prompts=(
        Function("critic", "(draft VARCHAR) → STRUCT(verdict VARCHAR, score INTEGER)", True,
                 (Column("verdict", "VARCHAR"), Column("score", "INTEGER"))),
    ),
    functions=(
        Function("sum", "(arg) → DOUBLE"), Function("substring", "(string, start) → VARCHAR"),
        Function("string_agg", "(string, arg) → VARCHAR"), Function("read_csv", "(path)", True),
        Function("regexp_matches", "(string, pattern) → BOOLEAN"),
    ),
    settings=(
        Setting("llm_default_model", "", "the model of calls that name none"),
        Setting("llm_cache", "use", "whether kept answers are used"),
        Setting("llm_optimizer", "true"), Setting("llm_max_calls"),
        Setting("memory_limit", "8GB", "The maximum memory"), Setting("preserve_order", "true"),
    ),
    keywords=frozenset({"SELECT", "FROM", "WHERE", "ORDER", "SUMMARIZE", "PIVOT_LONGER"}),
    reserved=frozenset({"SELECT", "FROM", "WHERE", "ORDER", "TABLE"}),
    dot_commands={
        "help": ("?COMMAND?", "what there is"), "mode": ("table|line|csv|json", "how rows look"),
        "read": ("FILE", "runs a file"), "open": ("?FILE?", "another database"),
        "models": ("", "the models"), "schema": ("?TABLE?", "how a table was made"),
        "timer": ("on|off", "time of statements"),
    },
    list_files=list_files,
    file_columns=lambda path: (Column("id"), Column("comment")) if path == "reviews.csv" else (),
)  # fmt: skip


def at(marked: str) -> list[Candidate]:
    position = marked.index("|")
    return candidates(marked[:position] + marked[position + 1 :], position, SNAPSHOT)


def texts(marked: str) -> list[str]:
    return [c.replacement for c in at(marked)]


def after(marked: str, candidate: Candidate) -> str:
    position = marked.index("|")
    text = marked[:position] + marked[position + 1 :]
    return text[: candidate.start] + candidate.replacement + text[position:]


# the text, and the first candidates in order
FIRST = [
    # keywords, in the case of what is typed
    ("SEL|", ["SELECT"]),
    ("sel|", ["select"]),
    ("Sel|", ["SELECT"]),
    ("expl|", ["explain"]),
    ("SELECT title FR|", ["FROM"]),
    ("select title fr|", ["from"]),
    ("SELECT title FROM movies WHE|", ["WHERE"]),
    ("SELECT title FROM movies GROUP |", ["BY"]),
    ("select title from movies order |", ["by"]),
    ("SELECT * FROM movies LEFT |", ["JOIN", "OUTER JOIN"]),
    ("CREATE OR REPLACE |", ["TABLE", "VIEW", "MODEL", "PROMPT"]),
    ("DROP M|", ["MODEL", "MACRO"]),
    ("SHOW MO|", ["MODELS"]),
    ("show pro|", ["prompts"]),
    ("CLEAR |", ["CACHE"]),
    ("EXPLAIN SEL|", ["SELECT"]),
    ("PROFILE sel|", ["select"]),
    ("SELECT 1; SEL|", ["SELECT"]),
    ("SELECT * FROM (SEL|", ["SELECT"]),
    # tables
    ("SELECT * FROM rev|", ["reviews"]),
    ("SELECT * FROM REV|", ["reviews"]),
    ("SELECT * FROM reviews JOIN mov|", ["movies"]),
    ("SELECT * FROM reviews, mov|", ["movies"]),
    ("SELECT * FROM good|", ["good_reviews"]),
    ("SELECT * FROM scr|", ["scratch"]),
    ("SELECT * FROM ord|", ["shop.orders"]),
    ("SELECT * FROM eve|", ["other.main.events"]),
    ("SELECT * FROM shop.|", ["orders"]),
    ("SELECT * FROM other.|", ["events", "main"]),
    ("SELECT * FROM other.main.|", ["events"]),
    ("INSERT INTO mov|", ["movies"]),
    ("UPDATE mov|", ["movies"]),
    ("DESCRIBE mov|", ["movies"]),
    ("SUMMARIZE rev|", ["reviews"]),
    ("DROP TABLE mov|", ["movies"]),
    ("DROP VIEW IF EXISTS |", ["good_reviews"]),
    ("FROM gr|", ["good_reviews"]),
    ("WITH best AS (SELECT 1 AS one) SELECT * FROM be|", ["best"]),
    ("LLM_GENERATE(TABLE rev|", ["reviews"]),
    ("COPY rev|", ["reviews"]),
    ("SELECT * FROM sh|", ["shop"]),
    ("USE sh|", ["shop"]),
    # columns
    ("SELECT bo| FROM reviews", ["body"]),
    ("SELECT | FROM reviews", ["review_id", "body", "stars"]),
    ("SELECT r.| FROM reviews AS r", ["review_id", "body", "stars"]),
    ("SELECT r.| FROM reviews r", ["review_id", "body", "stars"]),
    ("SELECT r.bo| FROM reviews r", ["body"]),
    ("SELECT movies.ti| FROM movies", ["title"]),
    ("SELECT x FROM reviews WHERE st|", ["stars"]),
    ("SELECT stars| FROM reviews r JOIN movies m USING (stars)", ["r.stars", "m.stars"]),
    ('SELECT odd| FROM movies', ['"Odd Name"']),
    ('SELECT "od| FROM movies', ['"Odd Name"']),
    ('SELECT m."od|" FROM movies m', ['"Odd Name']),
    ("SELECT ord| FROM movies", ['"order"']),
    ("SELECT movies.ord| FROM movies", ["order"]),
    ("INSERT INTO movies (ti|", ["title"]),
    ("UPDATE movies SET ti|", ["title"]),
    ("SELECT (SELECT max(bo|) FROM reviews) FROM movies", ["body"]),
    ("WITH b AS (SELECT title AS name, stars FROM movies) SELECT na| FROM b", ["name"]),
    ("WITH b AS (SELECT * FROM movies) SELECT b.ti| FROM b", ["title"]),
    ("WITH b(one, two) AS (SELECT 1, 2) SELECT tw| FROM b", ["two"]),
    ("SELECT q.| FROM (SELECT body, stars AS n FROM reviews) AS q", ["body", "n"]),
    ("SELECT v.| FROM (VALUES (1, 2)) AS v(a, b)", ["a", "b"]),
    ("SELECT g.| FROM reviews r, LATERAL LLM_GENERATE('{r.body}') AS g",
     ["text", "messages", "llm", "sample"]),
    ("SELECT g.| FROM movies, LLM_GENERATE('a', returns => 'STRUCT(score INTEGER, why VARCHAR)') g",
     ["score", "why", "messages"]),
    ("SELECT c.ver| FROM movies, LATERAL critic(title) c", ["verdict"]),
    ("SELECT tit|", ["title"]),
    ("SELECT 1; SELECT bo| FROM reviews; SELECT * FROM movies", ["body"]),
    ("SELECT r.| FROM 'reviews.csv' AS r", ["id", "comment"]),
    ("SELECT com| FROM read_csv('reviews.csv')", ["comment"]),
    ("SELECT LLM_GENERATE('On {r.|}') FROM 'reviews.csv' AS r", ["id", "comment"]),
    # functions, verbs, prompts
    ("SELECT subs| FROM movies", ["substring("]),
    ("SELECT SUBS| FROM movies", ["SUBSTRING("]),
    ("SELECT subs|(title) FROM movies", ["substring"]),
    ("SELECT LLM_GEN| FROM movies", ["LLM_GENERATE("]),
    ("select llm_gen|", ["llm_generate("]),
    ("SELECT * FROM movies WHERE LLM_F|", ["LLM_FILTER("]),
    ("SELECT cri| FROM movies", ["critic("]),
    ("SELECT * FROM reviews, LATERAL LLM|", ["LLM_GENERATE(", "LLM_EXTRACT("]),
    ("SELECT * FROM read_c|", ["read_csv("]),
    # arguments of calls
    ("SELECT LLM_GENERATE('a', ret|", ["returns => "]),
    ("SELECT LLM_GENERATE('a', temp| => 1)", ["temperature"]),
    ("SELECT LLM_CLASSIFY(body, ['a'], mul|) FROM reviews", ["multi => "]),
    ("SELECT LLM_GENERATE('a', on_error => |", ["'null'", "'fail'"]),
    ("SELECT LLM_GENERATE('a', cache => 're|", ["refresh'"]),
    ("SELECT LLM_GENERATE('a', thinking => 'o|')", ["on", "off"]),
    ("SELECT LLM_GENERATE('a', model => |", ["'demo'", "'qwen'", "'odd model'"]),
    ("SELECT LLM_GENERATE('a', model => 'q|", ["qwen'"]),
    ("SELECT LLM_GENERATE('a', model := 'q|')", ["qwen"]),
    ("SELECT LLM_GENERATE('a', returns => 'INT|", ["INTEGER"]),
    ("SELECT LLM_GENERATE('a', returns => 'STRUCT(a BOO|", ["BOOLEAN"]),
    ("SELECT LLM_GENERATE('a' RETURNS DOU|", ["DOUBLE"]),
    ("SELECT title::INT| FROM movies", ["INTEGER"]),
    ("SELECT CAST(title AS DA|", ["DATE"]),
    # templates
    ("SELECT LLM_GENERATE('About {bo|' FROM reviews", ["body}"]),
    ("SELECT LLM_GENERATE('About {bo|') FROM reviews", ["body}"]),
    ("SELECT LLM_GENERATE('About {bo|}') FROM reviews", ["body"]),
    ("SELECT LLM_GENERATE('About {|}') FROM reviews", ["review_id", "body", "stars"]),
    ("SELECT LLM_GENERATE('About {r.|}') FROM reviews r", ["review_id", "body", "stars"]),
    ("SELECT LLM_GENERATE('{{ {bo|') FROM reviews", ["body}"]),
    ("SELECT LLM_GENERATE('{odd|') FROM movies", ['"Odd Name"}']),
    ("SELECT LLM_GENERATE($$About {bo|$$) FROM reviews", ["body}"]),
    ("SELECT LLM_GENERATE($$it's {bo|", ["body}"]),
    ("SELECT LLM_GENERATE('a', system => 'As {ti|') FROM movies", ["title}"]),
    ("SELECT 1 FROM movies WHERE LLM_FILTER('Is {ti|", ["title}"]),
    ("SELECT * FROM reviews r JOIN movies m ON LLM_FILTER('{r.bo|", ["body}"]),
    ("SELECT * FROM LLM_GENERATE(TABLE reviews, prompt => 'On {bo|", ["body}"]),
    ("CREATE PROMPT p(draft VARCHAR, tone VARCHAR) AS 'Say {to|", ["tone}"]),
    ("CREATE PROMPT p(draft VARCHAR) WITH (system = 'On {dr|", ["draft}"]),
    # models and prompts by name
    ("DROP MODEL q|", ["qwen"]),
    ("DROP MODEL IF EXISTS q|", ["qwen"]),
    ("DESCRIBE MODEL odd|", ['"odd model"']),
    ("CREATE OR REPLACE MODEL qw|", ["qwen"]),
    ("DROP PROMPT cr|", ["critic"]),
    ("CREATE MODEL m WITH (eng|", ["engine = "]),
    ("CREATE MODEL m WITH (engine = 'op|", ["openai'"]),
    ("CREATE MODEL m WITH (engine = 'vllm', max_mo|", ["max_model_len = "]),
    # settings
    ("SET llm_d|", ["llm_default_model = "]),
    ("set llm_def| = 'x'", ["llm_default_model"]),
    ("SET SESSION llm_max|", ["llm_max_calls = "]),
    ("RESET llm_c|", ["llm_cache"]),
    ("SET mem|", ["memory_limit = "]),
    ("SET llm_default_model = |", ["'demo'", "'qwen'", "'odd model'"]),
    ("SET llm_default_model = 'q|", ["qwen'"]),
    ("SET llm_cache = '|", ["use'", "refresh'", "off'"]),
    ("SET llm_cache TO |", ["'use'", "'refresh'", "'off'"]),
    ("SET llm_scheduler = 'que|'", ["query_wise"]),
    ("SET llm_optimizer = |", ["true", "false"]),
    ("SET llm_max_calls = |", ["NULL"]),
    ("SHOW llm_ca|", ["llm_cache", "llm_cache_path", "llm_cache_bytes"]),
    # files
    ("SELECT * FROM 'rev|", ["reviews.csv'"]),
    ("SELECT * FROM 'rev|'", ["reviews.csv"]),
    ("SELECT * FROM '|", ["it''s.parquet'", "reviews.csv'", "data/"]),
    ("SELECT * FROM read_csv('rev|", ["reviews.csv'"]),
    ("COPY movies TO 'rev|", ["reviews.csv'"]),
    ("ATTACH 'sh|", ["shop.duckdb'"]),
    # dot commands
    (".|", [".help", ".mode", ".models", ".open", ".read", ".schema", ".timer"]),
    (".mo|", [".mode", ".models"]),
    (".mode js|", ["json"]),
    (".timer |", ["on", "off"]),
    (".read r|", ["report.hql", "reviews.csv"]),
    (".open |", ["shop.duckdb", "data/"]),
    (".schema rev|", ["reviews"]),
    (".help ti|", ["timer"]),
]  # fmt: skip


@pytest.mark.parametrize(("marked", "first"), FIRST, ids=[m for m, _ in FIRST])
def test_the_first_candidates(marked: str, first: list[str]) -> None:
    assert texts(marked)[: len(first)] == first


NOTHING = [
    "SELECT 'a plain str|",
    "SELECT 'rev|' FROM reviews",
    "SELECT LLM_GENERATE('no placeholder bo|') FROM reviews",
    "SELECT LLM_GENERATE('two braces {{bo|') FROM reviews",
    "SELECT LLM_CLASSIFY(body, ['{bo|']) FROM reviews",
    "SELECT 1 -- bo|",
    "SELECT 1 /* bo|",
    "SELECT /* a */ 1 -- FROM rev|",
    "SELECT 12|",
    "SELECT $na|",
    "SELECT zzzqqq|",
    "SELECT 'done'|",
    ".mode |\n",
]


@pytest.mark.parametrize("marked", NOTHING)
def test_nothing_in_texts_comments_and_numbers(marked: str) -> None:
    if marked.startswith(".mode"):
        marked = ".mode\n|"
    assert texts(marked) == []


def test_a_comment_that_is_over_hides_nothing() -> None:
    assert texts("SELECT /* -- */ bo| FROM reviews")[0] == "body"
    assert texts("-- first\nSEL|")[0] == "SELECT"


def test_columns_of_another_statement_are_not_in_scope() -> None:
    assert "total" not in texts("SELECT | FROM reviews; SELECT total FROM shop.orders")


def test_columns_of_an_inner_query_are_not_seen_outside() -> None:
    found = texts("SELECT | FROM movies WHERE EXISTS (SELECT 1 FROM reviews)")
    assert "title" in found
    assert "body" not in found


def test_arguments_that_are_there_are_not_offered_again() -> None:
    found = texts("SELECT LLM_GENERATE('a', seed => 1, |, temperature => 0)")
    assert "seed => " not in found
    assert "temperature => " not in found
    assert "top_p => " in found
    assert "prompt => " not in found
    assert "prompt => " in texts("SELECT LLM_GENERATE(|)")
    assert "labels => " not in texts("SELECT LLM_CLASSIFY(body, ['a'], |)")
    assert "instruction => " in texts("SELECT LLM_CLASSIFY(body, ['a'], |)")


def test_an_argument_begins_no_clause() -> None:
    found = texts("SELECT LLM_GENERATE('a', |) FROM reviews")
    assert "SELECT" not in found
    assert "FROM" not in found
    assert {"temperature => ", "CASE", "body"} <= set(found)
    assert "FROM" in texts("SELECT LLM_GENERATE('a') |")


def test_an_embedding_has_no_temperature() -> None:
    assert "temperature => " not in texts("SELECT LLM_EMBED(body, te|) FROM reviews")
    assert texts("SELECT LLM_EMBED(body, mod|) FROM reviews") == ["model => "]


def test_in_scope_goes_before_functions_of_the_same_fit() -> None:
    found = texts("SELECT s| FROM reviews")
    assert found.index("stars") < found.index("sum(")


def test_a_prefix_goes_before_what_is_only_like_it() -> None:
    assert [c.replacement for c in at("SELECT * FROM re|") if c.kind is Kind.TABLE] == [
        "reviews", "good_reviews",
    ]  # fmt: skip


def test_what_is_ours_is_not_shown() -> None:
    assert not any("catalog" in t or "heliumql" in t for t in texts("SELECT * FROM |"))


def test_candidates_say_what_they_are() -> None:
    (column,) = [c for c in at("SELECT bo| FROM reviews") if c.kind is Kind.COLUMN]
    assert column.meta == "VARCHAR · reviews"
    verb = next(c for c in at("SELECT LLM_CL|"))
    assert verb.kind is Kind.VERB
    assert "['label', ..]" in verb.meta
    assert at("SELECT * FROM rev|")[0].meta == "table, 3 columns"
    assert at("SET llm_cac|")[0].meta == "use · whether kept answers are used"
    assert at("SELECT cri|")[0].meta.startswith("(draft VARCHAR) →")


@pytest.mark.parametrize(
    ("name", "typed", "expected"),
    [
        ("review_id", "rev", PREFIX),
        ("review_id", "REV", PREFIX),
        ("review_id", "id", INNER_WORD),
        ("reviewId", "id", INNER_WORD),
        ("review_id", "rid", FUZZY),
        ("review_id", "evi", None),
        ("review_id", "i", None),
        ("review_id", "", PREFIX),
        ("review_id", "review_idx", None),
    ],
)
def test_how_names_fit(name: str, typed: str, expected: int | None) -> None:
    assert rank(name, typed) == expected


# whatever the text --------------------------------------------------------------------------

PIECES = st.sampled_from([
    "SELECT", "FROM", "WHERE", "reviews", "movies", "r.", "g.", ",", "(", ")", "[", "]", "{", "}",
    "'text", "'", '"', "$$", "$tag$", "--", "/*", "*/", ";", "=>", ":=", "=", "::", "{r.", "{body}",
    "LLM_GENERATE(", "LLM_FILTER('", "model", "returns", "WITH", "AS", "SET", "llm_", "CREATE",
    "MODEL", "PROMPT", "INTO", ".mode", ".read", "e'", "\\", "é", "日", "body", "stars", "*",
    "1.5e", "\0", "\n",
])  # fmt: skip
TEXTS = st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=25).map(" ".join))


@given(TEXTS, st.integers(-2, 200))
@settings(max_examples=200, deadline=None)
def test_any_text_and_cursor(text: str, position: int) -> None:
    place = min(max(position, 0), len(text))
    for candidate in candidates(text, position, SNAPSHOT, 20):
        assert 0 <= candidate.start <= place
        # What is replaced is a word, a quoted name or a path, never anything before it.
        replaced = text[candidate.start : place]
        assert "\n" not in replaced or candidate.kind is Kind.FILE or '"' in replaced
        assert re.match(r"[^;()]*\Z", replaced) or candidate.kind is Kind.FILE or '"' in replaced


@given(st.sampled_from([m for m, _ in FIRST]))
def test_completing_keeps_what_is_around_the_word(marked: str) -> None:
    before, _, behind = marked.partition("|")
    word = re.search(r'"?[\w$.]*\Z', before)
    assert word is not None
    for candidate in at(marked):
        completed = after(marked, candidate)
        if candidate.kind is not Kind.FILE:
            assert completed.startswith(before[: word.start()])
        assert completed.endswith(behind)
