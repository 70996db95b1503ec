CREATE TABLE notes AS SELECT i AS id, CAST(i % 7 AS INTEGER) AS k, CASE WHEN i % 3 = 0 THEN 'apple ' ELSE 'plum ' END || i AS body FROM range(21) AS r(i);
CREATE TABLE kinds AS FROM (VALUES (0, 'tart'), (1, 'apple jam'), (2, 'soap'), (6, 'ham'), (NULL, 'apple')) AS kinds(k, name);

---- Fires

-- Rows that a join drops are not asked about.
SELECT n.id, kinds.name FROM notes AS n JOIN kinds ON n.k = kinds.k WHERE LLM_FILTER('Is this about fruit? {n.body}');
--> call LLM_FILTER#1, model m: BOOLEAN
--> rule pull_up_llm_predicate: LLM_FILTER#1 is asked above the INNER join with kinds
--> rule keep_above: DuckDB does not move LLM_FILTER#1 down again
--> cut in WHERE, level 1
--> column id: clean
--> column name: clean
--> 2 passes: 12 asked, 12 run

-- Nor are those that a semi join drops.
SELECT id FROM notes WHERE k IN (SELECT k FROM kinds WHERE name LIKE '%a%') AND LLM_FILTER('Apples? {body}');
--> call LLM_FILTER#1, model m: BOOLEAN
--> rule pull_up_llm_predicate: LLM_FILTER#1 is asked above the SEMI join
--> rule keep_above: DuckDB does not move LLM_FILTER#1 down again
--> cut in WHERE, level 1
--> column id: clean
--> 2 passes: 12 asked, 12 run

-- Nor those that an anti join drops.
SELECT n.id FROM notes AS n ANTI JOIN kinds ON kinds.k = n.k WHERE LLM_FILTER('Apples? {body}');
--> call LLM_FILTER#1, model m: BOOLEAN
--> rule swap_semi_join: a semi join keeps its left side
--> rule pull_up_llm_predicate: LLM_FILTER#1 is asked above the ANTI join with kinds
--> rule keep_above: DuckDB does not move LLM_FILTER#1 down again
--> cut in WHERE, level 1
--> column id: clean
--> 2 passes: 9 asked, 9 run

-- Two relations that are asked about are joined first.
SELECT n.id FROM notes AS n JOIN kinds ON n.k = kinds.k WHERE LLM_FILTER('Apples? {n.body}') AND LLM_FILTER('Apples? {kinds.name}');
--> call LLM_FILTER#1, model m: BOOLEAN
--> call LLM_FILTER#2, model m: BOOLEAN
--> rule pull_up_llm_predicate: LLM_FILTER#1, LLM_FILTER#2 is asked above the INNER join
--> rule keep_above: DuckDB does not move LLM_FILTER#1, LLM_FILTER#2 down again
--> cut in WHERE, level 1
--> column id: clean
--> 3 passes: 16 asked, 16 run

-- The predicate passes the side of an outer join that keeps all rows, up to a join that drops some.
SELECT n.id, kinds.name, b.name AS other FROM notes AS n LEFT JOIN kinds ON n.k = kinds.k JOIN kinds AS b ON n.k < b.k AND b.name <> 'soap'
WHERE LLM_FILTER('Apples? {n.body}');
--> call LLM_FILTER#1, model m: BOOLEAN
--> rule pull_up_llm_predicate: LLM_FILTER#1 is asked above the RIGHT join with kinds
--> rule keep_above: DuckDB does not move LLM_FILTER#1 down again
--> cut in WHERE, level 1
--> column id: clean
--> column name: clean
--> column other: clean
--> 2 passes: 21 asked, 3 shared, 18 run

---- Not

-- Above an outer join rows that may be missing are asked about there, not below.
SELECT n.id, kinds.name FROM notes AS n LEFT JOIN kinds ON n.k = kinds.k WHERE LLM_FILTER('Apples? {kinds.name}') IS NOT TRUE;
--> call LLM_FILTER#1, model m: BOOLEAN
--> rule keep_above: DuckDB does not move LLM_FILTER#1 down again
--> cut in WHERE, level 1
--> column id: clean
--> column name: clean
--> 2 passes: 12 asked, 8 shared, 4 run

-- A predicate of the side that may be missing decides what is a match: above the join it would drop rows.
SELECT n.id, s.name FROM notes AS n LEFT JOIN (SELECT k, name FROM kinds WHERE LLM_FILTER('Apples? {name}')) AS s ON n.k = s.k WHERE n.id < 9;
--> call LLM_FILTER#1, model m: BOOLEAN
--> cut in WHERE, level 1
--> column id: clean
--> column name: clean
--> 2 passes: 5 asked, 5 run

