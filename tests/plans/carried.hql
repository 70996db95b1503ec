-- Functions that carry: answers go through them as they stand, so one pass is enough.
CREATE TABLE notes AS
SELECT * FROM (VALUES (1, 'x', 'apple pie'), (2, 'x', 'pear'), (3, 'y', 'plum'), (4, 'y', 'pear'), (5, 'y', NULL))
AS notes(id, kind, body);
CREATE TABLE kinds AS FROM (VALUES ('x', 'fruit'), ('y', 'jam'), ('z', 'soap')) AS kinds(kind, name);

-- A call for every row; equal rows share one, a NULL makes none.
SELECT id, LLM_GENERATE('Sum up {body}') AS a FROM notes;
--> call LLM_GENERATE#1, model m: VARCHAR
--> column id: clean
--> column a: an answer of type VARCHAR
--> 1 pass: 4 asked, 1 shared, 3 run

-- || carries.
SELECT 'note ' || id || ': ' || LLM_GENERATE('Sum up {body}') AS a FROM notes;
--> call LLM_GENERATE#1, model m: VARCHAR
--> column a: text with answers inside
--> 1 pass: 4 asked, 1 shared, 3 run

-- concat and concat_ws carry.
SELECT concat('a', g.text) AS a, concat_ws('-', 'a', g.text, 'b') AS b
FROM notes, LATERAL LLM_GENERATE('Sum up {body}') AS g WHERE body IS NOT NULL;
--> call g, model m: VARCHAR
--> column a: text with answers inside
--> column b: text with answers inside
--> 1 pass: 4 asked, 1 shared, 3 run

-- coalesce carries.
SELECT coalesce(LLM_GENERATE('Sum up {body}'), 'nothing') AS a FROM notes WHERE id < 3;
--> call LLM_GENERATE#1, model m: VARCHAR
--> column a: text with answers inside
--> 1 pass: 2 asked, 2 run

-- CASE carries its branches when its condition has no answer in it.
SELECT CASE WHEN id > 2 THEN LLM_GENERATE('Sum up {body}') ELSE LLM_GENERATE('Shorten {body}') END AS a
FROM notes WHERE id < 5;
--> call LLM_GENERATE#1, model m: VARCHAR
--> call LLM_GENERATE#2, model m: VARCHAR
--> column a: an answer of type VARCHAR
--> 1 pass: 4 asked, 4 run

-- string_agg carries, also into the prompt of another call: a map-reduce is one pass.
SELECT kind, LLM_GENERATE('Merge {all_of_them}') AS a
FROM (SELECT kind, string_agg(LLM_GENERATE('Sum up {body}'), chr(10) ORDER BY id) AS all_of_them
      FROM notes WHERE body IS NOT NULL GROUP BY kind);
--> call LLM_GENERATE#1, model m: VARCHAR
--> call LLM_GENERATE#2, model m: VARCHAR
--> column kind: clean
--> column a: an answer of type VARCHAR
--> 1 pass: 6 asked, 1 shared, 5 run

-- list as an aggregate carries.
SELECT kind, list(LLM_GENERATE('Sum up {body}') ORDER BY id) AS a FROM notes GROUP BY kind;
--> call LLM_GENERATE#1, model m: VARCHAR
--> column kind: clean
--> column a: a list of: an answer of type VARCHAR
--> 1 pass: 4 asked, 1 shared, 3 run

-- A list literal and the join of two lists carry.
SELECT ['first', LLM_GENERATE('Sum up {body}')] || [LLM_GENERATE('Shorten {body}')] AS a
FROM notes WHERE id < 3;
--> call LLM_GENERATE#1, model m: VARCHAR
--> call LLM_GENERATE#2, model m: VARCHAR
--> column a: a list of: text with answers inside
--> 1 pass: 4 asked, 4 run

-- An element of a list at a place that is known carries.
SELECT ([LLM_GENERATE('Sum up {body}'), 'second'])[1] AS a FROM notes WHERE id < 3;
--> call LLM_GENERATE#1, model m: VARCHAR
--> column a: text with answers inside
--> 1 pass: 2 asked, 2 run

-- struct_pack carries, and so does taking a field of it.
SELECT p AS whole, p.a AS field
FROM (SELECT {'a': LLM_GENERATE('Sum up {body}'), 'id': id} AS p FROM notes WHERE id < 3);
--> call LLM_GENERATE#1, model m: VARCHAR
--> column whole: its a: an answer of type VARCHAR; its id: clean
--> column field: an answer of type VARCHAR
--> 1 pass: 2 asked, 2 run

-- A cast of a text to VARCHAR carries.
SELECT (LLM_GENERATE('Sum up {body}') || '!')::VARCHAR AS a FROM notes WHERE id < 3;
--> call LLM_GENERATE#1, model m: VARCHAR
--> column a: text with answers inside
--> 1 pass: 2 asked, 2 run

