SELECT id, LLM_SIMILARITY(body, 'a late delivery') AS alike FROM reviews
WHERE stars < 4 AND LLM_SIMILARITY(body, 'a broken box') > 0.2 ORDER BY alike DESC
