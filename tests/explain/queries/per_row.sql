SELECT r.id, g.text FROM reviews AS r, LATERAL LLM_GENERATE('Sum up: {r.body}') AS g WHERE r.stars > 3
