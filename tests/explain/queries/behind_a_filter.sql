SELECT id, upper(g.text) AS loud
FROM reviews, LATERAL LLM_GENERATE('Sum up: {body}', max_tokens => 40) AS g
WHERE LLM_FILTER('Is it kind? {body}')
