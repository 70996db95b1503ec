---- JOIN on keys and LLM_FILTER
SELECT t.id, p.name FROM t JOIN p ON t.grp = p.grp AND LLM_FILTER('{t.body} about {p.name}')

---- LEFT JOIN on keys and LLM_FILTER
SELECT t.id, p.name FROM t LEFT JOIN p ON t.grp = p.grp AND LLM_FILTER('{t.id} about {p.name}')

---- RIGHT JOIN on keys and LLM_FILTER
SELECT t.id, p.name FROM t RIGHT JOIN p ON t.grp = p.grp AND LLM_FILTER('{t.id} about {p.name}')

---- FULL JOIN on keys and LLM_FILTER
SELECT t.id, p.name FROM t FULL JOIN p ON t.grp = p.grp AND LLM_FILTER('{t.id} about {p.name}')

---- a cross product filtered by LLM_FILTER
SELECT t.id, p.name FROM t, p WHERE LLM_FILTER('{t.id} about {p.name}')

---- a join on answers of both sides
SELECT a.id, b.id FROM (SELECT id, LLM_GENERATE('x {id}') u FROM t) a
  JOIN (SELECT id, LLM_GENERATE('y {id}') u FROM t) b ON a.u = b.u

---- ASOF JOIN with answers as payload
SELECT a.id, b.u FROM t a ASOF JOIN (SELECT id, LLM_GENERATE('x {id}') u
  FROM t) b ON a.id >= b.id

---- POSITIONAL JOIN with answers as payload
SELECT x.id, y.u FROM t x POSITIONAL JOIN (SELECT LLM_GENERATE('x {id}') u FROM t) y

---- UNION of answers and a column
SELECT LLM_GENERATE('x {body}') u FROM t UNION SELECT name FROM p

---- UNION ALL of answers and a column
SELECT LLM_GENERATE('x {body}') u FROM t UNION ALL SELECT name FROM p

---- EXCEPT
SELECT LLM_GENERATE('x {body}') u FROM t EXCEPT SELECT '3'

---- INTERSECT of answers
SELECT LLM_GENERATE('x {body}') u FROM t INTERSECT SELECT LLM_GENERATE('x {body}') FROM t
  WHERE id < 4

---- UNION ALL of INTEGER answers and a column
SELECT LLM_GENERATE('n {id}', returns=>'INTEGER') u FROM t UNION ALL SELECT grp FROM p

---- a join of a table with itself on answers
SELECT a.id, b.id FROM t a JOIN t b ON LLM_GENERATE('x {a.body}') = LLM_GENERATE('x {b.body}')
  AND a.id < b.id

---- a join on keys OR LLM_FILTER
SELECT a.id, p.name FROM t a JOIN p ON a.grp = p.grp OR LLM_FILTER('{a.id} is {p.name}')

---- LEFT JOIN on an answer
SELECT a.id, p.name FROM t a LEFT JOIN p ON LLM_GENERATE('x {a.body}') = p.name

---- LEFT JOIN on keys and an answer of the right side
SELECT a.id, q.u FROM t a LEFT JOIN (SELECT grp, LLM_GENERATE('x {name}') u
  FROM p) q ON a.grp = q.grp AND q.u <> '3'

---- FULL JOIN with LLM_FILTER below
SELECT a.id, q.u FROM t a FULL JOIN (SELECT grp, LLM_GENERATE('x {name}') u FROM p
  WHERE LLM_FILTER('k {name}')) q ON a.grp = q.grp

---- SEMI JOIN on keys and an answer
SELECT id FROM t SEMI JOIN (SELECT grp, LLM_GENERATE('x {name}') u FROM p) q ON t.grp = q.grp
  AND q.u = '3'

---- ANTI JOIN on keys and an answer
SELECT id FROM t ANTI JOIN (SELECT grp, LLM_GENERATE('x {name}') u FROM p) q ON t.grp = q.grp
  AND q.u = '3'

---- UNION ALL of ordered parts
(SELECT id, LLM_GENERATE('x {id}') u FROM t ORDER BY id LIMIT 3)
  UNION ALL (SELECT id, LLM_GENERATE('y {id}') FROM t ORDER BY id DESC LIMIT 2)

---- ORDER BY above UNION ALL of answers
SELECT LLM_GENERATE('x {id}') u FROM t UNION ALL SELECT LLM_GENERATE('x {id}') FROM t
  WHERE id < 4 ORDER BY u LIMIT 9

---- a condition above UNION of answers
SELECT u FROM (SELECT LLM_GENERATE('x {id}') u FROM t UNION SELECT LLM_GENERATE('y {id}')
  FROM t) WHERE u <> '3'

---- EXCEPT ALL of answers
SELECT LLM_GENERATE('x {id}') u FROM t EXCEPT ALL SELECT LLM_GENERATE('y {id}') FROM t
  WHERE id < 5

---- answers and a literal in one column, grouped
SELECT x.u, count(*) FROM (SELECT LLM_GENERATE('x {id}') u FROM t UNION ALL SELECT 'lit') x
  GROUP BY 1
