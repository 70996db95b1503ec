---- a vector for every row; none where the text is NULL
SELECT id, LLM_EMBED(body) v FROM t

---- a vector of a template, in a list
SELECT grp, list(LLM_EMBED('about {body}') ORDER BY id) v FROM t GROUP BY grp

---- an element, the length and the type of a vector
SELECT id, LLM_EMBED(body)[2] a, len(LLM_EMBED(body)) n, typeof(LLM_EMBED(body)) k FROM t

---- how alike two texts are; NULL where either is NULL or fails
SELECT id, LLM_SIMILARITY(body, 'a joke') s, typeof(LLM_SIMILARITY(body, 'b {id}')) k FROM t

---- the rows that are most like a text
SELECT id, body FROM t ORDER BY LLM_SIMILARITY('{body} {id}', 'a joke') DESC NULLS LAST, id LIMIT 3

---- with how alike they are
SELECT id, LLM_SIMILARITY('{body} {id}', 'b1') AS s FROM t WHERE body IS NOT NULL
ORDER BY s DESC NULLS LAST, id LIMIT 4

---- a semantic join
SELECT t.id, p.name FROM t JOIN p ON LLM_SIMILARITY(t.body, p.name) > 0.5

---- for every group the best of the other table
SELECT p.name, o.id, o.s FROM p, LATERAL (SELECT t.id, LLM_SIMILARITY(p.name, t.body) s FROM t
  WHERE t.grp = p.grp ORDER BY s DESC NULLS LAST, t.id LIMIT 2) o

---- the vector of an answer, and how like its text it is
SELECT id, LLM_EMBED(LLM_GENERATE('x {body}')) v, LLM_SIMILARITY(LLM_GENERATE('x {body}'), body) s
FROM t

---- a vector of a lateral answer
SELECT t.id, LLM_SIMILARITY(g.text, 'b1') s FROM t, LATERAL LLM_GENERATE('x {t.body}') g
WHERE LLM_FILTER('good? {g.text}')

---- a condition on how alike texts are beside one that asks
SELECT id FROM t WHERE LLM_FILTER('good? {id}') AND LLM_SIMILARITY(body, 'b {id}') > 0.1

---- an average, a maximum and a count by how alike
SELECT grp, avg(LLM_SIMILARITY(body, 'b {id}')) a, max(LLM_SIMILARITY(body, 'b1')) m,
  count(LLM_EMBED(body)) n FROM t GROUP BY grp

---- a distance that DuckDB computes
SELECT a.id, b.id, list_distance(LLM_EMBED(a.body), LLM_EMBED(b.body)) d FROM t a, t b
WHERE a.id < b.id AND a.grp = b.grp

---- rows numbered by how alike they are
SELECT id, row_number() OVER (PARTITION BY grp ORDER BY LLM_SIMILARITY(body, 'x') DESC, id) r FROM t

---- the vector inside a prompt
SELECT id, LLM_GENERATE('so many: {v}') u FROM (SELECT id, len(LLM_EMBED(body)) v FROM t)

---- UNION of equal vectors
SELECT LLM_EMBED(body) v FROM t UNION SELECT LLM_EMBED(body) FROM t WHERE id > 3
