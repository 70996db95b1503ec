-- Debate: three agents answer, read what the others said, answer again; a judge concludes.
-- 3 reviews x 3 agents x 2 rounds = 18 calls, and 3 for the judge.
CREATE TEMP VIEW reviews AS FROM 'catalog/data/reviews.csv';

WITH questions AS (
  SELECT review_id AS id, body FROM reviews WHERE length(body) > 100 ORDER BY review_id LIMIT 3
), agents(agent, role) AS (
  VALUES (1, 'You are a thrifty buyer.'), (2, 'You are a quality engineer.'), (3, 'You are a price analyst.')
), round1 AS (
  SELECT q.id, a.agent, g.text, g.messages
  FROM   questions AS q CROSS JOIN agents AS a,
         LATERAL LLM_GENERATE('What do you think of this review? {q.body}', system => a.role) AS g
), round2 AS (
  SELECT me.id, me.agent, g.text
  FROM   round1 AS me,
         LATERAL (SELECT string_agg(o.text, chr(10) ORDER BY o.agent) AS others
                  FROM   round1 AS o WHERE o.id = me.id AND o.agent <> me.agent) AS said,
         LATERAL LLM_GENERATE('The others said: {others} Revise your answer.', history => me.messages) AS g
), debated AS (
  SELECT id, string_agg(text, chr(10) ORDER BY agent) AS answers FROM round2 GROUP BY id
)
SELECT   d.id, g.text AS verdict
FROM     debated AS d,
         LATERAL LLM_GENERATE('Give the final answer. {d.answers}', system => 'You are a judge.') AS g
ORDER BY d.id;
