-- Several samples of one prompt: rows numbered by g.sample, the k-th with the k-th seed from the one given.
CREATE TABLE notes AS FROM (VALUES (1, 'apple pie'), (2, 'pear'), (3, 'pear')) AS notes(id, body);

-- Seeds make samples calls like others: equal ones are one, and they are only carried.
SELECT id, sample, text FROM notes, LATERAL LLM_GENERATE('Sum up {body}', n => 2, temperature => 0.8, seed => 1) AS g;
--> call g (1 of 2), model m: VARCHAR
--> call g (2 of 2), model m: VARCHAR
--> column id: clean
--> column sample: clean
--> column text: an answer of type VARCHAR
--> 1 pass: 6 asked, 2 shared, 4 run

-- At temperature 0 all samples are one call.
SELECT id, g.* FROM notes, LATERAL LLM_GENERATE('Sum up {body}', n => 3) AS g;
--> call g (1 of 3), model m: VARCHAR
--> call g (2 of 3), model m: VARCHAR
--> call g (3 of 3), model m: VARCHAR
--> rule merge_equal_generates: g (2 of 3) is g (1 of 3)
--> rule merge_equal_generates: g (3 of 3) is g (1 of 3)
--> column id: clean
--> column text: an answer of type VARCHAR
--> column sample: clean
--> 1 pass: 9 asked, 7 shared, 2 run

-- Each sample has its conversation, which goes on.
SELECT id, g.sample, h.text
FROM notes, LATERAL LLM_GENERATE('Sum up {body}', n => 2, temperature => 0.8, seed => 1) AS g,
     LATERAL LLM_GENERATE('Shorter.', history => g.messages) AS h;
--> call g (1 of 2), model m: VARCHAR
--> call g (2 of 2), model m: VARCHAR
--> call h, model m: VARCHAR
--> column id: clean
--> column sample: clean
--> column text: an answer of type VARCHAR
--> 1 pass: 10 asked, 4 shared, 6 run

-- Typed samples, and what is inspected of them.
SELECT id, g.sample, g.kind
FROM notes, LATERAL LLM_GENERATE('Of {body}', n => 2, temperature => 0.8, seed => 1, returns => 'STRUCT(kind VARCHAR, size INTEGER)') AS g
WHERE g.size >= 0;
--> call g (1 of 2), model m: STRUCT("kind" VARCHAR, "size" INTEGER)
--> call g (2 of 2), model m: STRUCT("kind" VARCHAR, "size" INTEGER)
--> rule hoist_ctes: what DuckDB found twice can be read by the whole query
--> rule keep_above: DuckDB does not move a predicate down again
--> cut in WHERE, level 1
--> column id: clean
--> column sample: clean
--> column kind: an answer of type VARCHAR
--> 2 passes: 4 asked, 4 run

-- Lists: the rows of every sample.
SELECT id, g.sample, g.text FROM notes, LATERAL LLM_GENERATE('Of {body}', n => 2, temperature => 0.8, seed => 1, returns => 'VARCHAR[]') AS g;
--> call g (1 of 2), model m: VARCHAR[]
--> call g (2 of 2), model m: VARCHAR[]
--> rule hoist_ctes: what DuckDB found twice can be read by the whole query
--> cut in WHERE, level 1
--> column id: clean
--> column sample: clean
--> column text: clean
--> 2 passes: 4 asked, 4 run

-- A table in, a table out.
SELECT * FROM LLM_GENERATE((SELECT id, body FROM notes), prompt => 'Sum up {body}', n => 2, temperature => 0.8, seed => 1);
--> call LLM_GENERATE#1 (1 of 2), model m: VARCHAR
--> call LLM_GENERATE#1 (2 of 2), model m: VARCHAR
--> column id: clean
--> column body: clean
--> column text: an answer of type VARCHAR
--> column sample: clean
--> 1 pass: 6 asked, 2 shared, 4 run

-- What most samples say.
SELECT id, mode(g.text) AS answer
FROM notes, LATERAL LLM_GENERATE('Sum up {body}', n => 3, temperature => 0.8, seed => 1) AS g GROUP BY id;
--> call g (1 of 3), model m: VARCHAR
--> call g (2 of 3), model m: VARCHAR
--> call g (3 of 3), model m: VARCHAR
--> cut in WHERE, level 1
--> column id: clean
--> column answer: clean
--> 2 passes: 9 asked, 3 shared, 6 run

-- The number of a single sample is 1.
SELECT id, g.sample FROM notes, LATERAL LLM_GENERATE('Sum up {body}') AS g WHERE g.text IS NOT NULL;
--> call g, model m: VARCHAR
--> cut in WHERE, level 1
--> column id: clean
--> column sample: clean
--> 2 passes: 3 asked, 1 shared, 2 run
