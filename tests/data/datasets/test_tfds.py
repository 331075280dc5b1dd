from pathlib import Path

import pytest

from experiments.data.datasets.tfds import load_tfds
from experiments.errors import DataError
from tests.data.datasets.small_files import SMALL_FILES
from tests.data.datasets.test_folder import load as load_folder
from tests.data.datasets.test_folder import sizes, write_images

tfds = pytest.importorskip("tensorflow_datasets")
pytest.importorskip("array_record")


@pytest.fixture
def pets(tmp_path):
    root = tmp_path / "pets"
    for split, count in (("train", 8), ("test", 2)):
        for name in ("cat", "puppy"):
            write_images(root / split / name, count)
            for file in (root / split / name).glob("*.png"):
                file.unlink()
    return root


def prepare(pets, folder, kind):
    """Writes the images by the library's own builder."""
    info = tfds.features.FeaturesDict(
        {
            "image": tfds.features.Image(shape=(None, None, 3), encoding_format="jpeg"),
            "label": tfds.features.ClassLabel(names=["cat", "puppy"]),
        }
    )

    class Pets(tfds.core.GeneratorBasedBuilder, skip_registration=True):
        VERSION = tfds.core.Version("1.0.0")
        pkg_dir_path = Path(folder)
        code_path = None

        def _info(self):
            return tfds.core.DatasetInfo(builder=self, features=info)

        def _split_generators(self, manager):
            return {s: self._generate_examples(s) for s in ("train", "test")}

        def _generate_examples(self, split):
            for file in sorted((pets / split).rglob("*.jpeg")):
                yield str(file), {"image": str(file), "label": file.parent.name}

    Pets(data_dir=str(folder), file_format=kind).download_and_prepare()


def load(folder, tmp_path, **changes):
    arguments = {
        **SMALL_FILES,
        "name": "pets",
        "path": str(folder),
        "download": False,
        "image_column": None,
        "label_column": None,
        "unpacked": str(tmp_path / "unpacked"),
        "split_by": "content",
    }
    return load_tfds(**{**arguments, **changes})


@pytest.mark.filterwarnings("ignore")
def test_a_prepared_data_set_is_the_folder_of_its_images(pets, tmp_path):
    folder = tmp_path / "prepared"
    folder.mkdir()
    prepare(pets, folder, "array_record")

    data, other = load(folder, tmp_path), load_folder(pets, split_by="content")

    assert data.class_names == other.class_names == ("cat", "puppy")
    assert sizes(data) == sizes(other)
    assert data.fingerprint == other.fingerprint
    found = [sorted(part.digests) for part in (data.test, other.test)]
    assert found[0] == found[1]  # the very bytes, so that one decoder sees the same


@pytest.mark.filterwarnings("ignore")
def test_what_is_not_there_or_in_another_form_is_told(pets, tmp_path):
    folder = tmp_path / "prepared"
    folder.mkdir()

    with pytest.raises(DataError, match=r"dataset.name cannot be opened: pets"):
        load(folder, tmp_path)
    prepare(pets, folder, "tfrecord")
    with pytest.raises(DataError, match="prepared as tfrecord"):
        load(folder, tmp_path)
