import os
import subprocess
import sys

import pytest

SCRIPT = """
import keras
from experiments.data.augment.flip_crop import FlipCrop
from experiments.data.datasets.digits import load_digits
from experiments.data.pipeline.pipeline import build_pipeline

data = load_digits(
    image_size=None, mean=None, std=None, validation_fraction=0.15,
    test_fraction=0.15, split_seed=0, cache="auto", decode_threads=None,
)
common = {"image_shape": data.image_shape, "seed": 0}
train = build_pipeline(
    data.train, batch_size=32, shuffle=True, epochs=None, drop_remainder=True,
    augment=[FlipCrop(pad=0, flip=False)], **common,
)
validation = build_pipeline(
    data.validation, batch_size=100, shuffle=False, epochs=1, drop_remainder=False,
    **common,
)
keras.utils.set_random_seed(0)
model = keras.Sequential([
    keras.layers.Rescaling(1 / 255), keras.layers.Flatten(), keras.layers.Dense(10),
])
model.compile(
    keras.optimizers.Adam(0.01), metrics=["accuracy"],
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
)
history = model.fit(
    train, epochs=3, steps_per_epoch=39, validation_data=validation, shuffle=False,
    verbose=0,
).history
accuracy = history["val_accuracy"]
print(keras.backend.backend(), len(accuracy), accuracy[-1])
"""


def test_fit_takes_the_pipeline_on_jax_too():
    pytest.importorskip("jax")

    finished = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={**os.environ, "KERAS_BACKEND": "jax", "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        check=False,
    )

    assert finished.returncode == 0, finished.stderr
    backend, epochs, accuracy = finished.stdout.split()[-3:]
    assert (backend, epochs) == ("jax", "3")
    assert float(accuracy) > 0.9
