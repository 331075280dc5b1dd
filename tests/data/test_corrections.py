"""Splits as a person has corrected them."""

from pathlib import Path
from typing import Any

import pytest

from experiments.data.datasets.synthetic import make_synthetic
from experiments.data.samples import digest_samples, name_samples
from experiments.errors import DataError
from tests.data.arrays.test_archive import load as load_archive
from tests.data.arrays.test_archive import make_arrays
from tests.data.arrays.test_archive import write as write_archive
from tests.data.datasets.test_digits import load as load_plain_digits
from tests.data.datasets.test_folder import load as load_plain_folder
from tests.data.datasets.test_folder import write_images

HEAD = "sample,proposed,action,digest\n"


def write(folder: Path, *lines: str) -> str:
    path = folder / "c.csv"
    path.write_text(HEAD + "".join(f"{line}\n" for line in lines))
    return str(path)


def labels_of(dataset: Any) -> dict[str, tuple[str, str]]:
    """Returns sample -> its split and the name of its class."""
    return {
        name: (split, dataset.class_names[label])
        for split, part in dataset.splits.items()
        for name, label in zip(name_samples(part), part.labels.tolist(), strict=True)
    }


def test_images_in_memory_are_relabelled_and_dropped_and_stay_in_their_split(
    tmp_path: Path,
) -> None:
    path = write(tmp_path, "3,,drop,", "5,7,relabel,", "9,,keep,", "17,1,relabel,")
    plain, found = load_plain_digits(), load_plain_digits(corrections=path)
    before, after = labels_of(plain), labels_of(found)
    expected = dict(before)
    del expected["3"]
    expected["5"] = (before["5"][0], "7")
    expected["17"] = (before["17"][0], "1")
    assert after == expected
    # Each label still belongs to its picture.
    pictures = {
        name: digest
        for split in plain.splits.values()
        for name, digest in zip(name_samples(split), digest_samples(split), strict=True)
    }
    for split in found.splits.values():
        assert digest_samples(split) == [pictures[name] for name in name_samples(split)]


def test_fingerprint_tells_what_was_changed_and_nothing_else(tmp_path: Path) -> None:
    plain = load_plain_digits().fingerprint
    dropped = load_plain_digits(corrections=write(tmp_path, "3,,drop,")).fingerprint
    kept = load_plain_digits(corrections=write(tmp_path, "3,,keep,")).fingerprint
    assert plain == kept
    assert plain.content != dropped.content
    assert plain.split != dropped.split


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    root = tmp_path / "pets"
    for split, count in (("train", 8), ("val", 3), ("test", 3)):
        for name in ("cat", "puppy"):
            write_images(root / split / name, count)
    return root


def test_files_are_corrected_in_every_split(pets: Path, tmp_path: Path) -> None:
    lines = ["train/cat/000.png,,drop,", "test/puppy/001.jpeg,cat,relabel,"]
    found = labels_of(load_plain_folder(pets, corrections=write(tmp_path, *lines)))
    expected = labels_of(load_plain_folder(pets))
    del expected["train/cat/000.png"]
    expected["test/puppy/001.jpeg"] = ("test", "cat")
    assert found == expected


def test_files_that_no_folder_divides_stay_where_they_were(tmp_path: Path) -> None:
    for name in ("cat", "puppy"):
        write_images(tmp_path / "pets" / name, 30)
    plain = labels_of(load_plain_folder(tmp_path / "pets", test_fraction=0.2))
    moved = list(plain)[::7]
    lines = [f"{name},,drop," for name in moved]
    found = load_plain_folder(
        tmp_path / "pets", test_fraction=0.2, corrections=write(tmp_path, *lines)
    )
    assert labels_of(found) == {k: v for k, v in plain.items() if k not in moved}


def test_damaged_file_may_be_dropped_and_is_no_error_then(
    pets: Path, tmp_path: Path
) -> None:
    (pets / "train" / "cat" / "bad.jpg").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"bad\.jpg"):
        load_plain_folder(pets)
    path = write(tmp_path, "train/cat/bad.jpg,,drop,")
    assert len(load_plain_folder(pets, corrections=path).train) == 16


