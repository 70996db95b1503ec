CREATE TABLE notes AS SELECT i AS id, i % 3 AS k, CASE WHEN i % 3 = 0 THEN 'apple ' ELSE 'plum ' END || i AS body FROM range(6) AS r(i);

---- Fires

-- Two branches.
SELECT id, LLM_GENERATE('Word for {body}') AS word FROM notes WHERE id < 4 UNION ALL SELECT id, LLM_GENERATE('Word for {body}') FROM notes WHERE id < 4;
--> call LLM_GENERATE#1, model m: VARCHAR
--> rule merge_equal_subplans: what is read 2 times is computed once
--> column id: clean
--> column word: an answer of type VARCHAR
--> 1 pass: 8 asked, 4 shared, 4 run

-- Two CTEs under two names.
WITH a AS MATERIALIZED (SELECT id, LLM_GENERATE('Word for {body}') AS word FROM notes),
     b AS MATERIALIZED (SELECT id, LLM_GENERATE('Word for {body}') AS word FROM notes)
SELECT a.id, a.word, b.word AS other FROM a JOIN b ON a.id = b.id + 1;
--> call LLM_GENERATE#1, model m: VARCHAR
--> rule hoist_ctes: b can be read by the whole query
--> rule merge_equal_subplans: b is a
--> column id: clean
--> column word: an answer of type VARCHAR
--> column other: an answer of type VARCHAR
--> 1 pass: 10 asked, 4 shared, 6 run

-- Two workflows of two steps.
SELECT max(a.longer) AS longest FROM (SELECT LLM_GENERATE('Longer: {word}') AS longer FROM (SELECT LLM_GENERATE('Word for {body}') AS word FROM notes)) AS a
UNION ALL SELECT min(b.longer) FROM (SELECT LLM_GENERATE('Longer: {word}') AS longer FROM (SELECT LLM_GENERATE('Word for {body}') AS word FROM notes)) AS b;
--> call LLM_GENERATE#1, model m: VARCHAR
--> call LLM_GENERATE#2, model m: VARCHAR
--> rule merge_equal_subplans: what is read 2 times is computed once
--> cut in WHERE, level 1
--> cut in WHERE, level 1
--> column longest: clean
--> 2 passes: 18 asked, 6 shared, 12 run

---- Not

-- A constant differs.
SELECT id, LLM_GENERATE('Word for {body}') AS word FROM notes WHERE id < 4 UNION ALL SELECT id, LLM_GENERATE('Word for {body}') FROM notes WHERE id < 3;
--> call LLM_GENERATE#1, model m: VARCHAR
--> column id: clean
--> column word: an answer of type VARCHAR
--> 1 pass: 7 asked, 3 shared, 4 run

-- A column differs.
SELECT id, LLM_GENERATE('Word for {body}') AS word FROM notes UNION ALL SELECT id, LLM_GENERATE('Word for {id}') FROM notes;
--> call LLM_GENERATE#1, model m: VARCHAR
--> call LLM_GENERATE#2, model m: VARCHAR
--> column id: clean
--> column word: an answer of type VARCHAR
--> 1 pass: 12 asked, 12 run

-- A parameter of the call differs.
SELECT id, LLM_GENERATE('Word for {body}', max_tokens => 10) AS word FROM notes UNION ALL SELECT id, LLM_GENERATE('Word for {body}') FROM notes;
--> call LLM_GENERATE#1, model m: VARCHAR
--> call LLM_GENERATE#2, model m: VARCHAR
--> column id: clean
--> column word: an answer of type VARCHAR
--> 1 pass: 12 asked, 12 run

-- The order of rows differs.
SELECT * FROM (SELECT id, LLM_GENERATE('Word for {body}') AS word FROM notes ORDER BY id LIMIT 2) UNION ALL
SELECT * FROM (SELECT id, LLM_GENERATE('Word for {body}') AS word FROM notes ORDER BY id DESC LIMIT 2);
--> call LLM_GENERATE#1, model m: VARCHAR
--> column id: clean
--> column word: an answer of type VARCHAR
--> 1 pass: 4 asked, 4 run

-- The names of fields differ.
SELECT CAST(s AS VARCHAR) AS s FROM (SELECT {'a': LLM_GENERATE('Word for {body}')} AS s FROM notes) UNION ALL
SELECT CAST(s AS VARCHAR) FROM (SELECT {'b': LLM_GENERATE('Word for {body}')} AS s FROM notes);
--> call LLM_GENERATE#1, model m: VARCHAR
--> cut in WHERE, level 1
--> cut in WHERE, level 1
--> column s: clean
--> 2 passes: 12 asked, 6 shared, 6 run

-- What is drawn at random twice is not drawn once.
SELECT id, LLM_GENERATE('Word for {body}') AS word FROM notes WHERE random() >= 0 UNION ALL SELECT id, LLM_GENERATE('Word for {body}') FROM notes WHERE random() >= 0;
--> call LLM_GENERATE#1, model m: VARCHAR
--> call by call: a volatile expression beside calls
--> 1 pass: 12 asked, 6 shared, 6 run

-- Each step of a recursion reads other rows.
WITH RECURSIVE steps(n, word) AS (SELECT 1, 'plum' UNION ALL (SELECT n + 1, LLM_GENERATE('After {word}') FROM steps WHERE n < 3 UNION ALL
SELECT n + 1, LLM_GENERATE('After {word}') FROM steps WHERE n < 3)) SELECT n, word FROM steps;
--> call LLM_GENERATE#1, model m: VARCHAR
--> column n: clean
--> column word: text with answers inside
--> 1 pass: 7 asked, 5 shared, 2 run
