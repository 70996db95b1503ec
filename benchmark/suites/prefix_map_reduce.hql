-- Map-reduce with the lengths of a prefix mix: seven experts with long roles answer each question
-- about a context of its own, a summarizer with as long a role merges what they say.
WITH opinions AS (
  SELECT q.question, e.expert, g.text AS opinion
  FROM   questions AS q CROSS JOIN experts AS e,
         LATERAL LLM_GENERATE('{q.context}{q.body}', system => e.role) AS g
), collected AS (
  SELECT   question, string_agg(opinion, chr(10) ORDER BY expert) AS opinions
  FROM     opinions GROUP BY question
)
SELECT   c.question, g.text AS conclusion
FROM     collected AS c CROSS JOIN summarizers AS s,
         LATERAL LLM_GENERATE($$Experts answered a question:
{c.opinions}
Give the answer that most of them support, and say why.$$,
           system => s.role) AS g
ORDER BY c.question;
