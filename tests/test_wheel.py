"""The package as users install it: the wheel, in an environment that knows no checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def run(*command: str | Path, folder: Path) -> str:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    done = subprocess.run(
        [str(word) for word in command], cwd=folder, env=environment, text=True, capture_output=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    run(sys.executable, "-m", "pip", "wheel", *options, "-w", folder, ROOT, folder=folder)
    [wheel] = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter with the wheel, and with what the tests run on except HeliumQL itself."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False, symlinks=True)
    paths = {"base": str(folder), "platbase": str(folder)}
    own = Path(sysconfig.get_path("purelib", vars=paths))
    options = ["--quiet", "--no-deps", "--no-index", "--target", own]
    run(sys.executable, "-m", "pip", "install", *options, wheel, folder=folder)
    # as a plain path: .pth files in there, such as the one of an editable install, are not read
    (own / "others.pth").write_text(sysconfig.get_path("purelib"))
    return folder / "bin" / "python"


def test_the_wheel_holds_code_grammar_and_catalog(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "heliumql/resources.py" in names
    assert "heliumql/py.typed" in names
    assert "heliumql/_data/grammar/heliumql.lark" in names
    assert "heliumql/_data/catalog/verbs.hql" in names
    assert "heliumql/_data/catalog/models/demo/config.json" in names
    assert not [name for name in names if "__pycache__" in name or name.startswith("tests")]
    assert any(name.endswith("/licenses/LICENSE") for name in names)


def test_an_installed_wheel_finds_its_files(python: Path, tmp_path: Path) -> None:
    program = "import heliumql.resources as r; print(r.resource('grammar/heliumql.lark'))"
    found = Path(run(python, "-c", program, folder=tmp_path).strip())
    assert found.read_text() == (ROOT / "grammar" / "heliumql.lark").read_text()
    assert not found.is_relative_to(ROOT)


def test_an_installed_wheel_runs_a_query(python: Path, tmp_path: Path) -> None:
    program = "import heliumql.cli.main as m, sys; sys.exit(m.main())"
    printed = run(python, "-c", program, "-c", "SELECT 40 + 2 AS answer", folder=tmp_path)
    assert printed == "answer\n42\n"


PROGRAM = """
import asyncio

import heliumql
from heliumql import dbapi


def names(con: heliumql.Connection) -> list[str]:
    relation: heliumql.Relation | None = con.sql("SELECT name FROM people WHERE born > ?", [1900])
    assert relation is not None
    few: heliumql.Relation = relation.filter("name LIKE $p", {"p": "G%"}).limit(2)
    count: int = few.count()
    stats: heliumql.Stats = few.stats
    print(count, stats.calls_run, few.columns, few.explain("json"))
    few.to_parquet("people.parquet", compression="zstd")
    return [str(row[0]) for row in few]


async def batches(con: heliumql.Connection) -> int:
    rows: heliumql.AsyncRelation = await con.sql_async("FROM people")
    found = 0
    async for batch in rows:
        found += int(batch.num_rows)
    return found


def driver(con: heliumql.Connection) -> tuple[object, ...] | None:
    with dbapi.connect(con) as other:
        try:
            return other.cursor().execute("SELECT ?", [42]).fetchone()
        except dbapi.ProgrammingError:
            return None


with heliumql.connect() as con:
    con.register("people", {"name": ["Ada", "Grace"], "born": [1815, 1906]})
    names(con)
    print(asyncio.run(batches(con)), driver(con))
    reveal_type(con.sql_many(["SELECT 1"])[0].fetchall())
    con.sql(42)
"""


OTHERS = """
[mypy]
[mypy-IPython.*,aiohttp.*,duckdb.*,lark.*,numpy.*,pandas.*,polars.*,pyarrow.*,sqlglot.*]
follow_imports = skip
"""  # they take the checker a minute, and are not what is checked


def test_a_strict_checker_takes_a_users_program_and_finds_its_mistakes(
    python: Path, tmp_path: Path
) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    (tmp_path / "mypy.ini").write_text(OTHERS)
    folder = tmp_path / "cache"
    command = [str(python), "-m", "mypy", "--strict", "--cache-dir", str(folder), "program.py"]
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "MYPYPATH")}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300
    )
    line = PROGRAM.count("\n") - 1
    errors = [text for text in done.stdout.splitlines() if " error: " in text]
    assert [e.split(" has ")[0] for e in errors] == [
        f'program.py:{line + 1}: error: Argument 1 to "sql" of "Connection"'
    ], done.stdout + done.stderr
    assert 'note: Revealed type is "list[tuple[Any, ...]]"' in done.stdout


def test_a_checkout_finds_its_files() -> None:
    from heliumql.errors import InternalError
    from heliumql.resources import resource

    assert resource("grammar/heliumql.lark") == ROOT / "grammar" / "heliumql.lark"
    with pytest.raises(InternalError, match="catalog/nothing"):
        resource("catalog/nothing")
