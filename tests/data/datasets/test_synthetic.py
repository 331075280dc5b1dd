import keras
import numpy as np
import pytest

from experiments.data.datasets.synthetic import make_synthetic
from experiments.data.pipeline.pipeline import build_pipeline


def make(**changes):
    arguments = {
        "images": 200,
        "classes": 4,
        "channels": 3,
        "seed": 0,
        "image_size": 8,
        "mean": None,
        "std": None,
        "validation_fraction": 0.2,
        "test_fraction": 0.2,
        "split_seed": 0,
        "cache": "auto",
        "decode_threads": None,
    }
    return make_synthetic(**{**arguments, **changes})


def test_a_tiny_network_learns_the_classes():
    data = make()
    pipeline = {"image_shape": data.image_shape, "batch_size": 20, "seed": 0}
    train = build_pipeline(
        data.train, **pipeline, shuffle=True, epochs=None, drop_remainder=True
    )
    validation = build_pipeline(
        data.validation, **pipeline, shuffle=False, epochs=1, drop_remainder=False
    )
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.layers.Rescaling(1 / 255), keras.layers.Flatten(), keras.layers.Dense(4)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, metrics=["accuracy"])

    history = model.fit(
        train,
        epochs=15,
        steps_per_epoch=6,
        validation_data=validation,
        shuffle=False,
        verbose=0,
    ).history

    assert history["val_accuracy"][-1] > 0.95


@pytest.mark.parametrize("channels", [1, 3])
def test_the_images_have_the_asked_form(channels):
    data = make(channels=channels, image_size=13)

    assert data.image_shape == (13, 13, channels)
    assert data.train.images.shape == (120, 13, 13, channels)
    assert [len(split) for split in data.splits.values()] == [120, 40, 40]


def test_the_seed_decides_the_images():
    assert make().fingerprint == make().fingerprint
    assert make(seed=1).fingerprint.content != make().fingerprint.content


def test_every_class_is_in_every_split():
    for split in make().splits.values():
        assert np.unique(split.labels).tolist() == [0, 1, 2, 3]