-- So does one in ON about the side that is kept.
SELECT n.id, kinds.name FROM notes AS n LEFT JOIN kinds ON n.k = kinds.k AND LLM_FILTER('Apples? {n.body}');
--> call LLM_FILTER#1, model m: BOOLEAN
--> cut in ON, level 1
--> column id: clean
--> column name: clean
--> 2 passes: 12 asked, 12 run

-- The idiom for an anti join: rows without a match, where a model says what a match is.
SELECT n.id FROM notes AS n LEFT JOIN kinds ON n.k = kinds.k AND LLM_FILTER('Apples? {kinds.name}') WHERE kinds.k IS NULL;
--> call LLM_FILTER#1, model m: BOOLEAN
--> cut in WHERE, level 1
--> column id: clean
--> 2 passes: 5 asked, 5 run

-- A FULL join keeps the rows of both sides.
SELECT n.id, s.name FROM (SELECT * FROM notes WHERE LLM_FILTER('Apples? {body}')) AS n FULL JOIN kinds AS s ON n.k = s.k;
--> call LLM_FILTER#1, model m: BOOLEAN
--> cut in WHERE, level 1
--> column id: clean
--> column name: clean
--> 2 passes: 21 asked, 21 run

-- The right side of an anti join says which rows go; NULL keys match nothing.
SELECT kinds.name FROM kinds ANTI JOIN (SELECT k FROM notes WHERE LLM_FILTER('Apples? {body}')) AS n ON kinds.k = n.k;
--> call LLM_FILTER#1, model m: BOOLEAN
--> cut in WHERE, level 1
--> column name: clean
--> 2 passes: 21 asked, 21 run

-- NOT IN with a NULL among what is looked through keeps no row.
SELECT id FROM notes WHERE k NOT IN (SELECT k FROM kinds WHERE LLM_FILTER('Apples? {name}'));
--> call LLM_FILTER#1, model m: BOOLEAN
--> cut in WHERE, level 1
--> column id: clean
--> 2 passes: 5 asked, 5 run

-- NOT EXISTS does not see that NULL.
SELECT id FROM notes AS n WHERE NOT EXISTS (SELECT 1 FROM kinds WHERE kinds.k = n.k AND LLM_FILTER('Apples? {name}'));
--> call LLM_FILTER#1, model m: BOOLEAN
--> cut in WHERE, level 1
--> column id: clean
--> 2 passes: 4 asked, 4 run

-- Nothing drops rows.
SELECT id FROM notes WHERE LLM_FILTER('Apples? {body}');
--> call LLM_FILTER#1, model m: BOOLEAN
--> cut in WHERE, level 1
--> column id: clean
--> 2 passes: 21 asked, 21 run

-- LIMIT takes the rows that the predicate left.
SELECT s.id, kinds.name FROM (SELECT id, k FROM notes WHERE LLM_FILTER('Apples? {body}') ORDER BY id LIMIT 3) AS s JOIN kinds ON s.k = kinds.k;
--> call LLM_FILTER#1, model m: BOOLEAN
--> rule limit_stops_early: LLM_FILTER#1 is asked until LIMIT has 3 rows
--> cut in WHERE, level 1
--> column id: clean
--> column name: clean
--> 2 passes: 8 asked, 8 run

-- A window counts the rows that the predicate left.
SELECT s.id, s.n FROM (SELECT id, k, row_number() OVER (ORDER BY id) AS n FROM notes WHERE LLM_FILTER('Apples? {body}')) AS s JOIN kinds ON s.k = kinds.k;
--> call LLM_FILTER#1, model m: BOOLEAN
--> cut in WHERE, level 1
--> column id: clean
--> column n: clean
--> 2 passes: 21 asked, 21 run

-- Groups are of the rows that the predicate left, where it does not read keys.
SELECT s.k, s.n, kinds.name FROM (SELECT k, count(*) AS n FROM notes WHERE LLM_FILTER('Apples? {body}') GROUP BY k) AS s JOIN kinds ON s.k = kinds.k;
--> call LLM_FILTER#1, model m: BOOLEAN
--> cut in WHERE, level 1
--> column k: clean
--> column n: clean
--> column name: clean
--> 2 passes: 21 asked, 21 run

