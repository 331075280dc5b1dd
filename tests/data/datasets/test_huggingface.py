import os

import pytest

from experiments.data.datasets.huggingface import load_huggingface
from experiments.errors import DataError
from tests.data.datasets.small_files import SMALL_FILES
from tests.data.datasets.test_folder import assert_same, read, sizes, write_images
from tests.data.datasets.test_folder import load as load_folder

os.environ.setdefault("HF_HUB_OFFLINE", "1")
datasets = pytest.importorskip("datasets")


@pytest.fixture
def pets(tmp_path):
    root = tmp_path / "pets"
    for split, count in (("train", 8), ("validation", 3), ("test", 2)):
        for name in ("cat", "puppy"):
            write_images(root / split / name, count)
    return root


@pytest.fixture
def table(pets):
    """Returns the same images as the library holds them."""
    kinds = datasets.Features(
        {"photo": datasets.Image(), "pet": datasets.ClassLabel(names=["cat", "puppy"])}
    )

    def make(split):
        files = sorted((pets / split).rglob("*.*"))
        photos = [{"bytes": file.read_bytes(), "path": None} for file in files]
        pets_of = [file.parent.name for file in files]
        return datasets.Dataset.from_dict(
            {"photo": photos, "pet": pets_of}, features=kinds
        )

    return datasets.DatasetDict({s: make(s) for s in ("train", "validation", "test")})


def load(root, tmp_path, **changes):
    arguments = {
        **SMALL_FILES,
        "path": str(root),
        "image_column": None,
        "label_column": None,
        "unpacked": str(tmp_path / "unpacked"),
    }
    return load_huggingface(**{**arguments, **changes})


@pytest.mark.parametrize("form", ["disk", "parquet"])
def test_pixels_and_labels_are_those_of_the_folder(pets, table, tmp_path, form):
    root = tmp_path / form
    if form == "disk":
        table.save_to_disk(str(root))
    else:
        root.mkdir()
        for split, part in table.items():
            part.to_parquet(str(root / f"{split}-00000-of-00001.parquet"))

    data, folder = load(root, tmp_path), load_folder(pets)

    assert sizes(data) == sizes(folder) == {"train": 16, "validation": 6, "test": 4}
    assert data.class_names == folder.class_names
    assert data.fingerprint == folder.fingerprint
    for split in ("validation", "test"):
        batches = (read(d, split, shuffle=False, epochs=1) for d in (data, folder))
        assert_same(*batches)


def test_a_folder_of_something_else_is_told(tmp_path):
    root = tmp_path / "texts"
    root.mkdir()
    (root / "a.md").write_text("no data")

    with pytest.raises(DataError, match=r"dataset.path cannot be read by datasets"):
        load(root, tmp_path)
