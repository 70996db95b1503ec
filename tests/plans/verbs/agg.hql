-- LLM_AGG: one answer for the texts of a group.
CREATE TABLE notes AS
SELECT * FROM (VALUES (1, 'x', 'apple pie'), (2, 'x', 'pear'), (3, 'y', 'plum'), (4, 'y', 'pear'), (5, 'y', NULL), (6, 'z', NULL))
AS notes(id, kind, body);

-- A call for every group; a group without texts makes none.
SELECT kind, LLM_AGG(body, 'Sum up.' ORDER BY id) FROM notes GROUP BY kind ORDER BY kind;
--> call LLM_AGG#1, model m: VARCHAR
--> column kind: clean
--> column llm_agg: an answer of type VARCHAR
--> 1 pass: 2 asked, 2 run

-- Without GROUP BY all rows are one group.
SELECT LLM_AGG(body, 'Sum up.' ORDER BY id DESC NULLS LAST, body) AS a FROM notes;
--> call LLM_AGG#1, model m: VARCHAR
--> column a: an answer of type VARCHAR
--> 1 pass: 1 asked, 1 run

-- No rows, no call.
SELECT LLM_AGG(body, 'Sum up.') AS a FROM notes WHERE id > 99;
--> call LLM_AGG#1, model m: VARCHAR
--> column a: an answer of type VARCHAR
--> 1 pass: 0 asked, 0 run

-- Distinct texts are ordered by themselves; FILTER leaves rows out; options stand before ORDER BY or behind it.
SELECT kind, llm_agg(DISTINCT body, 'Sum up.', temperature => 0) FILTER (WHERE id > 1) AS a,
       LLM_AGG(id, 'Which is odd?' ORDER BY id, max_tokens => 9, system => 'Be brief.') filter (WHERE body IS NOT NULL) AS b
FROM notes GROUP BY ALL ORDER BY kind;
--> call LLM_AGG#1, model m: VARCHAR
--> call LLM_AGG#2, model m: VARCHAR
--> rule hoist_ctes: what DuckDB found twice can be read by the whole query
--> column kind: clean
--> column a: an answer of type VARCHAR
--> column b: an answer of type VARCHAR
--> 1 pass: 4 asked, 4 run

-- The instruction is a template over grouped columns, the text one over all.
SELECT kind, LLM_AGG('{id}: {body}', 'Sum up {n.kind}, {{all}} of it.', system => 'On {kind}.' ORDER BY id) AS a
FROM notes AS n GROUP BY kind ORDER BY kind;
--> call LLM_AGG#1, model m: VARCHAR
--> column kind: clean
--> column a: an answer of type VARCHAR
--> 1 pass: 2 asked, 2 run

-- The instruction may be any expression, also of another aggregate.
SELECT LLM_AGG(body, 'Sum up these ' || count(body) || ' texts.' ORDER BY id) AS a FROM notes;
--> call LLM_AGG#1, model m: VARCHAR
--> column a: an answer of type VARCHAR
--> 1 pass: 1 asked, 1 run

-- Other types.
SELECT kind, LLM_AGG(body, 'How many fruits?', returns => 'INTEGER' ORDER BY id) + 1 AS fruits,
       LLM_AGG(body, 'Which?' RETURNS VARCHAR[] ORDER BY id) AS names
FROM notes GROUP BY kind ORDER BY kind;
--> call LLM_AGG#1, model m: INTEGER
--> call LLM_AGG#2, model m: VARCHAR[]
--> cut in WHERE, level 1
--> column kind: clean
--> column fruits: clean
--> column names: an answer of type LIST
--> 2 passes: 4 asked, 4 run

-- Answers of earlier calls are carried into it: a map-reduce is one pass.
SELECT kind, LLM_AGG(LLM_GENERATE('Shorten {body}'), 'Sum up.' ORDER BY id) AS a FROM notes GROUP BY kind ORDER BY kind;
--> call LLM_AGG#1, model m: VARCHAR
--> call LLM_GENERATE#2, model m: VARCHAR
--> column kind: clean
--> column a: an answer of type VARCHAR
--> 1 pass: 6 asked, 1 shared, 5 run

