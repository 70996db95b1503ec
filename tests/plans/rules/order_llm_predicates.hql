CREATE TABLE notes AS SELECT i AS id, CASE WHEN i % 5 = 0 THEN 'apple ' ELSE 'plum ' END || i AS body FROM range(20) AS r(i);
CREATE TEMP MODEL dear WITH (engine = 'simulated', instant = true, log = false, price_in = 1000, price_out = 1000);

---- Fires

-- The one that costs nothing is asked first.
SELECT id FROM notes WHERE LLM_FILTER('Is it {body}?', model => 'dear') AND LLM_FILTER('Apples? {body}', model => 'm');
--> call LLM_FILTER#1, model dear: BOOLEAN
--> call LLM_FILTER#2, model m: BOOLEAN
--> rule order_llm_predicates: in this order: LLM_FILTER#2, LLM_FILTER#1
--> cut in WHERE, level 1
--> column id: clean
--> 3 passes: 24 asked, 24 run

-- Under OR too: what it accepts asks no more.
SELECT id FROM notes WHERE LLM_FILTER('Is it {body}?', model => 'dear') OR LLM_FILTER('Apples? {body}', model => 'm');
--> call LLM_FILTER#1, model dear: BOOLEAN
--> call LLM_FILTER#2, model m: BOOLEAN
--> rule order_llm_predicates: in this order: LLM_FILTER#2, LLM_FILTER#1
--> cut in WHERE, level 1
--> column id: clean
--> 3 passes: 36 asked, 36 run

---- Not

-- Nothing tells one from the other.
SELECT id FROM notes WHERE LLM_FILTER('Apples? {body}', model => 'm') AND LLM_FILTER('Apples? {id}', model => 'm');
--> call LLM_FILTER#1, model m: BOOLEAN
--> call LLM_FILTER#2, model m: BOOLEAN
--> cut in WHERE, level 1
--> column id: clean
--> 3 passes: 24 asked, 24 run

-- The branches of CASE say what is asked when.
SELECT id FROM notes WHERE CASE WHEN LLM_GENERATE('Describe {body}', model => 'dear') = 'x' THEN TRUE ELSE LLM_FILTER('Apples? {body}', model => 'm') END;
--> call LLM_GENERATE#1, model dear: VARCHAR
--> call LLM_FILTER#2, model m: BOOLEAN
--> cut in WHERE, level 1
--> column id: clean
--> 3 passes: 40 asked, 40 run

-- A cast may fail; the predicate before it may keep such rows from it.
SELECT id FROM notes WHERE NOT LLM_FILTER('Is it {body}?', model => 'dear') AND CAST('1' || left(LLM_GENERATE('Count {body}', model => 'm'), 0) AS INTEGER) > 0;
--> call LLM_FILTER#1, model dear: BOOLEAN
--> call LLM_GENERATE#2, model m: VARCHAR
--> cut in WHERE, level 1
--> column id: clean
--> 3 passes: 27 asked, 27 run

-- Arithmetic may fail.
SELECT id FROM notes WHERE NOT LLM_FILTER('Is it {body}?', model => 'dear') AND 10 // LLM_GENERATE('A number for {body}', returns => 'INTEGER', model => 'm') > 1;
--> call LLM_FILTER#1, model dear: BOOLEAN
--> call LLM_GENERATE#2, model m: INTEGER
--> cut in WHERE, level 1
--> column id: clean
--> 3 passes: 27 asked, 27 run

-- A call that fails the statement is not asked about rows that another predicate drops.
SELECT id FROM notes WHERE LLM_FILTER('Is it {body}?', model => 'dear') AND LLM_FILTER('Apples? {body}', on_error => 'fail', model => 'm');
--> call LLM_FILTER#1, model dear: BOOLEAN
--> call LLM_FILTER#2, model m: BOOLEAN
--> cut in WHERE, level 1
--> column id: clean
--> 3 passes: 33 asked, 33 run

-- The cheaper one is first already.
SELECT id FROM notes WHERE LLM_FILTER('Apples? {body}', model => 'm') AND LLM_FILTER('Is it {body}?', model => 'dear');
--> call LLM_FILTER#1, model m: BOOLEAN
--> call LLM_FILTER#2, model dear: BOOLEAN
--> cut in WHERE, level 1
--> column id: clean
--> 3 passes: 24 asked, 24 run

-- What most rows pass, while nothing is known of it.
SELECT count(*) AS n FROM notes WHERE LLM_FILTER('Fruit? {body} or apple', model => 'm') AND LLM_FILTER('Apples? {body}', model => 'm');
--> call LLM_FILTER#1, model m: BOOLEAN
--> call LLM_FILTER#2, model m: BOOLEAN
--> cut in WHERE, level 1
--> column n: clean
--> 3 passes: 40 asked, 40 run

---- Fires

-- The one that dropped most rows before is asked first.
-- remembered: statistics
SELECT count(*) AS n FROM notes WHERE LLM_FILTER('Fruit? {body} or apple', model => 'm') AND LLM_FILTER('Apples? {body}', model => 'm') AND id < 18;
--> call LLM_FILTER#1, model m: BOOLEAN
--> call LLM_FILTER#2, model m: BOOLEAN
--> rule order_llm_predicates: in this order: LLM_FILTER#2, LLM_FILTER#1
--> rule keep_above: DuckDB does not move LLM_FILTER#2, LLM_FILTER#1 down again
--> cut in WHERE, level 1
--> column n: clean
--> 3 passes: 22 asked, 22 run
