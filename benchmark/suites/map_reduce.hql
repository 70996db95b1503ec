-- Map-reduce with contexts: seven experts answer each question about a report, a summarizer merges
-- what they say. The report stands first, so all calls about it share it.
WITH opinions AS (
  SELECT q.context, q.question, q.body, e.expert, g.text AS opinion
  FROM   contexts AS c JOIN questions AS q ON q.context = c.context CROSS JOIN experts AS e,
         LATERAL LLM_GENERATE($${c.body}
Question:{q.body}
{e.role}$$,
           system => 'You answer questions about financial reports from what the report says.') AS g
), collected AS (
  SELECT   context, question, any_value(body) AS body, string_agg(opinion, chr(10) ORDER BY expert) AS opinions
  FROM     opinions GROUP BY context, question
)
SELECT   c.context, c.question, g.text AS conclusion
FROM     collected AS c,
         LATERAL LLM_GENERATE($$Experts were asked:{c.body}
They answered:
{c.opinions}
Give the answer that most of them support, and say why.$$,
           system => 'You are a careful summarizer of what others say.') AS g
ORDER BY c.context, c.question;