-- The same with the calls in a CTE, whose names are placeholders.
WITH short AS (SELECT id, kind, g.text FROM notes, LATERAL LLM_GENERATE('Shorten {body}') AS g)
SELECT kind, LLM_AGG('{id}. {text}', 'Sum up {kind}.' ORDER BY id) AS a FROM short GROUP BY kind ORDER BY kind;
--> call g, model m: VARCHAR
--> call LLM_AGG#2, model m: VARCHAR
--> column kind: clean
--> column a: an answer of type VARCHAR
--> 1 pass: 6 asked, 1 shared, 5 run

-- FILTER by a call, and an order by one, wait for its answers.
SELECT kind, LLM_AGG(body, 'Sum up.' ORDER BY LLM_SCORE('How sweet? {body}'), id) FILTER (WHERE LLM_FILTER('Sweet? {body}')) AS a
FROM notes GROUP BY kind ORDER BY kind;
--> call LLM_AGG#1, model m: VARCHAR
--> call LLM_SCORE#2, model m: DOUBLE
--> call LLM_FILTER#3, model m: BOOLEAN
--> cut in WHERE, level 1
--> column kind: clean
--> column a: an answer of type VARCHAR
--> 3 passes: 9 asked, 2 shared, 7 run

-- Distinct answers wait for the answers.
SELECT LLM_AGG(DISTINCT LLM_CLASSIFY(body, ['sweet', 'sour']), 'Which are there?') AS a FROM notes;
--> call LLM_AGG#1, model m: VARCHAR
--> call LLM_CLASSIFY#2, model m: ENUM('sweet', 'sour')
--> cut in WHERE, level 1
--> column a: an answer of type VARCHAR
--> 2 passes: 5 asked, 1 shared, 4 run

-- HAVING and ORDER BY look at it.
SELECT kind FROM notes GROUP BY kind
HAVING LLM_AGG(body, 'Any fruit?' RETURNS BOOLEAN ORDER BY id) ORDER BY LLM_AGG(body, 'Sum up.' ORDER BY id);
--> call LLM_AGG#1, model m: BOOLEAN
--> call LLM_AGG#2, model m: VARCHAR
--> rule keep_above: DuckDB does not move LLM_AGG#1 down again
--> cut in WHERE, level 1
--> cut in WHERE, level 1
--> column kind: clean
--> 3 passes: 3 asked, 3 run

-- A tree of groups.
SELECT LLM_AGG(part, 'Make one of these.' ORDER BY kind) AS whole
FROM (SELECT kind, LLM_AGG(body, 'Sum up.' ORDER BY id) AS part FROM notes GROUP BY kind);
--> call LLM_AGG#1, model m: VARCHAR
--> call LLM_AGG#2, model m: VARCHAR
--> column whole: an answer of type VARCHAR
--> 1 pass: 3 asked, 3 run

-- In a subquery that reads the row around it.
SELECT k.kind, (SELECT LLM_AGG(n.body, 'Sum up {k.kind}.' ORDER BY n.id) FROM notes AS n WHERE n.kind = k.kind) AS a
FROM (SELECT DISTINCT kind FROM notes) AS k ORDER BY k.kind;
--> call LLM_AGG#1, model m: VARCHAR
--> rule hoist_ctes: what DuckDB found twice can be read by the whole query
--> column kind: clean
--> column a: an answer of type VARCHAR
--> 1 pass: 2 asked, 2 run

-- A table that is made.
CREATE TABLE parts AS SELECT kind, LLM_AGG(body, 'Sum up.' ORDER BY id) AS part FROM notes GROUP BY kind;
--> 1 pass: 2 asked, 2 run

-- A row of INSERT.
INSERT INTO parts SELECT 'all', LLM_AGG(body, 'Sum up.' ORDER BY id) FROM notes;
--> 1 pass: 1 asked, 1 run

-- A value of UPDATE.
UPDATE parts SET part = (SELECT LLM_AGG(n.body, 'Sum up again.' ORDER BY n.id) FROM notes AS n WHERE n.kind = parts.kind);
--> 1 pass: 2 asked, 2 run

-- Call by call.
SELECT kind, LLM_AGG(body, 'Sum up.' ORDER BY id) AS a, random() < 2 AS yes FROM notes GROUP BY kind ORDER BY kind;
--> call LLM_AGG#1, model m: VARCHAR
--> call by call: a volatile expression beside calls
--> 1 pass: 2 asked, 2 run
