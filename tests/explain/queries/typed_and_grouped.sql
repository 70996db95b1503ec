SELECT stars, count(*) AS n, max(g.score) AS best
FROM reviews AS r, LATERAL LLM_GENERATE('Rate {r.body}', returns => 'STRUCT(score INTEGER)') AS g
GROUP BY stars HAVING count(*) > 1
