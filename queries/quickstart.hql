-- A first look at HeliumQL over the demonstration tables `products` and `reviews`.
CREATE TEMP VIEW reviews AS FROM 'catalog/data/reviews.csv';
CREATE TEMP VIEW products AS FROM 'catalog/data/products.csv';

-- 1. Typed answers are columns: what do the 24 latest reviews say? The system message, which all calls share,
--    is computed once; equal calls run once.
CREATE TEMP TABLE opinions AS
SELECT r.review_id, r.product_id, r.stars, r.body, g.sentiment, g.score, g.topics
FROM   (SELECT * FROM reviews ORDER BY posted DESC, review_id LIMIT 24) AS r,
       LATERAL LLM_GENERATE('Analyze this review. {r.body}',
         system  => 'You read product reviews for an online shop. A review is mixed where it names both good and bad points. Answer only with what is asked for.',
         returns => 'STRUCT(sentiment ENUM(''positive'', ''negative'', ''mixed''), score INTEGER, topics VARCHAR[])') AS g;

-- 2. The rest is SQL: join, group, order. `score` is read from the text; `stars` is what the customer gave.
SELECT   p.category,
         count(*)                                          AS reviews,
         count(*) FILTER (WHERE o.sentiment = 'positive')  AS positive,
         count(*) FILTER (WHERE o.sentiment = 'negative')  AS negative,
         round(avg(o.score), 1)                            AS score,
         round(avg(o.stars), 1)                            AS stars
FROM     opinions AS o JOIN products AS p USING (product_id)
GROUP BY p.category
ORDER BY p.category;

SELECT   topic, count(*) AS mentions
FROM     (SELECT unnest(topics) AS topic FROM opinions)
GROUP BY topic
ORDER BY mentions DESC, topic
LIMIT    5;

-- 3. A question as a predicate, and a line about what passes it. Plain predicates go first, so
--    only reviews with few stars are asked about.
SELECT   o.review_id, p.name, g.text AS summary
FROM     opinions AS o JOIN products AS p USING (product_id),
         LATERAL LLM_GENERATE('Summarize this review in one line. {o.body}') AS g
WHERE    o.stars <= 2
AND      LLM_FILTER('Is this review a complaint? {o.body}')
ORDER BY o.review_id;