def test_file_that_was_replaced_since_is_told_with_its_line(
    pets: Path, tmp_path: Path
) -> None:
    name = "train/cat/000.png"
    train = load_plain_folder(pets).train
    digest = train.digests[name_samples(train).index(name)]
    path = write(tmp_path, f"{name},puppy,relabel,{digest}")
    load_plain_folder(pets, corrections=path)
    (pets / "train" / "cat" / "002.png").replace(pets / name)
    with pytest.raises(DataError, match=r"line 2: train/cat/000\.png is another image"):
        load_plain_folder(pets, corrections=path)


def test_unknown_sample_and_class_are_told(tmp_path: Path) -> None:
    path = write(tmp_path, "5000,,drop,", "1,eleven,relabel,")
    with pytest.raises(DataError) as error:
        load_plain_digits(corrections=path)
    assert "line 2: 5000 is no image of the data set" in str(error.value)
    assert "line 3: 'eleven' is no class of the data set" in str(error.value)


def test_class_of_which_nothing_is_left_is_told(pets: Path, tmp_path: Path) -> None:
    names = [n for n, place in labels_of(load_plain_folder(pets)).items()]
    lines = [f"{name},,drop," for name in names if name.startswith("val/cat")]
    path = write(tmp_path, *lines)
    with pytest.raises(DataError) as error:
        load_plain_folder(pets, corrections=path)
    assert "validation split of `pets` has no image of 1 of its" in str(error.value)
    assert str(error.value).startswith(f"{path} leaves too little: The validation")


def test_what_was_changed_stands_in_the_record(tmp_path: Path) -> None:
    options: Any = {
        "images": 60,
        "classes": 2,
        "channels": 1,
        "seed": 0,
        "image_size": 4,
        "mean": None,
        "std": None,
        "validation_fraction": 0.2,
        "test_fraction": 0.2,
        "split_seed": 0,
        "cache": "none",
        "decode_threads": 1,
    }
    before = labels_of(make_synthetic(**options))
    in_test = [name for name, (split, _) in before.items() if split == "test"]
    lines = [f"{in_test[0]},,drop,", f"{in_test[1]},class_0,relabel,"]
    found = make_synthetic(**options, corrections=write(tmp_path, *lines))
    nothing = {"relabelled": 0, "dropped": 0}
    assert found.findings["corrections"] == {
        "train": nothing,
        "validation": nothing,
        "test": {"relabelled": 1, "dropped": 1},
    }
    assert "corrections" not in make_synthetic(**options).findings


def test_what_a_fold_leaves_aside_is_corrected_too(tmp_path: Path) -> None:
    """Otherwise a decision about a test image would be about none that is there."""
    places = labels_of(load_plain_digits())
    tested = [name for name, (split, _) in places.items() if split == "test"]
    path = write(tmp_path, f"{tested[0]},,drop,", "3,,drop,")
    folded = load_plain_digits(folds=3, fold=1)
    found = load_plain_digits(folds=3, fold=1, corrections=path)
    expected = {n: place for n, place in labels_of(folded).items() if n != "3"}
    assert labels_of(found) == expected
    assert found.fingerprint.content != folded.fingerprint.content
    assert found.findings["corrections"]["held_out"]["dropped"] == 1


def test_images_of_an_archive_have_names_of_their_own(tmp_path: Path) -> None:
    images, digits = make_arrays((28, 28, 1), 10, 20)
    own = write_archive(tmp_path / "own.npz", "mnist", x_test=images, y_test=digits)
    names = list(labels_of(load_archive("mnist", path=str(own))))
    assert sorted(map(int, names)) == list(range(len(names)))
    last = len(names) - 1
    lines = [f"{last},,drop,"]
    found = load_archive("mnist", path=str(own), corrections=write(tmp_path, *lines))
    assert str(last) not in labels_of(found)
    assert found.findings["corrections"]["test"]["dropped"] == 1
