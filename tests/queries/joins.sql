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
