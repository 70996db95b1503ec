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
