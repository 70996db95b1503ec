---- map, then reduce in groups
WITH a AS (SELECT id, grp, LLM_GENERATE('p {body}') t FROM t)
  SELECT grp, LLM_GENERATE('merge ' || string_agg(t, ',' ORDER BY id)) m FROM a GROUP BY grp

---- a chain that goes on where the first answer allows it
WITH a AS (SELECT id, grp, LLM_GENERATE('p {id}') u FROM t),
  b AS (SELECT id, LLM_GENERATE('q {u}') w FROM a WHERE u <> '3') SELECT a.id, a.u, b.w FROM a
  LEFT JOIN b USING (id)

---- each row sees what the others of its group said
WITH a AS (SELECT id, grp, LLM_GENERATE('p {id}') u FROM t)
  SELECT me.id, (SELECT string_agg(o.u, chr(10) ORDER BY o.id) FROM a o
  WHERE o.grp = me.grp AND o.id <> me.id) others FROM a me

---- a join of a CTE with itself, on answers
WITH a AS MATERIALIZED (SELECT id, LLM_GENERATE('p {id}') u FROM t) SELECT x.u, y.u FROM a x
  JOIN a y ON x.id = y.id + 1 WHERE x.u = y.u

---- a recursion of calls
WITH RECURSIVE l AS (SELECT 1 n, LLM_GENERATE('start') d UNION ALL
  SELECT n+1, LLM_GENERATE('next {d}') FROM l WHERE n < 4) SELECT * FROM l

---- a recursion that stops on LIKE
WITH RECURSIVE l AS (SELECT 1 n, LLM_GENERATE('start') d UNION ALL
  SELECT n+1, LLM_GENERATE('next {n} {d}') FROM l WHERE n < 9 AND d NOT LIKE '%3%') SELECT *
  FROM l

---- a recursion that stops on a cast of the answer
WITH RECURSIVE l AS (SELECT 1 n, id, LLM_GENERATE('start {id}') d FROM t WHERE id < 5
  UNION ALL SELECT n+1, id, LLM_GENERATE('next {n} {d}') FROM l
  WHERE n < 9 AND TRY_CAST(d AS INT) IS NULL) SELECT * FROM l

---- a recursion that stops on LLM_FILTER
WITH RECURSIVE l AS (SELECT 1 n, 'x' d UNION ALL SELECT n+1, LLM_GENERATE('next {n} {d}')
  FROM l WHERE n < 9 AND NOT LLM_FILTER('good {n}? {d}')) SELECT * FROM l

---- a recursion that stops on an INTEGER answer
WITH RECURSIVE l AS (SELECT 1 n, 0 score UNION ALL
  SELECT n+1, LLM_GENERATE('score {n}', returns=>'INTEGER') FROM l
  WHERE n < 9 AND coalesce(score, 0) < 4) SELECT * FROM l

---- a recursion with UNION, which drops answers seen before
WITH RECURSIVE l AS (SELECT 1 n, LLM_GENERATE('start') d UNION
  SELECT n+1, LLM_GENERATE('next {d}') FROM l WHERE n < 4) SELECT * FROM l

---- a recursion that carries its last two answers
WITH RECURSIVE l(n, a, b) AS (SELECT 1, 'a', LLM_GENERATE('s') UNION ALL
  SELECT n + 1, b, LLM_GENERATE('n {a} {b}') FROM l WHERE n < 5) SELECT * FROM l

---- a recursion that collects answers in a list
WITH RECURSIVE l(n, a) AS (SELECT 1, ['a'] UNION ALL
  SELECT n + 1, list_append(a, LLM_GENERATE('n ' || a[n])) FROM l WHERE n < 5) SELECT * FROM l

---- a recursion that joins and stops on an answer
WITH RECURSIVE l(n, a) AS (SELECT id, 'q' || id FROM t WHERE id < 3 UNION ALL
  SELECT l.n + 10, LLM_GENERATE('n {l.a} {p.name}') FROM l, p WHERE l.n < 20 AND p.grp < 2
  AND l.a <> '3') SELECT * FROM l

---- a recursion over a growing conversation
WITH RECURSIVE l(n, m) AS (SELECT 1, CAST([] AS STRUCT(role VARCHAR, content VARCHAR)[])
  UNION ALL SELECT l.n + 1, g.messages FROM l,
  LATERAL LLM_GENERATE('turn {l.n}', history => l.m) g WHERE l.n < 4) SELECT * FROM l

---- UNION ALL of a CTE with calls on it, joined with itself
WITH a AS (SELECT id, LLM_GENERATE('p {id}') u FROM t WHERE id < 6), b AS (SELECT * FROM a
  UNION ALL SELECT id + 100, LLM_GENERATE('q {u}') FROM a) SELECT x.id, y.id FROM b x
  JOIN b y ON x.u = y.u WHERE x.id < y.id

---- INTEGER answers against their minimum and average
WITH a AS (SELECT id, LLM_GENERATE('n {id}', returns => 'INTEGER') n FROM t)
  SELECT id, n, n + (SELECT min(n) FROM a) FROM a WHERE n >= (SELECT avg(n) FROM a)

---- a call about the maximum of INTEGER answers
WITH a AS (SELECT id, LLM_GENERATE('n {id}', returns => 'INTEGER') n FROM t)
  SELECT LLM_GENERATE('max {x}') FROM (SELECT max(n) x FROM a)

---- order by DOUBLE answers, then calls about the first
WITH a AS (SELECT id, LLM_GENERATE('n {id}', returns => 'DOUBLE') n FROM t)
  SELECT id, LLM_GENERATE('d {n} {id}') FROM a ORDER BY n DESC NULLS LAST, id LIMIT 3

---- a call for every part of an answer
SELECT LLM_GENERATE('a ' || x)
  FROM (SELECT unnest(string_split(LLM_GENERATE('s {id}'), '3')) x FROM t WHERE id < 5)

---- a recursion that begins with a column and goes on with a typed answer
WITH RECURSIVE l(n, k, d) AS (SELECT 1, grp, reverse(name) FROM p UNION ALL
  SELECT n + 1, k, CAST(LLM_GENERATE('q {d}', returns => 'ENUM(''lo'',''hi'')') AS VARCHAR)
  FROM l WHERE n < 3 AND (n = k OR k < 3)) SELECT * FROM l
