---- equality with an answer
SELECT id FROM t WHERE LLM_GENERATE('x {body}') = '3'

---- LIKE on an answer, OR a plain condition
SELECT id FROM t WHERE LLM_GENERATE('x {body}') LIKE '%q%' OR val > 20

---- a plain condition, then LLM_FILTER
SELECT id FROM t WHERE val > 6 AND LLM_FILTER('ok {body} {id}')

---- NOT LLM_FILTER: what failed is NULL, and the row goes
SELECT id FROM t WHERE NOT LLM_FILTER('ok {body} {id}')

---- LLM_FILTER AND LLM_FILTER
SELECT id FROM t WHERE LLM_FILTER('a {id}') AND LLM_FILTER('b {id}')

---- LLM_FILTER OR LLM_FILTER
SELECT id FROM t WHERE LLM_FILTER('a {id}') OR LLM_FILTER('b {id}')

---- order by an answer
SELECT id FROM t ORDER BY LLM_GENERATE('x {id}'), id

---- order by an answer, then the first rows
SELECT id FROM t ORDER BY LLM_GENERATE('x {id}') DESC NULLS LAST, id LIMIT 4

---- the first rows of an order that no answer decides
SELECT id, LLM_GENERATE('x {id}') FROM t ORDER BY id LIMIT 7

---- a condition above a LIMIT
SELECT id, u FROM (SELECT id, LLM_GENERATE('x {id}') u FROM t ORDER BY id LIMIT 5)
  WHERE u <> '3'

---- LLM_FILTER below a LIMIT
SELECT id, u FROM (SELECT id, LLM_GENERATE('x {id}') u FROM t WHERE LLM_FILTER('k {id}')
  ORDER BY id LIMIT 3) ORDER BY u, id

---- IN a subquery of answers
SELECT * FROM t WHERE id IN (SELECT TRY_CAST(LLM_GENERATE('k {id}') || '' AS INT) FROM t)

---- NOT IN a subquery of answers, some of them NULL
SELECT * FROM t WHERE body NOT IN (SELECT LLM_GENERATE('k {id}') FROM t WHERE id < 3)

---- EXISTS with LLM_FILTER
SELECT * FROM t WHERE EXISTS (SELECT 1 FROM p
  WHERE p.grp = t.grp AND LLM_FILTER('{t.id} {p.name}'))

---- NOT EXISTS with LLM_FILTER
SELECT * FROM t WHERE NOT EXISTS (SELECT 1 FROM p
  WHERE p.grp = t.grp AND LLM_FILTER('{t.id} {p.name}'))

---- a call in a scalar subquery
SELECT id, (SELECT LLM_GENERATE('s {p.name}') FROM p WHERE p.grp = t.grp) s FROM t

---- an aggregate of calls in a scalar subquery
SELECT id, (SELECT max(LLM_GENERATE('s {p.name}')) FROM p WHERE p.grp = t.grp) s FROM t

---- a prompt made of a count of calls
SELECT LLM_GENERATE('count ' || (SELECT count(*) FROM t WHERE LLM_FILTER('f {id}')))

---- an answer IN a subquery, as a value
SELECT id, LLM_GENERATE('a {id}') IN (SELECT name FROM p) FROM t

---- an answer = ANY of a subquery
SELECT id, LLM_GENERATE('a {id}') = ANY(SELECT name FROM p) FROM t

---- an answer > ALL answers of a subquery
SELECT id FROM t WHERE LLM_GENERATE('a {id}') > ALL(SELECT LLM_GENERATE('k {name}') FROM p
  WHERE name IS NOT NULL)

---- EXISTS on an answer of the outer row
SELECT id, EXISTS (SELECT 1 FROM p WHERE p.name = LLM_GENERATE('a {t.id}')) FROM t

---- order by an answer with COLLATE
SELECT id, LLM_GENERATE('x {id}') u FROM t ORDER BY u COLLATE NOCASE, id LIMIT 5

---- ORDER BY ALL with LIMIT and OFFSET
SELECT id, LLM_GENERATE('x {id}') u FROM t WHERE u LIKE '%1%' ORDER BY ALL LIMIT 3 OFFSET 1
