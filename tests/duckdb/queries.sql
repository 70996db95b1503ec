---- from first and friends
FROM range(3);

FROM range(5) t(i) SELECT i WHERE i % 2 = 0;

FROM (VALUES (1, 'a'), (2, 'b')) v(n, s) SELECT s, n;

SELECT i: 1, j: i + 1;

SELECT 1 + 1 AS two, two * 2 AS four;

VALUES (1, 'x'), (2, 'y');

TABLE duckdb_tables LIMIT 0;

SELECT * FROM range(10) t(i) LIMIT 3 OFFSET 4;

SELECT * FROM range(10) t(i) LIMIT 20%;

SELECT DISTINCT ON (i % 3) i % 3 AS rest, i FROM range(10) t(i) ORDER BY rest, i DESC;

SELECT * FROM (SELECT 3 AS x UNION ALL SELECT 1 UNION ALL SELECT NULL) ORDER BY x NULLS FIRST;

SELECT * FROM (VALUES ('b'), ('A'), ('a')) v(s) ORDER BY s COLLATE NOCASE, s;

(SELECT 1 AS a) UNION (SELECT 2) EXCEPT (SELECT 2);

SELECT 1 AS a, 2 AS b UNION ALL BY NAME SELECT 3 AS b, 4 AS c;

SELECT 1 INTERSECT ALL SELECT 1;

---- stars
CREATE TABLE t (a INTEGER, b INTEGER, c_one VARCHAR, c_two VARCHAR);

INSERT INTO t VALUES (1, 2, 'x', 'y'), (3, 4, 'z', NULL);

SELECT * EXCLUDE (a) FROM t;

SELECT * REPLACE (a * 10 AS a) FROM t;

SELECT * RENAME (a AS alpha) FROM t;

SELECT COLUMNS('c_.*') FROM t;

SELECT min(COLUMNS(* EXCLUDE (c_one, c_two))), max(COLUMNS(['a', 'b'])) FROM t;

-- fails
SELECT COLUMNS(c -> c LIKE 'c%') FROM t;

SELECT COLUMNS(lambda c: c LIKE 'c%') FROM t;

SELECT * LIKE 'c%' FROM t;

SELECT t.* FROM t ORDER BY COLUMNS(['b', 'a']) DESC;

SELECT coalesce(*COLUMNS(['c_two', 'c_one'])) AS first_text FROM t;

SELECT t FROM t;

SELECT #2, #1 FROM (SELECT a, b FROM t) ORDER BY #1;

-- fails
SELECT * EXCLUDE (nothing) FROM t;

-- fails
SELECT d FROM t;

-- fails
SELECT t2.a FROM t;

---- grouping
CREATE TABLE sales AS SELECT * FROM (VALUES ('north', 2023, 10), ('north', 2024, 15), ('south', 2023, 7), ('south', 2024, NULL), ('east', 2024, 3)) v(region, year, amount);

SELECT region, sum(amount) FROM sales GROUP BY region ORDER BY region;

SELECT region, year, sum(amount) FROM sales GROUP BY ALL ORDER BY ALL;

SELECT region, year, sum(amount) AS total, grouping(region, year) AS level FROM sales GROUP BY ROLLUP (region, year) ORDER BY ALL;

SELECT region, year, count(*) FROM sales GROUP BY CUBE (region, year) ORDER BY ALL;

SELECT region, year, max(amount) FROM sales GROUP BY GROUPING SETS ((region), (year), ()) ORDER BY ALL;

SELECT year, count(*) FILTER (WHERE amount > 5) AS large, count(amount), count(*) FROM sales GROUP BY 1 ORDER BY 1;

SELECT region FROM sales GROUP BY region HAVING sum(amount) > 5 ORDER BY region;

SELECT string_agg(region, '/' ORDER BY region DESC), list(amount ORDER BY amount), array_agg(DISTINCT year ORDER BY year) FROM sales;

