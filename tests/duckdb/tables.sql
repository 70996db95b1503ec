-- Statements between two headings (----) share a connection; a blank line ends a statement.
-- A statement that must fail begins with the comment "fails".

---- create, insert, select, drop
CREATE TABLE planets (name VARCHAR PRIMARY KEY, moons INTEGER, radius_km DOUBLE, ringed BOOLEAN DEFAULT false);

INSERT INTO planets VALUES ('Mercury', 0, 2439.7, false), ('Earth', 1, 6371.0, false), ('Saturn', 146, 58232.0, true);

INSERT INTO planets (name, moons) VALUES ('Mars', 2);

INSERT INTO planets BY NAME SELECT 'Venus' AS name, 6051.8 AS radius_km, 0 AS moons;

SELECT * FROM planets ORDER BY name;

SELECT count(*), sum(moons), avg(radius_km), bool_or(ringed) FROM planets;

-- fails
INSERT INTO planets (name) VALUES ('Earth');

DROP TABLE planets;

-- fails
SELECT * FROM planets;

DROP TABLE IF EXISTS planets;

---- create table as
CREATE TABLE squares AS SELECT i, i * i AS square FROM range(5) t(i);

CREATE OR REPLACE TABLE squares AS FROM range(3) t(i) SELECT i, i ** 2 AS square;

FROM squares;

CREATE TABLE IF NOT EXISTS squares (other INTEGER);

DESCRIBE squares;

CREATE TEMP TABLE scratch AS SELECT 1 AS one WITH NO DATA;

SELECT count(*) FROM scratch;

CREATE TABLE copy_of AS TABLE squares;

SELECT * FROM copy_of ORDER BY ALL DESC;

-- fails
CREATE TABLE squares (i INTEGER);

---- constraints
CREATE TABLE accounts (id INTEGER PRIMARY KEY, owner VARCHAR NOT NULL, balance DECIMAL(12, 2) CHECK (balance >= 0), email VARCHAR UNIQUE);

INSERT INTO accounts VALUES (1, 'Ada', 10.50, 'ada@example.org');

-- fails
INSERT INTO accounts VALUES (2, NULL, 1, 'x@example.org');

-- fails
INSERT INTO accounts VALUES (2, 'Bob', -1, 'b@example.org');

-- fails
INSERT INTO accounts VALUES (2, 'Bob', 1, 'ada@example.org');

CREATE TABLE transfers (account INTEGER REFERENCES accounts (id), amount DECIMAL(12, 2));

INSERT INTO transfers VALUES (1, 2.25);

-- fails
INSERT INTO transfers VALUES (99, 1);

-- fails
DELETE FROM accounts WHERE id = 1;

SELECT owner, balance + amount AS after FROM accounts JOIN transfers ON id = account;

---- generated columns
CREATE TABLE boxes (width DOUBLE, height DOUBLE, area DOUBLE GENERATED ALWAYS AS (width * height) VIRTUAL);

INSERT INTO boxes VALUES (2, 3), (4, 5);

SELECT * FROM boxes;

-- fails
INSERT INTO boxes (area) VALUES (1);

UPDATE boxes SET width = 10 WHERE height = 3;

SELECT area FROM boxes ORDER BY area;

---- alter
CREATE TABLE people (id INTEGER, name VARCHAR);

INSERT INTO people VALUES (1, 'Grace'), (2, 'Edsger');

ALTER TABLE people ADD COLUMN born INTEGER DEFAULT 1900;

ALTER TABLE people RENAME COLUMN name TO full_name;

ALTER TABLE people ALTER born TYPE VARCHAR;

FROM people ORDER BY id;

ALTER TABLE people DROP COLUMN born;

ALTER TABLE people RENAME TO persons;

COMMENT ON TABLE persons IS 'people; once';

SELECT table_name, comment FROM duckdb_tables() WHERE table_name = 'persons';

ALTER TABLE persons ALTER COLUMN full_name SET NOT NULL;

-- fails
INSERT INTO persons VALUES (3, NULL);

-- fails
ALTER TABLE persons DROP COLUMN nothing;

---- sequences
CREATE SEQUENCE tickets START 100 INCREMENT 5;

SELECT nextval('tickets') AS first, nextval('tickets') AS second;

CREATE TABLE queue (number BIGINT DEFAULT nextval('tickets'), who VARCHAR);

INSERT INTO queue (who) VALUES ('a'), ('b') RETURNING number, who;

SELECT currval('tickets');

-- fails
DROP SEQUENCE tickets;

DROP TABLE queue;

DROP SEQUENCE tickets;

---- enumerated and other types
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');

SELECT 'ok'::mood < 'happy'::mood AS ordered, enum_range(NULL::mood) AS moods;

CREATE TABLE diary (day DATE, feeling mood);

INSERT INTO diary VALUES ('2024-02-29', 'happy'), ('2024-03-01', 'sad');

SELECT feeling, count(*) FROM diary GROUP BY feeling ORDER BY feeling;

-- fails
INSERT INTO diary VALUES ('2024-03-02', 'furious');

CREATE TYPE point AS STRUCT(x DOUBLE, y DOUBLE);

SELECT {'x': 1, 'y': 2}::point AS p;

CREATE TYPE number_or_text AS UNION(num INTEGER, str VARCHAR);

SELECT 5::number_or_text AS a, 'five'::number_or_text AS b, union_tag('x'::number_or_text) AS tag;

DROP TYPE number_or_text;

---- schemas and views
CREATE SCHEMA library;

CREATE TABLE library.books (title VARCHAR, year INTEGER);

INSERT INTO library.books VALUES ('Emma', 1815), ('Dracula', 1897), ('Ulysses', 1922);

CREATE VIEW library.old AS SELECT title FROM library.books WHERE year < 1900;

SELECT * FROM library.old ORDER BY title;

CREATE OR REPLACE VIEW library.old (book, age) AS SELECT title, 2000 - year FROM library.books;

SELECT * FROM library.old ORDER BY age DESC;

SHOW TABLES FROM library;

USE library;

SELECT count(*) FROM books;

SHOW TABLES;

DROP VIEW old;

-- fails
DROP SCHEMA memory.library;

USE memory.main;

DROP SCHEMA library CASCADE;

---- indexes
CREATE TABLE words (word VARCHAR, length INTEGER);

INSERT INTO words SELECT repeat('a', i::INTEGER), i FROM range(1, 50) t(i);

CREATE UNIQUE INDEX by_length ON words (length);

SELECT word FROM words WHERE length = 7;

-- fails
INSERT INTO words VALUES ('x', 7);

DROP INDEX by_length;

INSERT INTO words VALUES ('x', 7);
