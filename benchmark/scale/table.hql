-- One operator over a table whose rows come in no useful order; sixteen of them share a report.
SELECT q.question, LLM_GENERATE('{r.body} Question: {q.body}') AS answer
FROM   questions AS q JOIN reports AS r USING (report);
