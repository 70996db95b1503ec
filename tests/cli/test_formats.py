"""What each format writes, byte for byte."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet
import pytest
from cli_program import Run

from heliumql.cli.formats import (
    Format,
    write_arrow_file,
    write_csv,
    write_json,
    write_jsonl,
    write_markdown,
    write_parquet,
)
from heliumql.cli.rendering import unique
from heliumql.errors import BudgetError

ODD = """
SELECT * FROM (VALUES
  (1, 'plain', NULL, 1.50, true),
  (2, 'say "hi", then go', 'two
lines', -0.25, false),
  (NULL, '日本 ü 🦆', '', 3, NULL)) v(id, "a ""b"", c", note, price, ok)
"""
NESTED = """
SELECT [1, NULL, 3] AS list, {'x': 1, 'y': 'z'} AS struct, MAP {'k': 2} AS map, [[1], []] AS deep,
       TIMESTAMP '2024-02-29 12:34:56.5' AS at, DATE '2024-01-02' AS day, '\\x00\\xFF'::BLOB AS raw,
       INTERVAL '1 day 2 hours' AS lasts, 170141183460469231731687303715884105727 AS huge,
       '6ba7b810-9dad-11d1-80b4-00c04fd430c8'::UUID AS id, '{"a": [1]}'::JSON AS doc,
       'b'::ENUM('a', 'b') AS letter, 1e300 AS big, TIME '01:02:03' AS time
"""


def test_csv_quotes_what_must_be_quoted_and_tells_null_from_empty(run: Run) -> None:
    assert run("-c", ODD).out_bytes.decode() == (
        'id,"a ""b"", c",note,price,ok\n'
        "1,plain,,1.50,true\n"
        '2,"say ""hi"", then go","two\nlines",-0.25,false\n'
        ',日本 ü 🦆,"",3.00,\n'
    )


def test_csv_writes_values_as_duckdb_does(run: Run) -> None:
    assert run("-c", NESTED).out == (
        "list,struct,map,deep,at,day,raw,lasts,huge,id,doc,letter,big,time\n"
        '"[1, NULL, 3]","{\'x\': 1, \'y\': z}",{k=2},"[[1], []]",2024-02-29 12:34:56.5,2024-01-02,'
        "\\x00\\xFF,1 day 02:00:00,170141183460469231731687303715884105727,"
        '6ba7b810-9dad-11d1-80b4-00c04fd430c8,"{""a"": [1]}",b,1e+300,01:02:03\n'
    )


def test_csv_of_duckdb_reads_back_the_same_rows(run: Run, tmp_path: Path) -> None:
    text = "chr((32 + i % 95)::INTEGER) || repeat('\"', i % 3) || ','"
    query = f"SELECT i, {text} AS s FROM range(5000) t(i)"
    (tmp_path / "out.csv").write_bytes(run("-c", query).out_bytes)
    read = duckdb.sql(f"FROM read_csv('{tmp_path}/out.csv', header = true)").fetchall()
    assert read == duckdb.sql(query).fetchall()


def test_json_is_one_array_of_objects(run: Run) -> None:
    assert run("-c", ODD, "--format", "json").out == (
        "[\n"
        '{"id":1,"a \\"b\\", c":"plain","note":null,"price":1.5,"ok":true},\n'
        '{"id":2,"a \\"b\\", c":"say \\"hi\\", then go","note":"two\\nlines","price":-0.25,'
        '"ok":false},\n'
        '{"id":null,"a \\"b\\", c":"日本 ü 🦆","note":"","price":3.0,"ok":null}\n'
        "]\n"
    )


def test_jsonl_keeps_nested_values_and_all_digits(run: Run) -> None:
    out = run("-c", NESTED, "--format", "jsonl").out
    assert out.count("\n") == 1
    assert json.loads(out) == {
        "list": [1, None, 3],
        "struct": {"x": 1, "y": "z"},
        "map": {"k": 2},
        "deep": [[1], []],
        "at": "2024-02-29 12:34:56.5",
        "day": "2024-01-02",
        "raw": "\\x00\\xFF",
        "lasts": "1 day 02:00:00",
        "huge": 170141183460469231731687303715884105727,
        "id": "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
        "doc": {"a": [1]},
        "letter": "b",
        "big": 1e300,
        "time": "01:02:03",
    }


def test_json_has_no_nan_and_each_name_once(run: Run) -> None:
    query = """SELECT 'nan'::DOUBLE AS a, '-inf'::DOUBLE AS b, ['inf'::DOUBLE] AS c,
                      'NaN "Infinity"' AS d, 2 AS d"""
    out = run("-c", query, "--format", "jsonl").out
    assert out == '{"a":null,"b":null,"c":[null],"d":"NaN \\"Infinity\\"","d_1":2}\n'
    assert unique(["a", "a", "a_1", "A", "a"]) == ["a", "a_2", "a_1", "A", "a_3"]


def test_json_of_no_rows_is_an_empty_array(run: Run) -> None:
    assert run("-c", "SELECT 1 AS a WHERE false", "--format", "json").out == "[]\n"


def test_json_of_many_batches_is_one_document(run: Run) -> None:
    rows = json.loads(run("-c", "FROM range(10000) t(i)", "--format", "json").out)
    assert [row["i"] for row in rows] == list(range(10000))


def test_markdown_escapes_bars_and_line_breaks(run: Run) -> None:
    query = "SELECT 1 AS n, E'a|b\\nc' AS \"x|y\", NULL AS z"
    assert run("-c", query, "--format", "markdown").out == (
        "| n | x\\|y | z |\n| ---: | --- | --- |\n| 1 | a\\|b<br>c | NULL |\n"
    )


def test_table_in_a_pipe_shows_every_row_and_column_in_full(run: Run) -> None:
    out = run("-c", "SELECT i, repeat('x', 200) AS x FROM range(100) t(i)", "--format", "table").out
    lines = out.splitlines()
    assert len(lines) == 4 + 100 + 1
    assert {len(line) for line in lines} == {3 + 6 + 3 + 200 + 1}


def test_table_has_names_and_types_on_top(run: Run) -> None:
    query = "SELECT 42 AS answer, 'ü世' AS text, NULL AS none, 'NULL' AS word, E'a\\tb' AS tab"
    assert run("-c", query, "--format", "table").out == (
        "┌─────────┬─────────┬──────┬─────────┬─────────┐\n"
        "│ answer  │  text   │ none │  word   │   tab   │\n"
        "│ integer │ varchar │ null │ varchar │ varchar │\n"
        "├─────────┼─────────┼──────┼─────────┼─────────┤\n"
        "│      42 │ ü世     │ NULL │ 'NULL'  │ a\\tb    │\n"
        "└─────────┴─────────┴──────┴─────────┴─────────┘\n"
    )


def test_table_of_no_rows_says_so(run: Run) -> None:
    out = run("-c", "SELECT 1 AS a WHERE false", "--format", "table").out
    assert out.splitlines()[-1] == "0 rows"


def test_parquet_and_arrow_go_through_a_pipe(run: Run) -> None:
    query = "SELECT i, i::VARCHAR AS s, [i] AS l FROM range(3000) t(i)"
    expected = [{"i": i, "s": str(i), "l": [i]} for i in range(3000)]
    parquet = run("-c", query, "--format", "parquet").out_bytes
    assert pa.parquet.read_table(io.BytesIO(parquet)).to_pylist() == expected
    arrow = run("-c", query, "--format", "arrow").out_bytes
    assert pa.ipc.open_stream(arrow).read_all().to_pylist() == expected


@pytest.mark.parametrize("name", ["x.csv", "x.json", "x.jsonl", "x.md"])
def test_the_ending_of_a_text_file_tells_its_format(run: Run, tmp_path: Path, name: str) -> None:
    formats = {".csv": "csv", ".json": "json", ".jsonl": "jsonl", ".md": "markdown"}
    shown = run("-c", "SELECT 1 AS a", "--format", formats[Path(name).suffix]).out
    done = run("-c", "SELECT 1 AS a", "--output", name)
    assert (done.status, done.out, done.err) == (0, "", "")
    assert (tmp_path / name).read_text() == shown


def test_the_ending_of_a_binary_file_tells_its_format(run: Run, tmp_path: Path) -> None:
    for name in ("x.parquet", "x.arrow"):
        done = run("-c", "SELECT 1 AS a, 'x' AS b", "--output", name)
        assert (done.status, done.out, done.err) == (0, "", "")
    parquet = pa.parquet.read_table(tmp_path / "x.parquet")
    arrow = pa.ipc.open_file((tmp_path / "x.arrow").read_bytes()).read_all()
    assert parquet.to_pylist() == arrow.to_pylist() == [{"a": 1, "b": "x"}]


def test_explain_is_plain_text_in_every_text_format(run: Run) -> None:
    plain = run("-c", "EXPLAIN SELECT 1 AS one", "--format", "table").out
    assert "Projection" in plain.title()
    assert "explain_key" not in plain
    for name in ("csv", "json", "jsonl", "markdown"):
        assert run("-c", "EXPLAIN SELECT 1 AS one", "--format", name).out == plain


@pytest.mark.parametrize("write", [write_csv, write_jsonl, write_markdown])
def test_rows_are_written_before_the_next_ones_are_asked_for(write: Format) -> None:
    sink = io.BytesIO()
    seen = []

    def batches() -> Iterator[pa.RecordBatch]:
        for i in range(3):
            yield pa.record_batch({"i": [i]})
            seen.append(str(i) in sink.getvalue().decode().splitlines()[-1])

    write(pa.schema([("i", pa.int64())]), batches(), sink)
    assert seen == [True, True, True]


@pytest.mark.parametrize(
    "write", [write_csv, write_json, write_jsonl, write_markdown, write_arrow_file, write_parquet]
)
def test_errors_of_the_statement_come_through_as_they_are(write: Format) -> None:
    def batches() -> Iterator[pa.RecordBatch]:
        yield pa.record_batch({"i": [1]})
        raise BudgetError("llm_max_calls")

    with pytest.raises(BudgetError, match="llm_max_calls"):
        write(pa.schema([("i", pa.int64())]), batches(), io.BytesIO())
