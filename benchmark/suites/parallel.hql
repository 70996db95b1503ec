-- Parallel: seven experts take notes on every piece of an item's reviews, each sums up its notes on
-- the item, and a writer makes one text of it.
WITH notes AS (
  SELECT i.item, p.piece, e.expert, e.role, g.text AS note
  FROM   items AS i JOIN pieces AS p ON p.item = i.item CROSS JOIN experts AS e CROSS JOIN instructions AS n,
         LATERAL LLM_GENERATE('{n.extract}{i.description}{p.reviews}', system => e.role) AS g
), collected AS (
  SELECT   item, expert, any_value(role) AS role, string_agg(note, chr(10) ORDER BY piece) AS notes
  FROM     notes GROUP BY item, expert
), summaries AS (
  SELECT c.item, c.expert, g.text AS summary
  FROM   collected AS c,
         LATERAL LLM_GENERATE($$Sum up your notes:
{c.notes}$$,
           system => c.role) AS g
), merged AS (
  SELECT item, string_agg(summary, chr(10) ORDER BY expert) AS summaries FROM summaries GROUP BY item
)
SELECT   m.item, g.text AS report
FROM     merged AS m JOIN items AS i ON i.item = m.item,
         LATERAL LLM_GENERATE($${i.description}
Experts wrote on this product:
{m.summaries}
Write one report.$$,
           system => 'You are a writer who merges reports.') AS g
ORDER BY m.item;