-- An aggregate of nothing is a row.
SELECT s.n, kinds.name FROM (SELECT count(*) AS n FROM notes WHERE LLM_FILTER('Soap? {id}')) AS s JOIN kinds ON s.n = kinds.k;
--> call LLM_FILTER#1, model m: BOOLEAN
--> cut in WHERE, level 1
--> column n: clean
--> column name: clean
--> 2 passes: 21 asked, 21 run

-- DISTINCT ON keeps the first row that the predicate left.
SELECT s.id, kinds.name FROM (SELECT DISTINCT ON (k) id, k FROM notes WHERE LLM_FILTER('Apples? {body}') ORDER BY k, id DESC) AS s JOIN kinds ON s.k = kinds.k;
--> call LLM_FILTER#1, model m: BOOLEAN
--> cut in WHERE, level 1
--> column id: clean
--> column name: clean
--> 2 passes: 21 asked, 21 run

-- A branch of a UNION is not the whole.
SELECT s.id, kinds.name FROM (SELECT id, k FROM notes WHERE LLM_FILTER('Apples? {body}') UNION ALL SELECT id + 100, k FROM notes) AS s JOIN kinds ON s.k = kinds.k;
--> call LLM_FILTER#1, model m: BOOLEAN
--> cut in WHERE, level 1
--> column id: clean
--> column name: clean
--> 2 passes: 12 asked, 12 run

-- What EXCEPT takes away is what the predicate left.
SELECT s.id FROM (SELECT id, k FROM notes EXCEPT SELECT id, k FROM notes WHERE LLM_FILTER('Apples? {body}')) AS s JOIN kinds ON s.k = kinds.k;
--> call LLM_FILTER#1, model m: BOOLEAN
--> cut in WHERE, level 1
--> column id: clean
--> 2 passes: 21 asked, 21 run

-- Each row of an unnest would be asked about.
SELECT s.id, s.word FROM (SELECT id, k, unnest([body, 'x']) AS word FROM notes WHERE LLM_FILTER('Apples? {body}')) AS s JOIN kinds ON s.k = kinds.k;
--> call LLM_FILTER#1, model m: BOOLEAN
--> cut in WHERE, level 1
--> column id: clean
--> column word: clean
--> 2 passes: 12 asked, 12 run

-- What is drawn at random is drawn for the rows that the predicate left.
SELECT s.id FROM (SELECT id, k FROM notes WHERE LLM_FILTER('Apples? {body}') AND random() >= 0) AS s JOIN kinds ON s.k = kinds.k;
--> call LLM_FILTER#1, model m: BOOLEAN
--> call by call: a volatile expression beside calls
--> 1 pass: 21 asked, 21 run

-- A model that is drawn from answers anew each time.
SELECT count(*) AS n FROM (SELECT id, k FROM notes WHERE LLM_GENERATE('Apples? {body}', temperature => 0.7) IS NOT NULL) AS s JOIN kinds ON s.k = kinds.k;
--> call LLM_GENERATE#1, model m: VARCHAR
--> call by call: a volatile expression beside calls
--> 1 pass: 21 asked, 21 run

-- A join that waits for answers would ask about rows that the predicate drops.
SELECT kinds.name FROM kinds SEMI JOIN (SELECT LLM_GENERATE('Word for {body}') AS word FROM notes WHERE LLM_FILTER('Apples? {body}')) AS s ON s.word = kinds.name;
--> call LLM_GENERATE#1, model m: VARCHAR
--> call LLM_FILTER#2, model m: BOOLEAN
--> cut in WHERE, level 1
--> cut in ON, level 1
--> column name: clean
--> 3 passes: 56 asked, 28 shared, 28 run

-- A cast may fail on rows that the predicate keeps from it.
SELECT s.n, kinds.name FROM (SELECT CAST(replace(body, 'apple ', '') AS INTEGER) AS n FROM notes WHERE LLM_FILTER('Apples? {body}')) AS s JOIN kinds ON s.n = kinds.k;
--> call LLM_FILTER#1, model m: BOOLEAN
--> cut in WHERE, level 1
--> column n: clean
--> column name: clean
--> 2 passes: 21 asked, 21 run

-- So may arithmetic in ON.
SELECT n.id, kinds.name FROM notes AS n JOIN kinds ON n.k + 1 = kinds.k WHERE LLM_FILTER('Apples? {n.body}');
--> call LLM_FILTER#1, model m: BOOLEAN
--> cut in WHERE, level 1
--> column id: clean
--> column name: clean
--> 2 passes: 21 asked, 21 run
