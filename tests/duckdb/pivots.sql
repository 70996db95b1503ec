---- pivot and unpivot
CREATE TABLE cities (country VARCHAR, city VARCHAR, year INTEGER, population INTEGER);

INSERT INTO cities VALUES ('NL', 'Amsterdam', 2000, 1005), ('NL', 'Amsterdam', 2010, 1065), ('US', 'Seattle', 2000, 564), ('US', 'Seattle', 2010, 608), ('US', 'New York', 2000, 8015), ('US', 'New York', 2010, 8175);

PIVOT cities ON year USING sum(population) ORDER BY ALL;

PIVOT cities ON year USING sum(population) GROUP BY country ORDER BY country;

PIVOT cities ON country, year USING sum(population) AS total GROUP BY city ORDER BY city;

PIVOT cities ON year IN (2000, 2010) USING sum(population), max(population) AS top GROUP BY country ORDER BY country;

FROM cities PIVOT (sum(population) FOR year IN (2000, 2010) GROUP BY country) ORDER BY country;

SELECT * FROM (PIVOT cities ON year USING first(population) GROUP BY city) WHERE "2010" > 1000 ORDER BY city;

CREATE TABLE wide AS SELECT 'a' AS name, 1 AS jan, 2 AS feb, NULL::INTEGER AS mar;

UNPIVOT wide ON jan, feb, mar INTO NAME month VALUE amount;

UNPIVOT wide ON COLUMNS(* EXCLUDE name) INTO NAME month VALUE amount ORDER BY month;

FROM wide UNPIVOT INCLUDE NULLS (amount FOR month IN (jan, feb, mar)) ORDER BY month;

WITH p AS (PIVOT cities ON year USING sum(population) GROUP BY country) SELECT country, "2010" - "2000" AS growth FROM p ORDER BY country;

-- fails
PIVOT cities ON nothing USING sum(population);

-- fails
CREATE VIEW dynamic AS PIVOT cities ON year USING sum(population);
