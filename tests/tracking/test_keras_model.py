import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

# Keras 3.15 on TensorFlow 2.21 converts variables in a way that NumPy 2.4 deprecates.
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)

LOAD = """
import sys
sys.modules["experiments"] = None  # as if this package were not installed
import mlflow, numpy as np
mlflow.set_tracking_uri(sys.argv[1])
for uri in sys.argv[3:]:
    model = mlflow.keras.load_model(uri)
    images = np.load(sys.argv[2] + "/images.npy")
    expected = np.load(sys.argv[2] + "/expected.npy")
    np.testing.assert_array_equal(model.predict(images, verbose=0), expected)
print("same")
"""


@pytest.fixture(scope="module")
def model():
    """A network inside a model that takes plain uint8 images."""
    import keras

    keras.utils.set_random_seed(0)
    network = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            keras.layers.Conv2D(4, 3),
            keras.layers.BatchNormalization(),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(5),
        ],
        name="network",
    )
    images = keras.Input((8, 8, 3), dtype="uint8")
    return keras.Model(images, network(keras.layers.Rescaling(1 / 255)(images)))


@pytest.fixture(scope="module")
def images():
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (6, 8, 8, 3), dtype=np.uint8)


@pytest.mark.timeout(240)
def test_stored_model_predicts_the_same_in_a_fresh_process(
    open_run, model, images, tmp_path
):
    tracker = open_run()
    uri = tracker.log_model(
        model, example=images[:2], metadata={"class_names": ["a", "b"]}, step=3
    )
    np.save(tmp_path / "images.npy", images)
    np.save(tmp_path / "expected.npy", model.predict(images, verbose=0))
    store = f"sqlite:///{tmp_path}/out/mlflow.db"
    uris = [uri, f"runs:/{tracker.run_id}/model"]
    command = [sys.executable, "-c", LOAD, store, str(tmp_path), *uris]
    loaded = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert loaded.stdout.strip() == "same", loaded.stderr


def test_stored_model_is_linked_to_its_run_and_described(open_run, model, images):
    tracker = open_run()
    uri = tracker.log_model(
        model, example=images[:2], metadata={"class_names": ["a", "b"]}, step=3
    )
    client = tracker._client
    stored = client.get_logged_model(uri.removeprefix("models:/"))
    (link,) = client.get_run(tracker.run_id).outputs.model_outputs
    assert (link.model_id, link.step) == (stored.model_id, 3)
    assert stored.status == "READY"
    assert stored.source_run_id == tracker.run_id

    from mlflow.models import Model

    record = Model.load(stored.artifact_location.removeprefix("file://"))
    (inputs,) = json.loads(record.signature.to_dict()["inputs"])
    (outputs,) = json.loads(record.signature.to_dict()["outputs"])
    assert inputs["tensor-spec"] == {"dtype": "uint8", "shape": [-1, 8, 8, 3]}
    assert outputs["tensor-spec"] == {"dtype": "float32", "shape": [-1, 5]}
    assert record.metadata == {"class_names": ["a", "b"]}
    assert set(record.flavors) == {"keras", "python_function"}


def test_requirements_are_few_and_pinned(open_run, model, images):
    from importlib.metadata import version

    tracker = open_run()
    uri = tracker.log_model(model, example=images)
    stored = tracker._client.get_logged_model(uri.removeprefix("models:/"))
    folder = stored.artifact_location.removeprefix("file://")
    lines = Path(folder, "requirements.txt").read_text().split()
    names = ("mlflow", "keras", "tensorflow")
    assert lines == [f"{name}=={version(name)}" for name in names]


def test_model_that_cannot_be_stored_is_marked_as_failed(open_run, images):
    tracker = open_run()
    with pytest.raises(AttributeError):
        tracker.log_model(object(), example=images)
    experiment = tracker._client.get_run(tracker.run_id).info.experiment_id
    (stored,) = tracker._client.search_logged_models([experiment])
    assert stored.status == "FAILED"
