-- Reflection: an analyst answers each question about a report, one critic looks at what was taken
-- from it, another one at the calculation, and the analyst answers again in the same conversation.
WITH answers AS (
  SELECT c.context, q.question, c.body AS report, q.body AS asked, g.text AS answer, g.messages
  FROM   contexts AS c JOIN questions AS q ON q.context = c.context CROSS JOIN critics AS p,
         LATERAL LLM_GENERATE($${c.body}
Question:{q.body}$$,
           system => p.analyst) AS g
), extraction AS (
  SELECT a.*, g.text AS extracted
  FROM   answers AS a CROSS JOIN critics AS p,
         LATERAL LLM_GENERATE($${a.report}
Question:{a.asked}
The analyst says:{a.answer}$$,
           system => p.extraction) AS g
), calculation AS (
  SELECT e.*, g.text AS calculated
  FROM   extraction AS e CROSS JOIN critics AS p,
         LATERAL LLM_GENERATE($${e.report}
Question:{e.asked}
The analyst says:{e.answer}
The first critic says:{e.extracted}$$,
           system => p.calculation) AS g
)
SELECT   c.context, c.question, g.text AS revised
FROM     calculation AS c,
         LATERAL LLM_GENERATE($$One critic says:{c.extracted}
Another one says:{c.calculated}
Answer the question again.$$,
           history => c.messages) AS g
ORDER BY c.context, c.question;
