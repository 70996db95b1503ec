-- Seven experts answer each question about a report, a summarizer merges what they say.
WITH opinions AS (
  SELECT q.question, q.body, e.expert, g.text AS opinion
  FROM   questions AS q JOIN reports AS r USING (report) CROSS JOIN range(1, 8) AS e(expert),
         LATERAL LLM_GENERATE('{r.body} Question: {q.body} You are expert {e.expert}.') AS g
), collected AS (
  SELECT   question, any_value(body) AS body, string_agg(opinion, ' ' ORDER BY expert) AS opinions
  FROM     opinions GROUP BY question
)
SELECT   c.question, g.text AS conclusion
FROM     collected AS c,
         LATERAL LLM_GENERATE('Question: {c.body} Experts said: {c.opinions} What do most say?') AS g
ORDER BY c.question;
