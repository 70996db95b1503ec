-- What inspects an answer waits for it: a cut, and a pass more.
CREATE TABLE notes AS
SELECT * FROM (VALUES (1, 'x', 'apple pie'), (2, 'x', 'pear'), (3, 'y', 'plum'), (4, 'y', 'pear'), (5, 'y', NULL))
AS notes(id, kind, body);
CREATE TABLE kinds AS FROM (VALUES ('x', 'fruit'), ('y', 'jam'), ('z', 'soap')) AS kinds(kind, name);

-- A predicate inspects. The plain one beside it comes first.
SELECT id FROM notes WHERE LLM_FILTER('Is this about apples? {body}') AND id < 3;
--> call LLM_FILTER#1, model m: BOOLEAN
--> cut in WHERE, level 1
--> column id: clean
--> 2 passes: 2 asked, 2 run

-- LIKE inspects.
SELECT id FROM notes WHERE LLM_GENERATE('Sum up {body}') LIKE '%pear%';
--> call LLM_GENERATE#1, model m: VARCHAR
--> cut in WHERE, level 1
--> column id: clean
--> 2 passes: 4 asked, 1 shared, 3 run

-- A comparison inspects.
SELECT id, LLM_GENERATE('How many? {body}', returns => 'INTEGER') > 5 AS many FROM notes;
--> call LLM_GENERATE#1, model m: INTEGER
--> cut in WHERE, level 1
--> column id: clean
--> column many: clean
--> 2 passes: 4 asked, 1 shared, 3 run

-- Arithmetic inspects.
SELECT id, 1 + LLM_GENERATE('How many? {body}', returns => 'INTEGER') AS more FROM notes WHERE id < 3;
--> call LLM_GENERATE#1, model m: INTEGER
--> cut in WHERE, level 1
--> column id: clean
--> column more: clean
--> 2 passes: 2 asked, 2 run

-- length and upper inspect.
SELECT length(g.text) AS n, upper(g.text) AS loud
FROM notes, LATERAL LLM_GENERATE('Sum up {body}') AS g WHERE id < 3;
--> call g, model m: VARCHAR
--> cut in WHERE, level 1
--> column n: clean
--> column loud: clean
--> 2 passes: 2 asked, 2 run

-- A cast to a number inspects.
SELECT TRY_CAST(g.text AS INTEGER) AS n FROM notes, LATERAL LLM_GENERATE('Sum up {body}') AS g WHERE id < 3;
--> call g, model m: VARCHAR
--> cut in WHERE, level 1
--> column n: clean
--> 2 passes: 2 asked, 2 run

-- IS NULL inspects: the call may fail.
SELECT id FROM notes WHERE LLM_GENERATE('Sum up {body}') IS NULL;
--> call LLM_GENERATE#1, model m: VARCHAR
--> cut in WHERE, level 1
--> column id: clean
--> 2 passes: 4 asked, 1 shared, 3 run

-- ORDER BY an answer inspects.
SELECT id FROM notes WHERE body IS NOT NULL ORDER BY LLM_GENERATE('Sum up {body}'), id;
--> call LLM_GENERATE#1, model m: VARCHAR
--> cut in WHERE, level 1
--> column id: clean
--> 2 passes: 4 asked, 1 shared, 3 run

-- GROUP BY an answer inspects.
SELECT g.text AS said, count(*) AS n FROM notes, LATERAL LLM_GENERATE('Sum up {body}') AS g GROUP BY g.text;
--> call g, model m: VARCHAR
--> cut in WHERE, level 1
--> column said: clean
--> column n: clean
--> 2 passes: 4 asked, 1 shared, 3 run

-- DISTINCT inspects.
SELECT DISTINCT LLM_GENERATE('Sum up {body}') AS a FROM notes;
--> call LLM_GENERATE#1, model m: VARCHAR
--> cut in WHERE, level 1
--> column a: an answer of type VARCHAR
--> 2 passes: 4 asked, 1 shared, 3 run

-- UNION without ALL inspects.
SELECT LLM_GENERATE('Sum up {body}') AS a FROM notes UNION SELECT body FROM notes WHERE id = 3;
--> call LLM_GENERATE#1, model m: VARCHAR
--> cut in WHERE, level 1
--> column a: text with answers inside
--> 2 passes: 4 asked, 1 shared, 3 run

-- A join on an answer inspects.
SELECT n.id, k.name FROM notes AS n JOIN kinds AS k
ON n.kind = k.kind AND LLM_FILTER('Is {n.body} about {k.name}?');
--> call LLM_FILTER#1, model m: BOOLEAN
--> rule join_then_ask: LLM_FILTER#1 is asked of the pairs of the join
--> rule keep_above: DuckDB does not move LLM_FILTER#1 down again
--> cut in WHERE, level 1
--> column id: clean
--> column name: clean
--> 2 passes: 4 asked, 4 run

-- count of answers inspects: a NULL does not count.
SELECT kind, count(LLM_GENERATE('Sum up {body}')) AS n FROM notes GROUP BY kind;
--> call LLM_GENERATE#1, model m: VARCHAR
--> cut in WHERE, level 1
--> column kind: clean
--> column n: clean
--> 2 passes: 4 asked, 1 shared, 3 run

