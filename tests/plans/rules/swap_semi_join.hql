CREATE TABLE notes AS SELECT i AS id, CAST(i % 7 AS INTEGER) AS k, CASE WHEN i % 3 = 0 THEN 'apple ' ELSE 'plum ' END || i AS body FROM range(2000) AS r(i);
CREATE TABLE kinds AS FROM (VALUES (0, 'tart'), (1, 'apple jam'), (2, 'soap'), (NULL, 'apple')) AS kinds(k, name);

---- Fires

-- IN, of which DuckDB hashes the small side.
SELECT name FROM kinds WHERE k IN (SELECT k FROM notes) AND LLM_FILTER('Apples? {name}');
--> call LLM_FILTER#1, model m: BOOLEAN
--> rule swap_semi_join: a semi join keeps its left side
--> rule pull_up_llm_predicate: LLM_FILTER#1 is asked above the SEMI join
--> rule keep_above: DuckDB does not move LLM_FILTER#1 down again
--> cut in WHERE, level 1
--> column name: clean
--> 2 passes: 3 asked, 3 run

-- EXISTS.
SELECT name FROM kinds WHERE EXISTS (SELECT 1 FROM notes WHERE notes.k = kinds.k) AND LLM_FILTER('Apples? {name}');
--> call LLM_FILTER#1, model m: BOOLEAN
--> rule swap_semi_join: a semi join keeps its left side
--> rule pull_up_llm_predicate: LLM_FILTER#1 is asked above the SEMI join
--> rule keep_above: DuckDB does not move LLM_FILTER#1 down again
--> cut in WHERE, level 1
--> column name: clean
--> 2 passes: 3 asked, 3 run

---- Not

-- The side that is kept stands left.
SELECT count(*) AS n FROM notes WHERE k IN (SELECT k FROM kinds) AND LLM_FILTER('Apples? {k}');
--> call LLM_FILTER#1, model m: BOOLEAN
--> rule pull_up_llm_predicate: LLM_FILTER#1 is asked above a plain predicate
--> rule pull_up_llm_predicate: LLM_FILTER#1 is asked above the SEMI join with kinds
--> rule keep_above: DuckDB does not move LLM_FILTER#1 down again
--> cut in WHERE, level 1
--> column n: clean
--> 2 passes: 858 asked, 855 shared, 3 run

-- NOT IN tells false from NULL.
SELECT count(*) AS n FROM notes WHERE k NOT IN (SELECT k FROM kinds WHERE k IS NOT NULL) AND LLM_FILTER('Apples? {k}');
--> call LLM_FILTER#1, model m: BOOLEAN
--> cut in WHERE, level 1
--> column n: clean
--> 2 passes: 2000 asked, 1993 shared, 7 run

-- IN as a value.
SELECT count(*) AS n FROM notes WHERE (k IN (SELECT k FROM kinds)) IS NULL AND LLM_FILTER('Apples? {k}') IS NOT TRUE;
--> call LLM_FILTER#1, model m: BOOLEAN
--> cut in WHERE, level 1
--> column n: clean
--> 2 passes: 2000 asked, 1993 shared, 7 run

-- An inner join.
SELECT count(*) AS n FROM notes JOIN kinds ON notes.k = kinds.k WHERE LLM_FILTER('Apples? {notes.k}') IS NOT TRUE;
--> call LLM_FILTER#1, model m: BOOLEAN
--> rule pull_up_llm_predicate: LLM_FILTER#1 is asked above a plain predicate
--> rule pull_up_llm_predicate: LLM_FILTER#1 is asked above the INNER join with kinds
--> rule keep_above: DuckDB does not move LLM_FILTER#1 down again
--> cut in WHERE, level 1
--> column n: clean
--> 2 passes: 858 asked, 855 shared, 3 run
