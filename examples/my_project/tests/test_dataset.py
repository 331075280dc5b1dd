import numpy as np
import pytest

from my_project.dataset import CLASSES, draw_shape, load_shapes


def test_same_seed_draws_the_same_images():
    keys = {"image_size": 16, "images_per_class": 4, "noise": 0.1}
    first, second, other = (load_shapes(**keys, seed=seed) for seed in (1, 1, 2))
    assert first.fingerprint == second.fingerprint != other.fingerprint


@pytest.mark.parametrize("label", range(len(CLASSES)))
def test_shape_is_brighter_than_what_is_around_it_and_does_not_touch_the_edge(label):
    image = draw_shape(label, 24, 0.0, np.random.default_rng(label))
    assert image.shape == (24, 24, 1)
    assert sorted(np.unique(image)) == [round(0.3 * 255), round(0.7 * 255)]
    assert image[[0, -1], [0, -1]].max() == round(0.3 * 255)
