---- group by an answer
SELECT LLM_GENERATE('x {body}') u, count(*) n, min(id) FROM t GROUP BY 1

---- GROUP BY ALL with HAVING
SELECT LLM_GENERATE('x {body}') u, count(*) n FROM t GROUP BY ALL HAVING count(*) > 1

---- DISTINCT answers
SELECT DISTINCT LLM_GENERATE('x {body}') u FROM t

---- string_agg of answers in order
SELECT grp, string_agg(LLM_GENERATE('x {body}'), '|' ORDER BY id) a FROM t GROUP BY grp

---- string_agg of distinct answers
SELECT grp, string_agg(DISTINCT LLM_GENERATE('x {body}'), '|'
  ORDER BY LLM_GENERATE('x {body}')) a FROM t GROUP BY grp

---- count of answers, and of distinct ones
SELECT grp, count(LLM_GENERATE('x {id}')) a, count(DISTINCT LLM_GENERATE('x {id}')) b FROM t
  GROUP BY grp

---- a list of answers
SELECT grp, list(LLM_GENERATE('x {body}') ORDER BY id) a FROM t GROUP BY grp

---- the first of a list of answers
SELECT grp, (list(LLM_GENERATE('x {body}') ORDER BY id))[1] a FROM t GROUP BY grp

---- max and first of answers
SELECT grp, max(LLM_GENERATE('x {body}')) a, first(LLM_GENERATE('y {id}') ORDER BY id) b
  FROM t GROUP BY grp

---- arg_max of an answer by a column
SELECT grp, arg_max(LLM_GENERATE('y {id}'), val) b FROM t GROUP BY grp

---- the sum of INTEGER answers
SELECT sum(LLM_GENERATE('n {id}', returns=>'INTEGER')) FROM t

---- the average of INTEGER answers
SELECT grp, avg(LLM_GENERATE('n {id}', returns=>'INTEGER')) m FROM t GROUP BY grp

---- the mode of answers
SELECT grp, mode(LLM_GENERATE('x {id}') ORDER BY id) FROM t GROUP BY grp

---- a call for every group
SELECT grp, LLM_GENERATE('g {grp} ' || count(*)) FROM t GROUP BY grp

---- a call for every group of a CUBE
SELECT grp, LLM_GENERATE('z ' || grp) FROM t GROUP BY CUBE (grp)

---- counting rows needs no answer
SELECT count(*) FROM (SELECT LLM_GENERATE('x {id}') u FROM t)

---- counting distinct answers
SELECT count(*) FROM (SELECT DISTINCT LLM_GENERATE('x {id}') u FROM t)

---- PIVOT on answers
SELECT * FROM (SELECT id, LLM_GENERATE('x {id}') u FROM t) PIVOT (count(*) FOR u IN ('3','12'))

---- row_number ordered by an answer
SELECT id, row_number() OVER (ORDER BY LLM_GENERATE('x {body}'), id) r FROM t

---- lag of an answer
SELECT id, lag(LLM_GENERATE('x {body}')) OVER (ORDER BY id) r FROM t

---- string_agg over a window
SELECT id, string_agg(LLM_GENERATE('x {body}'), ',') OVER (PARTITION BY grp ORDER BY id) r
  FROM t

---- a window partitioned by an answer
SELECT id, count(*) OVER (PARTITION BY LLM_GENERATE('x {body}')) r FROM t

---- QUALIFY on a window partitioned by an answer
SELECT id, LLM_GENERATE('x {body}') u FROM t QUALIFY row_number() OVER (PARTITION BY u
  ORDER BY id) = 1

---- a running sum of INTEGER answers
SELECT id, sum(LLM_GENERATE('n {id}', returns=>'INTEGER')) OVER (ORDER BY id) r FROM t

---- any_value leaves NULL answers out, last does not
SELECT any_value(LLM_GENERATE('x {id}')) a, last(LLM_GENERATE('x {id}') ORDER BY id) b FROM t
  GROUP BY grp

