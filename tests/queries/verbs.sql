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

---- LLM_AGG of groups, some without texts
SELECT grp, LLM_AGG(body, 'Sum up.' ORDER BY id) FILTER (WHERE id > 10) a FROM t GROUP BY grp
-- plain
SELECT grp, llm('Sum up.' || chr(10) || '---' || chr(10) || string_agg(body, chr(10) || '---' || chr(10) ORDER BY id) FILTER (WHERE id > 10),
  NULL, NULL, 'VARCHAR') a FROM t GROUP BY grp

---- LLM_AGG of all rows, of distinct numbers
SELECT LLM_AGG(DISTINCT val % 10, 'Which are there?') a FROM t
-- plain
SELECT llm('Which are there?' || chr(10) || '---' || chr(10) || a, NULL, NULL, 'VARCHAR') FROM (
  SELECT string_agg(v, chr(10) || '---' || chr(10) ORDER BY v) a FROM (SELECT DISTINCT (val % 10)::VARCHAR v FROM t))

---- LLM_AGG over answers, with a template over the group
SELECT p.name, LLM_AGG('{t.id}: {u}', 'On {p.name}.', system => 'S {p.name}' ORDER BY t.id) a
FROM (SELECT id, grp, LLM_GENERATE('x {id}') u FROM t) t JOIN p USING (grp) GROUP BY p.name
-- plain
SELECT p.name, llm('On ' || p.name || '.' || chr(10) || '---' || chr(10) || string_agg(t.id || ': ' || u, chr(10) || '---' || chr(10) ORDER BY t.id),
  'S ' || p.name, NULL, 'VARCHAR') a
FROM (SELECT id, grp, llm('x ' || id, NULL, NULL, 'VARCHAR') u FROM t) t JOIN p USING (grp) GROUP BY p.name

---- LLM_AGG as a number that is compared, ordered by an answer
SELECT grp FROM t GROUP BY grp HAVING LLM_AGG(body, 'How many?' RETURNS INTEGER ORDER BY LLM_GENERATE('o {id}'), id) > 1
-- plain
SELECT grp FROM t GROUP BY grp HAVING CAST(llm('How many?' || chr(10) || 'Answer with an integer.' || chr(10) || '---' || chr(10)
  || string_agg(body, chr(10) || '---' || chr(10) ORDER BY llm('o ' || id, NULL, NULL, 'VARCHAR'), id), NULL, NULL, 'INTEGER') AS INTEGER) > 1

---- LLM_AGG of rows that a call lets through, and a call about its answer
SELECT grp, LLM_GENERATE('Then: {a}') FROM (SELECT grp, LLM_AGG(id, 'Why?' ORDER BY id DESC) FILTER (WHERE LLM_FILTER('f {id}')) AS a FROM t GROUP BY grp)
-- plain
SELECT grp, llm('Then: ' || a, NULL, NULL, 'VARCHAR') FROM (SELECT grp, llm('Why?' || chr(10) || '---' || chr(10) || string_agg(id::VARCHAR,
  chr(10) || '---' || chr(10) ORDER BY id DESC) FILTER (WHERE CAST(llm('f ' || id, NULL, NULL, 'BOOLEAN') AS BOOLEAN)), NULL, NULL, 'VARCHAR') AS a FROM t GROUP BY grp)

---- LLM_AGG of a subquery that reads the row around it
SELECT p.name, (SELECT LLM_AGG(t.body, 'Sum up {p.name}.' ORDER BY t.id) FROM t WHERE t.grp = p.grp) a FROM p
-- plain
SELECT p.name, (SELECT llm('Sum up ' || p.name || '.' || chr(10) || '---' || chr(10) || string_agg(t.body, chr(10) || '---' || chr(10) ORDER BY t.id),
  NULL, NULL, 'VARCHAR') FROM t WHERE t.grp = p.grp) a FROM p

---- LLM_EXTRACT of every row
SELECT id, LLM_EXTRACT(body, {'a': 'Which?', 'n': 'How many?'} RETURNS STRUCT(a VARCHAR, n INTEGER)) e FROM t
-- plain
SELECT id, CAST(CAST(llm('Answer the questions from the text, with null where it does not say.' || chr(10) || '- a: Which?' || chr(10) || '- n: How many?'
  || chr(10) || 'Answer with a JSON object: {"a": string | null, "n": integer | null}.' || chr(10) || chr(10) || 'Text: ' || body, NULL, NULL,
  'STRUCT(a VARCHAR, n INTEGER)') AS JSON) AS STRUCT(a VARCHAR, n INTEGER)) e FROM t

---- LLM_EXTRACT as a table, a condition on one field, another in a prompt
SELECT id, g.n, LLM_GENERATE('why {g.a}') FROM t, LATERAL LLM_EXTRACT('{id} {body}', ['a', 'n'], returns => 'STRUCT(a VARCHAR, n INTEGER)') g WHERE g.n > 1
-- plain
SELECT id, e.n, llm('why ' || e.a, NULL, NULL, 'VARCHAR') FROM (
SELECT id, CAST(CAST(llm('Answer the questions from the text, with null where it does not say.' || chr(10) || '- a' || chr(10) || '- n'
  || chr(10) || 'Answer with a JSON object: {"a": string | null, "n": integer | null}.' || chr(10) || chr(10) || 'Text: ' || id || ' ' || body, NULL, NULL,
  'STRUCT(a VARCHAR, n INTEGER)') AS JSON) AS STRUCT(a VARCHAR, n INTEGER)) e FROM t) WHERE e.n > 1
