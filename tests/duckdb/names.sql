---- names that look like something else
CREATE TABLE models (model VARCHAR, prompt VARCHAR, system VARCHAR);

INSERT INTO models VALUES ('tiny', 'Hello {name}', 'none');

SELECT model, prompt, system FROM models;

SELECT m.model AS llm, length(prompt) AS max_tokens FROM models m;

SHOW TABLES;

DESCRIBE models;

CREATE TABLE cache (key VARCHAR, returns INTEGER, profile VARCHAR);

SELECT returns, profile FROM cache;

CREATE VIEW prompts AS SELECT prompt FROM models;

FROM prompts;

SELECT llm.prompt FROM models AS llm;

CREATE MACRO generate(prompt) AS 'generated: ' || prompt;

SELECT generate('x'), generate(prompt) FROM models;

DROP TABLE cache;

SELECT 'LLM_GENERATE(''x'')' AS text, "LLM_GENERATE" FROM (SELECT 1 AS "LLM_GENERATE");

SELECT llm_generate FROM (SELECT 1 AS llm_generate);

-- LLM_GENERATE('in a comment') is no call
SELECT 1 AS one;

---- odd spacing and comments
SELECT/**/1/**/AS/**/a;

   SELECT
	1
		AS a  ;

/* before */ SELECT 2 AS b /* after */ ;

SELECT 1 AS a, -- one
       2 AS b  -- two
;

sElEcT "SeLeCt" FrOm (select 3 as "SeLeCt");

SELECT 1 AS a;;

-- only a comment
SELECT '--', '/*', '*/', ';', '$$', '"';

SELECT "a;b", "c--d" FROM (SELECT 1 AS "a;b", 2 AS "c--d");

SELECT $$;$$ AS semicolon, $x$ $$ ; $x$ AS nested, 'a
b' AS two_lines;
