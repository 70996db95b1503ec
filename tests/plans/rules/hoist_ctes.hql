CREATE TABLE notes AS SELECT i AS id, i % 3 AS k, CASE WHEN i % 3 = 0 THEN 'apple ' ELSE 'plum ' END || i AS body FROM range(6) AS r(i);

---- Fires

-- A CTE over a CTE.
WITH a AS MATERIALIZED (SELECT id, LLM_GENERATE('Word for {body}') AS word FROM notes),
     b AS MATERIALIZED (SELECT id, LLM_GENERATE('Longer: {word}') AS longer FROM a)
SELECT a.id, a.word, b.longer, c.longer AS other FROM a JOIN b ON a.id = b.id JOIN b AS c ON c.id = b.id + 1;
--> call LLM_GENERATE#1, model m: VARCHAR
--> call LLM_GENERATE#2, model m: VARCHAR
--> rule hoist_ctes: b can be read by the whole query
--> column id: clean
--> column word: an answer of type VARCHAR
--> column longer: an answer of type VARCHAR
--> column other: an answer of type VARCHAR
--> 1 pass: 21 asked, 9 shared, 12 run

-- A WITH of a subquery.
SELECT s.id, s.word FROM (WITH a AS MATERIALIZED (SELECT id, LLM_GENERATE('Word for {body}') AS word FROM notes)
SELECT a.id, a.word || b.word AS word FROM a JOIN a AS b ON a.id > b.id ORDER BY a.id, b.id LIMIT 3) AS s JOIN notes ON notes.id = s.id;
--> call LLM_GENERATE#1, model m: VARCHAR
--> rule hoist_ctes: a can be read by the whole query
--> column id: clean
--> column word: text with answers inside
--> 1 pass: 6 asked, 3 shared, 3 run

---- Not

-- One WITH at the top.
WITH a AS MATERIALIZED (SELECT id, LLM_GENERATE('Word for {body}') AS word FROM notes) SELECT a.id, b.word FROM a JOIN a AS b ON a.id = b.id + 1;
--> call LLM_GENERATE#1, model m: VARCHAR
--> column id: clean
--> column word: an answer of type VARCHAR
--> 1 pass: 5 asked, 5 run

-- No WITH at all.
SELECT LLM_GENERATE('Word for {body}') AS word FROM notes;
--> call LLM_GENERATE#1, model m: VARCHAR
--> column word: an answer of type VARCHAR
--> 1 pass: 6 asked, 6 run

-- What is read once is not a CTE any more.
WITH a AS (SELECT id, LLM_GENERATE('Word for {body}') AS word FROM notes) SELECT word FROM a WHERE id = 1;
--> call LLM_GENERATE#1, model m: VARCHAR
--> column word: an answer of type VARCHAR
--> 1 pass: 1 asked, 1 run

-- A recursion reads itself.
WITH RECURSIVE steps(n, word) AS (SELECT 1, 'plum' UNION ALL SELECT n + 1, LLM_GENERATE('After {word}') FROM steps WHERE n < 3) SELECT n, word FROM steps;
--> call LLM_GENERATE#1, model m: VARCHAR
--> column n: clean
--> column word: text with answers inside
--> 1 pass: 3 asked, 1 shared, 2 run
