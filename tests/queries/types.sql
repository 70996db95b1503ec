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
