"""The parser's tables are kept between processes, and whatever is wrong with them stops nobody."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

LINES = "from heliumql import syntax; print(syntax.parse('DROP MODEL m')[0].name)"


def parsed(cache: Path) -> None:
    """A process parses a statement of HQL, and says nothing else."""
    done = subprocess.run(
        [sys.executable, "-c", LINES],
        capture_output=True,
        text=True,
        timeout=60,
        env={"XDG_CACHE_HOME": str(cache), "PYTHONPATH": ":".join(sys.path)},
    )
    assert (done.stdout, done.stderr, done.returncode) == ("m\n", "", 0)


def test_they_are_kept_and_read_again(tmp_path: Path) -> None:
    parsed(tmp_path)
    kept = tmp_path / "heliumql" / "grammar.bin"
    before = kept.stat().st_mtime_ns
    parsed(tmp_path)
    assert kept.stat().st_mtime_ns == before


@pytest.mark.parametrize("content", [b"", b"garbage", b"a digest\nand no pickle"])
def test_a_broken_file_is_as_none(tmp_path: Path, content: bytes) -> None:
    parsed(tmp_path)
    kept = tmp_path / "heliumql" / "grammar.bin"
    digest = kept.read_bytes().split(b"\n")[0]
    for broken in (content, digest + b"\n" + content):
        kept.write_bytes(broken)
        parsed(tmp_path)


def test_no_folder_to_keep_them_in_is_no_trouble(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    parsed(tmp_path / "file")


def test_where_others_could_write_nothing_is_kept(tmp_path: Path) -> None:
    (tmp_path / "heliumql").mkdir()
    (tmp_path / "heliumql").chmod(0o777)
    parsed(tmp_path)
    assert list((tmp_path / "heliumql").iterdir()) == []
