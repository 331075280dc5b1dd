"""Images as somebody at a notebook has them."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from experiments.api.given_images import read_given
from experiments.errors import DataError

SHAPE = (16, 16, 3)
BATCH = np.random.default_rng(0).integers(0, 256, (3, *SHAPE)).astype(np.uint8)


def read(images: Any) -> Any:
    trained: Any = SimpleNamespace(
        config=None, image_shape=SHAPE, crop_ratio=1.0, background=(255, 255, 255)
    )
    return read_given(images, trained)


def test_an_array_is_taken_as_it_is() -> None:
    pixels, names = read(BATCH)
    assert pixels is BATCH
    assert names == ["image 0", "image 1", "image 2"]
    pixels, names = read(BATCH[0])
    assert pixels.shape == (1, *SHAPE)
    assert names == ["image 0"]


@pytest.mark.parametrize(
    "images", [BATCH.astype("float32"), BATCH[:, :8], BATCH[:0], BATCH[0, 0]]
)
def test_another_shape_or_type_is_refused(images: Any) -> None:
    with pytest.raises(DataError, match=r"takes uint8 images of shape \(N, 16, 16, 3"):
        read(images)


@pytest.mark.parametrize("several", [False, True])
def test_files_are_read_by_their_names(tmp_path: Path, several: bool) -> None:
    for number, name in enumerate(("b.png", "a.png")):
        Image.fromarray(BATCH[number]).save(tmp_path / name)
    given = [tmp_path / "b.png", str(tmp_path / "a.png")] if several else tmp_path
    pixels, names = read(given)
    expected = ["b.png", "a.png"] if several else ["a.png", "b.png"]
    assert [Path(name).name for name in names] == expected
    order = [0, 1] if several else [1, 0]
    np.testing.assert_array_equal(pixels, BATCH[order])


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"a\.jpg is no image"):
        read(tmp_path / "a.jpg")
