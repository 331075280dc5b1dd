"""A network works under each precision, backend and without this package."""

import subprocess
import sys

import keras
import numpy as np
import pytest

from tests.models.conftest import build_small, randomize_weights, relative_error

# Keras 3.15 saves TensorFlow's variables through numpy's old `__array__` protocol.
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"
)

# Blocks the package, loads a network, compares its outputs and takes a step.
LOADER = """
import sys
sys.modules["experiments"] = None
import keras, numpy as np
network = keras.models.load_model(sys.argv[1])
data = np.load(sys.argv[2])
outputs = keras.ops.convert_to_numpy(network(data["images"]))
np.testing.assert_allclose(outputs, data["outputs"], rtol=1e-4, atol=1e-4)
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
network.compile(keras.optimizers.Adam(1e-3), loss)
history = network.fit(data["images"], data["labels"], epochs=3, verbose=0)
assert np.isfinite(history.history["loss"]).all()
network.save(sys.argv[3])
print(keras.backend.backend())
"""


@pytest.fixture
def mixed_precision():
    keras.config.set_dtype_policy("mixed_bfloat16")
    yield
    keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_a_saved_network_loads_and_trains_without_this_package(
    backend, images, tmp_path, monkeypatch
):
    if backend == "jax":
        pytest.importorskip("jax")
    network = build_small("shortcut=A", "variant=v2", "dropout=0.1")
    randomize_weights(network)
    network.save(tmp_path / "network.keras")
    outputs = np.asarray(network(images))
    np.savez(tmp_path / "data.npz", images=images, outputs=outputs, labels=[0, 1, 2, 3])
    monkeypatch.setenv("KERAS_BACKEND", backend)
    files = ("network.keras", "data.npz", "again.keras")
    result = subprocess.run(
        [sys.executable, "-c", LOADER, *(str(tmp_path / file) for file in files)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.split()[-1] == backend
    trained = keras.models.load_model(tmp_path / "again.keras")
    assert relative_error(trained(images), outputs) > 1e-3


@pytest.mark.parametrize("backend", ["jax"])
def test_every_kind_of_network_builds_on_the_backend(backend, monkeypatch):
    pytest.importorskip(backend)
    monkeypatch.setenv("KERAS_BACKEND", backend)
    program = """
import sys
from tests.models.conftest import build_small
for keys in [
    ("variant=v1", "shortcut=A"),
    ("variant=v1_5", "shortcut=B", "block=bottleneck"),
    ("variant=v2", "shortcut=C"),
    ("variant=v2", "shortcut=none", "head=notebook"),
]:
    assert build_small(*keys).output.shape == (None, 5)
assert "tensorflow" not in sys.modules
"""
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr


@pytest.mark.usefixtures("mixed_precision")
@pytest.mark.parametrize("head", ["average", "notebook"])
def test_outputs_are_float32_under_mixed_precision(head, images, tmp_path):
    network = build_small("shortcut=A", f"head={head}")
    assert network.get_layer("conv2_block1_1_conv").compute_dtype == "bfloat16"
    outputs = network(images)
    assert outputs.dtype == "float32"
    network.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras")
    np.testing.assert_array_equal(loaded(images), outputs)


@pytest.mark.usefixtures("mixed_precision")
def test_a_step_under_mixed_precision_changes_float32_weights(images):
    network = build_small()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(keras.optimizers.SGD(0.1), loss)
    (before,) = network.get_layer("conv1_conv").get_weights()
    assert np.isfinite(network.train_on_batch(images, np.arange(4)))
    (after,) = network.get_layer("conv1_conv").get_weights()
    assert before.dtype == after.dtype == "float32"
    assert not np.array_equal(before, after)