---- arg_max with a count
SELECT arg_max(LLM_GENERATE('x {id}'), val, 2) FROM t GROUP BY grp

---- max_by and arg_min leave NULL answers out
SELECT grp, max_by(LLM_GENERATE('x {id}'), val), arg_min(LLM_GENERATE('x {id}'), val) FROM t
  GROUP BY grp

---- arg_max of a struct with an answer
SELECT grp, arg_max({'a': LLM_GENERATE('x {id}')}, val) b FROM t GROUP BY grp

---- last_value IGNORE NULLS
SELECT id, last_value(LLM_GENERATE('x {id}') IGNORE NULLS) OVER (ORDER BY id) FROM t

---- lag and lead with a default
SELECT id, lag(LLM_GENERATE('x {id}'), 1, 'none') OVER (ORDER BY id),
  lead(LLM_GENERATE('n {id}', returns => 'INTEGER'), 1, 0) OVER (ORDER BY id) FROM t

---- nth_value of an answer
SELECT id, nth_value(LLM_GENERATE('x {id}'), 2) OVER (ORDER BY id) FROM t

---- DISTINCT ON an answer
SELECT DISTINCT ON (LLM_GENERATE('x {body}')) id, body FROM t
  ORDER BY LLM_GENERATE('x {body}'), id

---- FILTER on answers
SELECT grp, count(*) FILTER (WHERE LLM_FILTER('f {id}')) n,
  sum(val) FILTER (WHERE LLM_GENERATE('x {id}') = '3') FROM t GROUP BY grp

---- HAVING LLM_FILTER of the group
SELECT grp, sum(val) FROM t GROUP BY grp HAVING LLM_FILTER('group {grp}')

---- HAVING on an answer about the group
SELECT grp, LLM_GENERATE('g {grp}') u, sum(val) FROM t GROUP BY grp HAVING u <> '3'

---- ROLLUP over an answer
SELECT grp, LLM_GENERATE('x {body}') u, count(*) FROM t GROUP BY ROLLUP (grp, u)

---- the same call in SELECT and GROUP BY
SELECT LLM_GENERATE('x {body}'), count(*) FROM t GROUP BY LLM_GENERATE('x {body}')

---- the same CASE in SELECT and GROUP BY
SELECT CASE WHEN LLM_GENERATE('x {body}') = '3' THEN 1 END k, count(*) FROM t GROUP BY CASE
  WHEN LLM_GENERATE('x {body}') = '3' THEN 1 END

---- count, min and max of answers
SELECT count(*), count(u), count(DISTINCT u), min(u), max(u)
  FROM (SELECT LLM_GENERATE('x {id}') u FROM t)

---- median and histogram
SELECT approx_count_distinct(LLM_GENERATE('x {id}')) > 0,
  median(length(LLM_GENERATE('x {id}'))), histogram(LLM_GENERATE('x {id}')) FROM t

---- UNPIVOT
SELECT * FROM (SELECT id, LLM_GENERATE('x {id}') u FROM t) UNPIVOT (v FOR n IN (u))

---- dense_rank over answers in QUALIFY
SELECT id, LLM_GENERATE('x {id}') u FROM t QUALIFY dense_rank() OVER (ORDER BY u) = 1

---- percent_rank and ntile over answers
SELECT id, percent_rank() OVER (ORDER BY LLM_GENERATE('n {id}', returns => 'INTEGER'), id),
  ntile(3) OVER (ORDER BY LLM_GENERATE('x {id}'), id) FROM t

---- a filtered count over a window
SELECT id, count(*) FILTER (WHERE LLM_FILTER('f {id}')) OVER (PARTITION BY grp) FROM t

---- a named window partitioned by an answer
SELECT id, max(LLM_GENERATE('x {id}')) OVER w, min(id) OVER w
  FROM t WINDOW w AS (PARTITION BY LLM_GENERATE('x {body}'))

---- a moving average of INTEGER answers
SELECT id, avg(n) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING)
  FROM (SELECT id, LLM_GENERATE('n {id}', returns => 'INTEGER') n FROM t)
