CREATE TABLE notes AS SELECT i AS id, i % 3 AS k, CASE WHEN i % 4 = 0 THEN NULL WHEN i % 4 = 1 THEN 'apple' ELSE 'plum ' || (i % 5) END AS body FROM range(24) AS r(i);

CREATE TABLE measures AS SELECT CAST(CASE WHEN i % 2 = 0 THEN '0.0' ELSE '-0.0' END AS DOUBLE) AS key FROM range(6) AS r(i);

---- Fires

-- Equal rows are asked about once.
SELECT DISTINCT body FROM notes WHERE LLM_FILTER('Apples? {body}');
--> call LLM_FILTER#1, model m: BOOLEAN
--> rule group_then_ask: LLM_FILTER#1 is asked of groups, not of rows
--> rule keep_above: DuckDB does not move LLM_FILTER#1 down again
--> cut in WHERE, level 1
--> column body: clean
--> 2 passes: 6 asked, 6 run

-- A group is asked about by its key.
SELECT body, count(*) AS n, min(body) AS first FROM notes WHERE LLM_FILTER('Apples? {body}') GROUP BY body;
--> call LLM_FILTER#1, model m: BOOLEAN
--> rule group_then_ask: LLM_FILTER#1 is asked of groups, not of rows
--> rule keep_above: DuckDB does not move LLM_FILTER#1 down again
--> cut in WHERE, level 1
--> column body: clean
--> column n: clean
--> column first: clean
--> 2 passes: 6 asked, 6 run

-- One of two keys may do.
SELECT k, body, count(*) AS n FROM notes WHERE NOT LLM_FILTER('Apples? {body}') GROUP BY k, body;
--> call LLM_FILTER#1, model m: BOOLEAN
--> rule group_then_ask: LLM_FILTER#1 is asked of groups, not of rows
--> rule keep_above: DuckDB does not move LLM_FILTER#1 down again
--> cut in WHERE, level 1
--> column k: clean
--> column body: clean
--> column n: clean
--> 2 passes: 13 asked, 7 shared, 6 run

-- A predicate further down about a key goes up with the others.
SELECT body, count(*) AS n FROM (SELECT id, body FROM notes WHERE LLM_FILTER('Apples? {body}') AND id > 3) AS s GROUP BY body;
--> call LLM_FILTER#1, model m: BOOLEAN
--> rule group_then_ask: LLM_FILTER#1 is asked of groups, not of rows
--> rule keep_above: DuckDB does not move LLM_FILTER#1 down again
--> cut in WHERE, level 1
--> column body: clean
--> column n: clean
--> 2 passes: 6 asked, 6 run

-- DuckDB rolls up the groups of all keys.
SELECT body, count(*) AS n FROM notes WHERE LLM_FILTER('Apples? {body}') GROUP BY ROLLUP (body);
--> call LLM_FILTER#1, model m: BOOLEAN
--> rule group_then_ask: LLM_FILTER#1 is asked of groups, not of rows
--> rule keep_above: DuckDB does not move LLM_FILTER#1 down again
--> cut in WHERE, level 1
--> column body: clean
--> column n: clean
--> 2 passes: 6 asked, 6 run

---- Not

-- Equal keys that are other texts.
SELECT key, count(*) AS n FROM (SELECT CAST(CASE WHEN id % 2 = 0 THEN '0.0' ELSE '-0.0' END AS DOUBLE) AS key FROM notes) AS s WHERE LLM_FILTER('Apples? {key}') GROUP BY key;
--> call LLM_FILTER#1, model m: BOOLEAN
--> rule keep_above: DuckDB does not move LLM_FILTER#1 down again
--> cut in WHERE, level 1
--> column key: clean
--> column n: clean
--> 2 passes: 24 asked, 22 shared, 2 run

-- Equal keys of a table that are other texts.
SELECT key, count(*) AS n FROM measures WHERE LLM_FILTER('Apples? {key}') IS NOT TRUE GROUP BY key;
--> call LLM_FILTER#1, model m: BOOLEAN
--> cut in WHERE, level 1
--> column key: clean
--> column n: clean
--> 2 passes: 6 asked, 4 shared, 2 run

