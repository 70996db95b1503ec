-- Recursion, conversations and rounds.
CREATE TABLE notes AS FROM (VALUES (1, 'apple pie'), (2, 'pear'), (3, 'plum')) AS notes(id, body);
CREATE TABLE agents AS FROM (VALUES (1, 'You are a baker.'), (2, 'You are a farmer.')) AS agents(agent, role);

-- A conversation goes on: messages are carried as history.
WITH first AS (SELECT id, g.text, g.messages
               FROM notes, LATERAL LLM_GENERATE('Sum up {body}', system => 'You are a writer.') AS g)
SELECT f.id, g.text AS a FROM first AS f, LATERAL LLM_GENERATE('Shorter.', history => f.messages) AS g;
--> call g, model m: VARCHAR
--> call g, model m: VARCHAR
--> column id: clean
--> column a: an answer of type VARCHAR
--> 1 pass: 6 asked, 6 run

-- A debate: every agent answers, reads the other, and answers again; a judge concludes.
WITH round1 AS (
  SELECT n.id, a.agent, g.text, g.messages
  FROM notes AS n CROSS JOIN agents AS a, LATERAL LLM_GENERATE('What of {n.body}?', system => a.role) AS g
), round2 AS (
  SELECT me.id, me.agent, g.text
  FROM round1 AS me,
       LATERAL (SELECT string_agg(o.text, ' ' ORDER BY o.agent) AS others
                FROM round1 AS o WHERE o.id = me.id AND o.agent <> me.agent) AS said,
       LATERAL LLM_GENERATE('The others said: {others}', history => me.messages) AS g
)
SELECT id, LLM_GENERATE('Conclude: {said}') AS verdict
FROM (SELECT id, string_agg(text, ' ' ORDER BY agent) AS said FROM round2 GROUP BY id);
--> call g, model m: VARCHAR
--> call g, model m: VARCHAR
--> call LLM_GENERATE#3, model m: VARCHAR
--> rule hoist_ctes: what DuckDB found twice can be read by the whole query
--> column id: clean
--> column verdict: an answer of type VARCHAR
--> 1 pass: 21 asked, 6 shared, 15 run

-- A recursion of a fixed depth is one pass.
WITH RECURSIVE drafts(n, draft) AS (
  SELECT 1, LLM_GENERATE('Write about {body}') FROM notes
  UNION ALL SELECT n + 1, LLM_GENERATE('Improve {draft}') FROM drafts WHERE n < 3
)
SELECT draft FROM drafts WHERE n = 3;
--> call LLM_GENERATE#1, model m: VARCHAR
--> call LLM_GENERATE#2, model m: VARCHAR
--> rule hoist_ctes: drafts can be read by the whole query
--> column draft: an answer of type VARCHAR
--> 1 pass: 9 asked, 9 run

-- A recursion that stops on what is said goes a level further with each pass.
WITH RECURSIVE drafts(n, draft) AS (
  SELECT 1, LLM_GENERATE('Write about {body}') FROM notes WHERE id < 3
  UNION ALL SELECT n + 1, LLM_GENERATE('Improve {draft}') FROM drafts WHERE draft NOT LIKE '%DONE%'
)
SELECT n, draft FROM drafts;
--> call LLM_GENERATE#1, model m: VARCHAR
--> call LLM_GENERATE#2, model m: VARCHAR
--> rule keep_above: DuckDB does not move a predicate down again
--> cut in WHERE, level 1
--> column n: clean
--> column draft: an answer of type VARCHAR
--> 4 passes: 6 asked, 6 run

-- A left join lateral keeps rows without an answer.
SELECT n.id, g.q
FROM notes AS n LEFT JOIN LATERAL LLM_GENERATE('Ask about {n.body}', returns => 'STRUCT(q VARCHAR)[]') AS g ON TRUE;
--> call g, model m: STRUCT("q" VARCHAR)[]
--> cut in WHERE, level 1
--> column id: clean
--> column q: clean
--> 2 passes: 3 asked, 3 run
