"""Heat over an image is seen on any image, and hides nothing where there is none."""

import matplotlib
import numpy as np
import pytest

from experiments.pictures.heat_map import (
    draw_heat_maps,
    draw_scale,
    enlarge,
    lay_over,
)


def ramp(height: int = 80, width: int = 100) -> np.ndarray:
    """Returns heat that grows from 0 at the left to 1 at the right."""
    row = np.linspace(0, 1, width, dtype=np.float32)
    return np.broadcast_to(row, (height, width))


@pytest.mark.parametrize("level", [0, 128, 255], ids=["dark", "grey", "light"])
@pytest.mark.parametrize("channels", [1, 3])
def test_heat_stands_out_on_any_image(level: int, channels: int) -> None:
    image = np.full((80, 100, channels), level, np.uint8)
    shown = lay_over(image, ramp()).astype(int)
    assert shown.shape == (80, 100, 3)
    cold, hot = shown[0, 0], shown[0, -1]
    assert cold.max() == cold.min()  # a grey
    assert hot.max() - hot.min() > 60  # a colour
    assert abs(hot - cold).max() > 60
    top = 255 * np.array(matplotlib.colormaps["inferno"](0.93)[:3])
    assert abs(hot - top).sum() < abs(cold - top).sum()


def test_without_heat_the_image_is_seen_in_grey() -> None:
    random = np.random.default_rng(0)
    image = random.integers(0, 256, (80, 100, 3)).astype(np.uint8)
    shown = lay_over(image, np.zeros((80, 100), np.float32))
    assert (shown == shown[..., :1]).all()
    brightness = image @ np.array([0.299, 0.587, 0.114])
    assert np.corrcoef(brightness.ravel(), shown[..., 0].ravel())[0, 1] > 0.999


def test_tiny_image_is_blocks_and_its_heat_is_smooth() -> None:
    image = np.zeros((8, 8, 1), np.uint8)
    image[2, 3] = 255
    large = enlarge(image)
    assert large.shape == (280, 280, 3)
    inside = np.zeros((280, 280), bool)
    inside[2 * 35 : 3 * 35, 3 * 35 : 4 * 35] = True
    assert ((large == 255).all(axis=-1) == inside).all()
    shown = lay_over(np.zeros((8, 8, 1), np.uint8), ramp(8, 8)).astype(int)
    assert shown.shape == (280, 280, 3)
    steps = np.abs(np.diff(shown, axis=1)).max()
    assert steps < 10


def test_scale_goes_from_grey_to_the_hottest_colour() -> None:
    scale = draw_scale(24, 280)
    same = lay_over(np.full((100, 100, 1), 128, np.uint8), ramp(100, 100))
    assert scale.shape == (24, 280, 3)
    np.testing.assert_array_equal(scale[0, 0], same[0, 0])
    np.testing.assert_allclose(scale[0, -1], same[0, -1], atol=2)


def test_figure_has_the_image_each_map_and_a_scale() -> None:
    image = np.zeros((80, 100, 3), np.uint8)
    maps = [("for $a$ (9.0%)", ramp()), ("for 猫", np.zeros((80, 100), np.float32))]
    figure = draw_heat_maps(image, maps, title="a_$b$.jpg", scale="strongest")
    titles = [axes.get_title() for axes in figure.axes]
    assert titles[:2] == ["a_$b$.jpg", "for $a$ (9.0%)"]
    assert titles[2].startswith("for ")
    labels = [label.get_text() for label in figure.axes[-1].get_xticklabels()]
    assert labels == ["nothing", "strongest"]
    figure.savefig("/dev/null", format="png")  # no letter is taken for mathematics
