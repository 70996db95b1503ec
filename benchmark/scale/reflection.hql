-- An analyst answers each question about a report, one critic looks at what was taken from it,
-- another one at the reasoning, and the analyst answers again in the same conversation.
WITH answers AS (
  SELECT q.question, r.body AS report, q.body AS asked, g.text AS answer, g.messages
  FROM   questions AS q JOIN reports AS r USING (report),
         LATERAL LLM_GENERATE('{r.body} Question: {q.body}', system => 'You are an analyst.') AS g
), extraction AS (
  SELECT a.*, g.text AS extracted
  FROM   answers AS a,
         LATERAL LLM_GENERATE('{a.report} Question: {a.asked} The analyst says: {a.answer}',
           system => 'You look for what the analyst has missed.') AS g
), reasoning AS (
  SELECT e.*, g.text AS reasoned
  FROM   extraction AS e,
         LATERAL LLM_GENERATE(
           '{e.report} Question: {e.asked} The analyst says: {e.answer} A critic says: {e.extracted}',
           system => 'You look for errors in what the analyst concludes.') AS g
)
SELECT   c.question, g.text AS revised
FROM     reasoning AS c,
         LATERAL LLM_GENERATE('Critics say: {c.extracted} {c.reasoned} Answer again.',
           history => c.messages) AS g
ORDER BY c.question;
