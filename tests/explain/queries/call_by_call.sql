SELECT random() AS luck, LLM_GENERATE('Sum up: {body}') AS a FROM reviews
