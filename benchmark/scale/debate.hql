-- Four agents answer each question about a report, read what the others said, and answer again in
-- their own conversation.
WITH round1 AS (
  SELECT q.question, a.agent, g.text, g.messages
  FROM   questions AS q JOIN reports AS r USING (report) CROSS JOIN range(1, 5) AS a(agent),
         LATERAL LLM_GENERATE('{r.body} Question: {q.body} You are agent {a.agent}.') AS g
), round2 AS (
  SELECT me.question, me.agent, g.text
  FROM   round1 AS me,
         LATERAL (SELECT string_agg(o.text, ' ' ORDER BY o.agent) AS others
                  FROM   round1 AS o
                  WHERE  o.question = me.question AND o.agent <> me.agent) AS said,
         LATERAL LLM_GENERATE('The others said: {said.others} Answer again.',
           history => me.messages) AS g
)
SELECT question, agent, text FROM round2 ORDER BY question, agent;
