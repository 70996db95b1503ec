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
