---- DOUBLE
SELECT id, LLM_GENERATE('x {body}', returns => 'DOUBLE') d FROM t

---- BOOLEAN
SELECT id, LLM_GENERATE('x {body}', returns => 'BOOLEAN') d FROM t

---- ENUM, in the order of its values
SELECT id, LLM_GENERATE('x {id}', returns => 'ENUM(''lo'',''hi'')') d FROM t ORDER BY d, id

---- a list of INTEGER
SELECT id, LLM_GENERATE('x {id}', returns => 'INTEGER[]') d FROM t

---- STRUCT
SELECT id, LLM_GENERATE('x {id}', returns => 'STRUCT(a VARCHAR, b INTEGER)') d FROM t

---- a field of a STRUCT
SELECT id, (LLM_GENERATE('x {id}', returns => 'STRUCT(a VARCHAR, b INTEGER)')).b d FROM t

---- JSON
SELECT id, LLM_GENERATE('x {id}', returns => 'JSON') d FROM t

---- list_transform over answers
SELECT id, list_transform([LLM_GENERATE('x {id}')], lambda x: x || '!') d FROM t

---- an answer in a struct
SELECT id, {'a': LLM_GENERATE('x {id}'), 'b': id} d FROM t

---- an answer taken out of a struct
SELECT id, {'a': LLM_GENERATE('x {id}'), 'b': id}.a d FROM t

---- an answer in a list, and taken out of it
SELECT id, ['k', LLM_GENERATE('x {id}')] d, ['k', LLM_GENERATE('x {id}')][2] e FROM t

---- unnest of a list with an answer
SELECT id, unnest(['k', LLM_GENERATE('x {id}')]) d FROM t

---- string_split of an answer
SELECT id, string_split(LLM_GENERATE('x {id}'), 'q') d FROM t

---- unnest of the parts of an answer
SELECT id, unnest(string_split(LLM_GENERATE('x {id}'), 'q')) d FROM t

---- list_concat and list_append
SELECT list_concat([LLM_GENERATE('x {id}')], ['a']), list_append(['a'],
  LLM_GENERATE('y {id}')) FROM t

---- list_filter of answers
SELECT id, array_to_string(list_filter([LLM_GENERATE('x {id}'), 'k'],
  lambda v: v IS NOT NULL), '+') FROM t

---- a condition on an answer deep in a struct
SELECT id, u.a, u.b FROM (SELECT id, {'a': LLM_GENERATE('x {id}'),
  'b': {'c': LLM_GENERATE('y {id}')}} u FROM t) WHERE u.b.c <> '3'

---- unnest of a struct
SELECT id, unnest({'a': LLM_GENERATE('x {id}'), 'b': 1}) FROM t

---- unnest of answers and a column, ordered
SELECT id, unnest([LLM_GENERATE('x {id}'), body, LLM_GENERATE('y {id}')]) v FROM t
  ORDER BY id, v

---- group by what unnest gives
SELECT v, count(*) FROM (SELECT unnest([LLM_GENERATE('x {id}'), LLM_GENERATE('y {id}')]) v
  FROM t) GROUP BY v

---- lists of INTEGER answered, measured, indexed and prompted
WITH a AS (SELECT id, LLM_GENERATE('n {id}', returns => 'INTEGER[]') n FROM t)
  SELECT id, len(n), n[1], LLM_GENERATE('d {n}') FROM a

---- unnest of a list answered
WITH a AS (SELECT id, LLM_GENERATE('n {id}', returns => 'VARCHAR[]') n FROM t)
  SELECT id, unnest(n) FROM a

---- nested fields, inspected and carried
WITH a AS (SELECT id, LLM_GENERATE('n {id}', returns => 'STRUCT(x VARCHAR[],
  y STRUCT(z INTEGER, w VARCHAR))') s FROM t)
  SELECT id, s.x[1], s.y.z + 1, LLM_GENERATE('w {s.y.w}'), s.y FROM a

---- group by a whole struct
WITH a AS (SELECT id, LLM_GENERATE('n {id}', returns => 'STRUCT(z INTEGER, w VARCHAR)') s
  FROM t) SELECT s, count(*) FROM a GROUP BY s

---- the star of a struct
WITH a AS (SELECT id, LLM_GENERATE('n {id}', returns => 'STRUCT(z INTEGER, w VARCHAR)') s
  FROM t) SELECT id, s.* FROM a

---- group and order by an ENUM
WITH a AS (SELECT id, LLM_GENERATE('e {id}', returns => 'ENUM(''lo'',''hi'')') e FROM t)
  SELECT e, count(*), min(e), string_agg(e::VARCHAR, ',' ORDER BY id) FROM a GROUP BY e
  ORDER BY e

---- an ENUM in texts, a prompt and a comparison
WITH a AS (SELECT id, LLM_GENERATE('e {id}', returns => 'ENUM(''lo'',''hi'')') e FROM t)
  SELECT id, e || '!', concat(e, id), coalesce(e, 'lo'), LLM_GENERATE('z {e}') FROM a
  WHERE e > 'lo' OR e IS NULL

---- a BOOLEAN in text, AND and IS NOT
WITH a AS (SELECT id, LLM_GENERATE('e {id}', returns => 'BOOLEAN') e FROM t)
  SELECT id, e || '!', e AND id > 3, e::INT FROM a WHERE e IS NOT false

---- a cast to JSON behind a condition
SELECT id, LLM_GENERATE('x {id}')::JSON IS NULL FROM t
  WHERE LLM_GENERATE('x {id}') IN ('3', '12')

---- fields of JSON
SELECT id, LLM_GENERATE('j {id}', returns => 'JSON') ->> 'k',
  json_extract(LLM_GENERATE('j {id}', returns => 'JSON'), '$.k')::INT + 1 FROM t

---- typeof
SELECT id, typeof(LLM_GENERATE('x {id}')), typeof(LLM_GENERATE('x {id}',
  returns => 'INTEGER')) FROM t

---- struct_pack, row and map
SELECT id, struct_pack(a := LLM_GENERATE('x {id}'), b := 2) s, row(LLM_GENERATE('x {id}'),
  1) r, map {'k': LLM_GENERATE('x {id}')} m FROM t

---- a list comprehension over answers
SELECT id, [x || '?' FOR x IN [LLM_GENERATE('x {id}'), 'z'] IF x <> '3'] FROM t

---- list_sort and list_contains
SELECT id, list_sort([LLM_GENERATE('x {id}'), 'k', LLM_GENERATE('y {id}')]),
  list_contains([LLM_GENERATE('x {id}')], '3') FROM t
