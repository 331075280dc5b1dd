"""What somebody does with a saved network who has never heard of this package."""

from pathlib import Path

import keras
import numpy as np


def load_and_train(folder: Path) -> None:
    """Loads a network, compares its outputs, trains it and saves it again."""
    assert not keras.saving.get_custom_objects()
    network = keras.models.load_model(folder / "network.keras")
    data = np.load(folder / "data.npz")
    outputs = keras.ops.convert_to_numpy(network(data["images"]))
    np.testing.assert_allclose(outputs, data["outputs"], rtol=1e-4, atol=1e-4)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(keras.optimizers.Adam(1e-3), loss)
    history = network.fit(data["images"], data["labels"], epochs=3, verbose=0)
    assert np.isfinite(history.history["loss"]).all()
    network.save(folder / "again.keras")
