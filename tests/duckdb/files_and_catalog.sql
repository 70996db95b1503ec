---- copy to and from files
CREATE TABLE fruit AS SELECT * FROM (VALUES (1, 'apple', 1.25), (2, 'pear, ripe', NULL), (3, 'he said "fig"', 3.5)) v(id, name, price);

COPY fruit TO 'fruit.csv' (HEADER, DELIMITER ',');

SELECT * FROM 'fruit.csv';

SELECT * FROM read_csv('fruit.csv', header = true, columns = {'id': 'INTEGER', 'name': 'VARCHAR', 'price': 'DECIMAL(5,2)'});

COPY (SELECT id, upper(name) AS name FROM fruit WHERE id < 3) TO 'some.parquet' (FORMAT parquet, COMPRESSION zstd);

SELECT * FROM read_parquet('some.parquet') ORDER BY id;

SELECT name, type FROM parquet_schema('some.parquet') ORDER BY name;

COPY fruit TO 'fruit.json' (FORMAT json);

FROM read_json('fruit.json') ORDER BY id;

CREATE TABLE again (id INTEGER, name VARCHAR, price DOUBLE);

COPY again FROM 'fruit.csv' (HEADER);

SELECT count(*), sum(price) FROM again;

COPY (FROM range(10) t(i) SELECT i, i % 2 AS odd) TO 'parts' (FORMAT parquet, PARTITION_BY (odd));

SELECT odd, count(*) FROM read_parquet('parts/*/*.parquet', hive_partitioning = true) GROUP BY odd ORDER BY odd;

SELECT file FROM glob('parts/*/*.parquet') ORDER BY file;

SELECT content FROM read_text('fruit.csv');

-- fails
SELECT * FROM 'missing.csv';

-- fails
COPY missing TO 'x.csv';

-- fails
COPY fruit TO 'fruit.xyz' (FORMAT nonsense);

---- attach
ATTACH 'other.duckdb' AS other;

CREATE TABLE other.notes AS SELECT 'kept' AS note;

SELECT * FROM other.main.notes;

SELECT database_name, internal FROM duckdb_databases() WHERE database_name = 'other';

DETACH other;

-- fails
SELECT * FROM other.notes;

ATTACH 'other.duckdb' AS other (READ_ONLY);

FROM other.notes;

-- fails
INSERT INTO other.notes VALUES ('no');

USE other;

FROM notes;

USE memory;

DETACH other;

ATTACH ':memory:' AS spare;

CREATE TABLE spare.t (i INTEGER);

COPY FROM DATABASE spare TO memory;

SHOW TABLES;

---- export and import
CREATE TABLE kept (i INTEGER, s VARCHAR);

INSERT INTO kept VALUES (1, 'one');

CREATE VIEW seen AS SELECT s FROM kept;

EXPORT DATABASE 'dump' (FORMAT csv);

DROP VIEW seen;

DROP TABLE kept;

IMPORT DATABASE 'dump';

FROM seen;

---- macros
CREATE MACRO twice(x) AS x * 2;

SELECT twice(21), twice(i) FROM range(2) t(i);

CREATE MACRO greet(name, greeting := 'Hello') AS greeting || ', ' || name;

SELECT greet('Ada'), greet('Ada', greeting := 'Hi');

CREATE MACRO above(low) AS TABLE SELECT i FROM range(10) t(i) WHERE i > low;

SELECT * FROM above(7);

CREATE OR REPLACE MACRO twice(x) AS x * 3, (x, y) AS x + y;

SELECT twice(2), twice(2, 5);

CREATE TEMP MACRO shout(s) AS upper(s) || '!';

SELECT shout('hey') AS loud;

DROP MACRO greet;

-- fails
SELECT greet('Ada');

-- fails
CREATE MACRO broken(x) AS missing_function(x);

DROP MACRO TABLE above;

---- describe, summarize, show
CREATE TABLE measures (id INTEGER NOT NULL, label VARCHAR, value DECIMAL(6, 2), seen TIMESTAMP);

INSERT INTO measures VALUES (1, 'a', 1.50, '2024-01-01'), (2, 'b', NULL, '2024-01-02'), (3, 'a', 2.25, NULL);

DESCRIBE measures;

DESCRIBE SELECT id + 1 AS next, label || 'x' AS longer FROM measures;

SUMMARIZE measures;

SUMMARIZE SELECT value FROM measures WHERE value IS NOT NULL;

SHOW measures;

SHOW ALL TABLES;

SHOW DATABASES;

PRAGMA table_info('measures');

PRAGMA show_tables;

CALL pragma_table_info('measures');

SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_name = 'measures' ORDER BY ordinal_position;

SELECT column_name FROM duckdb_columns() WHERE table_name = 'measures' ORDER BY column_index;

-- fails
DESCRIBE nothing_here;

---- explain
CREATE TABLE numbers AS SELECT i FROM range(100) t(i);

EXPLAIN SELECT i FROM numbers WHERE i > 50;

EXPLAIN (FORMAT json) SELECT sum(i) FROM numbers;

EXPLAIN (SQL) SELECT i + 1 AS j FROM numbers WHERE i % 2 = 0;

-- fails
EXPLAIN SELECT nothing FROM numbers;

---- settings
SET default_null_order = 'nulls_first';

SELECT x FROM (VALUES (1), (NULL)) v(x) ORDER BY x;

SELECT current_setting('default_null_order');

RESET default_null_order;

SELECT x FROM (VALUES (1), (NULL)) v(x) ORDER BY x;

SET SESSION schema = 'main';

SET GLOBAL threads = 2;

PRAGMA threads = 1;

SELECT value FROM duckdb_settings() WHERE name = 'threads';

PRAGMA enable_verification;

SELECT sum(i) FROM range(4) t(i);

PRAGMA disable_verification;

PRAGMA version;

-- fails
SET no_such_setting = 1;

-- fails
SET threads = 'many';

-- fails
PRAGMA no_such_pragma;

---- table functions and relations
SELECT * FROM range(2, 10, 3);

SELECT * FROM unnest([1, 2]) WITH ORDINALITY AS t(v, n);

SELECT * FROM repeat_row(1, 'x', num_rows = 2);

SELECT a.n, b.n FROM (SELECT unnest([1, 2]) AS n) a, (SELECT unnest([1, 2]) AS n) b WHERE a.n <> b.n ORDER BY ALL;

SELECT * FROM query('SELECT 1 AS x');

CREATE TABLE chosen AS SELECT 5 AS five;

FROM query_table('chosen');

SELECT keyword_name FROM duckdb_keywords() WHERE keyword_name = 'select';

SELECT function_name FROM duckdb_functions() WHERE function_name = 'list_transform' GROUP BY ALL;

CHECKPOINT;

VACUUM;

ANALYZE;

LOAD json;
