-- Texts as vectors, and how alike they are: calls like all others, of which equal ones are one.
CREATE TABLE notes AS
SELECT * FROM (VALUES (1, 'x', 'apple pie'), (2, 'x', 'pear cake'), (3, 'y', 'plum pie'), (4, 'y', 'pear cake'), (5, 'y', NULL))
AS notes(id, kind, body);

-- A vector that is only carried is deferred; equal texts are one call, a NULL is none.
SELECT id, LLM_EMBED(body) AS v FROM notes;
--> call LLM_EMBED#1, model m: FLOAT[]
--> column id: clean
--> column v: an answer of type LIST
--> 1 pass: 4 asked, 1 shared, 3 run

-- A text that cannot be embedded gives NULL.
SELECT id, LLM_EMBED('broken {body}') AS v FROM notes WHERE id < 3;
--> call LLM_EMBED#1, model m: FLOAT[]
--> column id: clean
--> column v: an answer of type LIST
--> 1 pass: 2 asked, 2 run, 2 failed

-- Ranked by how alike: a vector for every text, one for the constant.
SELECT id, body FROM notes ORDER BY LLM_SIMILARITY(body, 'a piece of apple pie') DESC NULLS LAST, id LIMIT 2;
--> call LLM_EMBED#1, model m: FLOAT[]
--> call LLM_EMBED#2, model m: FLOAT[]
--> cut in WHERE, level 1
--> column id: clean
--> column body: clean
--> 2 passes: 6 asked, 2 shared, 4 run

-- Ranked and shown: the two places share their calls.
SELECT id, LLM_SIMILARITY(body, 'pie') AS alike FROM notes WHERE body IS NOT NULL ORDER BY alike DESC, id LIMIT 3;
--> call LLM_EMBED#1, model m: FLOAT[]
--> call LLM_EMBED#2, model m: FLOAT[]
--> cut in WHERE, level 1
--> column id: clean
--> column alike: clean
--> 2 passes: 6 asked, 2 shared, 4 run

-- Pairs: each text is embedded once, however many pairs it is in.
SELECT a.id, b.id, LLM_SIMILARITY(a.body, b.body) AS alike FROM notes a JOIN notes b ON a.id < b.id;
--> call LLM_EMBED#1, model m: FLOAT[]
--> call LLM_EMBED#2, model m: FLOAT[]
--> cut in WHERE, level 1
--> column id: clean
--> column id: clean
--> column alike: clean
--> 2 passes: 10 asked, 7 shared, 3 run

-- A condition on how alike; the answers that it lets through are asked for after it.
SELECT id, LLM_GENERATE('Sum up {body}') AS a FROM notes WHERE LLM_SIMILARITY(body, 'pie') > 0.2;
--> call LLM_GENERATE#1, model m: VARCHAR
--> call LLM_EMBED#2, model m: FLOAT[]
--> call LLM_EMBED#3, model m: FLOAT[]
--> cut in WHERE, level 1
--> column id: clean
--> column a: an answer of type VARCHAR
--> 2 passes: 7 asked, 1 shared, 6 run

-- The vector of an answer waits for that, not for a pass.
SELECT id, LLM_EMBED(LLM_GENERATE('Sum up {body}')) AS v FROM notes WHERE id < 4;
--> call LLM_EMBED#1, model m: FLOAT[]
--> call LLM_GENERATE#2, model m: VARCHAR
--> column id: clean
--> column v: an answer of type LIST
--> 1 pass: 6 asked, 6 run

-- The same of a lateral answer, which is compared with its text.
SELECT n.id, LLM_SIMILARITY(g.text, n.body) AS alike
FROM notes n, LATERAL LLM_GENERATE('Sum up {n.body}') AS g WHERE n.id < 4;
--> call LLM_EMBED#1, model m: FLOAT[]
--> call LLM_EMBED#2, model m: FLOAT[]
--> call g, model m: VARCHAR
--> cut in WHERE, level 1
--> column id: clean
--> column alike: clean
--> 3 passes: 9 asked, 9 run

-- Two places that embed the same texts with one model ask once.
SELECT LLM_EMBED(body) AS a, LLM_EMBED('{body}') AS b FROM notes WHERE id < 3;
--> call LLM_EMBED#1, model m: FLOAT[]
--> call LLM_EMBED#2, model m: FLOAT[]
--> column a: an answer of type LIST
--> column b: an answer of type LIST
--> 1 pass: 2 asked, 2 run
