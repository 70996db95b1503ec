CREATE TABLE notes AS SELECT i AS id, CAST(i % 7 AS INTEGER) AS k, CASE WHEN i % 3 = 0 THEN 'apple ' ELSE 'plum ' END || i AS body FROM range(21) AS r(i);
CREATE TABLE kinds AS FROM (VALUES (0, 'tart'), (1, 'apple jam'), (2, 'soap'), (NULL, 'apple')) AS kinds(k, name);

---- Fires

-- Above a join.
SELECT n.id FROM notes AS n JOIN kinds ON n.k = kinds.k WHERE LLM_FILTER('Apples? {n.body}');
--> call LLM_FILTER#1, model m: BOOLEAN
--> rule pull_up_llm_predicate: LLM_FILTER#1 is asked above a plain predicate
--> rule pull_up_llm_predicate: LLM_FILTER#1 is asked above the INNER join with kinds
--> rule keep_above: DuckDB does not move LLM_FILTER#1 down again
--> cut in WHERE, level 1
--> column id: clean
--> 2 passes: 9 asked, 9 run

-- Above an outer join, about both sides.
SELECT n.id FROM notes AS n LEFT JOIN kinds ON n.k = kinds.k WHERE LLM_FILTER('Apples? {n.body} {kinds.name}') IS NOT FALSE;
--> call LLM_FILTER#1, model m: BOOLEAN
--> rule keep_above: DuckDB does not move LLM_FILTER#1 down again
--> cut in WHERE, level 1
--> column id: clean
--> 2 passes: 9 asked, 9 run

-- Above groups.
SELECT k, n FROM (SELECT k, count(*) AS n FROM notes GROUP BY k) AS s WHERE LLM_FILTER('Apples? {k}');
--> call LLM_FILTER#1, model m: BOOLEAN
--> rule keep_above: DuckDB does not move LLM_FILTER#1 down again
--> cut in WHERE, level 1
--> column k: clean
--> column n: clean
--> 2 passes: 7 asked, 7 run

-- Above a CTE.
WITH s AS MATERIALIZED (SELECT id, body FROM notes WHERE id < 5) SELECT id FROM s WHERE LLM_FILTER('Apples? {body}');
--> call LLM_FILTER#1, model m: BOOLEAN
--> rule keep_above: DuckDB does not move LLM_FILTER#1 down again
--> cut in WHERE, level 1
--> cut in WHERE, level 1
--> column id: clean
--> 2 passes: 5 asked, 5 run

---- Not

-- A table by itself.
SELECT id FROM notes WHERE LLM_FILTER('Apples? {body}');
--> call LLM_FILTER#1, model m: BOOLEAN
--> cut in WHERE, level 1
--> column id: clean
--> 2 passes: 21 asked, 21 run

-- A LIMIT stands in the way by itself.
SELECT id FROM (SELECT id, body FROM notes LIMIT 5) AS s WHERE LLM_FILTER('Apples? {body}');
--> call LLM_FILTER#1, model m: BOOLEAN
--> cut in WHERE, level 1
--> column id: clean
--> 2 passes: 5 asked, 5 run

-- So does a window.
SELECT id FROM (SELECT id, body, row_number() OVER (PARTITION BY k ORDER BY id) AS n FROM notes) AS s WHERE LLM_FILTER('Apples? {body} {n}');
--> call LLM_FILTER#1, model m: BOOLEAN
--> cut in WHERE, level 1
--> column id: clean
--> 2 passes: 21 asked, 21 run

-- No predicate asks a model.
SELECT n.id, LLM_GENERATE('Word for {n.body}') AS word FROM notes AS n JOIN kinds ON n.k = kinds.k;
--> call LLM_GENERATE#1, model m: VARCHAR
--> column id: clean
--> column word: an answer of type VARCHAR
--> 1 pass: 9 asked, 9 run

-- A predicate of ON stays in ON.
SELECT n.id, kinds.name FROM notes AS n LEFT JOIN kinds ON n.k = kinds.k AND LLM_FILTER('Apples? {n.body}');
--> call LLM_FILTER#1, model m: BOOLEAN
--> cut in ON, level 1
--> column id: clean
--> column name: clean
--> 2 passes: 9 asked, 9 run
