---- update and delete
CREATE TABLE stock (item VARCHAR, amount INTEGER, price DECIMAL(8, 2));

INSERT INTO stock VALUES ('pen', 10, 1.20), ('ink', 3, 4.50), ('nib', 0, 0.75), ('paper', NULL, 5.00);

UPDATE stock SET amount = amount + 1 WHERE price > 1;

UPDATE stock SET amount = coalesce(amount, 0), price = round(price * 1.1, 2) RETURNING item, amount, price;

DELETE FROM stock WHERE amount = 0 RETURNING *;

UPDATE stock SET amount = other.n FROM (VALUES ('pen', 99)) AS other(name, n) WHERE item = other.name;

FROM stock ORDER BY item;

DELETE FROM stock USING (VALUES ('ink')) AS gone(name) WHERE item = gone.name;

TRUNCATE stock;

SELECT count(*) FROM stock;

-- fails
UPDATE stock SET colour = 'red';

---- insert or
CREATE TABLE counters (name VARCHAR PRIMARY KEY, hits INTEGER, note VARCHAR);

INSERT INTO counters VALUES ('home', 1, 'first');

INSERT INTO counters VALUES ('home', 1, 'again') ON CONFLICT (name) DO UPDATE SET hits = hits + excluded.hits, note = excluded.note;

INSERT INTO counters VALUES ('home', 5, 'no'), ('about', 1, 'new') ON CONFLICT DO NOTHING;

INSERT OR REPLACE INTO counters VALUES ('about', 7, 'replaced');

INSERT OR IGNORE INTO counters VALUES ('about', 8, 'ignored');

SELECT * FROM counters ORDER BY name;

INSERT INTO counters VALUES ('home', 1, 'x') ON CONFLICT (name) DO UPDATE SET hits = 0 WHERE excluded.note = 'y' RETURNING name, hits;

-- fails
INSERT INTO counters VALUES ('a', 1, 'x') ON CONFLICT (hits) DO NOTHING;

---- merge
CREATE TABLE target (id INTEGER, amount INTEGER);

INSERT INTO target VALUES (1, 10), (2, 20), (3, 30);

CREATE TABLE source AS SELECT * FROM (VALUES (2, 5), (3, -30), (4, 40)) v(id, amount);

MERGE INTO target USING source ON target.id = source.id
WHEN MATCHED AND target.amount + source.amount = 0 THEN DELETE
WHEN MATCHED THEN UPDATE SET amount = target.amount + source.amount
WHEN NOT MATCHED THEN INSERT VALUES (source.id, source.amount);

FROM target ORDER BY id;

MERGE INTO target USING (SELECT 1 AS id, 100 AS amount) USING (id) WHEN MATCHED THEN UPDATE RETURNING merge_action, *;

MERGE INTO target USING source USING (id) WHEN NOT MATCHED BY SOURCE THEN DELETE;

FROM target ORDER BY id;

---- transactions
CREATE TABLE ledger (amount INTEGER);

BEGIN TRANSACTION;

INSERT INTO ledger VALUES (1), (2);

SELECT sum(amount) FROM ledger;

ROLLBACK;

SELECT count(*) FROM ledger;

BEGIN;

INSERT INTO ledger VALUES (3);

COMMIT;

SELECT * FROM ledger;

-- fails
COMMIT;

BEGIN;

-- fails
SELECT 1 / 'x'::INTEGER;

-- fails
SELECT 1;

ROLLBACK;

SELECT 1;

---- several statements in one text
CREATE TABLE a (i INTEGER); INSERT INTO a VALUES (1), (2); SELECT i FROM a ORDER BY i;

INSERT INTO a VALUES (3); SELECT ';' AS semicolon, count(*) FROM a; -- the end; really

SELECT sum(i) FROM a

SELECT 1 AS first; SELECT 2 AS second

---- prepared statements
PREPARE add AS SELECT $1::INTEGER + $2::INTEGER AS total;

EXECUTE add(1, 2);

EXECUTE add(40, 2);

PREPARE named AS SELECT $greeting || ', ' || $name AS line;

EXECUTE named(name := 'Ada', greeting := 'Hello');

-- fails
EXECUTE add(1);

DEALLOCATE add;

-- fails
EXECUTE add(1, 2);

---- variables
SET VARIABLE threshold = 3;

SELECT getvariable('threshold') + 1 AS t;

SELECT i FROM range(6) r(i) WHERE i > getvariable('threshold');

SET VARIABLE names = ['a', 'b'];

SELECT unnest(getvariable('names')) AS n;

RESET VARIABLE threshold;

SELECT getvariable('threshold') IS NULL AS gone;
