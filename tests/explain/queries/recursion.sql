WITH RECURSIVE drafts(turn, draft) AS (
  SELECT 0, 'A start.'
  UNION ALL
  SELECT turn + 1, LLM_GENERATE('Improve: {draft}') FROM drafts
  WHERE turn < 5 AND draft NOT LIKE '%DONE%'
)
SELECT * FROM drafts