-- max inspects.
SELECT kind, max(LLM_GENERATE('Sum up {body}')) AS a FROM notes GROUP BY kind;
--> call LLM_GENERATE#1, model m: VARCHAR
--> cut in WHERE, level 1
--> column kind: clean
--> column a: clean
--> 2 passes: 4 asked, 1 shared, 3 run

-- string_agg with DISTINCT inspects.
SELECT string_agg(DISTINCT LLM_GENERATE('Sum up {body}'), '|') AS a FROM notes WHERE kind = 'x' AND id = 1;
--> call LLM_GENERATE#1, model m: VARCHAR
--> cut in WHERE, level 1
--> column a: clean
--> 2 passes: 1 asked, 1 run

-- CASE inspects its condition, and asks for a branch only where it holds.
SELECT id, CASE WHEN LLM_FILTER('Is this about apples? {body}') THEN LLM_GENERATE('Praise {body}')
           ELSE 'no' END AS a
FROM notes WHERE body IS NOT NULL;
--> call LLM_FILTER#1, model m: BOOLEAN
--> call LLM_GENERATE#2, model m: VARCHAR
--> cut in WHERE, level 1
--> column id: clean
--> column a: text with answers inside
--> 2 passes: 8 asked, 2 shared, 6 run

-- OR asks for its second part only where the first is not true.
SELECT id FROM notes
WHERE body IS NOT NULL AND (id = 2 OR LLM_FILTER('Is this about apples? {body}'));
--> call LLM_FILTER#1, model m: BOOLEAN
--> rule keep_above: DuckDB does not move LLM_FILTER#1 down again
--> cut in WHERE, level 1
--> column id: clean
--> 2 passes: 3 asked, 3 run

-- Two predicates of one WHERE are asked one after the other.
SELECT id FROM notes
WHERE LLM_FILTER('Is this about apples? {body}') AND LLM_FILTER('Is it an apple that is sweet? {body}');
--> call LLM_FILTER#1, model m: BOOLEAN
--> call LLM_FILTER#2, model m: BOOLEAN
--> cut in WHERE, level 1
--> column id: clean
--> 3 passes: 8 asked, 2 shared, 6 run

-- UNNEST inspects a list that is an answer.
SELECT id, t.tag FROM notes,
LATERAL (SELECT unnest(LLM_GENERATE('Tags of {body}', returns => 'VARCHAR[]')) AS tag) AS t WHERE id < 3;
--> call LLM_GENERATE#1, model m: VARCHAR[]
--> cut in WHERE, level 1
--> column id: clean
--> column tag: clean
--> 2 passes: 2 asked, 2 run

-- HAVING inspects.
SELECT kind FROM notes WHERE body IS NOT NULL GROUP BY kind
HAVING string_agg(LLM_GENERATE('Sum up {body}'), ' ' ORDER BY id) LIKE '%plum%';
--> call LLM_GENERATE#1, model m: VARCHAR
--> rule keep_above: DuckDB does not move a predicate down again
--> cut in WHERE, level 1
--> column kind: clean
--> 2 passes: 4 asked, 1 shared, 3 run

-- QUALIFY and a window ordered by an answer inspect.
SELECT id FROM notes WHERE body IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY kind ORDER BY LLM_GENERATE('Sum up {body}'), id) = 1;
--> call LLM_GENERATE#1, model m: VARCHAR
--> cut in WHERE, level 1
--> column id: clean
--> 2 passes: 4 asked, 1 shared, 3 run

-- A cut above an aggregate is of a higher level than the one below it.
SELECT kind, count(*) AS n FROM notes WHERE LLM_FILTER('Is this about apples? {body}') GROUP BY kind
HAVING LLM_FILTER('Is {kind} an apple?');
--> call LLM_FILTER#1, model m: BOOLEAN
--> call LLM_FILTER#2, model m: BOOLEAN
--> cut in WHERE, level 1
--> column kind: clean
--> column n: clean
--> 3 passes: 9 asked, 4 shared, 5 run

-- A scalar subquery below a comparison inspects.
SELECT id FROM notes WHERE id = 1 AND body <> (SELECT LLM_GENERATE('Sum up {name}') FROM kinds WHERE kind = 'x');
--> call LLM_GENERATE#1, model m: VARCHAR
--> rule join_then_ask: a predicate is asked of the pairs of the join
--> rule keep_above: DuckDB does not move a predicate down again
--> cut in WHERE, level 1
--> column id: clean
--> 2 passes: 1 asked, 1 run

-- A set operation that is sorted inspects what it is sorted by.
SELECT LLM_GENERATE('Sum up {body}') AS a FROM notes UNION ALL SELECT body FROM notes ORDER BY 1 LIMIT 2;
--> call LLM_GENERATE#1, model m: VARCHAR
--> cut in WHERE, level 1
--> column a: text with answers inside
--> 2 passes: 4 asked, 1 shared, 3 run
