-- LLM_CLASSIFY: the label that fits best, or all that fit.
CREATE TABLE notes AS
SELECT * FROM (VALUES (1, 'x', 'apple pie'), (2, 'x', 'pear'), (3, 'y', 'plum'), (4, 'y', 'pear'), (5, 'y', NULL))
AS notes(id, kind, body);

-- A label for every row; NULL makes no call, equal texts share one.
SELECT id, LLM_CLASSIFY(body, ['sweet', 'sour', 'neither']) FROM notes;
--> call LLM_CLASSIFY#1, model m: ENUM('sweet', 'sour', 'neither')
--> column id: clean
--> column llm_classify: an answer of type VARCHAR
--> 1 pass: 4 asked, 1 shared, 3 run

-- The label is a text, carried into other texts and prompts.
SELECT 'it is ' || label AS said, LLM_GENERATE('Why {label}?') AS why
FROM (SELECT LLM_CLASSIFY(body, ['sweet', 'sour'], 'Think of the taste.') AS label FROM notes WHERE id < 3);
--> call LLM_GENERATE#1, model m: VARCHAR
--> call LLM_CLASSIFY#2, model m: ENUM('sweet', 'sour')
--> column said: text with answers inside
--> column why: an answer of type VARCHAR
--> 1 pass: 6 asked, 2 shared, 4 run

-- It is compared, and groups.
SELECT label, count(*) AS notes FROM (SELECT LLM_CLASSIFY(body, ['sweet', 'sour']) AS label FROM notes)
WHERE label <> 'bitter' GROUP BY label ORDER BY label;
--> call LLM_CLASSIFY#1, model m: ENUM('sweet', 'sour')
--> cut in WHERE, level 1
--> cut in WHERE, level 1
--> column label: clean
--> column notes: clean
--> 2 passes: 4 asked, 1 shared, 3 run

-- Grouped by itself.
SELECT LLM_CLASSIFY(body, ['sweet', 'sour']) AS label, count(*) AS notes FROM notes
GROUP BY LLM_CLASSIFY(body, ['sweet', 'sour']) ORDER BY ALL;
--> call LLM_CLASSIFY#1, model m: ENUM('sweet', 'sour')
--> cut in WHERE, level 1
--> column label: clean
--> column notes: clean
--> 2 passes: 4 asked, 1 shared, 3 run

-- All labels that fit are a list without duplicates, in the order of the labels.
SELECT id, LLM_CLASSIFY(body, ['sweet', 'sour', 'neither'], multi => true) AS labels FROM notes;
--> call LLM_CLASSIFY#1, model m: ENUM('sweet', 'sour', 'neither')[]
--> column id: clean
--> column labels: an answer of type LIST
--> 1 pass: 4 asked, 1 shared, 3 run

-- The list is unnested.
SELECT id, unnest(LLM_CLASSIFY(body, ['sweet', 'sour', 'neither'], multi := TRUE)) AS label FROM notes ORDER BY ALL;
--> call LLM_CLASSIFY#1, model m: ENUM('sweet', 'sour', 'neither')[]
--> cut in WHERE, level 1
--> column id: clean
--> column label: clean
--> 2 passes: 4 asked, 1 shared, 3 run

-- Labels with descriptions, as a struct and as a list of structs; the text may be a template.
SELECT llm_classify('{kind}: {body}', {'sweet': 'tastes of sugar', sour: 'tastes of lemon'}, temperature => 0) AS a,
       LLM_CLASSIFY(body, labels => [{'label': 'sweet', 'description': 'like sugar'}, {'label': 'sour'}],
                    instruction => 'Think of {{sugar}}.', system => 'You are a cook.') AS b
FROM notes WHERE id < 3;
--> call LLM_CLASSIFY#1, model m: ENUM('sweet', 'sour')
--> call LLM_CLASSIFY#2, model m: ENUM('sweet', 'sour')
--> column a: an answer of type VARCHAR
--> column b: an answer of type VARCHAR
--> 1 pass: 4 asked, 4 run

-- A join condition asks about the pairs that the plain condition leaves.
SELECT n.id, k.name FROM notes AS n JOIN (VALUES ('x', 'sweet'), ('y', 'sour')) AS k(kind, name)
ON n.kind = k.kind AND LLM_CLASSIFY(n.body, ['sweet', 'sour']) = k.name ORDER BY ALL;
--> call LLM_CLASSIFY#1, model m: ENUM('sweet', 'sour')
--> rule join_then_ask: LLM_CLASSIFY#1 is asked of the pairs of the join
--> rule keep_above: DuckDB does not move LLM_CLASSIFY#1 down again
--> cut in WHERE, level 1
--> column id: clean
--> column name: clean
--> 2 passes: 4 asked, 1 shared, 3 run

-- In a CTE that is read twice.
WITH labelled AS (SELECT id, LLM_CLASSIFY(body, ['sweet', 'sour']) AS label FROM notes)
SELECT a.id, b.id AS other FROM labelled AS a JOIN labelled AS b ON a.label = b.label AND a.id < b.id ORDER BY ALL;
--> call LLM_CLASSIFY#1, model m: ENUM('sweet', 'sour')
--> rule join_then_ask: a predicate is asked of the pairs of the join
--> rule keep_above: DuckDB does not move a predicate down again
--> cut in WHERE, level 1
--> column id: clean
--> column other: clean
--> 2 passes: 10 asked, 7 shared, 3 run

-- In a recursion, whose next step is what the label says.
WITH RECURSIVE steps AS (
  SELECT 1 AS i, 'start' AS state
  UNION ALL
  SELECT i + 1, LLM_CLASSIFY('{state} {i}', ['go', 'stop'], 'Which comes next?') FROM steps WHERE i < 5 AND state <> 'stop'
)
SELECT * FROM steps ORDER BY i;
--> call LLM_CLASSIFY#1, model m: ENUM('go', 'stop')
--> rule hoist_ctes: steps can be read by the whole query
--> rule keep_above: DuckDB does not move a predicate down again
--> cut in WHERE, level 1
--> column i: clean
--> column state: text with answers inside
--> 4 passes: 3 asked, 3 run

-- A row of INSERT.
INSERT INTO notes SELECT id + 10, LLM_CLASSIFY(body, ['x', 'y']), body FROM notes WHERE id < 3;
--> 1 pass: 2 asked, 2 run

-- A value of UPDATE.
UPDATE notes SET kind = LLM_CLASSIFY(body, ['x', 'y']) WHERE id < 3;
--> 1 pass: 2 asked, 2 run

-- Call by call.
SELECT id, LLM_CLASSIFY(body, ['sweet', 'sour'], multi => true) AS labels, random() < 2 AS yes FROM notes ORDER BY id;
--> call LLM_CLASSIFY#1, model m: ENUM('sweet', 'sour')[]
--> call by call: a volatile expression beside calls
--> 1 pass: 6 asked, 3 shared, 3 run
