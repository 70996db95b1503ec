CREATE TABLE notes AS SELECT i AS id, i % 3 AS k, CASE WHEN i % 12 = 0 THEN 'plum ' ELSE 'apple ' END || i AS body FROM range(40) AS r(i);
CREATE TEMP MODEL dear WITH (engine = 'simulated', instant = true, log = false, price_in = 1000, price_out = 1000);

---- Not

-- Nothing is known of the predicate.
SELECT id, LLM_GENERATE('Word for {body}', model => 'm') AS word FROM notes WHERE LLM_FILTER('Apples? {body}', model => 'm');
--> call LLM_GENERATE#1, model m: VARCHAR
--> call LLM_FILTER#2, model m: BOOLEAN
--> cut in WHERE, level 1
--> column id: clean
--> column word: an answer of type VARCHAR
--> 2 passes: 76 asked, 76 run

---- Fires

-- Most rows passed before.
-- remembered: statistics
SELECT id, LLM_GENERATE('Word for {body}', model => 'm') AS word FROM notes WHERE LLM_FILTER('Apples? {body}', model => 'm');
--> call LLM_GENERATE#1, model m: VARCHAR
--> call LLM_FILTER#2, model m: BOOLEAN
--> rule ask_early: LLM_GENERATE#1 may run before it is certain to be needed
--> cut in WHERE, level 1
--> column id: clean
--> column word: an answer of type VARCHAR
--> 2 passes: 76 asked, 80 run, 4 wasted

-- A second predicate behind it.
-- remembered: statistics
SELECT id FROM notes WHERE LLM_FILTER('Apples? {body}', model => 'm') AND reverse(LLM_GENERATE('Word for {body}', model => 'm')) <> 'x';
--> call LLM_FILTER#1, model m: BOOLEAN
--> call LLM_GENERATE#2, model m: VARCHAR
--> rule ask_early: LLM_GENERATE#2 may run before it is certain to be needed
--> cut in WHERE, level 1
--> column id: clean
--> 3 passes: 76 asked, 80 run, 4 wasted

---- Not

-- A call that has a price may be wasted, and is paid for.
-- remembered: statistics
SELECT id, LLM_GENERATE('Word for {body}', model => 'dear') AS word FROM notes WHERE LLM_FILTER('Apples? {body}', model => 'm');
--> call LLM_GENERATE#1, model dear: VARCHAR
--> call LLM_FILTER#2, model m: BOOLEAN
--> cut in WHERE, level 1
--> column id: clean
--> column word: an answer of type VARCHAR
--> 2 passes: 76 asked, 76 run

-- A call whose failure fails the statement may not be needed.
-- remembered: statistics
SELECT id, LLM_GENERATE('Word for {body}', model => 'm', on_error => 'fail') AS word FROM notes WHERE LLM_FILTER('Apples? {body}', model => 'm');
--> call LLM_GENERATE#1, model m: VARCHAR
--> call LLM_FILTER#2, model m: BOOLEAN
--> cut in WHERE, level 1
--> column id: clean
--> column word: an answer of type VARCHAR
--> 2 passes: 76 asked, 76 run

-- A LIMIT that stops early asks no more than it must.
-- remembered: statistics
SELECT id, LLM_GENERATE('Word for {body}', model => 'm') AS word FROM notes WHERE LLM_FILTER('Apples? {body}', model => 'm') LIMIT 2;
--> call LLM_GENERATE#1, model m: VARCHAR
--> call LLM_FILTER#2, model m: BOOLEAN
--> rule limit_stops_early: LLM_FILTER#2 is asked until LIMIT has 2 rows
--> cut in WHERE, level 1
--> column id: clean
--> column word: an answer of type VARCHAR
--> 2 passes: 10 asked, 10 run

-- Nothing is known of its opposite.
-- remembered: statistics
SELECT id, LLM_GENERATE('Word for {body}', model => 'm') AS word FROM notes WHERE NOT LLM_FILTER('Apples? {body}', model => 'm');
--> call LLM_GENERATE#1, model m: VARCHAR
--> call LLM_FILTER#2, model m: BOOLEAN
--> cut in WHERE, level 1
--> column id: clean
--> column word: an answer of type VARCHAR
--> 2 passes: 44 asked, 44 run

-- Few rows pass its opposite.
-- remembered: statistics
SELECT id, LLM_GENERATE('Word for {body}', model => 'm') AS word FROM notes WHERE NOT LLM_FILTER('Apples? {body}', model => 'm') AND id < 30;
--> call LLM_GENERATE#1, model m: VARCHAR
--> call LLM_FILTER#2, model m: BOOLEAN
--> cut in WHERE, level 1
--> column id: clean
--> column word: an answer of type VARCHAR
--> 2 passes: 33 asked, 33 run
