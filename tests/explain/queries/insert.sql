INSERT INTO agents SELECT 3, LLM_GENERATE('A role for a reader of: {body}') FROM reviews WHERE id = 1
