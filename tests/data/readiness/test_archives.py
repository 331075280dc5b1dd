import io
import re
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from experiments.data.readiness.archives import look_at_archive

ARRAYS = ("x_train", "y_train", "x_test", "y_test")


def write_npz(path: Path, names: tuple[str, ...]) -> Path:
    np.savez(path, **{name: np.zeros(1) for name in names})
    return path


def write_files(folder: Path, names: str) -> Path:
    folder.mkdir()
    for name in names.split():
        (folder / name).write_bytes(b"")
    return folder


def write_tar(path: Path) -> Path:
    with tarfile.open(path, "w:gz") as packed:
        packed.addfile(tarfile.TarInfo("data_batch_1"), io.BytesIO())
    return path


CIFAR = "data_batch_1 data_batch_2 data_batch_3 data_batch_4 data_batch_5 test_batch"
IDX = "train-images-idx3-ubyte.gz train-labels-idx1-ubyte.gz t10k-images t10k-labels"


def test_published_forms_are_let_through(tmp_path: Path) -> None:
    places = [
        write_npz(tmp_path / "mnist.npz", ARRAYS),
        write_files(tmp_path / "cifar", CIFAR),
        write_files(tmp_path / "hundred", "train test meta"),
        write_files(tmp_path / "mnist", IDX),
        write_tar(tmp_path / "cifar-10-python.tar.gz"),
    ]
    assert [look_at_archive(str(place)) for place in places] == [[]] * 5


def test_what_is_no_published_form_is_told(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as packed:
        packed.writestr("photos/cat/a.jpg", b"")
    (tmp_path / "notes.txt").write_text("no archive" * 100)
    cases = {
        tmp_path / "photos.zip": "lacks the arrays x_train, y_train, x_test, y_test",
        write_npz(tmp_path / "a.npz", ARRAYS[:3]): "lacks the arrays y_test",
        write_files(tmp_path / "b", CIFAR[13:]): "without the published files",
        write_files(tmp_path / "c", CIFAR[:-11]): "lacks test_batch",
        write_files(tmp_path / "d", IDX[:-12]): r"lacks t10k-labels-idx\*-ubyte.gz",
        write_files(tmp_path / "e", ""): "without the published files",
        tmp_path / "notes.txt": "names a file that is no archive",
        tmp_path / "note.txt": "does not exist: .*note.txt.*",
    }
    for place, sentence in cases.items():
        (problem,) = look_at_archive(str(place))
        assert problem.key == "dataset.path"
        assert re.search(sentence, str(problem)), problem


@pytest.mark.parametrize("name", ["mnist", "cifar100"])
def test_home_that_is_not_there_is_told(name: str) -> None:
    (problem,) = look_at_archive(f"~nobody-of-this-name/{name}")
    assert problem.key == "dataset.path"
