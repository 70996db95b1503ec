SELECT 1
SELECT 'a;b', 'it''s; ok', ''
SELECT E'it\'s; ok\\', e'\n;', E'\x41\101'
SELECT $$a;b$$, $tag$ ; $$ ; $tag$, $é$;$é$
SELECT "a;b" FROM (SELECT 1 AS "a;b")
SELECT "a""b;" FROM (SELECT 1 AS "a""b;")
SELECT 1 /* ; */ + 2
SELECT 1 /* a /* nested ; */ ; */ + 2
SELECT 1 -- ; a comment
  + 2
SELECT [1, 2, 3][1:2]
SELECT [1, 2, 3][1:-:2]
SELECT {'a': 1, 'b': {'c': ';'}}
SELECT MAP {'k;': 1}
SELECT x'41', b'0101', N'text;'
SELECT 1::VARCHAR || '2'::INT::TEXT
SELECT CAST('1' AS DECIMAL(10, 2))
SELECT @(-1), 5!, 2 ** 3, 2 ^ 3, ~1, 1 << 2, 7 // 2, 7 % 2
SELECT $1, $2 + $1
SELECT ?, ?
SELECT $name, $other_name
FROM t SELECT #1
FROM range(3)
FROM range(3) SELECT range WHERE range > 1
SELECT list_transform([1, 2], lambda x: x + 1)
SELECT [x * 2 for x in [1, 2, 3] if x > 1]
SELECT * EXCLUDE (a) REPLACE (b + 1 AS b) RENAME (c AS d) FROM t
SELECT COLUMNS('^a.*;') FROM t
SELECT COLUMNS(c -> c LIKE 'a%') FROM t
SELECT t.* FROM t
SELECT struct_pack(a := 1, b := ';')
SELECT row(1, 'a;')
SELECT '{"a": 1}'::JSON -> 'a', '{"a": 1}'::JSON ->> '$.a'
SELECT a.b.c[1].d FROM t
SELECT 1 AS été, 2 AS 日本, 3 AS "名前;"
SELECT '日本;語', '😀;'
SELECT 1 AS 😀
SELECT 1_000, 0xFF, 1e5, .5, 5., 1e-3, 1.5e+10
SELECT DATE '2020-01-01', TIMESTAMP '2020-01-01 00:00:00', INTERVAL '1;' DAY
SELECT INTERVAL 3 DAYS, INTERVAL (1 + 2) HOURS
SELECT extract(year FROM DATE '2020-01-01'), trim(both ' ' FROM ' a ')
SELECT substring('abc' FROM 2 FOR 1), position('b' IN 'abc'), overlay('abc' PLACING 'x' FROM 2)
SELECT 1 IS DISTINCT FROM 2, 1 IS NOT DISTINCT FROM 1
SELECT a BETWEEN 1 AND 2, a NOT IN (1, 2), a LIKE 'x;' ESCAPE '\', a SIMILAR TO '.*' FROM t
SELECT CASE WHEN a THEN ';' ELSE 'b' END FROM t
SELECT count(*) FILTER (WHERE a > 1) FROM t
SELECT sum(a) OVER (PARTITION BY b ORDER BY c ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM t
SELECT sum(a) OVER w FROM t WINDOW w AS (PARTITION BY b)
SELECT a FROM t QUALIFY row_number() OVER (PARTITION BY b ORDER BY c) = 1
SELECT string_agg(a, ';' ORDER BY a) FROM t
SELECT a, sum(b) FROM t GROUP BY ALL ORDER BY ALL
SELECT a, b FROM t GROUP BY GROUPING SETS ((a), (b), ())
SELECT a FROM t GROUP BY CUBE (a, b)
SELECT DISTINCT ON (a) a, b FROM t ORDER BY a, b
SELECT * FROM t LIMIT 10 OFFSET 2
SELECT * FROM t LIMIT 10%
SELECT * FROM t USING SAMPLE 10%
SELECT * FROM t TABLESAMPLE reservoir(20 ROWS) REPEATABLE (1)
SELECT * FROM a JOIN b USING (id)
SELECT * FROM a ASOF JOIN b ON a.t >= b.t
SELECT * FROM a POSITIONAL JOIN b
SELECT * FROM a SEMI JOIN b ON a.x = b.x
SELECT * FROM a LEFT JOIN LATERAL (SELECT a.x) l ON TRUE
SELECT * FROM a, LATERAL unnest(a.list) u(x)
SELECT * FROM 'file;name.csv'
SELECT * FROM read_csv('a;b.csv', delim = ';', header := true)
SELECT * FROM read_parquet(['a.parquet', 'b.parquet'], filename => true)
SELECT * FROM "schema;x"."t"
VALUES (1, 'a;'), (2, 'b')
TABLE t
(SELECT 1) UNION ALL (SELECT 2)
((SELECT 1))
SELECT 1 UNION SELECT 2 INTERSECT SELECT 3 EXCEPT SELECT 4
SELECT 1 UNION ALL BY NAME SELECT 2
WITH a AS (SELECT 1 AS x), b(y) AS (SELECT 2) SELECT * FROM a, b
WITH RECURSIVE r AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM r WHERE x < 5) SELECT * FROM r
WITH RECURSIVE r USING KEY (a) AS (SELECT 1 AS a UNION SELECT a + 1 FROM r) SELECT * FROM r
WITH a AS MATERIALIZED (SELECT 1), b AS NOT MATERIALIZED (SELECT 2) FROM a, b
PIVOT t ON a USING sum(b) GROUP BY c
UNPIVOT t ON a, b INTO NAME k VALUE v
SELECT * FROM t PIVOT (sum(a) FOR b IN ('x;', 'y'))
SELECT (SELECT max(x) FROM t), EXISTS (SELECT 1), ARRAY (SELECT 1)
SELECT ANY_VALUE(x), 3 = ANY ([1, 2]), 3 > ALL (SELECT 1) FROM t
SELECT x::STRUCT(a INT, b VARCHAR[])[] FROM t
SELECT x::MAP(VARCHAR, INT), y::UNION(a INT, b VARCHAR), z::ENUM('a;', 'b') FROM t
SELECT t AS whole_row FROM t
SELECT a: 1, b: 'x;'
SELECT 'x' COLLATE NOCASE
SELECT ts AT TIME ZONE 'UTC' FROM t
SELECT * FROM duckdb_settings() WHERE name LIKE '%;%'
CREATE TABLE t (a INTEGER PRIMARY KEY, b VARCHAR DEFAULT ';', CHECK (a > 0), UNIQUE (b))
CREATE OR REPLACE TEMP TABLE t AS SELECT 1 AS "a;"
CREATE TABLE IF NOT EXISTS t (a INT GENERATED ALWAYS AS (b + 1), b INT)
CREATE TABLE child (a INT REFERENCES t (a), FOREIGN KEY (a) REFERENCES t (a))
CREATE TABLE llm_filter (a INT)
CREATE TABLE IF NOT EXISTS llm_generate (a INT)
CREATE VIEW v AS SELECT ';' AS x
CREATE OR REPLACE TEMPORARY VIEW v(a, b) AS SELECT 1, 2
CREATE MACRO m(a, b := ';') AS a || b
CREATE MACRO m(a) AS TABLE SELECT a AS x
CREATE MACRO m(a) AS a, (a, b) AS a + b
CREATE FUNCTION f(a) AS a + 1
CREATE TYPE mood AS ENUM ('sad;', 'ok')
CREATE SEQUENCE s START 1
CREATE INDEX i ON t (a, (b || ';'))
CREATE UNIQUE INDEX i ON t (a)
CREATE SCHEMA IF NOT EXISTS s
CREATE SECRET (TYPE s3, KEY_ID 'a;', SECRET 'b')
CREATE TABLE model (prompt VARCHAR, cache INT, llm_score INT)
INSERT INTO t VALUES (1, 'a;b'), (2, DEFAULT)
INSERT INTO t (a, b) SELECT 1, ';' ON CONFLICT (a) DO UPDATE SET b = excluded.b || ';'
INSERT OR REPLACE INTO t BY NAME SELECT 1 AS a RETURNING *
INSERT INTO llm_filter (a) VALUES (1)
INSERT INTO t DEFAULT VALUES
UPDATE t SET a = 1, b = ';' FROM u WHERE t.id = u.id RETURNING a
DELETE FROM t USING u WHERE t.id = u.id
TRUNCATE t
MERGE INTO t USING u ON t.id = u.id WHEN MATCHED THEN UPDATE SET a = ';' WHEN NOT MATCHED THEN INSERT VALUES (1)
ALTER TABLE t ADD COLUMN c VARCHAR DEFAULT ';'
ALTER TABLE t ALTER a TYPE INTEGER USING a::INTEGER + 1
ALTER TABLE t RENAME TO u
DROP TABLE IF EXISTS t CASCADE
DROP MACRO m
DROP VIEW v
COPY t TO 'out;.csv' (HEADER, DELIMITER ';')
COPY (SELECT ';' AS x) TO 'out.parquet' (FORMAT parquet)
COPY t FROM 'in.csv' WITH (DELIMITER ';')
EXPORT DATABASE 'dir;'
IMPORT DATABASE 'dir;'
ATTACH 'db;.duckdb' AS other (READ_ONLY)
DETACH other
USE memory.main
SET threads = 2
SET GLOBAL memory_limit TO '1GB'
SET SESSION schema = 'main;'
SET VARIABLE llm_name = 'a;b'
SELECT getvariable('llm_name')
RESET threads
PRAGMA table_info('t;')
PRAGMA database_list
BEGIN TRANSACTION
COMMIT
ROLLBACK
CHECKPOINT
VACUUM ANALYZE
ANALYZE
CALL pragma_version()
INSTALL json
LOAD json
DESCRIBE SELECT ';' AS x
DESCRIBE model
DESCRIBE t
SUMMARIZE t
SHOW TABLES
SHOW ALL TABLES
SHOW model
EXPLAIN SELECT ';'
EXPLAIN ANALYZE SELECT 1
EXPLAIN (FORMAT json) SELECT 1
EXPLAIN (SELECT 1)
PREPARE p AS SELECT $1 || ';'
EXECUTE p('a;')
DEALLOCATE p
DEALLOCATE PREPARE p
COMMENT ON TABLE t IS 'a;b'
SELECT llm_generate FROM t
SELECT llm_generate, "llm_filter"(x), s.llm_filter(x), t.llm_generate FROM t
SELECT model, prompt, cache, returns, profile FROM models
SELECT a AS returns FROM f(x) returns
SELECT "LLM_GENERATE"('x')
SELECT my_llm_generate('x')
SELECT llm_generates('x')
SELECT 'LLM_GENERATE(''x'')' AS text -- LLM_GENERATE('x')
SELECT /* LLM_FILTER('x') */ 1
SELECT a$b, _a, a1 FROM t
SELECT 1 a, 2 b
SELECT NULL, TRUE, FALSE
SELECT current_date, current_timestamp
SELECT a <=> b, a <-> b, a && b, a @> b, a <@ b, a ^@ 'x', a ~~ 'b', a !~~ 'b', a ~ 'c' FROM t
SELECT (1, 2) < (3, 4)
SELECT {'a': [1, {'b': ';'}]}.a[2].b
SELECT 5 // 2, -5 % 3, +5, - -5
SELECT a IS NULL, a ISNULL, a NOTNULL FROM t
SELECT TRY_CAST('x' AS INT), TRY(1 / 0)
SELECT $$$$, ''
SELECT '\', ';'
