-- A relation with a volatile expression and no call below it is evaluated once, before the passes.
CREATE TABLE notes AS FROM (VALUES (1, 'apple pie'), (2, 'pear'), (3, 'pear')) AS notes(id, body);

-- A sample of rows.
SELECT LLM_GENERATE('Sum up {body}') AS a FROM notes USING SAMPLE 3 ROWS;
--> call LLM_GENERATE#1, model m: VARCHAR
--> column a: an answer of type VARCHAR
--> 1 pass: 3 asked, 1 shared, 2 run

-- Rows chosen at random, and a predicate over answers: every pass sees the same rows.
SELECT id FROM (SELECT id, body, random() < 2 AS chosen FROM notes) WHERE chosen AND LLM_FILTER('About apples? {body}');
--> call LLM_FILTER#1, model m: BOOLEAN
--> rule keep_above: DuckDB does not move LLM_FILTER#1 down again
--> cut in WHERE, level 1
--> column id: clean
--> 2 passes: 3 asked, 1 shared, 2 run
