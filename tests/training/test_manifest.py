from pathlib import Path

import pytest

from experiments.errors import ExperimentError
from experiments.training.manifest import (
    Manifest,
    Record,
    commit_file,
    hash_file,
    read_manifest,
    write_manifest,
)

RECORD = Record(epoch=3, file="a.weights.h5", sha256="00", metrics={"val_loss": 0.5})


@pytest.mark.parametrize("best", [None, RECORD])
def test_manifest_is_read_as_it_was_written(
    best: Record | None, tmp_path: Path
) -> None:
    manifest = Manifest(monitor="val_loss", mode="min", best=best, last=RECORD)

    write_manifest(tmp_path, manifest)

    assert read_manifest(tmp_path) == manifest
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.json"]


def test_folder_without_a_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match="no state was saved"):
        read_manifest(tmp_path)


def test_committed_file_replaces_the_old_one(tmp_path: Path) -> None:
    temporary, path = tmp_path / "new", tmp_path / "file"
    path.write_text("old")
    temporary.write_text("new")

    commit_file(temporary, path)

    assert path.read_text() == "new"
    assert not temporary.exists()


def test_hash_is_sha256(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"abc")

    assert hash_file(path).startswith("ba7816bf8f01cfea414140de5dae2223")
