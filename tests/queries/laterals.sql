---- fields of a typed answer
SELECT t.id, g.s, g.n FROM t,
  LATERAL LLM_GENERATE('r {t.id}' RETURNS STRUCT(s ENUM('a','b'), n INTEGER)) g

---- a condition on a field
SELECT t.id, g.s, g.n FROM t,
  LATERAL LLM_GENERATE('r {t.id}' RETURNS STRUCT(s ENUM('a','b'), n INTEGER)) g WHERE g.n > 2

---- fields in the next prompt
SELECT t.id, h.text FROM t,
  LATERAL LLM_GENERATE('r {t.id}' RETURNS STRUCT(s ENUM('a','b'), n INTEGER)) g,
  LATERAL LLM_GENERATE('then {g.n} {g.s}') h

---- group by a field
SELECT g.s, count(*), sum(g.n) FROM t,
  LATERAL LLM_GENERATE('r {t.id}' RETURNS STRUCT(s ENUM('a','b'), n INTEGER)) g GROUP BY g.s

---- LEFT JOIN LATERAL
SELECT t.id, g.text FROM t LEFT JOIN LATERAL LLM_GENERATE('r {t.body}') g ON TRUE

---- a list answer with LEFT JOIN LATERAL
SELECT t.id, q.text FROM t LEFT JOIN
  LATERAL LLM_GENERATE('list {t.body}' RETURNS VARCHAR[]) q ON TRUE

---- a row for every struct in a list
SELECT t.id, q.* FROM t,
  LATERAL LLM_GENERATE('list {t.id}' RETURNS STRUCT(a VARCHAR, b INTEGER)[]) q

---- a conversation goes on
SELECT t.id, g.text, h.text FROM t,
  LATERAL LLM_GENERATE('r {t.body}', system => 'you are {t.grp}') g,
  LATERAL LLM_GENERATE('again', history => g.messages) h

---- the messages of a conversation
SELECT t.id, g.messages FROM t, LATERAL LLM_GENERATE('r {t.body}', system => CASE
  WHEN t.id > 5 THEN 'sys' END) g

---- a table in, its columns and an answer out
SELECT * FROM LLM_GENERATE((SELECT id, body FROM t
  WHERE id < 6), prompt => 'Gist of {id}: {body}')

---- TABLE in
SELECT * FROM LLM_GENERATE(TABLE p, prompt => 'Gist of {name}') g

---- what is known of the run of a call
SELECT t.id, h.text, g.llm.finish_reason FROM t, LATERAL LLM_GENERATE('r {t.id}') g,
  LATERAL LLM_GENERATE('s {g.text}') h
-- plain
SELECT t.id, llm('s ' || llm('r ' || t.id, NULL, NULL, 'VARCHAR'), NULL, NULL, 'VARCHAR') AS text,
  CASE WHEN llm('r ' || t.id, NULL, NULL, 'VARCHAR') IS NULL THEN 'error' ELSE 'stop' END FROM t

---- a lateral count of equal answers
SELECT t.id, o.n FROM t, LATERAL (SELECT count(*) n FROM t o WHERE o.grp = t.grp
  AND LLM_GENERATE('x {o.body}') = LLM_GENERATE('x {t.body}')) o

---- a lateral subquery with ORDER BY an answer and LIMIT
SELECT t.id, o.u FROM t, LATERAL (SELECT LLM_GENERATE('x {p.name} {t.id}') u FROM p
  WHERE p.grp = t.grp ORDER BY u LIMIT 1) o

---- a scalar subquery that reads the outer row
SELECT id, (SELECT string_agg(LLM_GENERATE('c {p.name} {t.id}'), ',' ORDER BY name) FROM p)
  FROM t WHERE id < 4

---- a scalar subquery with ORDER BY an answer and LIMIT
SELECT id, (SELECT LLM_GENERATE('c {p.name}') FROM p
  ORDER BY LLM_GENERATE('c {p.name}') NULLS LAST, name LIMIT 1) FROM t WHERE id < 4

---- two calls of one row joined in a subquery
SELECT id, (SELECT a.u || b.u
  FROM (SELECT LLM_GENERATE('x {t.id}') u) a, (SELECT LLM_GENERATE('y {t.id}') u) b) FROM t

---- LEFT JOIN LATERAL on a condition on the answer
SELECT t.id, g.text FROM t LEFT JOIN LATERAL LLM_GENERATE('r {t.body}') g ON g.text <> '3'

---- JOIN LATERAL on a condition on a field
SELECT t.id, g.n FROM t JOIN
  LATERAL LLM_GENERATE('r {t.id}' RETURNS STRUCT(n INTEGER, s VARCHAR)) g ON g.n > 1

---- a lateral call above a join, compared
SELECT t.id, p.name, g.text FROM t JOIN p USING (grp),
  LATERAL LLM_GENERATE('r {t.id} {p.name}') g WHERE g.text = p.name OR g.text = '3'

---- group by a lateral answer
SELECT g.text, count(*) FROM t, LATERAL LLM_GENERATE('r {t.grp}') g GROUP BY g.text

---- a call for every item of a list answered
SELECT t.id, q.text, h.text FROM t, LATERAL LLM_GENERATE('list {t.id}' RETURNS VARCHAR[]) q,
  LATERAL LLM_GENERATE('item {q.text}') h
