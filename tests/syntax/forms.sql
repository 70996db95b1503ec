-- The forms in which calls stand in SQL; every one binds.

SELECT LLM_GENERATE('Translate: {body}') FROM reviews;

SELECT id, g.text FROM reviews AS r, LATERAL LLM_GENERATE('On {r.body}') AS g;

SELECT id, g.text FROM reviews AS r, LLM_GENERATE('On {r.body}') g WHERE id > 1;

SELECT id, g.answer FROM reviews r JOIN LATERAL LLM_GENERATE('{r.body}') AS g(answer) ON TRUE;

SELECT * FROM reviews r LEFT JOIN LLM_GENERATE('{r.body}') ON id = 1;

SELECT * FROM reviews r CROSS JOIN LLM_GENERATE('{r.body}');

SELECT * FROM LLM_GENERATE('hello');

SELECT * FROM LATERAL LLM_GENERATE('hello') AS g;

FROM LLM_GENERATE('hello');

FROM reviews r, LLM_GENERATE('{r.body}') g SELECT g.text, LLM_GENERATE('{g.text}');

SELECT * FROM (reviews r CROSS JOIN LLM_GENERATE('{r.body}') g) JOIN agents a ON a.agent <> g.text;

SELECT * FROM ((reviews r CROSS JOIN LLM_GENERATE('{r.body}') g) CROSS JOIN agents);

SELECT * FROM ((SELECT 1 AS x) a CROSS JOIN LLM_GENERATE('{a.x}') g);

SELECT * FROM ((SELECT LLM_GENERATE('a') AS x) UNION ALL (SELECT text FROM LLM_GENERATE('b')));

SELECT (SELECT text FROM LLM_GENERATE('On {r.body}')) FROM reviews r;

SELECT * FROM reviews r WHERE EXISTS (SELECT 1 FROM LLM_GENERATE('{r.body}') g WHERE text = 'x');

SELECT * FROM reviews r JOIN agents a ON LLM_FILTER('{a.role} about {r.body}'), LLM_GENERATE('{id}') g;

SELECT * FROM LLM_GENERATE((SELECT id, body FROM reviews), prompt => 'Gist of {body}');

SELECT x.text FROM LLM_GENERATE(TABLE reviews, 'Gist of {body}', max_tokens := 40) AS x;

SELECT * FROM LLM_GENERATE((SELECT LLM_GENERATE('{body}') AS b FROM reviews), prompt => '{b}');

SELECT * FROM agents, LLM_GENERATE((FROM reviews), prompt => '{body}') AS g;

SELECT LLM_GENERATE((SELECT max(body) FROM reviews));

SELECT LLM_GENERATE(LLM_GENERATE('a {title}') || upper(body)) FROM reviews;

SELECT DISTINCT ON (id) id, LLM_GENERATE('{body}'), LLM_GENERATE('{title}') FROM reviews;

SELECT extract(year FROM DATE '2020-01-01'), id IS DISTINCT FROM 1, LLM_GENERATE('x') FROM reviews;

SELECT * FROM VALUES (1), (2) AS t(a), LATERAL LLM_GENERATE('{a}') g;

SELECT * FROM range(3) r(i), LLM_GENERATE('{i}') g GROUP BY ALL HAVING count(*) > 0;

SELECT CASE WHEN LLM_FILTER('{title}') THEN LLM_GENERATE('{body}') END FROM reviews;

SELECT count(*) FILTER (WHERE LLM_FILTER('{title}')) FROM reviews;

SELECT title FROM reviews GROUP BY title HAVING LLM_FILTER('{title}');

SELECT list_transform(['a'], lambda x: LLM_GENERATE('{x}'));

SELECT title FROM reviews ORDER BY LLM_GENERATE('{body}', returns => 'DOUBLE') DESC LIMIT 1;

WITH a AS (SELECT * FROM reviews, LLM_GENERATE('{body}') AS g), b AS (FROM a) SELECT * FROM b;

WITH RECURSIVE r AS (SELECT 1 AS i, LLM_GENERATE('start') AS draft UNION ALL SELECT i + 1, g.text FROM r, LLM_GENERATE('Better: {draft}') g WHERE i < 3 AND NOT LLM_FILTER('Good? {draft}')) SELECT * FROM r;

UPDATE reviews SET title = LLM_GENERATE('{body}'), body = LLM_GENERATE('{title}') WHERE id = 1;

UPDATE agents SET role = g.text FROM reviews r, LLM_GENERATE('{r.body}') AS g WHERE r.title = agent;

DELETE FROM reviews WHERE LLM_FILTER('{body}');

INSERT INTO agents SELECT title, g.text FROM reviews, LLM_GENERATE('{body}') g;

INSERT INTO agents VALUES ('c', LLM_GENERATE('x'));

MERGE INTO agents USING reviews r ON agent = r.title WHEN MATCHED THEN UPDATE SET agent = LLM_GENERATE('{r.body}'), role = LLM_GENERATE('{r.title}');

VALUES (LLM_GENERATE('a')), (LLM_GENERATE('b'));

SELECT title, LLM_AGG(body, 'Sum up {title}' ORDER BY id DESC NULLS LAST, body) FILTER (WHERE id > 0) AS a FROM reviews GROUP BY title;

SELECT LLM_AGG(DISTINCT body, 'Sum up'), count(*) FILTER (id > 1) FROM reviews HAVING LLM_AGG(body, 'Odd?' RETURNS BOOLEAN);

SELECT LLM_AGG(body, 'Sum up') AS filter FROM reviews;

SELECT LLM_AGG(LLM_GENERATE('{body}'), 'Sum up' ORDER BY LLM_SCORE('{body}')) FILTER (WHERE LLM_FILTER('{body}')) FROM reviews;

SELECT id, LLM_CLASSIFY(body, ['a', 'b']), LLM_CLASSIFY(body, {'a': 'x', 'b': 'y'}, multi => true) FROM reviews ORDER BY LLM_SCORE('{body}');

SELECT r.id, g.director, g.year, g.messages, g.llm.source FROM reviews AS r, LATERAL LLM_EXTRACT(r.body, {'director': 'Who?', 'year': 'When?'}, returns => 'STRUCT(director VARCHAR, year INTEGER)') AS g;

SELECT id, g.* FROM reviews LEFT JOIN LLM_EXTRACT('{title}: {body}', ['a', 'b c']) AS g ON TRUE;

SELECT LLM_EXTRACT(body, ['a']).a, struct_extract(LLM_EXTRACT(body, ['b']), 'b') FROM reviews;

FROM LLM_EXTRACT('On Ann.', ['name']) SELECT upper(name);
