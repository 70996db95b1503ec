-- What the verbs say to a model. What stands in {..} is put in: constants and columns of a call.
-- What all calls of a query share comes first, so that it is computed once.

CREATE PROMPT "llm_filter"(question VARCHAR) RETURNS BOOLEAN WITH (version = 1) AS
$${question}
Answer true or false.$$;

CREATE PROMPT "llm_score"(question VARCHAR) RETURNS DOUBLE WITH (version = 1) AS
$${question}
Answer with a number.$$;

CREATE PROMPT "llm_classify"(instruction VARCHAR, labels VARCHAR, text VARCHAR) WITH (version = 1) AS
$$Choose the label that fits the text best. {instruction}
Labels: {labels}

Text: {text}$$;

CREATE PROMPT "llm_classify_multi"(instruction VARCHAR, labels VARCHAR, text VARCHAR) WITH (version = 1) AS
$$Choose all labels that fit the text. {instruction}
Labels: {labels}
Answer with a JSON array of labels.

Text: {text}$$;

CREATE PROMPT "llm_agg"(instruction VARCHAR, texts VARCHAR) WITH (version = 1) AS
$${instruction}
---
{texts}$$;

-- Where the texts of a group are too many for one call: their parts are answered first, then made one.
CREATE PROMPT "llm_agg_merge"(instruction VARCHAR, texts VARCHAR) WITH (version = 1) AS
$${instruction}
The texts are answers about parts of the whole; make one answer of them.
---
{texts}$$;

CREATE PROMPT "llm_extract"(questions VARCHAR, shape VARCHAR, text VARCHAR) WITH (version = 1) AS
$$Answer the questions from the text, with null where it does not say.
{questions}
Answer with a JSON object: {shape}.

Text: {text}$$;
