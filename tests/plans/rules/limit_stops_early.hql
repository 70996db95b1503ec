CREATE TABLE notes AS SELECT i AS id, CAST(i % 7 AS INTEGER) AS k, CASE WHEN i % 3 = 0 THEN 'apple ' WHEN i % 3 = 1 THEN 'broken ' ELSE 'plum ' END || i AS body FROM range(2000) AS r(i);
CREATE TABLE kinds AS FROM (VALUES (0, 'tart'), (1, 'apple jam'), (2, 'soap'), (NULL, 'apple')) AS kinds(k, name);

---- Fires

-- Five of two thousand rows.
SELECT id FROM notes WHERE LLM_FILTER('Apples? {body}') LIMIT 5;
--> call LLM_FILTER#1, model m: BOOLEAN
--> rule limit_stops_early: LLM_FILTER#1 is asked until LIMIT has 5 rows
--> cut in WHERE, level 1
--> column id: clean
--> 2 passes: 13 asked, 13 run, 4 failed

-- In an order.
SELECT id FROM notes WHERE LLM_FILTER('Apples? {body}') ORDER BY id DESC LIMIT 5;
--> call LLM_FILTER#1, model m: BOOLEAN
--> rule limit_stops_early: LLM_FILTER#1 is asked until LIMIT has 5 rows
--> cut in WHERE, level 1
--> column id: clean
--> 4 passes: 20 asked, 20 run, 7 failed

-- In an order in which many rows are equal: those are seen together.
SELECT k FROM notes WHERE id < 70 AND LLM_FILTER('Apples? {body}') ORDER BY k LIMIT 5;
--> call LLM_FILTER#1, model m: BOOLEAN
--> rule limit_stops_early: LLM_FILTER#1 is asked until LIMIT has 5 rows
--> cut in WHERE, level 1
--> column k: clean
--> 2 passes: 20 asked, 20 run, 7 failed

-- With OFFSET.
SELECT id FROM notes WHERE LLM_FILTER('Apples? {body}') ORDER BY id LIMIT 3 OFFSET 4;
--> call LLM_FILTER#1, model m: BOOLEAN
--> rule limit_stops_early: LLM_FILTER#1 is asked until LIMIT has 7 rows
--> cut in WHERE, level 1
--> column id: clean
--> 4 passes: 26 asked, 26 run, 9 failed

-- OFFSET beyond the end: there is no row, and every row is asked about.
SELECT id FROM notes WHERE id < 40 AND LLM_FILTER('Apples? {body}') LIMIT 3 OFFSET 60;
--> call LLM_FILTER#1, model m: BOOLEAN
--> rule limit_stops_early: LLM_FILTER#1 is asked until LIMIT has 63 rows
--> cut in WHERE, level 1
--> column id: clean
--> 2 passes: 40 asked, 40 run, 13 failed

-- Failed calls are NULL, and NULL is not true, nor is its opposite.
SELECT id FROM notes WHERE NOT LLM_FILTER('Apples? {body}') ORDER BY id LIMIT 4;
--> call LLM_FILTER#1, model m: BOOLEAN
--> rule limit_stops_early: LLM_FILTER#1 is asked until LIMIT has 4 rows
--> cut in WHERE, level 1
--> column id: clean
--> 4 passes: 15 asked, 15 run, 5 failed

-- NULL OR true is true.
SELECT id FROM notes WHERE LLM_FILTER('Apples? {body}') OR id % 2 = 0 ORDER BY id LIMIT 6;
--> call LLM_FILTER#1, model m: BOOLEAN
--> rule limit_stops_early: LLM_FILTER#1 is asked until LIMIT has 6 rows
--> cut in WHERE, level 1
--> column id: clean
--> 2 passes: 7 asked, 7 run, 3 failed

-- NULL in the condition of CASE is its ELSE.
SELECT id FROM notes WHERE CASE WHEN LLM_FILTER('Apples? {body}') THEN id > 10 ELSE LLM_FILTER('Or is this an apple? {id}') END ORDER BY id LIMIT 4;
--> call LLM_FILTER#1, model m: BOOLEAN
--> call LLM_FILTER#2, model m: BOOLEAN
--> rule limit_stops_early: LLM_FILTER#1, LLM_FILTER#2 is asked until LIMIT has 4 rows
--> cut in WHERE, level 1
--> column id: clean
--> 3 passes: 16 asked, 16 run, 3 failed

