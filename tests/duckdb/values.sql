---- numbers
SELECT 1, -1, 1.5, 1e3, 0x1F, 0b101, 1_000_000, .5, 170141183460469231731687303715884105727;

SELECT 7 / 2, 7 // 2, 7 % 2, -7 // 2, 2 ** 10, 2 ^ 3, 5!, @(-3), 6 & 3, 6 | 3, xor(6, 3), ~5, 1 << 4, 16 >> 2;

SELECT 1::TINYINT, 2::SMALLINT, 3::BIGINT, 4::HUGEINT, 5::UTINYINT, 6::UBIGINT, 7::FLOAT, 8::DOUBLE, 9::DECIMAL(10, 3);

SELECT round(2.5), round(-1.255, 2), trunc(2.9), ceil(1.1), floor(-1.1), sign(-4), greatest(1, 3, 2), least(1, NULL, 2);

SELECT 'inf'::DOUBLE, '-inf'::DOUBLE, isnan('nan'::DOUBLE), 1 / 0, 0.1 + 0.2, 0.1::DOUBLE + 0.2::DOUBLE;

SELECT 1 = 1.0, '1' = 1, NULL = NULL, NULL IS NULL, 1 IS DISTINCT FROM NULL, 5 BETWEEN 1 AND 9, true AND NULL, false AND NULL;

SELECT bin(10), hex(255), format('{:,}', 1234567), printf('%05.2f', 3.14159), 12345.678::DECIMAL(8, 2)::VARCHAR;

SELECT typeof(1), typeof(1.5), typeof('a'), typeof([1]), typeof({'a': 1}), typeof(NULL), typeof(DATE '2020-01-01');

-- fails
SELECT 300::TINYINT;

-- fails
SELECT 'abc'::INTEGER;

SELECT TRY_CAST('abc' AS INTEGER) AS nothing, TRY(ln(-1)) AS also_nothing;

-- fails
SELECT 9223372036854775807 + 1::BIGINT;

-- fails
SELECT 1 + [1];

---- texts
SELECT 'it''s', E'a\tb\n', $$dollar 'quoted' text$$, $tag$with $$ inside$tag$, 'a' || 'b' || 1;

SELECT 'naïve café', '日本語', '🦆🦆', length('🦆'), strlen('🦆'), upper('straße'), reverse('añb'), 'é' = 'é';

SELECT "weird "" name", "mixed Case" FROM (SELECT 1 AS "weird "" name", 2 AS "mixed Case");

SELECT größe + 1 AS "Größe" FROM (SELECT 41 AS größe);

SELECT lower('ABC'), trim('  x '), lpad('7', 3, '0'), replace('aXbX', 'X', '-'), substring('hello', 2, 3), 'hello'[2:4], 'hello'[-1], left('hello', 2), right('hello', 2);

SELECT 'abc' LIKE 'a%', 'abc' ILIKE 'A_C', 'a%c' LIKE 'a\%c' ESCAPE '\', 'abc' NOT LIKE '%z', 'abc' GLOB 'a*', 'abc' SIMILAR TO 'a.c', 'abc' ~ 'b', regexp_matches('abc', 'b');

SELECT regexp_extract('2024-05-17', '(\d+)-(\d+)', 2), regexp_replace('aaa', 'a', 'b', 'g'), regexp_extract_all('a1b22', '\d+'), regexp_split_to_array('a, b', ', ');

SELECT string_split('a,b,c', ','), split_part('a/b/c', '/', 2), concat('a', NULL, 1), concat_ws('-', 'a', NULL, 'b'), starts_with('duck', 'du'), contains('duck', 'uc'), position('c' IN 'duck');

SELECT md5('x'), sha256('x'), base64('duck'::BLOB), from_base64('ZHVjaw=='), '\xAA\x01'::BLOB, encode('ü'), hash('x') IS NOT NULL;

