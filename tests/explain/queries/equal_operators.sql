SELECT id, LLM_GENERATE('Sum up: {body}') AS a FROM reviews WHERE stars < 2
UNION ALL
SELECT id, LLM_GENERATE('Sum up: {body}') AS a FROM reviews WHERE id < 3
