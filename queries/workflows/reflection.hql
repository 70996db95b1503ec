-- Reflection: a writer drafts, a critic reads the draft beside the review, the writer revises.
-- The revision continues the writer's own conversation. 4 reviews x 3 = 12 calls.
CREATE TEMP VIEW reviews AS FROM 'catalog/data/reviews.csv';

WITH texts AS (
  SELECT review_id AS id, body FROM reviews WHERE length(body) > 100 ORDER BY review_id LIMIT 4
), drafts AS (
  SELECT t.id, t.body, g.text AS draft, g.messages
  FROM   texts AS t,
         LATERAL LLM_GENERATE('Draft a one-line summary. {t.body}', system => 'You are a writer.') AS g
), criticism AS (
  SELECT d.id, d.draft, d.messages, g.text AS critic
  FROM   drafts AS d,
         LATERAL LLM_GENERATE('Criticize this draft: {d.draft} Review: {d.body}', system => 'You are a strict critic.') AS g
)
SELECT   c.id, c.draft, c.critic, g.text AS revised
FROM     criticism AS c,
         LATERAL LLM_GENERATE('A critic says: {c.critic} Revise your draft.', history => c.messages) AS g
ORDER BY c.id;