-- first and any_value carry.
SELECT kind, first(LLM_GENERATE('Sum up {body}') ORDER BY id) AS a,
       any_value(LLM_GENERATE('Shorten {body}') ORDER BY id) AS b
FROM notes GROUP BY kind;
--> call LLM_GENERATE#1, model m: VARCHAR
--> call LLM_GENERATE#2, model m: VARCHAR
--> column kind: clean
--> column a: an answer of type VARCHAR
--> column b: text with answers inside
--> 1 pass: 4 asked, 4 run

-- arg_max by a plain value carries.
SELECT kind, arg_max(LLM_GENERATE('Sum up {body}'), id) AS a FROM notes WHERE body IS NOT NULL GROUP BY kind;
--> call LLM_GENERATE#1, model m: VARCHAR
--> column kind: clean
--> column a: text with answers inside
--> 1 pass: 2 asked, 1 shared, 1 run

-- lag over a plain order carries.
SELECT id, lag(LLM_GENERATE('Sum up {body}')) OVER (ORDER BY id) AS a FROM notes;
--> call LLM_GENERATE#1, model m: VARCHAR
--> column id: clean
--> column a: an answer of type VARCHAR
--> 1 pass: 4 asked, 1 shared, 3 run

-- string_agg over a window carries.
SELECT id, string_agg(LLM_GENERATE('Sum up {body}'), ' ') OVER (ORDER BY id) AS a FROM notes WHERE id < 4;
--> call LLM_GENERATE#1, model m: VARCHAR
--> column id: clean
--> column a: text with answers inside
--> 1 pass: 6 asked, 3 shared, 3 run

-- UNION ALL carries.
SELECT LLM_GENERATE('Sum up {body}') AS a FROM notes WHERE id < 3
UNION ALL SELECT body FROM notes WHERE id = 3;
--> call LLM_GENERATE#1, model m: VARCHAR
--> column a: text with answers inside
--> 1 pass: 2 asked, 2 run

-- What goes beside a join key is carried; rows that find no partner ask nothing.
SELECT k.name, n.a FROM (SELECT kind, LLM_GENERATE('Sum up {body}') AS a FROM notes) AS n
JOIN kinds AS k ON k.kind = n.kind AND k.name = 'fruit';
--> call LLM_GENERATE#1, model m: VARCHAR
--> column name: clean
--> column a: an answer of type VARCHAR
--> 1 pass: 2 asked, 2 run

-- A left join carries.
SELECT k.name, n.a
FROM kinds AS k LEFT JOIN (SELECT kind, LLM_GENERATE('Sum up {body}') AS a FROM notes) AS n USING (kind);
--> call LLM_GENERATE#1, model m: VARCHAR
--> column name: clean
--> column a: an answer of type VARCHAR
--> 1 pass: 4 asked, 1 shared, 3 run

-- ORDER BY a plain column and LIMIT carry; rows behind the limit ask nothing.
SELECT id, LLM_GENERATE('Sum up {body}') AS a FROM notes ORDER BY id LIMIT 2;
--> call LLM_GENERATE#1, model m: VARCHAR
--> column id: clean
--> column a: an answer of type VARCHAR
--> 1 pass: 2 asked, 2 run

-- A typed answer that only comes out is carried, each field by itself.
SELECT id, g.mood, g.score
FROM notes, LATERAL LLM_GENERATE('Judge {body}', returns => 'STRUCT(mood VARCHAR, score INTEGER)') AS g
WHERE id < 3;
--> call g, model m: STRUCT("mood" VARCHAR, "score" INTEGER)
--> column id: clean
--> column mood: an answer of type VARCHAR
--> column score: an answer of type INTEGER
--> 1 pass: 2 asked, 2 run

-- An integer that goes into a prompt is carried.
SELECT LLM_GENERATE('Why {n}?') AS a
FROM (SELECT LLM_GENERATE('How many? {body}', returns => 'INTEGER') AS n FROM notes WHERE id < 3);
--> call LLM_GENERATE#1, model m: VARCHAR
--> call LLM_GENERATE#2, model m: INTEGER
--> column a: an answer of type VARCHAR
--> 1 pass: 4 asked, 1 shared, 3 run

-- A chain of calls is carried to its end.
SELECT LLM_GENERATE('Improve {b}') AS c
FROM (SELECT LLM_GENERATE('Criticize {a}') AS b
      FROM (SELECT LLM_GENERATE('Sum up {body}') AS a FROM notes WHERE id < 4));
--> call LLM_GENERATE#1, model m: VARCHAR
--> call LLM_GENERATE#2, model m: VARCHAR
--> call LLM_GENERATE#3, model m: VARCHAR
--> column c: an answer of type VARCHAR
--> 1 pass: 9 asked, 9 run
