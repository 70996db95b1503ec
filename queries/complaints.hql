-- Two complaints about audio products, in a line each. docs/life_of_a_query.md follows it on its way.
SELECT p.name, LLM_GENERATE('Summarize this review in one line. {r.body}') AS summary
FROM   'catalog/data/reviews.csv' AS r
JOIN   'catalog/data/products.csv' AS p USING (product_id)
WHERE  p.category = 'audio'
AND    LLM_FILTER('Is this review a complaint? {r.body}')
LIMIT  2;
