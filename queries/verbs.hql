-- The verbs of HeliumQL, each once, over the demonstration tables `products` and `reviews`.
CREATE TEMP VIEW reviews AS FROM 'catalog/data/reviews.csv';
CREATE TEMP VIEW products AS FROM 'catalog/data/products.csv';

-- 1. LLM_CLASSIFY chooses a label, which groups as any value does.
SELECT   sentiment, count(*) AS reviews, round(avg(stars), 1) AS stars
FROM     (SELECT stars, LLM_CLASSIFY(body, ['positive', 'negative', 'mixed'], 'What is the sentiment?') AS sentiment
          FROM reviews WHERE review_id <= 24)
GROUP BY sentiment
ORDER BY sentiment;

-- 2. With multi => true it gives all labels that fit, as a list. Labels may have descriptions.
SELECT   topic, count(*) AS mentions
FROM     (SELECT unnest(LLM_CLASSIFY(body, {'price': 'what it costs', 'delivery': 'shipping', 'support': 'help from the maker'},
                                     'Which topics does the review mention?', multi => true)) AS topic
          FROM reviews WHERE review_id <= 24)
GROUP BY topic
ORDER BY mentions DESC, topic;

-- 3. LLM_EXTRACT answers questions from a text. What it does not say is NULL; in FROM the fields are columns.
SELECT   r.review_id, e.liked, e.disliked, e.stars
FROM     reviews AS r,
         LATERAL LLM_EXTRACT(r.body,
           {'liked': 'What does the customer like?', 'disliked': 'What does the customer dislike?', 'stars': 'How many stars, 1 to 5?'},
           returns => 'STRUCT(liked VARCHAR, disliked VARCHAR, stars INTEGER)') AS e
WHERE    r.review_id <= 6
ORDER BY r.review_id;

-- 4. LLM_SCORE gives a number: the angriest of the reviews with one star.
SELECT   review_id, LLM_SCORE('How angry is the customer, 0 to 10? {body}') AS anger
FROM     reviews
WHERE    stars = 1 AND review_id <= 48
ORDER BY anger DESC NULLS LAST, review_id
LIMIT    3;

-- 5. LLM_AGG makes one answer of the texts of a group; LLM_FILTER says which of them count.
SELECT   p.category,
         LLM_AGG(r.body, 'What do customers complain about?' ORDER BY r.review_id)
           FILTER (WHERE LLM_FILTER('Is this review a complaint? {r.body}')) AS complaints
FROM     reviews AS r JOIN products AS p USING (product_id)
WHERE    r.review_id <= 24
GROUP BY p.category
ORDER BY p.category;

-- 6. LLM_GENERATE says anything else, here about what another verb found.
SELECT   review_id, label, LLM_GENERATE('Write a short {label} reply to this review. {body}') AS reply
FROM     (SELECT review_id, body, LLM_CLASSIFY(body, ['grateful', 'sorry']) AS label FROM reviews WHERE review_id <= 4)
ORDER BY review_id;