SELECT arg_max(region, amount), arg_min(region, amount), mode(year), median(amount), quantile_cont(amount, [0.25, 0.5]) FROM sales;

SELECT first(region ORDER BY amount), last(region ORDER BY amount NULLS FIRST), any_value(amount) IS NOT NULL FROM sales;

SELECT histogram(year) FROM sales;

SELECT bit_and(year), bit_or(year), bit_xor(year), product(amount) FROM sales;

SELECT count(DISTINCT region), approx_count_distinct(year) FROM sales;

-- fails
SELECT region, amount FROM sales GROUP BY region;

-- fails
SELECT sum(sum(amount)) FROM sales;

---- windows
CREATE TABLE series AS SELECT i AS day, (i * 7) % 5 AS value, i // 3 AS week FROM range(9) t(i);

SELECT day, row_number() OVER (ORDER BY value, day) AS rn, rank() OVER (ORDER BY value) AS r, dense_rank() OVER (ORDER BY value) AS d, ntile(3) OVER (ORDER BY day) AS n FROM series ORDER BY day;

SELECT day, lag(value) OVER w AS before, lead(value, 2, -1) OVER w AS after, first_value(value) OVER w, nth_value(value, 2) OVER w FROM series WINDOW w AS (PARTITION BY week ORDER BY day) ORDER BY day;

SELECT day, sum(value) OVER (ORDER BY day ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) AS moving FROM series ORDER BY day;

SELECT day, sum(value) OVER (ORDER BY day RANGE BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE CURRENT ROW) AS around FROM series ORDER BY day;

SELECT day, count(*) OVER (ORDER BY week GROUPS BETWEEN 1 PRECEDING AND CURRENT ROW) AS weeks FROM series ORDER BY day;

SELECT week, day, value FROM series QUALIFY row_number() OVER (PARTITION BY week ORDER BY value DESC, day) = 1 ORDER BY week;

SELECT day, last_value(CASE WHEN value > 2 THEN value END IGNORE NULLS) OVER (ORDER BY day) AS carried FROM series ORDER BY day;

SELECT day, cume_dist() OVER (ORDER BY value), percent_rank() OVER (ORDER BY value) FROM series ORDER BY day;

SELECT day, fill(CASE WHEN day % 2 = 0 THEN day END) OVER (ORDER BY day) AS filled FROM series ORDER BY day;

-- fails
SELECT day FROM series WHERE row_number() OVER () = 1;

---- joins
CREATE TABLE l (id INTEGER, x VARCHAR);

CREATE TABLE r (id INTEGER, y VARCHAR);

INSERT INTO l VALUES (1, 'a'), (2, 'b'), (2, 'bb'), (NULL, 'n');

INSERT INTO r VALUES (2, 'B'), (3, 'C'), (NULL, 'N');

SELECT * FROM l JOIN r USING (id) ORDER BY ALL;

SELECT * FROM l LEFT JOIN r ON l.id = r.id ORDER BY ALL;

SELECT * FROM l RIGHT JOIN r ON l.id = r.id ORDER BY ALL;

SELECT * FROM l FULL OUTER JOIN r ON l.id = r.id ORDER BY ALL;

SELECT * FROM l NATURAL JOIN r ORDER BY ALL;

SELECT count(*) FROM l CROSS JOIN r;

SELECT * FROM l SEMI JOIN r USING (id) ORDER BY ALL;

SELECT * FROM l ANTI JOIN r USING (id) ORDER BY ALL;

SELECT * FROM l POSITIONAL JOIN r;

SELECT * FROM l JOIN r ON l.id < r.id ORDER BY ALL;

SELECT * FROM l JOIN r ON l.id IS NOT DISTINCT FROM r.id ORDER BY ALL;

SELECT l.x, s.n FROM l, LATERAL (SELECT count(*) AS n FROM r WHERE r.id >= l.id) s ORDER BY ALL;

