-- Mixed: sixteen operators over each document. Eight begin with the document, so the calls of a row
-- share it; eight begin with a long instruction, so the calls of an operator share that.
SELECT d.document,
       LLM_GENERATE('{d.body}{d.question_1}') AS answer_1, LLM_GENERATE('{d.body}{d.question_2}') AS answer_2,
       LLM_GENERATE('{d.body}{d.question_3}') AS answer_3, LLM_GENERATE('{d.body}{d.question_4}') AS answer_4,
       LLM_GENERATE('{d.body}{d.question_5}') AS answer_5, LLM_GENERATE('{d.body}{d.question_6}') AS answer_6,
       LLM_GENERATE('{d.body}{d.question_7}') AS answer_7, LLM_GENERATE('{d.body}{d.question_8}') AS answer_8,
       LLM_GENERATE('{i.rules_1}{d.note}') AS label_1, LLM_GENERATE('{i.rules_2}{d.note}') AS label_2,
       LLM_GENERATE('{i.rules_3}{d.note}') AS label_3, LLM_GENERATE('{i.rules_4}{d.note}') AS label_4,
       LLM_GENERATE('{i.rules_5}{d.note}') AS label_5, LLM_GENERATE('{i.rules_6}{d.note}') AS label_6,
       LLM_GENERATE('{i.rules_7}{d.note}') AS label_7, LLM_GENERATE('{i.rules_8}{d.note}') AS label_8
FROM   documents AS d CROSS JOIN instructions AS i
ORDER BY d.document;
