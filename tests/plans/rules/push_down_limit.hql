CREATE TABLE notes AS SELECT i AS id, CAST(i % 7 AS INTEGER) AS k, CASE WHEN i % 3 = 0 THEN 'apple ' WHEN i % 3 = 1 THEN 'broken ' ELSE 'plum ' END || i AS body FROM range(200) AS r(i);
CREATE TABLE kinds AS FROM (VALUES (0, 'tart'), (1, 'apple jam'), (2, 'soap'), (NULL, 'apple')) AS kinds(k, name);

---- Fires

-- Through a lateral call, in an order.
SELECT n.id, g.text FROM notes AS n JOIN kinds AS k USING (k), LATERAL LLM_GENERATE('Sum up {n.body}') AS g WHERE LLM_FILTER('Apples? {n.body}') ORDER BY n.id LIMIT 3;
--> call g, model m: VARCHAR
--> call LLM_FILTER#2, model m: BOOLEAN
--> rule pull_up_llm_predicate: LLM_FILTER#2 is asked above a plain predicate
--> rule pull_up_llm_predicate: LLM_FILTER#2 is asked above the INNER join with kinds
--> rule push_down_limit: LIMIT is below a projection, where a model is asked
--> rule limit_stops_early: LLM_FILTER#2 is asked until LIMIT has 3 rows
--> cut in WHERE, level 1
--> column id: clean
--> column text: an answer of type VARCHAR
--> 2 passes: 11 asked, 11 run, 2 failed

-- With OFFSET, which counts rows once.
SELECT n.id, k.name FROM notes AS n LEFT JOIN kinds AS k USING (k) WHERE LLM_FILTER('Apples? {n.body} {k.name}') ORDER BY n.id DESC LIMIT 3 OFFSET 2;
--> call LLM_FILTER#1, model m: BOOLEAN
--> rule push_down_limit: LIMIT is below a projection, where a model is asked
--> rule limit_stops_early: LLM_FILTER#1 is asked until LIMIT has 5 rows
--> cut in WHERE, level 1
--> column id: clean
--> column name: clean
--> 4 passes: 10 asked, 10 run, 3 failed

-- By an expression that a block below gives a name.
SELECT * FROM (SELECT n.id, 'n' || n.id AS back FROM notes AS n LEFT JOIN kinds AS k USING (k) WHERE LLM_FILTER('Apples? {n.body} {k.name}')) ORDER BY back LIMIT 3;
--> call LLM_FILTER#1, model m: BOOLEAN
--> rule push_down_limit: LIMIT is below a projection, where a model is asked
--> rule limit_stops_early: LLM_FILTER#1 is asked until LIMIT has 3 rows
--> cut in WHERE, level 1
--> column id: clean
--> column back: clean
--> 4 passes: 12 asked, 12 run, 5 failed

---- Not where a predicate stands between

-- A LIMIT over a plain predicate over the one that asks.
SELECT id FROM (SELECT id, row_number() OVER (ORDER BY id) AS r FROM notes WHERE LLM_FILTER('Apples? {body}')) WHERE r % 2 = 0 ORDER BY id LIMIT 2;
--> call LLM_FILTER#1, model m: BOOLEAN
--> cut in WHERE, level 1
--> column id: clean
--> 2 passes: 200 asked, 200 run, 67 failed

---- Not through what gives other rows

-- DISTINCT.
SELECT k FROM (SELECT DISTINCT k, id % 2 AS odd FROM notes WHERE LLM_FILTER('Apples? {body}')) ORDER BY k, odd LIMIT 2;
--> call LLM_FILTER#1, model m: BOOLEAN
--> cut in WHERE, level 1
--> column k: clean
--> 2 passes: 200 asked, 200 run, 67 failed

-- Groups.
SELECT k, n FROM (SELECT k, count(*) AS n FROM notes WHERE LLM_FILTER('Apples? {body}') GROUP BY k) ORDER BY k LIMIT 2;
--> call LLM_FILTER#1, model m: BOOLEAN
--> cut in WHERE, level 1
--> column k: clean
--> column n: clean
--> 2 passes: 200 asked, 200 run, 67 failed

-- A window.
SELECT id, r FROM (SELECT id, count(*) OVER (PARTITION BY k) AS r FROM notes WHERE LLM_FILTER('Apples? {body}')) ORDER BY id LIMIT 2;
--> call LLM_FILTER#1, model m: BOOLEAN
--> rule pull_up_llm_predicate: LLM_FILTER#1 is asked above the INNER join
--> rule limit_stops_early: LLM_FILTER#1 is asked until LIMIT has 2 rows
--> cut in WHERE, level 1
--> cut in WHERE, level 2
--> column id: clean
--> column r: clean
--> 2 passes: 200 asked, 200 run, 67 failed

-- Another LIMIT.
SELECT id FROM (SELECT id FROM notes WHERE LLM_FILTER('Apples? {body}') ORDER BY id DESC LIMIT 9) ORDER BY id LIMIT 2;
--> call LLM_FILTER#1, model m: BOOLEAN
--> rule limit_stops_early: LLM_FILTER#1 is asked until LIMIT has 9 rows
--> cut in WHERE, level 1
--> column id: clean
--> 4 passes: 33 asked, 33 run, 11 failed

---- Not where the order is an answer's

-- ORDER BY what a model says.
SELECT n.id, g.text FROM notes AS n JOIN kinds AS k USING (k), LATERAL LLM_GENERATE('Sum up {n.body}') AS g WHERE LLM_FILTER('Apples? {n.body}') AND n.id < 30 ORDER BY g.text, n.id LIMIT 3;
--> call g, model m: VARCHAR
--> call LLM_FILTER#2, model m: BOOLEAN
--> rule pull_up_llm_predicate: LLM_FILTER#2 is asked above a plain predicate
--> rule pull_up_llm_predicate: LLM_FILTER#2 is asked above the INNER join with kinds
--> rule keep_above: DuckDB does not move LLM_FILTER#2 down again
--> cut in WHERE, level 1
--> cut in WHERE, level 1
--> column id: clean
--> column text: an answer of type VARCHAR
--> 3 passes: 18 asked, 18 run, 5 failed

---- Not where no model is asked below

-- A call beside a LIMIT: DuckDB takes the rows first.
SELECT id, LLM_GENERATE('Sum up {body}') AS a FROM notes ORDER BY id LIMIT 3;
--> call LLM_GENERATE#1, model m: VARCHAR
--> column id: clean
--> column a: an answer of type VARCHAR
--> 1 pass: 3 asked, 3 run, 1 failed
