import pytest

from experiments.data.datasets.unpacked import Encoded, choose_column, unpack
from experiments.errors import DataError
from tests.data.pictures import encode, photograph

PNG = encode(photograph(8, 8), "PNG")
JPEG = encode(photograph(8, 8), "JPEG")


def images():
    yield Encoded("train", "cat", PNG)
    yield Encoded("unsupervised", "cat", PNG)
    yield Encoded("train", None, PNG)
    yield Encoded("TEST", "a, dog", JPEG)


def test_the_very_bytes_are_kept_with_a_table(tmp_path, caplog):
    source = tmp_path / "source"
    source.mkdir()

    place = unpack(source, tmp_path / "kept", images, what=None)

    assert (place / "labels.csv").read_text() == (
        "path,label,split\n"
        "train/00000000.png,cat,train\n"
        'test/00000000.jpeg,"a, dog",test\n'
    )
    assert (place / "train/00000000.png").read_bytes() == PNG
    assert (place / "test/00000000.jpeg").read_bytes() == JPEG
    assert "1 image of" in caplog.text
    assert "the split unsupervised" in caplog.text


def test_it_is_done_once_for_the_same_files(tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    (source / "a.arrow").write_bytes(b"1")

    first = unpack(source, tmp_path / "kept", images, what=None)
    again = unpack(source, tmp_path / "kept", lambda: pytest.fail("again"), what=None)
    (source / "a.arrow").write_bytes(b"12")
    changed = unpack(source, tmp_path / "kept", images, what=None)

    assert first == again != changed


def test_what_is_no_image_leaves_nothing(tmp_path):
    source = tmp_path / "source"
    source.mkdir()

    def damaged():
        yield from images()
        yield Encoded("train", "cat", b"text")

    with pytest.raises(DataError, match=r"Image 2 of train in .* is none"):
        unpack(source, tmp_path / "kept", damaged, what=None)
    assert not list((tmp_path / "kept").iterdir())


def test_the_only_feature_need_not_be_named():
    assert choose_column("an image", ["image"], None, "dataset.image_column") == "image"
    for found, wanted in ((["a", "b"], None), (["a"], "b"), ([], None)):
        with pytest.raises(DataError, match=r"dataset.image_column must be a feature"):
            choose_column("an image", found, wanted, "dataset.image_column")
