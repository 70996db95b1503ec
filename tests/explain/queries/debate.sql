WITH round1 AS (
  SELECT q.id, a.agent, g.text, g.messages
  FROM reviews AS q CROSS JOIN agents AS a, LATERAL LLM_GENERATE('{q.body}', system => a.role) AS g
), round2 AS (
  SELECT me.id, me.agent, g.text
  FROM round1 AS me,
       LATERAL (SELECT string_agg(o.text, chr(10) ORDER BY o.agent) AS others
                FROM round1 AS o WHERE o.id = me.id AND o.agent <> me.agent),
       LATERAL LLM_GENERATE('The others said: {others} Revise.', history => me.messages) AS g
)
SELECT id, string_agg(text, '; ' ORDER BY agent) AS verdict FROM round2 GROUP BY id
