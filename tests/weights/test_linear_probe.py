"""What a network has learnt of some classes helps a linear head to tell others."""

from typing import Any

import keras
import numpy as np
import pytest
from sklearn.datasets import load_digits

from experiments.models.freezing import freeze_layers
from experiments.weights.fit import load_into
from experiments.weights.keras_file import read_layers
from tests.models.conftest import build_option

NETWORK = ("depth=null", "blocks=[1,1]", "block=basic", "width=8", "stem=cifar")


def build() -> Any:
    keras.utils.set_random_seed(0)
    return build_option("resnet", *NETWORK, image=(8, 8, 1), classes=5)


def learn(network: Any, digits: Any, *, epochs: int) -> None:
    network.compile(
        keras.optimizers.Adam(1e-2),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    network.fit(*digits, batch_size=32, epochs=epochs, verbose=0, shuffle=True)


@pytest.fixture(scope="module")
def digits() -> dict[str, Any]:
    """Digits below 5, and two halves of the others, none of which was seen before."""
    images, labels = load_digits(return_X_y=True)
    images = (images.reshape(-1, 8, 8, 1) / 8 - 1).astype("float32")
    low = labels < 5
    high = np.flatnonzero(~low)
    return {
        "low": (images[low], labels[low]),
        "train": (images[high[::2]], labels[high[::2]] - 5),
        "test": (images[high[1::2]], labels[high[1::2]] - 5),
    }


def probe(network: Any, digits: Any) -> float:
    freeze_layers(network, "all")
    learn(network, digits["train"], epochs=8)
    scores = network.evaluate(*digits["test"], verbose=0, return_dict=True)
    return float(scores["accuracy"])


def test_probe_of_learnt_features_beats_one_of_random_features(digits: Any) -> None:
    source, fresh = build(), build()
    learn(source, digits["low"], epochs=4)
    random = probe(build(), digits)
    load_into(fresh, read_layers(source), other_classes=True)
    learnt = probe(fresh, digits)
    assert learnt >= random + 0.2, (learnt, random)
