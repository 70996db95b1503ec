"""`%hql` and `%%hql` in a real kernel: results, variables, frames, errors, stopping."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))
sys.path.append(str(Path(__file__).parents[1] / "engines"))

from kernel import Cell, Kernel
from stub_server import Reply, Seen, StubServer


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    kernel = Kernel(tmp_path_factory.mktemp("notebook"))
    loaded = kernel.run("%load_ext heliumql")
    assert (loaded.status, loaded.warned) == ("ok", "")
    yield kernel
    kernel.close()


@pytest.fixture
def kernel(started: Kernel) -> Kernel:
    """The kernel, with a database in memory whose one model invents answers."""
    made = started.run(
        "import heliumql\n"
        "con = heliumql.connect()\n"
        "con.execute(\"CREATE TEMP MODEL m WITH (engine = 'simulated')\")\n"
        "%hql --connection con"
    )
    assert made.status == "ok", made.traceback
    return started


# results ------------------------------------------------------------------------------------


def test_rows_as_a_table(kernel: Kernel) -> None:
    cell = kernel.run("%hql SELECT 42 AS answer, NULL AS nothing, '<b>&$x$</b>' AS bold")
    (bundle,) = cell.results
    assert "answer<small>INTEGER</small>" in bundle["text/html"]
    assert '<td class="n">42</td>' in bundle["text/html"]
    assert '<span class="null">NULL</span>' in bundle["text/html"]
    assert "&lt;b&gt;&amp;&#36;x&#36;&lt;/b&gt;" in bundle["text/html"]
    assert "<b>" not in bundle["text/html"]
    assert "1 row<" in bundle["text/html"]
    assert "│     42 │" in bundle["text/plain"]


def test_names_are_escaped_too(kernel: Kernel) -> None:
    cell = kernel.run("%hql SELECT 1 AS \"<script>alert('x')</script>\"")
    assert "<script" not in cell.html


def test_long_texts_are_folded(kernel: Kernel) -> None:
    cell = kernel.run("%hql SELECT repeat('word ', 100) AS long, 'short' AS short")
    assert cell.html.count("<details>") == 1
    assert "word " * 100 in cell.html


def test_the_first_and_last_of_many_rows(kernel: Kernel) -> None:
    cell = kernel.run("%hql SELECT range AS n FROM range(10000)")
    assert cell.html.count("<tr>") == 1 + 40
    assert ">0</td>" in cell.html
    assert ">9999</td>" in cell.html
    assert "10,000 rows (40 shown)" in cell.html
    assert "10,000 rows (40 shown)" in cell.plain


def test_each_result_of_a_cell_and_what_calls_took(kernel: Kernel) -> None:
    cell = kernel.run(
        "%%hql\n"
        "CREATE TABLE people AS SELECT unnest(['Ada', 'Grace', 'Ada']) AS name;\n"
        "SELECT count(*) AS n FROM people;\n"
        "SELECT name, LLM_GENERATE('Greet {name}') AS greeting FROM people;\n"
    )
    counted, greeted = cell.results
    assert "calls" not in counted["text/plain"]
    assert "2 calls run, 1 shared" in greeted["text/plain"]
    again = kernel.run("%hql --stats SELECT LLM_GENERATE('Greet {name}') FROM people")
    assert "3 asked: 1 shared, 2 kept from before, 0 run" in again.plain


def test_a_result_is_a_value(kernel: Kernel) -> None:
    cell = kernel.run("rows = %hql SELECT 1 AS a UNION ALL SELECT 2\nprint(rows.fetchall())")
    assert cell.printed == "[(1,), (2,)]\n"
    assert cell.results == []


@pytest.mark.parametrize(
    ("format", "kind"),
    [("df", "pandas"), ("arrow", "pyarrow.lib"), ("pl", "polars.dataframe.frame")],
)
def test_out_keeps_the_result(kernel: Kernel, format: str, kind: str) -> None:
    cell = kernel.run(
        f"%hql --out kept --format {format} SELECT 7 AS seven\n"
        "print(type(kept).__module__, kept['seven'][0])"
    )
    assert cell.status == "ok", cell.traceback
    assert cell.printed.split()[0].startswith(kind.split(".")[0])
    assert "7" in cell.printed


def test_explanations_are_laid_out(kernel: Kernel) -> None:
    text = kernel.run("%hql EXPLAIN SELECT LLM_GENERATE('Say {range}') FROM range(3)")
    assert "<pre>Rules\n" in text.html
    page = kernel.run("%hql EXPLAIN (FORMAT html) SELECT LLM_GENERATE('{range}') FROM range(3)")
    assert '<iframe srcdoc="&lt;!doctype html&gt;' in page.html.lower()


# the notebook's variables -------------------------------------------------------------------


def test_placeholders_are_the_languages(kernel: Kernel) -> None:
    cell = kernel.run("name = 'of Python'\n%hql SELECT '{name} $name' AS text, $name AS value")
    assert "{name} $name" in cell.plain
    assert "│ of Python │" in cell.plain


def test_variables_are_values(kernel: Kernel) -> None:
    cell = kernel.run(
        "import datetime, numpy\n"
        "day, stars, words, share = datetime.date(2026, 1, 2), 4, ['a', 'b'], numpy.float64(0.5)\n"
        "%hql SELECT $day AS day, $stars + 1 AS stars, $words AS words, $share AS share"
    )
    assert cell.status == "ok", cell.traceback
    for shown in ("2026-01-02", "5", "[a, b]", "0.5"):
        assert shown in cell.plain
    given = kernel.run("%hql --param stars=1 SELECT $stars AS stars")
    assert ">1<" in given.html


def test_a_value_that_is_none(kernel: Kernel) -> None:
    cell = kernel.run("thing = object()\n%hql SELECT $thing")
    assert cell.status == "error"
    assert (
        cell.traceback[0]
        == "$thing: the variable thing is of type object, which is no value in SQL"
    )


@pytest.mark.parametrize(
    "frame",
    [
        "__import__('pandas').DataFrame({'a': [1, 2]})",
        "__import__('polars').DataFrame({'a': [1, 2]})",
        "__import__('polars').LazyFrame({'a': [1, 2]})",
        "__import__('pyarrow').table({'a': [1, 2]})",
        "con.sql('SELECT 1 AS a UNION ALL SELECT 2')",
    ],
)
def test_frames_are_tables(kernel: Kernel, frame: str) -> None:
    cell = kernel.run(f"frame = {frame}\n%hql SELECT sum(f.a) AS total FROM frame AS f")
    assert cell.status == "ok", cell.traceback
    assert '<td class="n">3</td>' in cell.html
    with_calls = kernel.run("%hql SELECT LLM_GENERATE('Number {a}') AS text FROM frame")
    assert "2 calls run" in with_calls.plain


def test_a_frame_is_read_as_it_is_now_and_is_not_left_behind(kernel: Kernel) -> None:
    kernel.run("import pandas\nframe = pandas.DataFrame({'a': [1, 2]})\n%hql FROM frame")
    changed = kernel.run("frame['a'] = [5, 6]\n%hql SELECT sum(a) AS total FROM frame")
    assert ">11<" in changed.html
    left = kernel.run("del frame\n%hql FROM frame")
    assert "frame does not exist" in left.traceback[0]


@pytest.mark.parametrize(
    "change", ["INSERT INTO frame VALUES (1)", "UPDATE frame SET a = 1", "DELETE FROM frame"]
)
def test_a_frame_cannot_be_changed(kernel: Kernel, change: str) -> None:
    cell = kernel.run(f"import pandas\nframe = pandas.DataFrame({{'a': [1]}})\n%hql {change}")
    assert cell.status == "error"
    assert "frame does not exist" in cell.traceback[0]


def test_a_table_of_the_database_goes_first(kernel: Kernel) -> None:
    cell = kernel.run(
        "import pandas\ntwice = pandas.DataFrame({'a': [1]})\n"
        "con.execute('CREATE TABLE twice AS SELECT 2 AS b')\n%hql FROM twice"
    )
    assert "b<small>INTEGER" in cell.html
    with_clause = kernel.run("cte = twice\n%hql WITH cte AS (SELECT 3 AS c) FROM cte")
    assert "c<small>INTEGER" in with_clause.html


# options ------------------------------------------------------------------------------------


def test_a_database_file_stays_the_one(kernel: Kernel) -> None:
    made = kernel.run("%%hql --database kept.duckdb\nCREATE TABLE t AS SELECT 5 AS five")
    assert made.status == "ok", made.traceback
    assert ">5<" in kernel.run("%hql FROM t").html
    kernel.run("%hql --connection con")
    assert kernel.run("%hql FROM t").status == "error"
    assert ">5<" in kernel.run("%hql --database kept.duckdb FROM t").html
    assert (kernel.folder / "kept.duckdb").exists()


def test_a_connection_of_duckdb(kernel: Kernel) -> None:
    cell = kernel.run(
        "import duckdb\nplain = duckdb.connect()\n"
        "plain.execute('CREATE TEMP TABLE t AS SELECT 8')\n"
        "%hql --connection plain FROM t"
    )
    assert ">8<" in cell.html


def test_settings_and_the_model_hold_for_the_cell(kernel: Kernel) -> None:
    kernel.run("con.execute(\"CREATE TEMP MODEL other WITH (engine = 'simulated')\")")
    assert "which model?" in kernel.run("%hql SELECT LLM_GENERATE('a')").traceback[0]
    assert kernel.run("%hql --model other SELECT LLM_GENERATE('a')").status == "ok"
    assert "which model?" in kernel.run("%hql SELECT LLM_GENERATE('a')").traceback[0]
    refused = kernel.run(
        "%%hql --model m --set llm_max_calls=2 --set threads=1\n"
        "SELECT LLM_GENERATE('Budget {range}') FROM range(5)"
    )
    assert refused.ename == "BudgetError"
    assert (
        kernel.run("%hql --model m SELECT LLM_GENERATE('b {range}') FROM range(5)").status == "ok"
    )


def test_a_dry_run_runs_nothing(kernel: Kernel) -> None:
    cell = kernel.run(
        "%%hql --dry-run\nCREATE TABLE never (x INTEGER);\n"
        "SELECT LLM_GENERATE('Dry {range}') FROM range(7)"
    )
    assert "calls to run: 7" in cell.plain
    assert kernel.run("%hql FROM never").status == "error"


@pytest.mark.parametrize(
    ("code", "message", "hint"),
    [
        ("%hql --modl m SELECT 1", "no option --modl", "did you mean --model?"),
        ("%hql --format xml SELECT 1", "--format xml is not known", "formats: df, arrow, pl"),
        ("%hql --connection nobody SELECT 1", "no variable of the notebook", "heliumql.connect("),
        ("%hql --param x=1 SELECT 1", "no statement has $x", ""),
        ("%hql --database grpc://h:1 SELECT 1", "not on servers", "heliumql.connect(address)"),
        ("%hql --database /no/such/x.db SELECT 1", "Cannot open file", ""),
        ("%hql --out 9x SELECT 1", "no name of a variable", ""),
        ("%%hql\nSELECT nope\nFROM range(3)", 'column "nope" not found', "2 | SELECT nope"),
        ("%%hql\n\nSELECT LLM_GENERATE('a', tone => 1)", "no argument tone", "3 | SELECT LLM_GEN"),
        ("%hql SELECT LLM_GENERATE('{nope}') FROM range(2)", "nope", "^^^"),
    ],
)  # fmt: skip
def test_mistakes_are_told_without_a_traceback(
    kernel: Kernel, code: str, message: str, hint: str
) -> None:
    cell = kernel.run(code)
    told = "\n".join(cell.traceback)
    assert cell.status == "error"
    assert message in told
    assert hint in told
    assert "Traceback" not in told
    assert ".py" not in told


def test_an_error_of_python_keeps_its_traceback(kernel: Kernel) -> None:
    cell = kernel.run("con.sql('SELECT nope')")
    assert "Traceback" in "\n".join(cell.traceback)


# calls that take a while --------------------------------------------------------------------


@pytest.fixture
def server() -> Iterator[StubServer]:
    with StubServer(models=["m"]) as running:
        yield running


def test_stopping_a_cell_keeps_the_answers(kernel: Kernel, server: StubServer) -> None:
    """30 of 60 calls are answered, the others hang; then the kernel is interrupted."""
    answered = threading.Semaphore(30)

    def reply(seen: Seen) -> Reply:
        return Reply("quick", seconds=0 if answered.acquire(blocking=False) else 120)

    server.reply = reply
    options = f"engine = 'openai', model = 'm', base_url = '{server.url}', concurrency = 60"
    kernel.run(f"%hql CREATE OR REPLACE TEMP MODEL m WITH ({options})")

    def stop(cell: Cell) -> bool:
        shown = [*cell.bundles, *cell.updates]
        if not any(b["text/plain"].startswith("calls 30/60") for b in shown):
            return False
        kernel.interrupt()
        return True

    query = "%%hql\nSELECT LLM_GENERATE('Number {range}') AS text FROM range(60)"
    stopped = kernel.run(query, stop)
    assert stopped.status == "error"
    assert stopped.traceback == ["interrupted: answers that came are kept"]
    assert "<progress" in stopped.html
    assert stopped.updates[-1] == {"text/plain": "", "text/html": ""}

    server.reply = lambda seen: Reply("quick")
    again = kernel.run(query)
    assert again.status == "ok", again.traceback
    assert "30 calls run, 30 kept from before" in again.plain
    assert again.plain.count("quick") >= 30
    assert ">1<" in kernel.run("%hql SELECT 1").html


def test_stopping_duckdb_itself(kernel: Kernel) -> None:
    code = (
        "print('begun', flush=True)\n"
        "%hql SELECT max(a.range * b.range % 7) FROM range(3000000) a, range(3000000) b"
    )

    def stop(cell: Cell) -> bool:
        if "begun" not in cell.printed:
            return False
        kernel.interrupt()
        return True

    cell = kernel.run(code, stop)
    assert cell.status == "error"
    assert cell.ename == "KeyboardInterrupt"
    assert ">2<" in kernel.run("%hql SELECT 2").html


def test_failed_calls_are_told(kernel: Kernel, server: StubServer) -> None:
    server.reply = lambda seen: Reply(status=400, error={"message": "no <such> thing"})
    options = f"engine = 'openai', model = 'm', base_url = '{server.url}', retries = 0"
    kernel.run(f"%hql CREATE OR REPLACE TEMP MODEL m WITH ({options})")
    cell = kernel.run("%hql SELECT LLM_GENERATE('Fail {range}') AS text FROM range(2)")
    assert "warning: 2 of 2 calls failed; their values are NULL" in cell.plain
    assert "no <such> thing" in cell.plain
    assert "no &lt;such&gt; thing" in cell.html


# completion ---------------------------------------------------------------------------------


def test_cells_are_completed(kernel: Kernel) -> None:
    kernel.run("con.execute('CREATE TABLE people (birthday DATE)')")
    assert kernel.completions("%%hql\nSELECT * FROM peo")[0] == "people"
    assert kernel.completions("%%hql\nSELECT bir FROM people", 16)[0] == "birthday"
    assert kernel.completions("x = %hql SELECT * FROM peo")[0] == "people"
    assert "LLM_GENERATE(" in kernel.completions("%%hql --model m\nSELECT LLM_G")


def test_python_is_completed_as_ever(kernel: Kernel) -> None:
    kernel.run("number_of_things = 1")
    assert "number_of_things" in kernel.completions("number_of")
    assert "birthday" not in kernel.completions("bir")


# relations ----------------------------------------------------------------------------------


def test_a_relation_that_is_looked_at_asks_no_model(kernel: Kernel, server: StubServer) -> None:
    options = f"engine = 'openai', model = 'm', base_url = '{server.url}'"
    kernel.run(f"%hql CREATE OR REPLACE TEMP MODEL m WITH ({options})")
    cell = kernel.run("greeting = con.sql(\"SELECT LLM_GENERATE('Hello') AS hello\")\ngreeting")
    assert server.seen == []
    assert "hello</td><td>VARCHAR" in cell.html
    assert "not evaluated" in cell.plain
    read = kernel.run("greeting.fetchall()\ngreeting")
    assert "echo Hello" in read.html
    assert len(server.seen) == 1


def test_the_first_rows_of_a_plain_relation(kernel: Kernel) -> None:
    cell = kernel.run("con.sql('FROM range(1000000)')")
    assert "more than 40 rows (40 shown)" in cell.html


# the whole notebook ---------------------------------------------------------------------------


def test_no_cell_warned(kernel: Kernel) -> None:
    cell = kernel.run("%unload_ext heliumql\n%load_ext heliumql\n%hql SELECT 3 AS three")
    assert ">3<" in cell.html
    assert cell.warned == ""


def test_a_function_has_variables_of_its_own(kernel: Kernel) -> None:
    cell = kernel.run(
        "wide = 'of the notebook'\n"
        "def asked(few):\n"
        "    wide = 'of the function'\n"
        "    found = %hql SELECT $few + 1 AS more, $wide AS w\n"
        "    return found\n"
        "asked(41).fetchall()"
    )
    assert cell.status == "ok", cell.traceback
    assert "[(42, 'of the function')]" in str(cell.results)


def test_unloading_takes_the_magics_away(kernel: Kernel) -> None:
    cell = kernel.run("%unload_ext heliumql\n%hql SELECT 3 AS three")
    gone = cell.warned + str(cell.traceback)
    left = kernel.run("get_ipython().Completer.custom_matchers")
    back = kernel.run("%load_ext heliumql\n%hql SELECT 4 AS four")
    assert "not found" in gone
    assert left.results[0]["text/plain"] == "[]"
    assert ">4<" in back.html
