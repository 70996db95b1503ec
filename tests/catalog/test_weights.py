"""What a model folder holds is part of the model's identity."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from heliumql.catalog import Model


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "model"
    made.mkdir()
    (made / "config.json").write_text("{}")
    (made / "model.safetensors").write_bytes(bytes(200_000))
    return made


def identity(folder: Path) -> dict[str, object]:
    return Model("m", {"engine": "vllm", "model": str(folder)}).identity()


def test_weights_that_are_replaced_in_place_are_another_model(folder: Path) -> None:
    before = identity(folder)
    weights = bytearray(200_000)
    weights[-1] = 1
    (folder / "model.safetensors").write_bytes(weights)
    os.utime(folder / "model.safetensors", (1, 1))
    assert identity(folder) != before


def test_touching_a_file_changes_nothing(folder: Path) -> None:
    before = identity(folder)
    os.utime(folder / "config.json", (1, 1))
    assert identity(folder) == before


def test_a_copy_elsewhere_has_the_same_files(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    assert identity(copy)["files"] == identity(folder)["files"]


def test_a_model_by_name_has_no_files() -> None:
    model = Model("m", {"engine": "vllm", "model": "Qwen/Qwen3-8B"})
    assert "files" not in model.identity()


def test_weights_that_differ_in_the_middle_are_another_model(folder: Path) -> None:
    weights = bytearray(4_000_000)
    (folder / "model.safetensors").write_bytes(weights)
    before = identity(folder)
    weights[1_000_000:2_500_000] = b"\1" * 1_500_000
    (folder / "model.safetensors").write_bytes(weights)
    os.utime(folder / "model.safetensors", (1, 1))
    assert identity(folder) != before


def test_a_folder_may_begin_with_the_home_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(folder.parent))
    found = Model("m", {"engine": "vllm", "model": "~/model"}).identity()
    assert found["files"] == identity(folder)["files"]
