-- Debate with the lengths of a prefix mix: three agents with long roles answer each question about a
-- context of its own, read what the others said, and answer again in their own conversation.
WITH round1 AS (
  SELECT q.question, a.agent, g.text, g.messages
  FROM   questions AS q CROSS JOIN agents AS a,
         LATERAL LLM_GENERATE('{q.context}{q.body}', system => a.role) AS g
), round2 AS (
  SELECT me.question, me.agent, g.text
  FROM   round1 AS me,
         LATERAL (SELECT string_agg(o.text, chr(10) ORDER BY o.agent) AS others
                  FROM   round1 AS o
                  WHERE  o.question = me.question AND o.agent <> me.agent) AS said,
         LATERAL LLM_GENERATE($$The others said:
{said.others}
Revise your answer.$$,
           history => me.messages) AS g
)
SELECT question, agent, text FROM round2 ORDER BY question, agent;
