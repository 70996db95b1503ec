-- Map-reduce without contexts: fourteen experts, seven roles listed twice, answer each question; a
-- summarizer reads all fourteen answers in order.
WITH opinions AS (
  SELECT q.question, e.expert, g.text AS opinion
  FROM   questions AS q CROSS JOIN experts AS e,
         LATERAL LLM_GENERATE($${q.body}
{e.role}$$,
           system => 'You answer questions with four options, one of which is right.') AS g
), collected AS (
  SELECT   question, string_agg(opinion, chr(10) ORDER BY expert) AS opinions
  FROM     opinions GROUP BY question
)
SELECT   c.question, g.text AS conclusion
FROM     collected AS c,
         LATERAL LLM_GENERATE($$Experts answered a question:
{c.opinions}
Give the answer that most of them support, and say why.$$,
           system => 'You are a careful summarizer of what others say.') AS g
ORDER BY c.question;