SELECT ascii('a'), chr(128512), unicode('ü'), levenshtein('kitten', 'sitting'), jaccard('duck', 'dunk'), ord('z'), strip_accents('mühleisen');

SELECT 'looks like {a} placeholder', '{{braces}}', 'LLM is only a word here', '-- not a comment', '/* nor this */';

SELECT 1 /* a comment /* within */ and more */ -- and a line
, 2; -- the end

-- fails
SELECT 'unterminated;

-- fails
SELECT "no such column";

---- dates and times
SELECT DATE '2024-02-29', TIME '12:34:56.789', TIMESTAMP '2024-01-01 01:02:03.456', INTERVAL 1 YEAR, INTERVAL '3 days 4 hours', TIMESTAMP_S '2024-01-01 00:00:00', TIMESTAMP_NS '2024-01-01 00:00:00.123456789';

SELECT DATE '2024-01-31' + INTERVAL 1 MONTH, DATE '2024-03-01' - DATE '2024-02-01', TIMESTAMP '2024-01-02' - TIMESTAMP '2024-01-01 12:00', date_trunc('month', DATE '2024-05-17'), date_part('dow', DATE '2024-05-17');

SELECT year(DATE '2024-05-17'), month(DATE '2024-05-17'), extract(epoch FROM TIMESTAMP '1970-01-02'), strftime(DATE '2024-05-17', '%d.%m.%Y'), strptime('17/05/2024', '%d/%m/%Y'), last_day(DATE '2024-02-01'), age(DATE '2024-05-17', DATE '2000-01-01');

SELECT * FROM generate_series(DATE '2024-01-30', DATE '2024-02-02', INTERVAL 1 DAY) t(day);

SET TimeZone = 'Europe/Berlin';

SELECT TIMESTAMPTZ '2024-07-01 12:00:00+00'::VARCHAR AS summer, (TIMESTAMP '2024-01-01 12:00' AT TIME ZONE 'UTC')::VARCHAR AS winter, timezone('Asia/Tokyo', TIMESTAMPTZ '2024-01-01 00:00:00+00') AS tokyo;

SELECT epoch_ms(0), make_date(2024, 2, 29), make_timestamp(2024, 1, 2, 3, 4, 5.5), dayname(DATE '2024-05-17'), monthname(DATE '2024-05-17'), datediff('day', DATE '2024-01-01', DATE '2024-12-31');

-- fails
SELECT DATE '2023-02-29';

---- lists
SELECT [1, 2, 3], [], [[1], [2, 3]], [1, NULL], list_value('a', 'b'), [1, 2, 3][1], [1, 2, 3][-1], [1, 2, 3, 4][2:3], [1, 2, 3, 4][1:4:2], [1, 2, 3, 4][2:], len([1, 2]);

SELECT [x * 2 for x in [1, 2, 3] if x > 1] AS comprehension, list_transform([1, 2], lambda x: x + 1), list_filter([1, 2, 3], lambda x: x % 2 = 1), list_reduce([1, 2, 3], lambda a, b: a + b), list_transform([5, 6], lambda x, i: x * i);

SELECT list_sort([3, 1, 2]), list_reverse([1, 2]), list_distinct([1, 1]) , list_contains([1, 2], 2), list_concat([1], [2]), [1] || [2], list_position(['a', 'b'], 'b'), list_sum([1, 2]), list_aggregate([1, 2], 'avg'), flatten([[1], [2]]);

SELECT unnest([1, 2, 3]) AS i, unnest(['a', 'b']) AS s;

SELECT unnest([{'a': 1, 'b': {'c': 2}}, {'a': 3, 'b': {'c': 4}}], recursive := true);

SELECT list_zip([1, 2], ['a', 'b']), generate_series(1, 3), range(0, 10, 4), array_value(1, 2, 3), [1, 2, 3]::INTEGER[3], array_distance([1.0, 2.0]::FLOAT[2], [1.0, 4.0]::FLOAT[2]);

