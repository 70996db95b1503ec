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
