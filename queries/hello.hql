-- The smallest query: one call per row.
SELECT g.text
FROM   (VALUES ('Ada'), ('Grace')) AS people(name),
       LATERAL LLM_GENERATE('Say hello to {name}') AS g;
