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


def test_a_checkout_finds_its_files() -> None:
    from heliumql.errors import InternalError
    from heliumql.resources import resource

    assert resource("grammar/heliumql.lark") == ROOT / "grammar" / "heliumql.lark"
    with pytest.raises(InternalError, match="catalog/nothing"):
        resource("catalog/nothing")
