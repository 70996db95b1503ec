CREATE TABLE notes AS SELECT i AS id, i % 3 AS k, CASE WHEN i % 3 = 0 THEN 'apple ' ELSE 'plum ' END || i AS body FROM range(6) AS r(i);

CREATE VIEW words AS SELECT id, LLM_GENERATE('Word for {body}') AS word FROM notes;
CREATE PROMPT word(body VARCHAR) AS 'Word for {body}';

---- Fires

-- In FROM and in SELECT.
SELECT id, g.text AS a, LLM_GENERATE('Word for {body}') || '!' AS b FROM notes, LATERAL LLM_GENERATE('Word for {body}') AS g;
--> call LLM_GENERATE#1, model m: VARCHAR
--> call g, model m: VARCHAR
--> rule merge_equal_generates: g is LLM_GENERATE#1
--> column id: clean
--> column a: an answer of type VARCHAR
--> column b: text with answers inside
--> 1 pass: 6 asked, 6 run

-- In a view and in the query.
SELECT id, word FROM words UNION ALL SELECT id, LLM_GENERATE('Word for {body}') FROM notes WHERE id < 3;
--> call LLM_GENERATE#1, model m: VARCHAR
--> call LLM_GENERATE#1, model m: VARCHAR
--> rule merge_equal_generates: LLM_GENERATE#1 (2) is LLM_GENERATE#1
--> column id: clean
--> column word: an answer of type VARCHAR
--> 1 pass: 9 asked, 3 shared, 6 run

-- A prompt of the catalog and the same written out.
SELECT id, word(body) AS a, LLM_GENERATE('Word for {body}') || '!' AS b FROM notes;
--> call word, model m: VARCHAR
--> call LLM_GENERATE#1, model m: VARCHAR
--> rule merge_equal_generates: LLM_GENERATE#1 is word
--> column id: clean
--> column a: an answer of type VARCHAR
--> column b: text with answers inside
--> 1 pass: 6 asked, 6 run

-- A model that is named, and the same as default.
SELECT id, LLM_GENERATE('Word for {body}', model => 'm') AS a, LLM_GENERATE('Word for {body}') || '!' AS b FROM notes;
--> call LLM_GENERATE#1, model m: VARCHAR
--> call LLM_GENERATE#2, model m: VARCHAR
--> rule merge_equal_generates: LLM_GENERATE#2 is LLM_GENERATE#1
--> column id: clean
--> column a: an answer of type VARCHAR
--> column b: text with answers inside
--> 1 pass: 6 asked, 6 run

---- Not

-- Another template.
SELECT id, LLM_GENERATE('Word for {body}') AS a, LLM_GENERATE('A word for {body}') AS b FROM notes;
--> call LLM_GENERATE#1, model m: VARCHAR
--> call LLM_GENERATE#2, model m: VARCHAR
--> column id: clean
--> column a: an answer of type VARCHAR
--> column b: an answer of type VARCHAR
--> 1 pass: 12 asked, 12 run

-- Another type.
SELECT id, LLM_GENERATE('A number for {body}', returns => 'INTEGER') AS a, LLM_GENERATE('A number for {body}') AS b FROM notes;
--> call LLM_GENERATE#1, model m: INTEGER
--> call LLM_GENERATE#2, model m: VARCHAR
--> column id: clean
--> column a: an answer of type INTEGER
--> column b: an answer of type VARCHAR
--> 1 pass: 12 asked, 12 run

-- Other parameters.
SELECT id, LLM_GENERATE('Word for {body}', max_tokens => 10) AS a, LLM_GENERATE('Word for {body}') AS b FROM notes;
--> call LLM_GENERATE#1, model m: VARCHAR
--> call LLM_GENERATE#2, model m: VARCHAR
--> column id: clean
--> column a: an answer of type VARCHAR
--> column b: an answer of type VARCHAR
--> 1 pass: 12 asked, 12 run

-- One must not fail.
SELECT id, LLM_GENERATE('Word for {body}', on_error => 'fail') AS a, LLM_GENERATE('Word for {body}') AS b FROM notes;
--> call LLM_GENERATE#1, model m: VARCHAR
--> call LLM_GENERATE#2, model m: VARCHAR
--> column id: clean
--> column a: an answer of type VARCHAR
--> column b: an answer of type VARCHAR
--> 1 pass: 6 asked, 6 run

-- One is tried more often.
SELECT id, LLM_GENERATE('Word for {body}', retries => 3) AS a, LLM_GENERATE('Word for {body}') AS b FROM notes;
--> call LLM_GENERATE#1, model m: VARCHAR
--> call LLM_GENERATE#2, model m: VARCHAR
--> column id: clean
--> column a: an answer of type VARCHAR
--> column b: an answer of type VARCHAR
--> 1 pass: 6 asked, 6 run

-- What is drawn twice is not drawn once.
SELECT count(LLM_GENERATE('Word for {body}', temperature => 0.7)) AS a, count(LLM_GENERATE('Word for {body}', temperature => 0.7)) AS b FROM notes;
--> call LLM_GENERATE#1, model m: VARCHAR
--> call word, model m: VARCHAR
--> call LLM_GENERATE#1, model m: VARCHAR
--> call by call: a volatile expression beside calls
--> 1 pass: 6 asked, 6 run
