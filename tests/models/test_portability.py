"""A network works under each precision, backend and without this package."""

import subprocess
import sys

import keras
import numpy as np
import pytest

from tests.conftest import ROOT
from tests.models.conftest import build_small, randomize_weights, relative_error

# Keras 3.15 saves TensorFlow's variables through numpy's old `__array__` protocol.
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"
)

WITHOUT_PACKAGE = """
import sys
from pathlib import Path
sys.modules["experiments"] = None
from tests.models.stranger import load_and_train
load_and_train(Path(sys.argv[1]))
"""

# Builds every kind of network; then blocks the package and loads a saved one.
ON_JAX = """
import sys
from pathlib import Path
from tests.models.conftest import build_small
from tests.models.stranger import load_and_train

for keys in [
    ("variant=v1", "shortcut=A"),
    ("variant=v1_5", "shortcut=B", "block=bottleneck"),
    ("variant=v2", "shortcut=C"),
    ("variant=v2", "shortcut=none", "head=notebook"),
    ("stem=deep", "average_shortcut=true", "anti_aliasing=branch"),
]:
    assert build_small(*keys).output.shape == (None, 5)
assert "tensorflow" not in sys.modules
for name in list(sys.modules):
    if name.partition(".")[0] == "experiments":
        sys.modules[name] = None
load_and_train(Path(sys.argv[1]))
"""


@pytest.fixture
def mixed_precision():
    keras.config.set_dtype_policy("mixed_bfloat16")
    yield
    keras.config.set_dtype_policy("float32")


@pytest.fixture
def saved(images, tmp_path):
    """A folder with a saved network and what it puts out."""
    network = build_small(
        "shortcut=A",
        "variant=v2",
        "dropout=0.1",
        "block=bottleneck",
        "groups=2",
        "squeeze_excitation=4",
        "anti_aliasing=all",
        "stochastic_depth=0.1",
    )
    randomize_weights(network)
    network.save(tmp_path / "network.keras")
    outputs = np.asarray(network(images))
    np.savez(tmp_path / "data.npz", images=images, outputs=outputs, labels=[0, 1, 2, 3])
    return tmp_path


def assert_trained(folder, images):
    outputs = np.load(folder / "data.npz")["outputs"]
    trained = keras.models.load_model(folder / "again.keras")
    assert relative_error(trained(images), outputs) > 1e-3


def test_a_saved_network_loads_and_trains_without_this_package(saved, images):
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_PACKAGE, str(saved)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert_trained(saved, images)


def test_jax_builds_every_network_and_trains_a_saved_one(saved, images, monkeypatch):
    pytest.importorskip("jax")
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    result = subprocess.run(
        [sys.executable, "-c", ON_JAX, str(saved)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert_trained(saved, images)


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
