-- Tables: one operator over a shuffled table whose prompts begin with one of a few long texts. A row
-- without a request is not asked about, and its answer is NULL.
SELECT   r.number, LLM_GENERATE('{r.subject}{r.request}') AS answer
FROM     requests AS r
ORDER BY r.number;