-- A predicate that reads more than the keys.
SELECT body, count(*) AS n FROM notes WHERE LLM_FILTER('Apples? {body} {id}') GROUP BY body;
--> call LLM_FILTER#1, model m: BOOLEAN
--> cut in WHERE, level 1
--> column body: clean
--> column n: clean
--> 2 passes: 18 asked, 18 run

-- An aggregate without groups: of nothing it is a row.
SELECT count(*) AS n, max(body) AS most FROM notes WHERE LLM_FILTER('Soap? {body}');
--> call LLM_FILTER#1, model m: BOOLEAN
--> cut in WHERE, level 1
--> column n: clean
--> column most: clean
--> 2 passes: 18 asked, 12 shared, 6 run

-- DISTINCT ON keeps the first row, whose other columns the predicate reads.
SELECT DISTINCT ON (k) k, body FROM notes WHERE LLM_FILTER('Apples? {body}') ORDER BY k, id;
--> call LLM_FILTER#1, model m: BOOLEAN
--> cut in WHERE, level 1
--> column k: clean
--> column body: clean
--> 2 passes: 18 asked, 12 shared, 6 run

-- GROUPING SETS: in some of the groups the key is missing.
SELECT k, body, count(*) AS n FROM notes WHERE LLM_FILTER('Apples? {body}') GROUP BY GROUPING SETS ((k), (body), ());
--> call LLM_FILTER#1, model m: BOOLEAN
--> cut in WHERE, level 1
--> column k: clean
--> column body: clean
--> column n: clean
--> 2 passes: 18 asked, 12 shared, 6 run

-- HAVING reads other rows.
SELECT body, count(*) AS n FROM notes WHERE LLM_FILTER('Apples? {id}') GROUP BY body HAVING count(*) > 1;
--> call LLM_FILTER#1, model m: BOOLEAN
--> cut in WHERE, level 1
--> column body: clean
--> column n: clean
--> 2 passes: 24 asked, 24 run

-- Windows over groups count the groups that are left.
SELECT body, count(*) AS n, row_number() OVER (ORDER BY body) AS place FROM notes WHERE LLM_FILTER('Apples? {k}') GROUP BY body;
--> call LLM_FILTER#1, model m: BOOLEAN
--> cut in WHERE, level 1
--> column body: clean
--> column n: clean
--> column place: clean
--> 2 passes: 24 asked, 21 shared, 3 run

-- What the groups compute waits for answers of rows that the predicate drops.
SELECT body, max(LLM_GENERATE('Word for {body}')) AS word FROM notes WHERE LLM_FILTER('Apples? {body}') GROUP BY body;
--> call LLM_GENERATE#1, model m: VARCHAR
--> call LLM_FILTER#2, model m: BOOLEAN
--> cut in WHERE, level 1
--> column body: clean
--> column word: clean
--> 3 passes: 24 asked, 17 shared, 7 run

-- The first rows of groups are those of the groups that are left.
SELECT DISTINCT body FROM notes WHERE LLM_FILTER('Apples? {body} {k}') ORDER BY body LIMIT 1;
--> call LLM_FILTER#1, model m: BOOLEAN
--> cut in WHERE, level 1
--> column body: clean
--> 2 passes: 18 asked, 5 shared, 13 run

-- A key under a collation stands for several texts.
SELECT min(body) AS body, count(*) AS n FROM (SELECT upper(body) AS body FROM notes UNION ALL SELECT body FROM notes) AS s
WHERE LLM_FILTER('Apples? {body}') GROUP BY s.body COLLATE NOCASE;
--> call LLM_FILTER#1, model m: BOOLEAN
--> rule keep_above: DuckDB does not move LLM_FILTER#1 down again
--> cut in WHERE, level 1
--> cut in WHERE, level 1
--> column body: clean
--> column n: clean
--> 2 passes: 36 asked, 24 shared, 12 run