SELECT list_has_any([1, 2], [2, 3]), [1, 2] && [3], [1] <@ [1, 2], list_intersect([1, 2], [2, 3]), list_slice([1, 2, 3], 2, 3), list_any_value([NULL, 4]), list_where([1, 2, 3], [true, false, true]);

SELECT x FROM (SELECT unnest(['b', 'a']) AS x) ORDER BY x;

-- fails
SELECT list_transform([1, 2], x -> x + 1);

-- fails
SELECT [1, 'a', DATE '2020-01-01'] + 1;

---- structs, maps, unions
SELECT {'x': 1, 'y': 'two'} AS s, (s).x, s['y'], struct_pack(a := 1, b := [2]), row(1, 'a'), struct_insert({'a': 1}, b := 2), struct_extract({'k': 9}, 'k');

SELECT s.* FROM (SELECT {'x': 1, 'y': 2} AS s);

SELECT (s).x + (s).y AS total, s.y::VARCHAR FROM (VALUES ({'x': 1, 'y': 2})) v(s);

SELECT MAP {'a': 1, 'b': 2}, MAP {'a': 1}['a'], map_keys(MAP {1: 'x'}), map_values(MAP {1: 'x'}), map_from_entries([('k', 'v')]), cardinality(MAP {'a': 1}), element_at(MAP {'a': 5}, 'a'), MAP {'a': 1}['z'];

SELECT union_value(num := 2) AS u, (u).num, union_tag(u);

SELECT {'a': 1} = {'a': 1}, {'a': 1} < {'a': 2}, [1, 2] < [1, 3], {'a': NULL} IS NULL;

SELECT CAST({'a': '1'} AS STRUCT(a INTEGER, b VARCHAR)) AS cast_struct;

SELECT '101'::BIT, bit_count('101'::BIT), '6ba7b810-9dad-11d1-80b4-00c04fd430c8'::UUID, 12345678901234567890123::BIGNUM;

-- fails
SELECT {'a': 1}.b;

-- fails
SELECT MAP {'a': 1, 'a': 2};

---- json
SELECT '{"duck": [1, 2, {"a": null}]}'::JSON AS j, j -> 'duck', j ->> '$.duck[0]', (j).duck[1], json_extract(j, '$.duck[2].a'), json_type(j), json_array_length(j -> 'duck');

SELECT to_json({'a': [1, 2], 'b': NULL}), json_object('k', 'v'), json_array(1, 'two', NULL), json_valid('{'), json_keys('{"a": 1, "b": 2}');

SELECT json_transform('{"a": 1, "b": "x"}', '{"a": "INTEGER", "b": "VARCHAR"}') AS t, from_json('[1, 2]', '["INTEGER"]') AS l, json_structure('{"a": [1.5]}') AS s;

SELECT key, value FROM json_each('{"x": 1, "y": [2]}');

SELECT json_group_array(i), json_group_object(i::VARCHAR, i * i) FROM range(3) t(i);

SELECT json_serialize_sql('SELECT 1')::VARCHAR LIKE '%SELECT_NODE%' AS serialized;

-- fails
SELECT '{broken'::JSON;

---- conditionals and nulls
SELECT CASE WHEN i = 1 THEN 'one' WHEN i = 2 THEN 'two' END AS name, CASE i WHEN 0 THEN 'zero' ELSE 'more' END AS size, if(i > 1, 'big', 'small') FROM range(3) t(i);

SELECT coalesce(NULL, 2), nullif(1, 1), ifnull(NULL, 'x'), NULL + 1, NULL || 'a', concat(NULL, 'a'), count(NULL);

SELECT 1 IN (1, NULL), 2 IN (1, NULL), 2 NOT IN (1, NULL), NOT NULL, true <> false;

SELECT constant_or_null(1, NULL), error('never') IS NULL WHERE false;

-- fails
SELECT error('deliberate');
