CREATE TABLE notes AS SELECT i AS id, CAST(i % 7 AS INTEGER) AS k, CASE WHEN i % 3 = 0 THEN 'apple ' ELSE 'plum ' END || i AS body FROM range(21) AS r(i);
CREATE TABLE kinds AS FROM (VALUES (0, 'tart'), (1, 'apple jam'), (2, 'soap'), (NULL, 'apple')) AS kinds(k, name);

---- Fires

-- A semantic join on keys.
SELECT n.id, kinds.name FROM notes AS n JOIN kinds ON n.k = kinds.k AND LLM_FILTER('Is {n.body} in {kinds.name}?');
--> call LLM_FILTER#1, model m: BOOLEAN
--> rule join_then_ask: LLM_FILTER#1 is asked of the pairs of the join
--> rule keep_above: DuckDB does not move LLM_FILTER#1 down again
--> cut in WHERE, level 1
--> column id: clean
--> column name: clean
--> 2 passes: 9 asked, 9 run

-- A semantic join of few pairs without keys.
SELECT a.name, b.name AS other FROM kinds AS a JOIN kinds AS b ON LLM_FILTER('Does {a.name} go with {b.name}?');
--> call LLM_FILTER#1, model m: BOOLEAN
--> rule join_then_ask: LLM_FILTER#1 is asked of the pairs of the join
--> rule keep_above: DuckDB does not move LLM_FILTER#1 down again
--> cut in WHERE, level 1
--> column name: clean
--> column other: clean
--> 2 passes: 16 asked, 16 run

-- The join on the side of an outer join that is kept.
SELECT n.id, b.name FROM notes AS n JOIN kinds AS a ON n.k = a.k AND LLM_FILTER('Is {n.body} in {a.name}?') LEFT JOIN kinds AS b ON b.k > a.k;
--> call LLM_FILTER#1, model m: BOOLEAN
--> rule join_then_ask: LLM_FILTER#1 is asked of the pairs of the join
--> rule keep_above: DuckDB does not move LLM_FILTER#1 down again
--> cut in WHERE, level 1
--> column id: clean
--> column name: clean
--> 2 passes: 12 asked, 3 shared, 9 run

-- A predicate of WHERE about pairs is one of ON to DuckDB.
SELECT n.id FROM notes AS n JOIN kinds ON n.k = kinds.k WHERE LLM_FILTER('Is {n.body} in {kinds.name}?');
--> call LLM_FILTER#1, model m: BOOLEAN
--> rule join_then_ask: LLM_FILTER#1 is asked of the pairs of the join
--> rule keep_above: DuckDB does not move LLM_FILTER#1 down again
--> cut in WHERE, level 1
--> column id: clean
--> 2 passes: 9 asked, 9 run

---- Not

-- The predicate decides what a match of a LEFT join is: in WHERE it would drop rows.
SELECT n.id, kinds.name FROM notes AS n LEFT JOIN kinds ON n.k = kinds.k AND LLM_FILTER('Is {n.body} in {kinds.name}?');
--> call LLM_FILTER#1, model m: BOOLEAN
--> cut in ON, level 1
--> column id: clean
--> column name: clean
--> 2 passes: 9 asked, 9 run

-- Of a RIGHT join.
SELECT n.id, kinds.name FROM notes AS n RIGHT JOIN kinds ON n.k = kinds.k AND LLM_FILTER('Is {n.body} in {kinds.name}?');
--> call LLM_FILTER#1, model m: BOOLEAN
--> cut in ON, level 1
--> column id: clean
--> column name: clean
--> 2 passes: 9 asked, 9 run

-- Of a FULL join.
SELECT n.id, kinds.name FROM notes AS n FULL JOIN kinds ON n.k = kinds.k AND LLM_FILTER('Is {n.body} in {kinds.name}?');
--> call LLM_FILTER#1, model m: BOOLEAN
--> cut in ON, level 1
--> column id: clean
--> column name: clean
--> 2 passes: 9 asked, 9 run

-- Of a semi join.
SELECT n.id FROM notes AS n SEMI JOIN kinds ON n.k = kinds.k AND LLM_FILTER('Is {n.body} in {kinds.name}?');
--> call LLM_FILTER#1, model m: BOOLEAN
--> cut in ON, level 1
--> column id: clean
--> 2 passes: 9 asked, 9 run

-- Of an anti join.
SELECT n.id FROM notes AS n ANTI JOIN kinds ON n.k = kinds.k AND LLM_FILTER('Is {n.body} in {kinds.name}?');
--> call LLM_FILTER#1, model m: BOOLEAN
--> cut in ON, level 1
--> column id: clean
--> 2 passes: 9 asked, 9 run

-- Of NOT EXISTS.
SELECT id FROM notes AS n WHERE NOT EXISTS (SELECT 1 FROM kinds WHERE kinds.k = n.k AND LLM_FILTER('Is {n.body} in {kinds.name}?'));
--> call LLM_FILTER#1, model m: BOOLEAN
--> cut in ON, level 1
--> column id: clean
--> 2 passes: 9 asked, 9 run

-- What is in the side that may be missing stays there.
SELECT b.name, s.id FROM kinds AS b LEFT JOIN (SELECT n.id, n.k FROM notes AS n LEFT JOIN kinds AS a ON n.k = a.k AND LLM_FILTER('Is {n.body} in {a.name}?')) AS s ON s.k = b.k;
--> call LLM_FILTER#1, model m: BOOLEAN
--> cut in ON, level 1
--> column name: clean
--> column id: clean
--> 2 passes: 9 asked, 9 run

-- No join.
SELECT id FROM notes WHERE LLM_FILTER('Apples? {body}');
--> call LLM_FILTER#1, model m: BOOLEAN
--> cut in WHERE, level 1
--> column id: clean
--> 2 passes: 21 asked, 21 run
