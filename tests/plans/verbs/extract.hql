-- LLM_EXTRACT: what a text says, as a struct, each field of which may be NULL.
CREATE TABLE notes AS
SELECT * FROM (VALUES (1, 'x', 'apple pie'), (2, 'x', 'pear'), (3, 'y', 'plum'), (4, 'y', 'pear'), (5, 'y', NULL))
AS notes(id, kind, body);

-- A struct for every row; NULL makes no call, equal texts share one.
SELECT id, LLM_EXTRACT(body, {'fruit': 'Which fruit?', 'taste': 'How does it taste?'}) FROM notes;
--> call LLM_EXTRACT#1, model m: STRUCT("fruit" VARCHAR, "taste" VARCHAR)
--> column id: clean
--> column llm_extract: an answer of type STRUCT
--> 1 pass: 4 asked, 1 shared, 3 run

-- Its fields have the types of returns, and are carried by themselves.
SELECT id, e.fruit, e.pieces + 1 AS more
FROM (SELECT id, LLM_EXTRACT(body, ['fruit', 'pieces'], returns => 'STRUCT(fruit VARCHAR, pieces INTEGER)') AS e FROM notes);
--> call LLM_EXTRACT#1, model m: STRUCT("fruit" VARCHAR, "pieces" INTEGER)
--> cut in WHERE, level 1
--> column id: clean
--> column fruit: an answer of type VARCHAR
--> column more: clean
--> 2 passes: 4 asked, 1 shared, 3 run

-- In FROM the fields are columns.
SELECT n.id, g.fruit, g.eaten, g.messages[1].content AS asked, g.llm.finish_reason
FROM notes AS n, LATERAL LLM_EXTRACT('{n.kind}: {n.body}', {fruit: 'Which fruit?', eaten: 'When?'} RETURNS STRUCT(fruit VARCHAR, eaten DATE)) AS g;
--> call g, model m: STRUCT("fruit" VARCHAR, "eaten" DATE)
--> column id: clean
--> column fruit: an answer of type VARCHAR
--> column eaten: an answer of type DATE
--> column asked: an answer of type VARCHAR
--> column finish_reason: an answer of type VARCHAR
--> 1 pass: 4 asked, 4 run

-- All of them.
SELECT g.* FROM notes, LLM_EXTRACT(body, ['fruit', 'taste']) AS g;
--> call g, model m: STRUCT("fruit" VARCHAR, "taste" VARCHAR)
--> column fruit: an answer of type VARCHAR
--> column taste: an answer of type VARCHAR
--> 1 pass: 4 asked, 1 shared, 3 run

-- LEFT JOIN, and a condition on a field.
SELECT id, g.fruit FROM notes LEFT JOIN LLM_EXTRACT(body, ['fruit'], system => 'You are a cook.') AS g ON TRUE
WHERE g.fruit IS NOT NULL ORDER BY id;
--> call g, model m: STRUCT("fruit" VARCHAR)
--> cut in WHERE, level 1
--> column id: clean
--> column fruit: an answer of type VARCHAR
--> 2 passes: 4 asked, 1 shared, 3 run

-- A field that the text does not say replaced.
SELECT id, coalesce(g.fruit, 'none') AS fruit, LLM_GENERATE('Why {g.fruit}?') AS why
FROM notes, llm_extract(body, questions := ['fruit']) AS g WHERE id < 4;
--> call LLM_GENERATE#1, model m: VARCHAR
--> call g, model m: STRUCT("fruit" VARCHAR)
--> column id: clean
--> column fruit: text with answers inside
--> column why: an answer of type VARCHAR
--> 1 pass: 9 asked, 3 shared, 6 run

-- Extracted, then gathered.
WITH found AS (SELECT n.id, n.kind, g.fruit FROM notes AS n, LLM_EXTRACT(n.body, ['fruit']) AS g)
SELECT kind, LLM_AGG(fruit, 'Name them.' ORDER BY id) AS fruits FROM found GROUP BY kind ORDER BY kind;
--> call g, model m: STRUCT("fruit" VARCHAR)
--> call LLM_AGG#2, model m: VARCHAR
--> column kind: clean
--> column fruits: an answer of type VARCHAR
--> 1 pass: 6 asked, 1 shared, 5 run

-- A table that is made.
CREATE TABLE found AS SELECT id, g.fruit, g.pieces
FROM notes, LATERAL LLM_EXTRACT(body, ['fruit', 'pieces'], returns => 'STRUCT(pieces INTEGER, fruit VARCHAR)') AS g;
--> 1 pass: 4 asked, 1 shared, 3 run

-- Rows of INSERT.
INSERT INTO found SELECT id + 10, g.* FROM notes, LATERAL LLM_EXTRACT(body, ['fruit', 'pieces']
  RETURNS STRUCT(fruit VARCHAR, pieces INTEGER)) AS g WHERE id < 3;
--> 1 pass: 2 asked, 2 run

-- A value of UPDATE.
UPDATE found SET fruit = LLM_EXTRACT(fruit, ['colour']).colour WHERE id < 3;
--> 1 pass: 2 asked, 2 run

-- Call by call.
SELECT id, LLM_EXTRACT(body, ['fruit']).fruit AS fruit, random() < 2 AS yes FROM notes ORDER BY id;
--> call LLM_EXTRACT#1, model m: STRUCT("fruit" VARCHAR)
--> call by call: a volatile expression beside calls
--> 1 pass: 4 asked, 1 shared, 3 run
