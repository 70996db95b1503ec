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