SELECT l.x, g.n FROM l, generate_series(1, l.id) g(n) ORDER BY ALL;

-- fails
SELECT id FROM l JOIN r ON l.id = r.id;

---- as of joins
CREATE TABLE prices (ticker VARCHAR, moment TIMESTAMP, price DECIMAL(8, 2));

INSERT INTO prices VALUES ('A', '2024-01-01 09:00', 10), ('A', '2024-01-01 10:00', 11.5), ('B', '2024-01-01 09:30', 99);

CREATE TABLE holdings (ticker VARCHAR, moment TIMESTAMP, shares INTEGER);

INSERT INTO holdings VALUES ('A', '2024-01-01 09:59:59', 5), ('A', '2024-01-01 12:00', 6), ('B', '2024-01-01 09:00', 7);

SELECT h.ticker, h.moment, price * shares AS worth FROM holdings h ASOF JOIN prices p ON h.ticker = p.ticker AND h.moment >= p.moment ORDER BY ALL;

SELECT h.ticker, shares, price FROM holdings h ASOF LEFT JOIN prices p USING (ticker, moment) ORDER BY ALL;

---- subqueries
SELECT (SELECT max(i) FROM range(5) t(i)) AS top, EXISTS (SELECT 1 WHERE false) AS none;

SELECT i FROM range(5) t(i) WHERE i IN (SELECT j * 2 FROM range(3) u(j)) ORDER BY i;

SELECT i FROM range(5) t(i) WHERE i > ALL (SELECT j FROM range(3) u(j)) ORDER BY i;

SELECT i, ARRAY(SELECT j FROM range(i) u(j)) AS below FROM range(4) t(i) ORDER BY i;

SELECT i FROM range(4) t(i) WHERE NOT EXISTS (FROM range(3) u(j) WHERE j = i);

SELECT (1, 'a') IN ((1, 'a'), (2, 'b')) AS found, ROW(1, NULL) = ROW(1, NULL) AS same;

-- fails
SELECT (SELECT i FROM range(3) t(i));

---- common table expressions
WITH one AS (SELECT 1 AS n), two AS MATERIALIZED (SELECT n + 1 AS n FROM one) SELECT * FROM two UNION ALL SELECT * FROM one;

WITH RECURSIVE fibonacci(n, a, b) AS (SELECT 1, 0, 1 UNION ALL SELECT n + 1, b, a + b FROM fibonacci WHERE n < 10) SELECT n, a FROM fibonacci ORDER BY n;

WITH RECURSIVE walk AS (SELECT 1 AS node, [1] AS path UNION ALL SELECT e.t, list_append(path, e.t) FROM walk, (VALUES (1, 2), (2, 3), (3, 1)) e(f, t) WHERE node = e.f AND NOT list_contains(path, e.t)) SELECT * FROM walk ORDER BY node;

WITH RECURSIVE closest(node, cost) USING KEY (node) AS (SELECT 1, 0 UNION SELECT e.t, c.cost + e.w FROM closest c, (VALUES (1, 2, 1), (1, 3, 10), (2, 3, 2)) e(f, t, w) WHERE e.f = c.node) SELECT * FROM closest ORDER BY node;

WITH inserted AS (SELECT 42 AS answer) FROM inserted SELECT answer;

WITH t(x) AS (VALUES (1), (2)) SELECT a.x, b.x FROM t a, t b WHERE a.x < b.x;

-- fails
WITH loop AS (SELECT * FROM loop) SELECT * FROM loop;

---- sampling with a seed
SET threads = 1;

SELECT count(*) FROM range(1000) t(i) USING SAMPLE reservoir(10 ROWS) REPEATABLE (42);

SELECT i FROM range(1000) t(i) USING SAMPLE reservoir(5 ROWS) REPEATABLE (42) ORDER BY i;

SELECT count(*) FROM range(10000) t(i) TABLESAMPLE bernoulli(10%) REPEATABLE (7);