-- Of the pairs of a join.
SELECT n.id, kinds.name FROM notes AS n JOIN kinds ON n.k = kinds.k WHERE LLM_FILTER('Apples? {n.body}') ORDER BY n.id, kinds.name LIMIT 4;
--> call LLM_FILTER#1, model m: BOOLEAN
--> rule pull_up_llm_predicate: LLM_FILTER#1 is asked above a plain predicate
--> rule pull_up_llm_predicate: LLM_FILTER#1 is asked above the INNER join with kinds
--> rule limit_stops_early: LLM_FILTER#1 is asked until LIMIT has 4 rows
--> cut in WHERE, level 1
--> column id: clean
--> column name: clean
--> 2 passes: 10 asked, 10 run, 3 failed

-- In a CTE that is read twice.
WITH first AS (SELECT id, k FROM notes WHERE LLM_FILTER('Apples? {body}') ORDER BY id LIMIT 5) SELECT a.id, b.id AS other FROM first AS a JOIN first AS b ON a.k > b.k;
--> call LLM_FILTER#1, model m: BOOLEAN
--> rule limit_stops_early: LLM_FILTER#1 is asked until LIMIT has 5 rows
--> cut in WHERE, level 1
--> column id: clean
--> column other: clean
--> 2 passes: 13 asked, 13 run, 4 failed

-- Below an aggregate.
SELECT sum(id) AS total FROM (SELECT id FROM notes WHERE LLM_FILTER('Apples? {body}') ORDER BY id LIMIT 5) AS s;
--> call LLM_FILTER#1, model m: BOOLEAN
--> rule limit_stops_early: LLM_FILTER#1 is asked until LIMIT has 5 rows
--> cut in WHERE, level 1
--> column total: clean
--> 2 passes: 13 asked, 13 run, 4 failed

-- A predicate above a LIMIT sees what that let through, and nothing else.
SELECT id FROM (SELECT id, body FROM notes WHERE LLM_FILTER('Apples? {body}') ORDER BY id LIMIT 5) AS s WHERE LLM_FILTER('Or plums? {id}') IS NOT TRUE;
--> call LLM_FILTER#1, model m: BOOLEAN
--> call LLM_FILTER#2, model m: BOOLEAN
--> rule limit_stops_early: LLM_FILTER#1 is asked until LIMIT has 5 rows
--> cut in WHERE, level 1
--> cut in WHERE, level 2
--> column id: clean
--> 3 passes: 18 asked, 18 run, 4 failed

---- Not

-- A predicate above a LIMIT is not asked about other rows.
SELECT id FROM (SELECT id, body FROM notes ORDER BY id LIMIT 5) AS s WHERE LLM_FILTER('Apples? {body}');
--> call LLM_FILTER#1, model m: BOOLEAN
--> rule keep_above: DuckDB does not move LLM_FILTER#1 down again
--> cut in WHERE, level 1
--> column id: clean
--> 2 passes: 5 asked, 5 run, 2 failed

-- An order by answers needs all of them.
SELECT id FROM notes WHERE id < 30 AND LLM_FILTER('Apples? {body}') ORDER BY LLM_GENERATE('Rank {body}'), id LIMIT 3;
--> call LLM_FILTER#1, model m: BOOLEAN
--> call LLM_GENERATE#2, model m: VARCHAR
--> cut in WHERE, level 1
--> cut in WHERE, level 1
--> column id: clean
--> 3 passes: 40 asked, 40 run, 10 failed

-- A cast in ORDER BY may fail on rows that the predicate keeps from it.
SELECT id FROM notes WHERE id < 30 AND LLM_FILTER('Apples? {body}') ORDER BY CAST(replace(body, 'apple ', '') AS INTEGER) LIMIT 3;
--> call LLM_FILTER#1, model m: BOOLEAN
--> rule push_down_limit: LIMIT is below a projection, where a model is asked
--> cut in WHERE, level 1
--> column id: clean
--> 2 passes: 30 asked, 30 run, 10 failed

-- LIMIT 0 has no rows and asks nothing.
SELECT id FROM notes WHERE LLM_FILTER('Apples? {body}') LIMIT 0;
--> column id: clean
--> 1 pass: 0 asked, 0 run

