---- LLM_SCORE of every row
SELECT id, LLM_SCORE('s {body}') s FROM t

---- LLM_SCORE ranks
SELECT id FROM t ORDER BY LLM_SCORE('s {body}') DESC NULLS LAST, id LIMIT 3

---- LLM_SCORE in a condition, of an expression
SELECT id FROM t WHERE LLM_SCORE('s ' || body) > 1 AND LLM_FILTER('f {id}')

---- LLM_SCORE as a join condition
SELECT t.id, p.name FROM t JOIN p ON t.grp = p.grp AND LLM_SCORE('{t.id} {p.name}') > 1

---- the best LLM_SCORE of a group, and a call about it
SELECT grp, LLM_GENERATE('why {best}') FROM (SELECT grp, max(LLM_SCORE('s {id}')) AS best FROM t GROUP BY grp)

---- LLM_CLASSIFY of every row
SELECT id, LLM_CLASSIFY(body, ['a', 'b', 'c']) c FROM t
-- plain
SELECT id, llm('Choose the label that fits the text best.' || chr(10) || 'Labels: a, b, c' || chr(10) || chr(10) || 'Text: ' || body,
  NULL, NULL, 'ENUM(''a'',''b'',''c'')') c FROM t

---- LLM_CLASSIFY with an instruction and descriptions groups rows
SELECT c, count(*) FROM (SELECT LLM_CLASSIFY('{id} {body}', {'a': 'the first', b: 'it''s the 2nd'}, 'Be {{quick}}.') AS c FROM t) GROUP BY c
-- plain
SELECT c, count(*) FROM (SELECT llm('Choose the label that fits the text best. Be {quick}.' || chr(10) || 'Labels: ' || chr(10) || '- a: the first'
  || chr(10) || '- b: it''s the 2nd' || chr(10) || chr(10) || 'Text: ' || id || ' ' || body, NULL, NULL, 'ENUM(''a'',''b'')') AS c FROM t) GROUP BY c

---- all labels of LLM_CLASSIFY, once each, in their order
SELECT id, LLM_CLASSIFY(id, ['z', 'b', 'c'], multi => true) c FROM t
-- plain
SELECT id, CASE WHEN v IS NULL THEN NULL ELSE list_filter(['z', 'b', 'c'], lambda x: list_contains(v, x)) END c FROM (
  SELECT id, CAST(CAST(llm('Choose all labels that fit the text.' || chr(10) || 'Labels: z, b, c' || chr(10) || 'Answer with a JSON array of labels.'
    || chr(10) || chr(10) || 'Text: ' || id, NULL, NULL, 'ENUM(''z'',''b'',''c'')[]') AS JSON) AS VARCHAR[]) AS v FROM t)

---- the labels of LLM_CLASSIFY unnested, and a call about each
SELECT id, LLM_GENERATE('why {c}') FROM (SELECT id, unnest(LLM_CLASSIFY(id, ['a', 'b'], multi => true)) AS c FROM t)
-- plain
SELECT id, llm('why ' || c, NULL, NULL, 'VARCHAR') FROM (SELECT id, unnest(list_filter(['a', 'b'], lambda x: list_contains(v, x))) c FROM (
  SELECT id, CAST(CAST(llm('Choose all labels that fit the text.' || chr(10) || 'Labels: a, b' || chr(10) || 'Answer with a JSON array of labels.'
    || chr(10) || chr(10) || 'Text: ' || id, NULL, NULL, 'ENUM(''a'',''b'')[]') AS JSON) AS VARCHAR[]) AS v FROM t))

---- LLM_CLASSIFY as a join key
SELECT t.id, u.n FROM t JOIN (VALUES ('a', 1), ('b', 2)) u(c, n) ON LLM_CLASSIFY(t.body, ['a', 'b']) = u.c
-- plain
SELECT t.id, u.n FROM t JOIN (VALUES ('a', 1), ('b', 2)) u(c, n) ON llm('Choose the label that fits the text best.' || chr(10) || 'Labels: a, b'
  || chr(10) || chr(10) || 'Text: ' || t.body, NULL, NULL, 'ENUM(''a'',''b'')') = u.c
