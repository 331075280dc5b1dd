"""Files are read as those that a model was trained on."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from PIL import Image

from experiments.data.images.decode import decode_image
from experiments.trained.reading import read_for


def test_window_background_and_limit_are_those_of_the_training(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (40, 60, 4)).astype("uint8")
    Image.fromarray(pixels).save(tmp_path / "a.png")
    Image.fromarray(np.zeros((50, 60, 3), np.uint8)).save(tmp_path / "large.png")
    trained: Any = SimpleNamespace(
        image_shape=(16, 16, 3),
        crop_ratio=0.5,
        background=(9, 8, 7),
        config=SimpleNamespace(dataset=SimpleNamespace(max_pixels=40 * 60)),
    )
    paths = [str(tmp_path / "a.png"), str(tmp_path / "large.png")]
    one, large = read_for(trained, paths)
    expected = decode_image(
        (tmp_path / "a.png").read_bytes(),
        image_shape=(16, 16, 3),
        crop_ratio=0.5,
        background=(9, 8, 7),
    )
    np.testing.assert_array_equal(one.pixels, np.asarray(expected))
    assert large.pixels is None
    assert "pixels" in str(large.fault)