-- LIMIT above an aggregate takes groups.
SELECT k, count(*) AS n FROM notes WHERE id < 40 AND LLM_FILTER('Apples? {body}') GROUP BY k ORDER BY k LIMIT 2;
--> call LLM_FILTER#1, model m: BOOLEAN
--> cut in WHERE, level 1
--> column k: clean
--> column n: clean
--> 2 passes: 40 asked, 40 run, 13 failed

-- An aggregate without groups is one row of all rows.
SELECT count(*) AS n FROM notes WHERE id < 40 AND LLM_FILTER('Apples? {body}') LIMIT 1;
--> call LLM_FILTER#1, model m: BOOLEAN
--> cut in WHERE, level 1
--> column n: clean
--> 2 passes: 40 asked, 40 run, 13 failed

-- A window numbers all rows.
SELECT id, row_number() OVER (ORDER BY id DESC) AS n FROM notes WHERE id < 40 AND LLM_FILTER('Apples? {body}') ORDER BY id LIMIT 2;
--> call LLM_FILTER#1, model m: BOOLEAN
--> cut in WHERE, level 1
--> column id: clean
--> column n: clean
--> 2 passes: 40 asked, 40 run, 13 failed

-- DISTINCT may need many rows for few.
SELECT DISTINCT k FROM notes WHERE id < 40 AND LLM_FILTER('Apples? {body}') ORDER BY k LIMIT 2;
--> call LLM_FILTER#1, model m: BOOLEAN
--> cut in WHERE, level 1
--> column k: clean
--> 2 passes: 40 asked, 40 run, 13 failed

-- A share of all rows is known when all are.
SELECT id FROM notes WHERE id < 40 AND LLM_FILTER('Apples? {body}') LIMIT 10 PERCENT;
--> call LLM_FILTER#1, model m: BOOLEAN
--> cut in WHERE, level 1
--> column id: clean
--> 2 passes: 40 asked, 40 run, 13 failed

-- A branch of a UNION below LIMIT is not the whole.
SELECT id FROM (SELECT id FROM notes WHERE id < 20 AND LLM_FILTER('Apples? {body}') UNION ALL SELECT k FROM kinds) AS s ORDER BY id LIMIT 3;
--> call LLM_FILTER#1, model m: BOOLEAN
--> cut in WHERE, level 1
--> column id: clean
--> 2 passes: 20 asked, 20 run, 7 failed

-- OFFSET alone leaves all other rows.
SELECT id FROM notes WHERE id < 20 AND LLM_FILTER('Apples? {body}') ORDER BY id OFFSET 2;
--> call LLM_FILTER#1, model m: BOOLEAN
--> cut in WHERE, level 1
--> column id: clean
--> 2 passes: 20 asked, 20 run, 7 failed

-- A LIMIT inside a recursion: each step has its own.
WITH RECURSIVE steps(n, id) AS (SELECT 0, 0 UNION ALL SELECT n + 1, next.id FROM (SELECT steps.n, notes.id FROM steps JOIN notes ON notes.id > steps.id AND notes.id < 12
WHERE LLM_FILTER('Apples? {notes.body}') AND steps.n < 3 ORDER BY notes.id LIMIT 1) AS next(n, id)) SELECT n, id FROM steps;
--> call LLM_FILTER#1, model m: BOOLEAN
--> rule pull_up_llm_predicate: LLM_FILTER#1 is asked above the INNER join
--> rule keep_above: DuckDB does not move LLM_FILTER#1 down again
--> cut in WHERE, level 1
--> column n: clean
--> column id: clean
--> 2 passes: 11 asked, 11 run, 4 failed

-- What is drawn at random would be other rows in every pass.
SELECT id FROM notes WHERE id < 20 AND random() >= 0 AND LLM_FILTER('Apples? {body}') ORDER BY id LIMIT 2;
--> call LLM_FILTER#1, model m: BOOLEAN
--> rule keep_above: DuckDB does not move LLM_FILTER#1 down again
--> cut in WHERE, level 1
--> column id: clean
--> 2 passes: 20 asked, 20 run, 7 failed

---- Not where the order may fail on rows that the predicate drops

-- Arithmetic may go out of bounds.
SELECT id FROM notes WHERE id < 30 AND LLM_FILTER('Apples? {body}') ORDER BY id * 2 DESC LIMIT 3;
--> call LLM_FILTER#1, model m: BOOLEAN
--> rule push_down_limit: LIMIT is below a projection, where a model is asked
--> cut in WHERE, level 1
--> column id: clean
--> 2 passes: 30 asked, 30 run, 10 failed
