-- Types of answers that no call names: its use says what is asked for, or leaves it a text.
CREATE TABLE notes AS
SELECT * FROM (VALUES (1, 'x', 'apple pie'), (2, 'x', 'pear'), (3, 'y', 'plum'), (4, 'y', 'pear'), (5, 'y', NULL))
AS notes(id, kind, body);

---- Casts
-- A cast asks for its type; the user's cast stays.
SELECT id, LLM_GENERATE('Count {body}')::INTEGER AS n FROM notes;
--> call LLM_GENERATE#1, model m: INTEGER
--> column id: clean
--> column n: an answer of type INTEGER
--> 1 pass: 4 asked, 1 shared, 3 run

-- CAST and TRY_CAST do too.
SELECT CAST(LLM_GENERATE('When was {body}?') AS DATE) AS d, TRY_CAST(LLM_GENERATE('Price of {body}') AS DECIMAL(6, 2)) AS p
FROM notes WHERE id < 3;
--> call LLM_GENERATE#1, model m: DATE
--> call LLM_GENERATE#2, model m: DECIMAL(6,2)
--> column d: an answer of type DATE
--> column p: an answer of type DECIMAL
--> 1 pass: 4 asked, 4 run

-- A nested type is asked for as JSON.
SELECT (LLM_GENERATE('Rate {body}')::STRUCT(score INTEGER, tags VARCHAR[])).score AS s FROM notes WHERE id < 3;
--> call LLM_GENERATE#1, model m: STRUCT("score" INTEGER, "tags" VARCHAR[])
--> column s: an answer of type INTEGER
--> 1 pass: 2 asked, 2 run

---- AND, OR and NOT
-- Their operands are conditions, also in SELECT.
SELECT id, NOT LLM_GENERATE('Is {body} sour?') AS sweet, LLM_GENERATE('Is {body} a fruit?') OR id = 1 AS fruit
FROM notes WHERE id < 3;
--> call LLM_GENERATE#1, model m: BOOLEAN
--> call LLM_GENERATE#2, model m: BOOLEAN
--> cut in WHERE, level 1
--> column id: clean
--> column sweet: clean
--> column fruit: clean
--> 3 passes: 3 asked, 3 run

---- Comparisons
-- A number beside a comparison asks for a number.
SELECT id FROM notes WHERE LLM_GENERATE('How good is {body}?') > 3;
--> call LLM_GENERATE#1, model m: DOUBLE
--> cut in WHERE, level 1
--> column id: clean
--> 2 passes: 4 asked, 1 shared, 3 run

-- Also where the number stands first, and with BETWEEN.
SELECT id, LLM_GENERATE('How long is {body}?') BETWEEN 1 AND 9.5 AS short FROM notes WHERE -1 < LLM_GENERATE('How good is {body}?');
--> call LLM_GENERATE#1, model m: DOUBLE
--> call LLM_GENERATE#2, model m: DOUBLE
--> cut in WHERE, level 1
--> column id: clean
--> column short: clean
--> 3 passes: 8 asked, 2 shared, 6 run

-- A whole number that is to be met asks for an INTEGER.
SELECT id FROM notes WHERE LLM_GENERATE('Count {body}') = 7 OR LLM_GENERATE('Number {body}') IN (1, 7);
--> call LLM_GENERATE#1, model m: INTEGER
--> call LLM_GENERATE#2, model m: INTEGER
--> cut in WHERE, level 1
--> column id: clean
--> 2 passes: 4 asked, 1 shared, 3 run

-- TRUE and FALSE ask for a BOOLEAN.
SELECT id, LLM_GENERATE('Is {body} cheap?') IS NOT TRUE AS dear FROM notes WHERE LLM_GENERATE('Is {body} good?') = TRUE;
--> call LLM_GENERATE#1, model m: BOOLEAN
--> call LLM_GENERATE#2, model m: BOOLEAN
--> cut in WHERE, level 1
--> column id: clean
--> column dear: clean
--> 3 passes: 5 asked, 1 shared, 4 run

