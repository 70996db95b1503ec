-- What the verbs say to a model. What stands in {..} is put in: constants and columns of a call.
-- What all calls of a query share comes first, so that it is computed once.

CREATE PROMPT "llm_filter"(question VARCHAR) RETURNS BOOLEAN WITH (version = 1) AS
$${question}
Answer true or false.$$;

CREATE PROMPT "llm_score"(question VARCHAR) RETURNS DOUBLE WITH (version = 1) AS
$${question}
Answer with a number.$$;
