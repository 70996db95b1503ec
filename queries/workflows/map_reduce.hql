-- Map-reduce: every expert looks at every review, one writer merges the experts' opinions.
-- 4 reviews x 4 experts = 16 calls, and 4 that merge; each of these waits for its own four only.
-- The review stands before the role, so that the four calls about it share their prefix.
CREATE TEMP VIEW reviews AS FROM 'catalog/data/reviews.csv';

WITH questions AS (
  SELECT review_id AS id, body FROM reviews WHERE length(body) > 100 ORDER BY review_id LIMIT 4
), experts(expert) AS (
  VALUES ('You are a price analyst.'), ('You are a quality engineer.'),
         ('You are a product manager.'), ('You are a battery expert.')
), opinions AS (
  SELECT q.id, e.expert, g.text
  FROM   questions AS q CROSS JOIN experts AS e,
         LATERAL LLM_GENERATE($${q.body}
Give your opinion on this review. {e.expert}$$) AS g
), collected AS (
  SELECT id, string_agg(text, chr(10) ORDER BY expert) AS opinions FROM opinions GROUP BY id
)
SELECT   c.id, g.text AS conclusion
FROM     collected AS c,
         LATERAL LLM_GENERATE('Merge these opinions. {c.opinions}',
           system => 'You are a careful summarizer.') AS g
ORDER BY c.id;
