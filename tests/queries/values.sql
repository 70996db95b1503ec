---- a call for every row; none where a placeholder is NULL
SELECT id, LLM_GENERATE('x {body}') u FROM t

---- a prompt made by ||, and its answer in another ||
SELECT id, LLM_GENERATE('x '||body)||'!' u FROM t

---- FROM before SELECT
FROM t SELECT id, LLM_GENERATE('x {id}')

---- an alias used beside its definition
SELECT id, LLM_GENERATE('x {id}') AS u, u || '!' AS v FROM t

---- arithmetic on an INTEGER answer
SELECT id, LLM_GENERATE('n {id}', returns=>'INTEGER') + 1 m FROM t

---- TRY_CAST of an answer
SELECT id, TRY_CAST(LLM_GENERATE('n {id}') || '' AS INTEGER) m FROM t

---- length and upper of an answer
SELECT id, length(LLM_GENERATE('n {id}')) m, upper(LLM_GENERATE('n {id}')) FROM t

---- coalesce replaces what failed and what was never asked
SELECT id, coalesce(LLM_GENERATE('n {id}'), 'none') m FROM t

---- IS NULL is true for what failed and what was never asked
SELECT id, LLM_GENERATE('n {id}') IS NULL m FROM t

---- concat skips NULL, || does not
SELECT id, concat('a', LLM_GENERATE('n {id}'), 'b') m, 'a'||LLM_GENERATE('n {id}')||'b' FROM t

---- concat_ws skips NULL
SELECT id, concat_ws('-', LLM_GENERATE('n {id}'), body, LLM_GENERATE('m {id}')) m FROM t

---- nullif
SELECT id, nullif(LLM_GENERATE('x {id}'), '3') u FROM t

---- greatest and least
SELECT id, greatest(LLM_GENERATE('x {id}'), 'a') u, least(LLM_GENERATE('x {id}'),
  LLM_GENERATE('y {id}')) v FROM t

---- replace and format
SELECT id, replace(LLM_GENERATE('x {id}'), '3', 'x') d, format('{}-{}',
  LLM_GENERATE('x {id}'), id) FROM t

---- BETWEEN and IN
SELECT id, LLM_GENERATE('x {id}') BETWEEN '1' AND '4' d, LLM_GENERATE('x {id}') IN ('3',
  '12') e FROM t

---- a slice of an answer
SELECT id, LLM_GENERATE('first {id}')[1:2] d FROM t

---- a cast in a branch that no row takes
SELECT id, CAST(CASE WHEN id = 99 THEN LLM_GENERATE('x {id}') ELSE '5' END AS INTEGER) d FROM t

---- error() in a branch that no row takes
SELECT id, CASE WHEN LLM_GENERATE('x {id}') IN ('3','12','b1',' it''s "q" {a} %s ')
  OR LLM_GENERATE('x {id}') IS NULL THEN 'ok' ELSE error('bad') END d FROM t

---- CASE on an answer, with a call in a branch
SELECT id, CASE WHEN LLM_FILTER('a {id}') THEN LLM_GENERATE('yes {body}') ELSE 'no' END c FROM t

---- CASE with calls in conditions and branches
SELECT id, CASE WHEN id > 7 THEN LLM_GENERATE('yes {body}')
  WHEN LLM_FILTER('f {id}') THEN 'mid' ELSE LLM_GENERATE('no {id}') END c FROM t

---- AND and OR of calls as a value
SELECT id, LLM_FILTER('a {id}') OR LLM_FILTER('b {id}') AND LLM_FILTER('c {id}') z FROM t

---- a prompt chosen by a call
SELECT id, LLM_GENERATE(CASE WHEN LLM_FILTER('c {id}') THEN 'a {id}' ELSE 'b {id}' END) u FROM t

---- a system message made by a call
SELECT id, LLM_GENERATE('r {id}', system => LLM_GENERATE('sys {grp}')) u FROM t

---- the same call inside other calls
SELECT id, LLM_GENERATE('a {id}') a, LLM_GENERATE('b ' || LLM_GENERATE('a {id}')) b,
  LLM_GENERATE('c ' || LLM_GENERATE('b ' || LLM_GENERATE('a {id}'))) c FROM t

---- a call beside random()
SELECT id, LLM_GENERATE('x {id}') u, random() < 2 r FROM t

---- calls in VALUES
VALUES (LLM_GENERATE('v 1'), 1), (LLM_GENERATE('v 2'), 2)

---- calls in VALUES below a condition
SELECT * FROM (VALUES (LLM_GENERATE('v 1'), 1), ('3', 2)) v(a, b) WHERE a <> '3'

---- CASE on the value of an answer
SELECT id, CASE LLM_GENERATE('x {id}') WHEN '3' THEN 'three'
  WHEN '12' THEN LLM_GENERATE('twelve {id}') ELSE 'x' END FROM t

---- if() with calls everywhere
SELECT id, if(LLM_FILTER('x {id}'), LLM_GENERATE('a {id}'), LLM_GENERATE('b {id}')) FROM t

---- TRY
SELECT id, TRY(CAST(LLM_GENERATE('x {id}') || '' AS INTEGER)) FROM t

---- COLLATE in a comparison
SELECT id, LLM_GENERATE('x {id}') COLLATE NOCASE = 'B1' FROM t

---- SIMILAR TO and regexp_replace
SELECT id, LLM_GENERATE('x {id}') SIMILAR TO '[0-9]+', regexp_replace(LLM_GENERATE('x {id}'),
  '[0-9]', 'N') FROM t

---- strlen, hash and md5
SELECT id, strlen(LLM_GENERATE('x {id}')), hash(LLM_GENERATE('x {id}')) = hash('3'),
  md5(LLM_GENERATE('x {id}')) FROM t

---- printf and lpad
SELECT id, printf('%s %d', LLM_GENERATE('x {id}'), id), lpad(LLM_GENERATE('x {id}'), 5, '*')
  FROM t

---- calls without a table
SELECT LLM_GENERATE('const') a, LLM_GENERATE('const') || '!' b WHERE LLM_FILTER('const?')

---- values in a template by number
SELECT id, LLM_GENERATE('a {0} {1}', id + 1, upper(body)) FROM t
