-- What cannot be evaluated in passes runs call by call, and says why.
CREATE TABLE notes AS FROM (VALUES (1, 'apple pie'), (2, 'pear'), (3, 'pear')) AS notes(id, body);

-- A lambda that reads an answer from outside.
SELECT list_transform([1, 2], lambda x: x || g.text) AS a FROM notes, LATERAL LLM_GENERATE('Sum up {body}') AS g;
--> call g, model m: VARCHAR
--> call by call: a lambda that reads an answer from outside
--> 1 pass: 3 asked, 1 shared, 2 run

-- A subquery in LIMIT.
SELECT id FROM notes ORDER BY id LIMIT (SELECT LLM_GENERATE('How many?', returns => 'INTEGER'));
--> call LLM_GENERATE#1, model m: INTEGER
--> call by call: a subquery left in a bound query
--> 1 pass: 1 asked, 1 run

-- An ASOF join on an answer.
SELECT a.n, n.id FROM (SELECT LLM_GENERATE('How many {body}', returns => 'INTEGER') AS n FROM notes) AS a
ASOF JOIN notes AS n ON n.id <= a.n;
--> call LLM_GENERATE#1, model m: INTEGER
--> call by call: a ASOF INNER join on an answer
--> 1 pass: 3 asked, 1 shared, 2 run

-- A random value beside a call.
SELECT LLM_GENERATE('Sum up {body}') AS a, random() < 2 AS always FROM notes;
--> call LLM_GENERATE#1, model m: VARCHAR
--> call by call: a volatile expression beside calls
--> 1 pass: 3 asked, 1 shared, 2 run

-- Calls at a temperature, without a seed: each row has its own.
SELECT LLM_GENERATE('Sum up {body}', temperature => 1) AS a FROM notes;
--> call LLM_GENERATE#1, model m: VARCHAR
--> call by call: a volatile expression beside calls
--> 1 pass: 3 asked, 3 run

-- A table function that reads an answer.
SELECT n.id, r.range FROM notes AS n, range(LLM_GENERATE('How many {body}', returns => 'INTEGER')) AS r;
--> call LLM_GENERATE#1, model m: INTEGER
--> call by call: a table function that reads an answer
--> 1 pass: 2 asked, 2 run
