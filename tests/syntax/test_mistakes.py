"""What people get wrong is told in one line, at its place, with the next thing to try."""

from __future__ import annotations

import pytest
from desugaring import understand

from heliumql.errors import HeliumQLError

# The place that the error points at stands between >> and <<.
MISTAKES = [
    ("CREATE MODEL m >>(<<engine = 'vllm')", "WITH is missing", "CREATE MODEL name WITH ("),
    ("CREATE MODEL m WITH >>engine<< = 'vllm'", "in parentheses", "WITH (engine"),
    ("CREATE MODEL m WITH (engine >>'vllm'<<)", "'=' is missing after engine", "engine = 'vllm'"),
    ("CREATE MODEL m WITH (a = 1 >>b<< = 2)", "a comma is missing before b", ""),
    ("CREATE MODEL m WITH (a = 1, >>A<< = 2)", "the option a is there twice", ""),
    ("CREATE MODEL m WITH (a = >>)<<", "unexpected ')'", "a string"),
    ("CREATE MODEL >>'m'<< WITH (a = 1)", "the name of the model is missing", "double quotes"),
    ("CREATE MODEL m WITH >>(<<a = 1", "never closed", ""),
    ("CREATE MODEL m WITH (a = 1)>>)<<", "closes nothing", ""),
    ("CREATE MODEL m >>MADE<< WITH (a = 1)", "unexpected 'MADE'", "WITH"),
    ("CREATE PROMPT p >>AS<< 'x'", "a prompt has parameters", "p() AS"),
    ("CREATE PROMPT p() >>'x'<<", "AS is missing", "AS 'Explain {x}'"),
    ("CREATE PROMPT p() AS >>x<<", "one string literal", "CREATE PROMPT"),
    ("CREATE PROMPT p(>>)<<", "the prompt has no template", "AS 'the template"),
    ("CREATE PROMPT p(a, >>a<<) AS 'x'", "the parameter a is there twice", ""),
    (
        "CREATE PROMPT p() RETURNS >>TEXTT<< AS 'x'",
        "unknown answer type TEXTT",
        "did you mean TEXT?",
    ),
    ("CREATE PROMPT p(a) AS 'see >>{b}<<'", "the prompt has no parameter b", "parameters are a"),
    ("CREATE PROMPT p(a) AS '>>{0}<<'", "the prompt has no parameter 0", "parameters are a"),
    ("CREATE PROMPT p(a) WITH (system = '>>{b}<<') AS '{a}'", "no parameter b", "parameters are a"),
    ("CREATE PROMPT p(a) WITH (system = >>3<<) AS '{a}'", "system is a template", ""),
    (
        "CREATE PROMPT p(a) WITH (>>modell<< = 'q') AS '{a}'",
        "unknown option",
        "did you mean model?",
    ),
    ("CREATE PROMPT p(a) WITH (top_p = >>2<<) AS '{a}'", "top_p must be a number from 0 to 1", ""),
    ("DROP MODEL >><<", "the name of the model is missing", "a word"),
    ("SET llm_optimizer >>'off'<<", "unexpected", "'=' or TO"),
    ("SET llm_optimizer = 'a' >>'b'<<", "unexpected", "the end of the statement"),
    ("CLEAR CACHE >>model<< = 'q'", "unexpected 'model'", "WHERE"),
    ("CLEAR CACHE >>WHERE<<", "WHERE has no condition", ""),
    ("EXPLAIN (FORMAT >>yaml<<) SELECT LLM_GENERATE('x')", "unknown format yaml", "mermaid"),
    ("EXPLAIN (>>VERBOSE<<) SELECT LLM_GENERATE('x')", "unknown option of EXPLAIN", "ANALYZE"),
    ("SELECT >>LLM_GENERATE()<<", "LLM_GENERATE needs a prompt", "LLM_GENERATE('About"),
    ("SELECT >>LLM_GENERATE(model => 'm')<<", "LLM_GENERATE needs a prompt", ""),
    ("SELECT LLM_GENERATE('x' >>model<< => 'm')", "a comma is missing before model", "model => .."),
    ("SELECT LLM_GENERATE('x'>>,<< )", "missing after this comma", ""),
    ("SELECT LLM_GENERATE(>>,<< 'x')", "missing before this comma", ""),
    ("SELECT LLM_GENERATE('x', model >>=><<)", "the argument has no value", ""),
    ("SELECT LLM_GENERATE>>(<<'x'", "never closed", ""),
    ("SELECT LLM_GENERATE('x')>>)<<", "closes nothing", ""),
    ("SELECT LLM_GENERATE('x'>>]<<", "does not close the '('", ""),
    ("SELECT LLM_GENERATE(>>'<<x), 3", "never closed", "write '' for an apostrophe"),
    ("SELECT LLM_GENERATE('it's {x}>>'<<)", "never closed", "write '' for an apostrophe"),
    ("SELECT LLM_GENERATE(>>/<<* x ", "never closed", ""),
    ('SELECT LLM_GENERATE(>>"On {x}"<<)', "double quotes are for names", "apostrophe"),
    ("CREATE PROMPT >>llm_filter<<(a) AS 'x'", "the name of an LLM function", "another name"),
    (
        "SELECT LLM_GENERATE('x', >>maxtokens<< => 3)",
        "no argument maxtokens",
        "did you mean max_tokens?",
    ),
    ("SELECT LLM_FILTER('x', >>returns<< => 'INTEGER')", "no argument returns", "arguments are"),
    ("SELECT LLM_FILTER('x' RETURNS >>INTEGER<<)", "always BOOLEAN", ""),
    ("SELECT LLM_GENERATE('x', seed => 1, >>SEED<< => 2)", "seed is there twice", ""),
    ("SELECT LLM_GENERATE('x', model => 'm', >>3<<)", "without a name", "come first"),
    ("SELECT LLM_GENERATE('x', max_tokens => >>3 + 1<<)", "must be a constant", "options may not"),
    ("SELECT LLM_GENERATE('x', max_tokens => >>$n<<)", "must be a constant", ""),
    ("SELECT LLM_GENERATE('x', max_tokens => >>0<<)", "max_tokens must be a whole number", ""),
    ("SELECT LLM_GENERATE('x', temperature => >>'hot'<<)", "temperature must be a number", ""),
    ("SELECT LLM_GENERATE('x', seed => >>1.5<<)", "seed must be a whole number", ""),
    ("SELECT LLM_GENERATE('x', stop => >>[1]<<)", "stop must be", ""),
    ("SELECT LLM_GENERATE('x', cache => >>'never'<<)", "'refresh'", ""),
    ("SELECT LLM_GENERATE('x', on_error => >>'ignore'<<)", "'null' or 'fail'", ""),
    ("SELECT LLM_GENERATE('x', model => >>3<<)", "the name of a model", ""),
    ("SELECT LLM_GENERATE('x', n => >>2<<)", "here stands one value", "LATERAL"),
    ("SELECT LLM_GENERATE('see >>{<<a b}')", "'{' begins no placeholder", "{{"),
    ("SELECT LLM_GENERATE('it''s >>{<<\"a\": 1}')", "'{' begins no placeholder", "{{"),
    ("SELECT LLM_GENERATE(E'it\\'s \\x41>>{<<')", "'{' begins no placeholder", "{{"),
    ("SELECT LLM_GENERATE('x', system => $$>>{<<$$)", "'{' begins no placeholder", "{{"),
    ("SELECT LLM_GENERATE('{0} >>{1}<<', 3)", "no value {1}", "counted from {0}"),
    ("SELECT LLM_GENERATE('>>{0}<<')", "none is given", ""),
    ("SELECT LLM_GENERATE(a || 'b', >>c<<)", "only where the prompt is a template", "system =>"),
    ("SELECT LLM_GENERATE('x', returns => >>3<<)", "an SQL type as a string", "RETURNS STRUCT"),
    ("SELECT LLM_GENERATE('x', returns => 'STRUCT(a >>FOO<<)')", "unknown answer type FOO", "ENUM"),
    ("SELECT LLM_GENERATE('x' RETURNS STRUCT(a >>FOO<<))", "unknown answer type FOO", "ENUM"),
    (
        "SELECT LLM_GENERATE('x' RETURNS STRUCT(a >>MAP<<(VARCHAR, INTEGER)))",
        "MAP is no type of an answer",
        "a list of pairs: STRUCT(key VARCHAR, value INTEGER)[]",
    ),
    (
        "SELECT LLM_GENERATE('x' RETURNS >>TIMESTAMP WITH TIME ZONE<<)",
        "TIMESTAMPTZ is no type of an answer",
        "TIMESTAMP, with the time zone said in the prompt",
    ),
    (
        "SELECT LLM_GENERATE('x', returns => '>>INTEGER NULL<<')",
        "an answer as a whole is never null",
        "STRUCT(year INTEGER NULL)",
    ),
    (
        "SELECT LLM_GENERATE('x' RETURNS DECIMAL(3, >>4<<))",
        "expected a number from 0 to 3, found '4'",
        "2 of them behind the point",
    ),
    ("SELECT LLM_GENERATE('x' RETURNS INTEGER[>>3<<])", "has no fixed length", "INTEGER[]"),
    ("SELECT LLM_GENERATE('x' RETURNS ENUM(>>a<<))", "expected a value in quotes, found 'a'", "'"),
    ("SELECT LLM_GENERATE('x' RETURNS ENUM('a', >>'a'<<))", "'a' is there twice", ""),
    ("SELECT LLM_GENERATE('x' RETURNS STRUCT(a DATE, >>A<< DATE))", "field A is there twice", ""),
    ("SELECT LLM_GENERATE('x' RETURNS STRUCT(>>1<< DATE))", "the name of a field", "score INTEGER"),
    ("SELECT LLM_GENERATE('x' RETURNS STRUCT>>(<<a", "never closed", ""),
    ("SELECT LLM_GENERATE('x' RETURNS STRUCT(a>>)<<)", "a type is missing before ')'", ""),
    ("SELECT LLM_GENERATE('x', returns => 'INT' RETURNS >>INT<<)", "there twice", ""),
    ("SELECT * FROM LLM_GENERATE(>>SELECT<< 1, prompt => 'x')", "own parentheses", "((SELECT"),
    ("SELECT LLM_GENERATE(>>SELECT<< 1)", "own parentheses", "((SELECT"),
    ("SELECT * FROM t, >>LLM_FILTER('x')<<", "a condition, not a table", "WHERE"),
    ("SELECT LLM_EMBED(a, >>max_tokens<< => 3)", "LLM_EMBED has no argument max_tokens", "cache,"),
    ("SELECT LLM_SIMILARITY(a, b, >>temperature<< => 1)", "no argument temperature", "model"),
    ("SELECT LLM_EMBED(a, >>b<<)", "LLM_EMBED takes a text", "LLM_EMBED(body)"),
    ("SELECT >>LLM_EMBED()<<", "LLM_EMBED takes a text", ""),
    ("SELECT >>LLM_SIMILARITY(a)<<", "LLM_SIMILARITY takes two texts", "LLM_SIMILARITY(body, "),
    ("SELECT LLM_EMBED('on >>{0}<<')", "LLM_EMBED takes no value for {0}", "name a column"),
    ("SELECT LLM_EMBED(a RETURNS >>FLOAT[]<<)", "LLM_EMBED is always FLOAT[]", ""),
    ("SELECT LLM_SIMILARITY(a, b RETURNS >>FLOAT<<)", "LLM_SIMILARITY is always DOUBLE", ""),
    ("SELECT LLM_EMBED(>>SELECT<< 1)", "own parentheses", "LLM_EMBED((SELECT"),
    ('SELECT LLM_EMBED(>>"a {b}"<<)', "double quotes are for names", "LLM_EMBED('..')"),
    ("SELECT * FROM >>LLM_EMBED(a)<<", "LLM_EMBED is a value, not a table", "in SELECT"),
    ("FROM t LEFT JOIN >>LLM_SIMILARITY(a, b)<< ON TRUE", "is a number, not a table", "ORDER BY"),
    ("SELECT >>LLM_CLASSIFY()<<", "LLM_CLASSIFY needs a text", "['plot', 'acting'"),
    ("SELECT >>LLM_CLASSIFY(x)<<", "LLM_CLASSIFY needs labels", "['plot', 'acting'"),
    ("SELECT LLM_CLASSIFY(x, >>['a']<<)", "at least two", ""),
    ("SELECT LLM_CLASSIFY(x, >>[]<<)", "at least two", ""),
    ("SELECT LLM_CLASSIFY(x, >>y<<)", "labels must be a constant", "with descriptions {"),
    ("SELECT LLM_CLASSIFY(x, >>['a', y]<<)", "labels must be a constant", "with descriptions {"),
    ("SELECT LLM_CLASSIFY(x, labels => >>{'a': y, 'b': 'c'}<<)", "labels must be a constant", ""),
    ("SELECT LLM_CLASSIFY(x, ['a', >>3<<])", "a label is a text", ""),
    ("SELECT LLM_CLASSIFY(x, {'a': >>3<<, 'b': ''})", "a label and its description are texts", ""),
    (
        "SELECT LLM_CLASSIFY(x, ['a', >>{'name': 'b'}<<])",
        "a label has no name",
        "description, label",
    ),
    ("SELECT LLM_CLASSIFY(x, ['a', >>{'label': 3}<<])", "a label and its description", ""),
    ("SELECT LLM_CLASSIFY(x, ['a', 'b', >>'a'<<])", "the label a is there twice", ""),
    ("SELECT LLM_CLASSIFY(x, {'a': 'x', >>a<<: 'y'})", "the label a is there twice", ""),
    ("SELECT LLM_CLASSIFY(x, ['a', >>''<<])", "a label is empty", ""),
    ("SELECT LLM_CLASSIFY(x, ['a', >>' b'<<])", "blanks around", ""),
    ("SELECT LLM_CLASSIFY(x, ['a', 'b'], >>y<<)", "instruction must be a constant text", ""),
    ("SELECT LLM_CLASSIFY(x, ['a', 'b'], 'Of >>{y}<<')", "is the same for all rows", "{title}"),
    ("SELECT LLM_CLASSIFY(x, ['a', 'b'], 'i', >>3<<)", "takes a text, labels and", "have names"),
    ("SELECT LLM_CLASSIFY(x, ['a', 'b'], multi => >>3<<)", "multi must be true or false", ""),
    ("SELECT LLM_CLASSIFY('>>{0}<<', ['a', 'b'])", "takes no values", "{t.name}"),
    ("SELECT LLM_CLASSIFY(x, ['a', 'b'], >>label<< => 'a')", "no argument label", "labels"),
    ("SELECT LLM_CLASSIFY(x, ['a', 'b'] RETURNS >>INTEGER<<)", "always VARCHAR", ""),
    ("SELECT >>LLM_AGG()<<", "LLM_AGG needs a text", "'Summarize these texts.'"),
    ("SELECT >>LLM_AGG(x ORDER BY y)<<", "LLM_AGG needs an instruction", "'Summarize these texts"),
    ("SELECT LLM_AGG(x, 'i', >>y<<)", "LLM_AGG takes a text and an instruction", "have names"),
    ("SELECT LLM_AGG(x, >>'i\n---\nj'<<)", "a line --- ends the instruction", "leave it out"),
    ("SELECT >>LLM_AGG(x, 'i') OVER<< (PARTITION BY y)", "no window function", "GROUP BY"),
    ("SELECT >>LLM_AGG(x, 'i') FILTER (WHERE y) OVER<< w", "no window function", "GROUP BY"),
    ("SELECT LLM_AGG(x, 'i' ORDER BY y, >>modle<< => 'm')", "no argument modle", "mean model?"),
    ("SELECT LLM_AGG(x, 'i' ORDER BY y>>,<<)", "missing after this comma", ""),
    ("SELECT LLM_AGG(x, '>>{0}<<')", "takes no values", "{t.name}"),
    ('SELECT LLM_AGG(x, >>"On {y}"<<)', "double quotes are for names", "apostrophe"),
    ("SELECT * FROM t, >>LLM_AGG(x, 'i')<<", "an aggregate, not a table", "HAVING"),
    ("SELECT * FROM t, >>LLM_CLASSIFY(x, ['a', 'b'])<<", "a label, not a table", "LLM_GENERATE"),
    ("SELECT 1; PROFILE SELECT >>LLM_EXTRACT<<('x')", "is not available yet", ""),
    ("SELECT * FROM t, >>LLM_SCORE('x')<<", "a number, not a table", "ORDER BY"),
    ("SELECT LLM_SCORE('x', >>returns<< => 'INTEGER')", "no argument returns", "arguments are"),
    ("SELECT LLM_SCORE('x' RETURNS >>INTEGER<<)", "always DOUBLE", ""),
    ("SELECT >>LLM_SCORE()<<", "LLM_SCORE needs a prompt", "0 to 10"),
    ("SELECT LLM_SCORE('x', >>id<<)", "no {0} for this value", "system =>"),
    ("SELECT LLM_SCORE('{0}, >>{1}<<', id)", "no value {1}", "counted from {0}"),
    ("EXPLAIN ANALYZE SELECT LLM_GENERATE('>>{<<')", "'{' begins no placeholder", "{{"),
    ("CREATE VIEW w AS SELECT LLM_GENERATE('>>{<<')", "'{' begins no placeholder", "{{"),
    (
        "CREATE MACRO w(a) AS LLM_GENERATE('x', >>modle<< => 'a')",
        "no argument modle",
        "did you mean model?",
    ),
    ("PREPARE s AS SELECT LLM_GENERATE('>>{<<')", "'{' begins no placeholder", "{{"),
    (
        "SELECT 1; SELECT LLM_GENERATE('x', >>modle<< => 'a')",
        "no argument modle",
        "did you mean model?",
    ),
]


@pytest.mark.parametrize(("case", "message", "hint"), MISTAKES)
def test_a_mistake_is_told_at_its_place(case: str, message: str, hint: str) -> None:
    text = case.replace(">>", "").replace("<<", "")
    with pytest.raises(HeliumQLError) as raised:
        understand(text)
    error = raised.value
    assert message in error.message
    assert hint in (error.hint or "")
    assert "\n" not in error.message
    assert error.span is not None
    start, end = case.index(">>"), case.index("<<") - 2
    if end > start:
        assert text[error.span.start : error.span.end] == text[start:end]


def test_nesting_without_end_is_an_error_not_a_crash() -> None:
    text = "SELECT LLM_GENERATE('x') + " + "(" * 5000 + "1" + ")" * 5000
    with pytest.raises(HeliumQLError, match="nested too deeply"):
        understand(text)
