-- Debate: three agents answer each question about a report, read what the others said, and answer
-- again in their own conversation.
WITH round1 AS (
  SELECT q.context, q.question, a.agent, g.text, g.messages
  FROM   contexts AS c JOIN questions AS q ON q.context = c.context CROSS JOIN agents AS a,
         LATERAL LLM_GENERATE($${c.body}
Question:{q.body}
{a.role}$$,
           system => 'You answer questions about financial reports from what the report says.') AS g
), round2 AS (
  SELECT me.context, me.question, me.agent, g.text
  FROM   round1 AS me,
         LATERAL (SELECT string_agg(o.text, chr(10) ORDER BY o.agent) AS others
                  FROM   round1 AS o
                  WHERE  o.context = me.context AND o.question = me.question AND o.agent <> me.agent) AS said,
         LATERAL LLM_GENERATE($$The others said:
{said.others}
Revise your answer.$$,
           history => me.messages) AS g
)
SELECT context, question, agent, text FROM round2 ORDER BY context, question, agent;
