"""An explanation says what the model says."""

import keras
import numpy as np
import pytest
from scipy.special import softmax

from experiments.errors import ConfigError
from experiments.evaluation.explaining.explanation import (
    Explanation,
    explain_images,
    find_class,
)
from experiments.evaluation.explaining.heat_maps import make_heat_maps
from tests.models.conftest import build_small, randomize_weights

NAMES = ("cat", "dog", "Bird", "fish", "frog")
IMAGES = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3)).astype("uint8")


@pytest.fixture(scope="module")
def model() -> keras.Model:
    network = build_small("variant=v2", "head=notebook")
    randomize_weights(network)
    inputs = keras.Input((8, 8, 3), dtype="uint8")
    return keras.Model(inputs, network(keras.layers.Rescaling(1 / 128, -1)(inputs)))


def explain(model: keras.Model, class_name: str | None = None) -> list[Explanation]:
    return explain_images(
        model, IMAGES, NAMES, names=["a", "b", "c", "d"], class_name=class_name
    )


def test_likeliest_classes_are_those_of_the_model(model: keras.Model) -> None:
    shares = np.asarray(model(IMAGES))
    for row, one in enumerate(explain(model)):
        order = np.argsort(-shares[row])[:3]
        assert [name for name, _ in one.likeliest] == [NAMES[n] for n in order]
        given = [share for _, share in one.likeliest]
        np.testing.assert_allclose(given, shares[row, order], atol=1e-5)
        (view,) = one.views
        assert view.class_name == one.likeliest[0][0]
        assert one.method == "grad_cam"
        assert (one.pixels == IMAGES[row]).all()


def test_class_of_choice_is_beside_the_likeliest_and_once(model: keras.Model) -> None:
    likeliest = [one.likeliest[0][0] for one in explain(model)]
    found = explain(model, likeliest[0])
    shares = np.asarray(model(IMAGES))
    for row, one in enumerate(found):
        names = [view.class_name for view in one.views]
        assert names == list(dict.fromkeys([likeliest[row], likeliest[0]]))
        expected = shares[row, NAMES.index(names[-1])]
        np.testing.assert_allclose(one.views[-1].probability, expected, atol=1e-5)


def test_scores_without_a_softmax_are_made_probabilities() -> None:
    network = build_small("variant=v2")
    randomize_weights(network)
    images = IMAGES.astype("float32") / 128 - 1
    (one, *_) = explain_images(network, images, NAMES, names=["a", "b", "c", "d"])
    shares = softmax(np.asarray(network(images)), axis=1)[0]
    assert one.likeliest[0][1] == pytest.approx(shares.max(), abs=1e-5)


def test_of_several_labels_each_that_is_there_has_its_own_map() -> None:
    """Sigmoids; beside the likeliest a map for every other above one half, of three."""
    network = build_small("variant=v2")
    randomize_weights(network)
    images = IMAGES.astype("float32") / 128 - 1
    scores = np.asarray(network(images), np.float64)
    # A bias that lets two of the four images show each class.
    scores -= (middle := np.median(scores, axis=0))
    dense = network.layers[-1]
    dense.bias.assign(np.asarray(dense.bias) - middle)
    chances = 1 / (1 + np.exp(-scores))

    found = explain_images(
        network, images, NAMES, names=["a", "b", "c", "d"], has_several=True
    )

    counts = set()
    for row, one in enumerate(found):
        order = np.argsort(-chances[row])[:3]
        assert [name for name, _ in one.likeliest] == [NAMES[n] for n in order]
        given = [chance for _, chance in one.likeliest]
        np.testing.assert_allclose(given, chances[row, order], atol=1e-4)
        there = [n for n in order if chances[row, n] > 0.5] or order[:1]
        assert [view.class_name for view in one.views] == [NAMES[n] for n in there]
        for view in one.views:
            (alone,) = make_heat_maps(
                network, images[row : row + 1], [NAMES.index(view.class_name)]
            ).maps
            np.testing.assert_allclose(view.heat, alone, atol=1e-4)
        counts.add(len(one.views))
    assert len(counts) > 1  # so that images are told apart


def test_an_explanation_is_a_picture_in_a_notebook(model: keras.Model) -> None:
    assert explain(model)[0]._repr_png_().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("kat", "Did you mean `cat`?"),
        ("bird", "Did you mean `Bird`?"),
        ("aeroplane", "There are: cat, dog, Bird, fish, frog."),
    ],
)
def test_unknown_class_is_told_with_those_that_there_are(typed: str, hint: str) -> None:
    with pytest.raises(ConfigError) as error:
        find_class(typed, NAMES)
    (problem,) = error.value.problems
    assert problem.key == "task.class_name"
    assert problem.hint == hint


def test_a_class_is_found_by_its_name() -> None:
    assert find_class("Bird", NAMES) == 2