---- Conditions
-- A call that stands alone as a condition is a BOOLEAN.
SELECT id FROM notes WHERE LLM_GENERATE('Is {body} good?');
--> call LLM_GENERATE#1, model m: BOOLEAN
--> cut in WHERE, level 1
--> column id: clean
--> 2 passes: 4 asked, 1 shared, 3 run

-- So is one beside AND, OR and NOT.
SELECT id FROM notes WHERE id < 4 AND (NOT LLM_GENERATE('Is {body} good?') OR kind = 'x');
--> call LLM_GENERATE#1, model m: BOOLEAN
--> rule keep_above: DuckDB does not move LLM_GENERATE#1 down again
--> cut in WHERE, level 1
--> column id: clean
--> 2 passes: 1 asked, 1 run

-- In ON, HAVING, CASE WHEN and FILTER too.
SELECT n.kind, count(*) FILTER (WHERE LLM_GENERATE('Is {n.body} good?')) AS good,
       CASE WHEN LLM_GENERATE('Is the kind {n.kind} apple?') THEN 1 ELSE 0 END AS apple
FROM notes n JOIN (VALUES ('apple'), ('pear')) AS w(word) ON LLM_GENERATE('Is {n.body} about {w.word}?')
GROUP BY n.kind HAVING LLM_GENERATE('Is {n.kind} a kind, apple?');
--> call LLM_GENERATE#1, model m: BOOLEAN
--> call LLM_GENERATE#2, model m: BOOLEAN
--> call LLM_GENERATE#3, model m: BOOLEAN
--> call LLM_GENERATE#4, model m: BOOLEAN
--> rule join_then_ask: LLM_GENERATE#3 is asked of the pairs of the join
--> rule pull_up_llm_predicate: LLM_GENERATE#4 is asked above the INNER join
--> rule keep_above: DuckDB does not move LLM_GENERATE#4, LLM_GENERATE#3 down again
--> cut in WHERE, level 1
--> cut in WHERE, level 2
--> column kind: clean
--> column good: clean
--> column apple: clean
--> 5 passes: 25 asked, 12 shared, 13 run

---- Not where the use leaves a doubt
-- A text is compared with a text.
SELECT id FROM notes WHERE LLM_GENERATE('Sum up {body}') = 'yes' OR LLM_GENERATE('Label {body}') IN ('a', 'b');
--> call LLM_GENERATE#1, model m: VARCHAR
--> call LLM_GENERATE#2, model m: VARCHAR
--> cut in WHERE, level 1
--> column id: clean
--> 3 passes: 8 asked, 2 shared, 6 run

-- An operator comes between.
SELECT id FROM notes WHERE LLM_GENERATE('Sum up {body}') || 'x' > '3' AND length(LLM_GENERATE('Shorten {body}')) > 3;
--> call LLM_GENERATE#1, model m: VARCHAR
--> call LLM_GENERATE#2, model m: VARCHAR
--> cut in WHERE, level 1
--> column id: clean
--> 3 passes: 8 asked, 2 shared, 6 run

-- A call is asked for in two ways, and it is one call.
SELECT id, LLM_GENERATE('Sum up {body}') AS a FROM notes WHERE TRY_CAST(LLM_GENERATE('Sum up {body}') AS INTEGER) IS NULL;
--> call LLM_GENERATE#1, model m: VARCHAR
--> cut in WHERE, level 1
--> column id: clean
--> column a: an answer of type VARCHAR
--> 2 passes: 4 asked, 1 shared, 3 run

-- The type that a call names is the one it has.
SELECT id FROM notes WHERE LLM_GENERATE('How good is {body}?', returns => 'INTEGER') > 3;
--> call LLM_GENERATE#1, model m: INTEGER
--> cut in WHERE, level 1
--> column id: clean
--> 2 passes: 4 asked, 1 shared, 3 run
