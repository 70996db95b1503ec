CREATE TABLE notes AS SELECT i AS id, i % 3 AS k, CASE WHEN i % 3 = 0 THEN 'apple ' ELSE 'plum ' END || i AS body FROM range(6) AS r(i);

---- Not

-- Nothing is stored.
SELECT LLM_GENERATE('Word for {body}') AS word FROM notes WHERE id < 3;
--> call LLM_GENERATE#1, model m: VARCHAR
--> column word: an answer of type VARCHAR
--> 1 pass: 3 asked, 3 run

---- Fires

-- All answers are there.
-- remembered: answers
SELECT LLM_GENERATE('Word for {body}') AS word FROM notes WHERE id < 3;
--> call LLM_GENERATE#1, model m: VARCHAR
--> rule fetch_stored: LLM_GENERATE#1 is looked up in the answer store
--> column word: an answer of type VARCHAR
--> 1 pass: 3 asked, 3 cached, 0 run

-- Some are.
-- remembered: answers
SELECT LLM_GENERATE('Word for {body}') AS word FROM notes;
--> call LLM_GENERATE#1, model m: VARCHAR
--> rule fetch_stored: LLM_GENERATE#1 is looked up in the answer store
--> column word: an answer of type VARCHAR
--> 1 pass: 6 asked, 3 cached, 3 run

-- The second step is fetched, and the first with it.
-- remembered: answers
SELECT LLM_GENERATE('Longer: ' || LLM_GENERATE('Word for {body}')) AS word FROM notes WHERE id < 2;
--> call LLM_GENERATE#1, model m: VARCHAR
--> call LLM_GENERATE#2, model m: VARCHAR
--> rule fetch_stored: LLM_GENERATE#1 is looked up in the answer store
--> rule fetch_stored: LLM_GENERATE#2 is looked up in the answer store
--> column word: an answer of type VARCHAR
--> 1 pass: 4 asked, 2 cached, 2 run

---- Not

-- Answers to other parameters are stored.
-- remembered: answers
SELECT LLM_GENERATE('Word for {body}', max_tokens => 10) AS word FROM notes WHERE id < 3;
--> call LLM_GENERATE#1, model m: VARCHAR
--> column word: an answer of type VARCHAR
--> 1 pass: 3 asked, 3 run

-- The call asks anew.
-- remembered: answers
SELECT LLM_GENERATE('Word for {body}', cache => 'refresh') AS word FROM notes WHERE id < 3;
--> call LLM_GENERATE#1, model m: VARCHAR
--> column word: an answer of type VARCHAR
--> 1 pass: 3 asked, 3 run

-- The call keeps nothing.
-- remembered: answers
SELECT LLM_GENERATE('Word for {body}', cache => 'off') AS word FROM notes WHERE id < 3;
--> call LLM_GENERATE#1, model m: VARCHAR
--> column word: an answer of type VARCHAR
--> 1 pass: 3 asked, 3 run

-- What is known of an operator is not what it said.
-- remembered: statistics
SELECT LLM_GENERATE('Word for {body}') AS word FROM notes WHERE id < 3;
--> call LLM_GENERATE#1, model m: VARCHAR
--> column word: an answer of type VARCHAR
--> 1 pass: 3 asked, 3 run

-- What is drawn at random is drawn again.
-- remembered: answers
SELECT count(LLM_GENERATE('Word for {body}', temperature => 0.7)) AS n FROM notes WHERE id < 3;
--> call LLM_GENERATE#1, model m: VARCHAR
--> call by call: a volatile expression beside calls
--> 1 pass: 3 asked, 3 run
