"""Real weights on real photographs: a cat is a cat."""

import itertools
from typing import Any

import keras
import numpy as np
import pytest
from PIL import Image

from experiments.models.keras_application import HEAD, build_keras_application
from experiments.trained.start import Start
from experiments.weights.applications import name_as_built
from experiments.weights.preprocessing import PREPROCESSINGS
from experiments.weights.source import read_weights
from tests.weights.downloads import find_dogs, find_mobilenet

pytestmark = pytest.mark.weights

# Of ImageNet's classes: tabby, tiger cat, Egyptian cat; espresso.
CATS, ESPRESSO = {281, 282, 285}, {967}
PHOTOGRAPHS = (
    "brick",
    "cat",
    "coffee",
    "coins",
    "grass",
    "hubble_deep_field",
    "immunohistochemistry",
    "moon",
    "retina",
    "rocket",
)
TILES, SIZE = 4, 96


def build(size: int, classes: int) -> Any:
    keras.utils.set_random_seed(0)
    return build_keras_application(
        input_shape=(size, size, 3),
        num_classes=classes,
        architecture="MobileNetV2",
        alpha=None,
        pooling="average",
        dropout=0.0,
    )


def take(name: str) -> np.ndarray:
    """Returns a photograph of scikit-image's wheel, uint8 (H, W, 3)."""
    data = pytest.importorskip("skimage.data")
    image = getattr(data, name)()
    return image[..., :3] if image.ndim == 3 else np.stack([image] * 3, axis=-1)


def prepare(image: np.ndarray, size: int) -> np.ndarray:
    """Returns floats as torchvision wants them, (size, size, 3)."""
    known = PREPROCESSINGS["torch"]
    scaled = Image.fromarray(image).resize((size, size), Image.Resampling.BILINEAR)
    pixels = (np.asarray(scaled) / 255 - known.mean) / known.std
    return np.asarray(pixels, "float32")


@pytest.mark.parametrize(("name", "classes"), [("cat", CATS), ("coffee", ESPRESSO)])
def test_a_photograph_is_taken_for_what_it_shows(name: str, classes: set[int]) -> None:
    weights = read_weights(find_mobilenet())
    assert weights.sha256.startswith("b0353104")  # as its name says
    network = build(224, 1000)
    assert Start(weights=weights, names=name_as_built).put_into(network).share == 1
    image = take(name)
    side = min(image.shape[:2])
    top, left = (np.array(image.shape[:2]) - side) // 2
    image = image[top : top + side, left : left + side]
    logits = np.asarray(network(prepare(image, 224)[None]))[0]
    chances = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
    assert int(logits.argmax()) in classes
    assert sum(chances[k] for k in classes) > 0.8


def split_photographs() -> tuple[Any, Any]:
    """Returns tiles and labels of two halves, which lie like the fields of a chess."""
    halves: tuple[Any, Any] = (([], []), ([], []))
    for label, name in enumerate(PHOTOGRAPHS):
        image = take(name)
        down, across = (side // TILES for side in image.shape[:2])
        for row, column in itertools.product(range(TILES), repeat=2):
            tile = image[row * down :, column * across :][:down, :across]
            images, labels = halves[(row + column) % 2]
            images.append(prepare(tile, SIZE))
            labels.append(label)
    (train, known), (test, wanted) = halves
    return (np.array(train), np.array(known)), (np.array(test), np.array(wanted))


def test_a_linear_probe_tells_ten_photographs_apart_and_random_weights_do_not() -> None:
    from sklearn.linear_model import LogisticRegression

    (train, known), (test, wanted) = split_photographs()
    network = build(SIZE, len(PHOTOGRAPHS))
    body = keras.Model(network.input, network.get_layer(HEAD).input)
    scores = []
    for begins in (False, True):
        if begins:
            weights = read_weights(find_mobilenet())
            Start(weights=weights, names=name_as_built).put_into(network)
        features = [body.predict(images, verbose=0) for images in (train, test)]
        probe = LogisticRegression(max_iter=2000).fit(features[0], known)
        scores.append(probe.score(features[1], wanted))
    random, pretrained = scores
    assert random <= 0.3
    assert pretrained >= 0.9


def test_a_file_of_somebodys_own_network_gives_its_body_and_its_head() -> None:
    network = build(224, 19)
    weights = read_weights(find_dogs())
    table = Start(weights=weights, names=name_as_built).put_into(network)
    assert {row.state for row in table.rows} == {"loaded"}
    variances = [w for w in network.weights if "moving_variance" in w.path]
    assert all((np.asarray(v) > 0).any() for v in variances)
