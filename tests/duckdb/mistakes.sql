---- syntax (without semicolons, or DuckDB's message would be about those)
-- fails
SELEC 1

-- fails
SELECT 1 FROM

-- fails
SELECT 1)

-- fails
CREATE TABLE (i INTEGER)

-- fails
SELECT * FROM range(3) WHERE

-- fails
SELECT 1 AS

-- fails
INSERT INTO VALUES (1)

---- names
CREATE TABLE books (title VARCHAR, published INTEGER);

-- fails
SELECT titel FROM books;

-- fails
SELECT * FROM boks;

-- fails
SELECT no_such_function(title) FROM books;

-- fails
SELECT upper(title, 1) FROM books;

-- fails
SELECT title FROM books ORDER BY published + unknown;

-- fails
SELECT b.title FROM books AS c;

-- fails
SELECT published FROM books a, books b;

-- fails
INSERT INTO books VALUES (1);

-- fails
INSERT INTO books (title, author) VALUES ('a', 'b');

-- fails
DROP VIEW books;

-- fails
SELECT * FROM no_such_schema.books;

-- fails
SELECT title::no_such_type FROM books;

---- values at run time
CREATE TABLE texts (t VARCHAR);

INSERT INTO texts VALUES ('1'), ('two'), ('3');

-- fails
SELECT t::INTEGER FROM texts;

-- fails
SELECT CAST(t AS DATE) FROM texts WHERE t = 'two';

SELECT try_cast(t AS INTEGER) FROM texts;

-- fails
SELECT sum(t) FROM texts;

-- fails
SELECT strptime('2024', '%d/%m');

-- fails
SELECT 10::DECIMAL(3, 2);

-- fails
SELECT list_extract([1], 'x');

-- fails
SELECT regexp_matches('a', '(');

-- fails
SELECT $1 + 1;

-- fails
SELECT * FROM read_csv('nowhere/*.csv');
