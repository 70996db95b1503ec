-- One of each kind of statement; tests damage them.

SELECT r.id, g.text FROM reviews AS r, LATERAL LLM_GENERATE('On {r.body} {{x}}', model => 'm') AS g;

SELECT * FROM t, LLM_GENERATE('{t.a} {0}', a + 1 RETURNS STRUCT(x INTEGER, y ENUM('a','b'))[]) AS g(b);

SELECT LLM_GENERATE('x', returns => 'STRUCT(a INTEGER[])', stop => ['a', 'b'], seed => -1) AS v;

SELECT * FROM LLM_GENERATE((SELECT a FROM t), prompt => $$Gist {a}$$, system => E'it\'s {a}') AS x;

SELECT g.messages, g.llm FROM t, LLM_GENERATE('x', history => t.messages, system => s || 'y') AS g;

CREATE OR REPLACE TEMP MODEL m WITH (engine = 'vllm', workers = 2, x = {'a': [1, true]}, y = -0.5);

CREATE PROMPT p(a VARCHAR, b INTEGER) RETURNS STRUCT(x INT) WITH (system = 'S {a}') AS $$B {b}$$;

CREATE VIEW v(a) AS SELECT LLM_GENERATE('{a}') FROM t WHERE LLM_FILTER('{a}') AND a > 1;

CREATE MACRO m(a, b := 2) AS TABLE SELECT * FROM LLM_GENERATE('{a}');

EXPLAIN (ANALYZE, FORMAT json) SELECT LLM_GENERATE('x') FROM t;

SET SESSION llm_max_calls = 10;

CLEAR CACHE WHERE model = 'q';

PREPARE p AS SELECT LLM_GENERATE($1 || ?);

CREATE TABLE t (a VARCHAR CHECK (LLM_FILTER('{a}')));

INSERT INTO t SELECT 1, LLM_GENERATE('x') ON CONFLICT (a) DO NOTHING RETURNING a;

PROFILE SELECT LLM_GENERATE('x');

DROP VIEW IF EXISTS v;

EXECUTE critic(1);
