import json

import numpy as np
import pytest

from experiments.data.datasets.imagenet import load_imagenet
from experiments.errors import DataError
from tests.damage import WAYS
from tests.data.pictures import encode, photograph


def write_layout(root, classes, train=1, val=1):
    jpeg = encode(photograph(16, 16), "JPEG")
    wnids = [f"n{1440764 + number:08}" for number in range(classes)]
    for split, count in (("train", train), ("val", val)):
        for wnid in wnids:
            folder = root / split / wnid
            folder.mkdir(parents=True)
            for number in range(count):
                (folder / f"{wnid}_{number}.JPEG").write_bytes(jpeg)
    return root


def load(root, **changes):
    arguments = {
        "path": str(root),
        "image_size": 8,
        "channels": 3,
        "classes": 3,
        "crop_ratio": 0.875,
        "background": "white",
        "mean": [0.485, 0.456, 0.406],
        "std": [0.229, 0.224, 0.225],
        "validation_fraction": 0.0,
        "split_seed": 0,
        "on_corrupt": "error",
        "verify": "header",
        "scan_cache": None,
        "max_pixels": 200_000_000,
        "cache": "none",
        "decode_threads": 2,
    }
    return load_imagenet(**{**arguments, **changes})


@pytest.fixture(scope="module")
def thousand(tmp_path_factory):
    return write_layout(tmp_path_factory.mktemp("ILSVRC2012"), 1000)


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    return write_layout(tmp_path / "imagenet", 3, train=40, val=2)


def test_all_thousand_classes_are_found_in_the_order_of_their_ids(thousand):
    data = load(thousand, classes=1000)

    assert data.num_classes == 1000
    assert data.train.labels.tolist() == list(range(1000))
    assert data.validation.labels.tolist() == list(range(1000))
    assert data.train.crop_ratio == 0.875


def test_val_is_the_test_split_and_validation_comes_from_train(root):
    data = load(root, validation_fraction=0.2)

    assert all("/val/" in path for path in data.test.paths)
    assert all("/train/" in path for path in data.validation.paths)
    assert len(data.train) + len(data.validation) == 120
    assert 10 <= len(data.validation) <= 40


def test_without_a_fraction_val_is_the_validation_split(root):
    data = load(root)

    assert data.test is None
    assert all("/val/" in path for path in data.validation.paths)


def test_a_missing_class_is_counted(root):
    with pytest.raises(DataError, match=r"hold 1,000 class folders. Received: 3"):
        load(root, classes=1000)


def test_a_class_that_val_lacks_is_named(root):
    for file in (root / "val" / "n01440765").iterdir():
        file.unlink()
    (root / "val" / "n01440765").rmdir()

    with pytest.raises(DataError, match=r"val lacks 1 of 3 class folders: n01440765"):
        load(root)


def test_a_missing_val_folder_is_named(root):
    (root / "val").rename(root / "valid")

    with pytest.raises(DataError, match=r"imagenet/val does not exist"):
        load(root)


def test_unsorted_validation_images_are_explained(root):
    (root / "val" / "ILSVRC2012_val_00000001.JPEG").write_bytes(b"")

    with pytest.raises(DataError, match="holds images directly"):
        load(root)


def test_folders_that_are_no_wordnet_ids_are_named(root):
    (root / "train" / "n01440765").rename(root / "train" / "goldfish")

    with pytest.raises(DataError, match="Received: goldfish"):
        load(root)


class TestNames:
    def test_the_mapping_of_the_kaggle_edition_is_used(self, root):
        (root.parent / "LOC_synset_mapping.txt").write_text(
            "n01440764 tench, Tinca tinca\nn01440765 crane\nn01440766 crane\n"
        )

        assert load(root).class_names == (
            "tench",
            "crane (n01440765)",
            "crane (n01440766)",
        )

    def test_the_index_in_keras_cache_is_used(self, root, tmp_path):
        file = tmp_path / "keras" / "models" / "imagenet_class_index.json"
        file.parent.mkdir(parents=True)
        entries = [["n01440764", "tench"], ["n01440765", "great_white_shark"]]
        file.write_text(json.dumps(dict(enumerate(entries))))

        assert load(root).class_names == ("tench", "great white shark", "n01440766")

    def test_without_a_list_the_ids_are_the_names_and_a_warning_says_so(
        self, root, caplog
    ):
        assert load(root).class_names == ("n01440764", "n01440765", "n01440766")
        assert "LOC_synset_mapping.txt" in caplog.text

    def test_a_damaged_list_is_named(self, root):
        (root / "LOC_synset_mapping.txt").write_text("n01440764\n")

        with pytest.raises(DataError, match=r"LOC_synset_mapping.txt must have"):
            load(root)


def test_labels_follow_the_folders(root):
    data = load(root)

    named = [path.split("/")[-2] for path in data.train.paths]
    assert np.unique(named).tolist() == ["n01440764", "n01440765", "n01440766"]
    assert [f"n{1440764 + label:08}" for label in data.train.labels] == named


@pytest.mark.timeout(20)
@pytest.mark.parametrize("way", WAYS)
def test_damaged_index_in_keras_cache_is_named(way, root, tmp_path):
    file = tmp_path / "keras" / "models" / "imagenet_class_index.json"
    file.parent.mkdir(parents=True)
    file.write_text("{}")
    WAYS[way](file)
    if not file.is_file():  # as if there were none
        assert load(root).class_names[0] == "n01440764"
        return

    with pytest.raises(DataError, match=r"index.json is damaged \(.*\). Delete it"):
        load(root)


def test_folds_are_made_of_train_and_leave_val_alone(root):
    for number, path in enumerate(sorted(root.rglob("*.JPEG"))):
        path.write_bytes(path.read_bytes() + bytes(number))  # copies stay together
    folds = [load(root, folds=4, fold=n, validation_fraction=0.2) for n in (1, 2, 3, 4)]
    tested = [path for fold in folds for path in fold.test.paths]

    assert len(tested) == len(set(tested)) == 3 * 40
    assert all(
        "/train/" in p for f in folds for s in f.splits.values() for p in s.paths
    )
    assert np.bincount(folds[0].test.labels).tolist() == [10, 10, 10]
    assert np.bincount(folds[0].validation.labels).tolist() == [6, 6, 6]
