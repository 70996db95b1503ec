-- LLM_SCORE: a question that is answered with a number.
CREATE TABLE notes AS
SELECT * FROM (VALUES (1, 'x', 'apple pie'), (2, 'x', 'pear'), (3, 'y', 'plum'), (4, 'y', 'pear'), (5, 'y', NULL))
AS notes(id, kind, body);

-- A number for every row; NULL makes no call, equal questions share one.
SELECT id, LLM_SCORE('How sweet, 0 to 10? {body}') FROM notes;
--> call LLM_SCORE#1, model m: DOUBLE
--> column id: clean
--> column llm_score: an answer of type DOUBLE
--> 1 pass: 4 asked, 1 shared, 3 run

-- It ranks.
SELECT body FROM notes WHERE body IS NOT NULL
ORDER BY LLM_SCORE('How sweet, 0 to 10? {body}') DESC, id LIMIT 2;
--> call LLM_SCORE#1, model m: DOUBLE
--> cut in WHERE, level 1
--> column body: clean
--> 2 passes: 4 asked, 1 shared, 3 run

-- It is compared as a number; values fill the template.
SELECT id FROM notes WHERE llm_score('How sweet, {0} to 10? {1}', 0, upper(body), temperature := 0) > 5;
--> call LLM_SCORE#1, model m: DOUBLE
--> cut in WHERE, level 1
--> column id: clean
--> 2 passes: 4 asked, 1 shared, 3 run

-- Any expression may be the question.
SELECT id, round(LLM_SCORE('How sweet? ' || body, system => 'You are a cook.'), 1) AS score FROM notes WHERE id < 3;
--> call LLM_SCORE#1, model m: DOUBLE
--> cut in WHERE, level 1
--> column id: clean
--> column score: clean
--> 2 passes: 2 asked, 2 run

-- The average of a group.
SELECT kind, avg(LLM_SCORE('How sweet? {body}')) AS score FROM notes GROUP BY kind ORDER BY kind;
--> call LLM_SCORE#1, model m: DOUBLE
--> cut in WHERE, level 1
--> column kind: clean
--> column score: clean
--> 2 passes: 4 asked, 1 shared, 3 run

-- Into another prompt it goes as text.
SELECT LLM_GENERATE('Why {score}?') AS a
FROM (SELECT LLM_SCORE('How sweet? {body}') AS score FROM notes WHERE id < 3);
--> call LLM_GENERATE#1, model m: VARCHAR
--> call LLM_SCORE#2, model m: DOUBLE
--> column a: an answer of type VARCHAR
--> 1 pass: 4 asked, 4 run

-- A column of a table that is made.
CREATE TABLE scored AS SELECT id, LLM_SCORE('How sweet? {body}') AS score FROM notes;
--> 1 pass: 4 asked, 1 shared, 3 run

-- As a value of UPDATE.
UPDATE scored SET score = LLM_SCORE('How sour? {notes.body}') FROM notes WHERE notes.id = scored.id;
--> 1 pass: 4 asked, 1 shared, 3 run
