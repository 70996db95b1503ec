-- Calls run on demand of the rows that come out, never because they were written.
CREATE TABLE notes AS
SELECT * FROM (VALUES (1, 'x', 'apple pie'), (2, 'x', 'pear'), (3, 'y', 'plum'), (4, 'y', 'pear'), (5, 'y', NULL))
AS notes(id, kind, body);
CREATE TABLE kinds AS FROM (VALUES ('x', 'fruit'), ('y', 'jam'), ('z', 'soap')) AS kinds(kind, name);

-- A column that nobody reads asks nothing.
SELECT count(*) AS n FROM (SELECT id, LLM_GENERATE('Sum up {body}') AS a FROM notes);
--> column n: clean
--> 1 pass: 0 asked, 0 run

-- A filter above the call drops rows before they ask.
WITH said AS (SELECT id, LLM_GENERATE('Sum up {body}') AS a FROM notes) SELECT a FROM said WHERE id = 3;
--> call LLM_GENERATE#1, model m: VARCHAR
--> column a: an answer of type VARCHAR
--> 1 pass: 1 asked, 1 run

-- LIMIT without an order takes the first rows.
SELECT LLM_GENERATE('Sum up {body}') AS a FROM notes LIMIT 1;
--> call LLM_GENERATE#1, model m: VARCHAR
--> column a: an answer of type VARCHAR
--> 1 pass: 1 asked, 1 run

-- Each prompt is asked once however often it is written.
SELECT LLM_GENERATE('Sum up {body}') AS a, LLM_GENERATE('Sum up {body}') AS b FROM notes WHERE id < 3;
--> call LLM_GENERATE#1, model m: VARCHAR
--> column a: an answer of type VARCHAR
--> column b: an answer of type VARCHAR
--> 1 pass: 2 asked, 2 run

-- A relation that is read twice asks once.
WITH said AS (SELECT id, LLM_GENERATE('Sum up {body}') AS a FROM notes WHERE id < 4)
SELECT l.a AS a, r.a AS b FROM said AS l JOIN said AS r ON l.id < r.id;
--> call LLM_GENERATE#1, model m: VARCHAR
--> column a: an answer of type VARCHAR
--> column b: an answer of type VARCHAR
--> 1 pass: 6 asked, 3 shared, 3 run

-- A semi-join drops rows before they ask.
SELECT LLM_GENERATE('Sum up {body}') AS a FROM notes WHERE kind IN (SELECT kind FROM kinds WHERE name = 'jam');
--> call LLM_GENERATE#1, model m: VARCHAR
--> column a: an answer of type VARCHAR
--> 1 pass: 2 asked, 2 run

-- Under LIMIT a predicate is asked about blocks of rows; these few rows are one block.
SELECT id FROM notes WHERE LLM_FILTER('Is this about apples? {body}') LIMIT 1;
--> call LLM_FILTER#1, model m: BOOLEAN
--> rule limit_stops_early: LLM_FILTER#1 is asked until LIMIT has 1 rows
--> cut in WHERE, level 1
--> column id: clean
--> 2 passes: 4 asked, 1 shared, 3 run

-- CREATE TABLE AS runs as its query does.
CREATE TABLE kept AS SELECT id, LLM_GENERATE('Sum up {body}') AS a FROM notes;
--> 1 pass: 4 asked, 1 shared, 3 run

-- INSERT runs as its query does.
INSERT INTO kept SELECT id, LLM_GENERATE('Shorten {body}') AS a FROM notes WHERE id < 3;
--> 1 pass: 2 asked, 2 run

CREATE PROMPT gist(body VARCHAR) AS 'The gist of {body}';

-- A prompt of the catalog is a call like any other.
SELECT gist(body) AS a FROM notes WHERE kind = 'y';
--> call gist, model m: VARCHAR
--> column a: an answer of type VARCHAR
--> 1 pass: 2 asked, 2 run

CREATE VIEW gists AS SELECT id, LLM_GENERATE('The gist of {body}') AS a FROM notes;

-- A view that holds calls is a query like any other: rows that are not read ask nothing.
SELECT a FROM gists WHERE id = 1;
--> call LLM_GENERATE#1, model m: VARCHAR
--> column a: an answer of type VARCHAR
--> 1 pass: 1 asked, 1 run

-- A positional join counts rows before calls have answers.
SELECT a.text, n.id FROM (SELECT LLM_GENERATE('Sum up {body}') AS text FROM notes) AS a POSITIONAL JOIN notes AS n;
--> call LLM_GENERATE#1, model m: VARCHAR
--> column text: an answer of type VARCHAR
--> column id: clean
--> 1 pass: 4 asked, 1 shared, 3 run

-- A correlated subquery asks once for each row that it finds.
SELECT id, (SELECT LLM_GENERATE('Sum up {b.body}') FROM notes AS b WHERE b.id = a.id) AS a FROM notes AS a;
--> call LLM_GENERATE#1, model m: VARCHAR
--> column id: clean
--> column a: an answer of type VARCHAR
--> 1 pass: 4 asked, 1 shared, 3 run
