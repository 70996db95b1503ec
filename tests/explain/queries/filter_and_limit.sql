SELECT id FROM reviews WHERE LLM_FILTER('Is it kind? {body}') AND stars > 2 ORDER BY id LIMIT 3
