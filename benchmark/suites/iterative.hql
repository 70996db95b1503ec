-- Iterative: a summary of an item's reviews is refined piece by piece, six calls in a chain.
WITH summary_1 AS (
  SELECT i.item, g.text AS summary
  FROM   items AS i JOIN pieces AS p ON p.item = i.item AND p.piece = 1 CROSS JOIN instructions AS n,
         LATERAL LLM_GENERATE('{n.summarize}{p.reviews}') AS g
), summary_2 AS (
  SELECT s.item, g.text AS summary
  FROM   summary_1 AS s JOIN pieces AS p ON p.item = s.item AND p.piece = 2 CROSS JOIN instructions AS n,
         LATERAL LLM_GENERATE('{n.refine}{s.summary}{p.reviews}') AS g
), summary_3 AS (
  SELECT s.item, g.text AS summary
  FROM   summary_2 AS s JOIN pieces AS p ON p.item = s.item AND p.piece = 3 CROSS JOIN instructions AS n,
         LATERAL LLM_GENERATE('{n.refine}{s.summary}{p.reviews}') AS g
), summary_4 AS (
  SELECT s.item, g.text AS summary
  FROM   summary_3 AS s JOIN pieces AS p ON p.item = s.item AND p.piece = 4 CROSS JOIN instructions AS n,
         LATERAL LLM_GENERATE('{n.refine}{s.summary}{p.reviews}') AS g
), summary_5 AS (
  SELECT s.item, g.text AS summary
  FROM   summary_4 AS s JOIN pieces AS p ON p.item = s.item AND p.piece = 5 CROSS JOIN instructions AS n,
         LATERAL LLM_GENERATE('{n.refine}{s.summary}{p.reviews}') AS g
)
SELECT   s.item, g.text AS summary
FROM     summary_5 AS s JOIN pieces AS p ON p.item = s.item AND p.piece = 6 CROSS JOIN instructions AS n,
         LATERAL LLM_GENERATE('{n.refine}{s.summary}{p.reviews}') AS g
ORDER BY s.item;
