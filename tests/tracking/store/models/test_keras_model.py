import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from experiments.tracking.addition import add_to_folder
from experiments.tracking.sending import sender
from experiments.tracking.spool.inputs import DatasetInput
from experiments.tracking.spool.spool import Spool
from experiments.tracking.spooled_tracker import SpooledTracker
from experiments.tracking.store.client import connect
from tests.tracking.conftest import destination, points_of, run_of, settle
from tests.tracking.test_addition import describe

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


def log(tracker, model, images):
    """Stores the model and returns MLflow's record of it."""
    metadata = {"class_names": ["a", "b"]}
    tracker.log_model(model, example=images[:2], metadata=metadata, step=3)
    client = settle(tracker)
    experiment = client.get_run(tracker.run_id).info.experiment_id
    (stored,) = client.search_logged_models([experiment])
    return stored


@pytest.mark.timeout(240)
def test_stored_model_predicts_the_same_in_a_fresh_process(
    open_run, model, images, tmp_path
):
    tracker = open_run()
    stored = log(tracker, model, images)
    np.save(tmp_path / "images.npy", images)
    np.save(tmp_path / "expected.npy", model.predict(images, verbose=0))
    store = f"sqlite:///{tmp_path}/out/mlflow.db"
    uris = [f"models:/{stored.model_id}", f"runs:/{tracker.run_id}/a-run"]
    command = [sys.executable, "-c", LOAD, store, str(tmp_path), *uris]
    loaded = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert loaded.stdout.strip() == "same", loaded.stderr


def test_stored_model_is_linked_to_its_run_and_described(open_run, model, images):
    tracker = open_run()
    stored = log(tracker, model, images)
    (link,) = run_of(tracker).outputs.model_outputs
    assert (link.model_id, link.step) == (stored.model_id, 3)
    assert stored.status == "READY"
    assert stored.source_run_id == tracker.run_id
    assert stored.name == "a-run"

    from mlflow.models import Model

    record = Model.load(stored.artifact_location.removeprefix("file://"))
    (inputs,) = json.loads(record.signature.to_dict()["inputs"])
    (outputs,) = json.loads(record.signature.to_dict()["outputs"])
    assert inputs["tensor-spec"] == {"dtype": "uint8", "shape": [-1, 8, 8, 3]}
    assert outputs["tensor-spec"] == {"dtype": "float32", "shape": [-1, 5]}
    assert record.metadata == {"class_names": ["a", "b"]}
    assert set(record.flavors) == {"keras", "python_function"}
    assert (record.run_id, record.model_id) == (tracker.run_id, stored.model_id)
    assert record.artifact_path == f"models:/{stored.model_id}"  # wherever that lies


def test_model_has_the_settings_and_the_scores_of_its_run(open_run, model, images):
    tracker = open_run(run_name="resnet18 on Blumen (2024): lr=0.1")
    splits = {"validation": "5eed", "test": "c0ffee"}
    common = {"name": "Blumen", "folder": None, "code": "load", "profile": {}}
    tracker.log_datasets(
        [
            DatasetInput(digest=digest, context=context, **common)
            for context, digest in splits.items()
        ]
    )
    tracker.log_params({"optimizer.lr": 0.1, "trainer.epochs": 3})
    tracker.log_metrics({"loss": 0.5, "best_loss": 0.5}, step=3)
    log(tracker, model, images)
    scores = {"test_loss": 0.25, "best_loss": 0.5}
    tracker.log_metrics(scores, step=3, of_model=True)
    tracker.log_metrics({"test_loss": 1.0}, step=4, of_model=True)  # no model is of it
    client = settle(tracker)
    (link,) = run_of(tracker).outputs.model_outputs
    stored = client.get_logged_model(link.model_id)
    assert stored.name == "resnet18-on-Blumen-2024-lr-0-1"
    assert stored.params == {"optimizer.lr": "0.1", "trainer.epochs": "3"}
    (score,) = stored.metrics
    assert (score.key, score.value, score.step) == ("test_loss", 0.25, 3)
    assert (score.dataset_name, score.dataset_digest) == ("Blumen", "c0ffee")

    # A process that died after sending and before remembering it sends again.
    tracker._courier.sent = 0
    tracker._sender.notify()
    settle(tracker)
    assert tracker._courier.refusals == []
    assert client.get_logged_model(link.model_id).metrics == stored.metrics
    assert points_of(client, tracker.run_id, "test_loss") == [(3, 0.25), (4, 1.0)]


def test_evaluation_of_a_run_that_is_over_is_on_its_model(
    open_run, model, images, tmp_path
):
    tracker = open_run()
    log(tracker, model, images)
    tracker.finish("FINISHED")
    place = destination(tmp_path / "out")
    add_to_folder(Path(tracker._spool.job_folder), describe(tmp_path), place)
    (link,) = run_of(tracker).outputs.model_outputs
    client = connect(place, create=False).client
    (score,) = client.get_logged_model(link.model_id).metrics
    assert (score.key, score.value) == ("evaluation/photos/accuracy", 0.25)
    assert score.dataset_name is None  # the training's own would be another one


def test_requirements_are_few_and_pinned(open_run, model, images):
    from importlib.metadata import version

    stored = log(open_run(), model, images)
    folder = stored.artifact_location.removeprefix("file://")
    lines = Path(folder, "requirements.txt").read_text().split()
    names = ("mlflow", "keras", "tensorflow")
    assert lines == [f"{name}=={version(name)}" for name in names]


def test_sent_model_frees_the_disk_and_is_sent_once(open_run, model, images):
    tracker = open_run()
    log(tracker, model, images)
    log(tracker, model, images)  # a resumed job repeats its end
    assert not tracker._spool.models.exists()


def test_model_is_sent_once_however_often_the_process_dies(
    open_run, model, images, monkeypatch
):
    """Everything after each single request is done again."""
    tracker = open_run()
    client = settle(tracker)
    steps = ("create_logged_model", "log_model_artifacts", "log_outputs")
    for step in (*steps, "finalize_logged_model"):
        monkeypatch.setattr(client, step, dies_once(getattr(client, step)))
    monkeypatch.setattr(sender, "_DELAYS", (0.01,))
    delivery = tracker._courier._delivery
    monkeypatch.setattr(tracker._courier, "_connect", lambda: delivery)
    stored = log(tracker, model, images)
    (link,) = run_of(tracker).outputs.model_outputs
    assert (link.model_id, stored.status) == (stored.model_id, "READY")


def dies_once(call):
    """Returns a call that succeeds and whose first answer gets lost."""
    lost = []

    def wrapped(*args, **more):
        answer = call(*args, **more)
        if not lost:
            lost.append(answer)
            raise OSError("the connection was lost")
        return answer

    return wrapped


def test_model_that_cannot_be_stored_is_told_and_stops_nothing(
    open_run, images, caplog
):
    tracker = open_run()
    tracker.log_model(object(), example=images)
    tracker.finish("FINISHED")
    run = run_of(tracker)
    assert run.info.status == "FINISHED"
    assert run.data.tags["model.problem"].startswith("AttributeError")
    assert "The model is not recorded" in caplog.text


@pytest.mark.timeout(240)
def test_model_of_a_deleted_database_is_sent_again_from_where_it_lay(
    open_run, model, images, tmp_path
):
    out = tmp_path / "out"
    tracker = open_run()
    log(tracker, model, images)
    tracker.finish("FINISHED")
    assert not tracker._spool.models.exists()  # MLflow has it: not kept twice
    for path in out.glob("mlflow.db*"):
        path.unlink()
    moved = out.rename(tmp_path / "moved")
    np.save(tmp_path / "images.npy", images)
    np.save(tmp_path / "expected.npy", model.predict(images, verbose=0))
    command = [sys.executable, "-c", WITHOUT_FRAMEWORK, str(moved)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.stdout == "0 set()\n", result.stderr
    store = f"sqlite:///{moved}/mlflow.db"
    run_id = Spool(moved / tracker._spool.job_folder.relative_to(out)).read_run_id()
    uri = f"runs:/{run_id}/a-run"
    command = [sys.executable, "-c", LOAD, store, str(tmp_path), uri]
    loaded = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert loaded.stdout.strip() == "same", loaded.stderr


WITHOUT_FRAMEWORK = """
import sys
from pathlib import Path
from experiments.config.kinds.destination import Destination
from experiments.tracking.sending.sync import sync_folders
(row,) = sync_folders(Destination(output_dir=Path(sys.argv[1])))
print(row.unsent, {"keras", "tensorflow", "jax"} & set(sys.modules))
"""


@pytest.mark.timeout(240)
def test_unsent_model_is_sent_later_without_a_framework(
    open_run, model, images, tmp_path, monkeypatch
):
    monkeypatch.setattr(SpooledTracker, "start", lambda tracker: None)
    tracker = open_run()
    tracker.log_model(model, example=images[:2], step=3)
    tracker._spool.disown()  # as if this process had died
    command = [sys.executable, "-c", WITHOUT_FRAMEWORK, str(tmp_path / "out")]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.stdout == "0 set()\n", result.stderr
    store = f"sqlite:///{tmp_path}/out/mlflow.db"
    run_id = tracker._spool.read_run_id()
    np.save(tmp_path / "images.npy", images)
    np.save(tmp_path / "expected.npy", model.predict(images, verbose=0))
    command = [
        sys.executable,
        "-c",
        LOAD,
        store,
        str(tmp_path),
        f"runs:/{run_id}/a-run",
    ]
    loaded = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert loaded.stdout.strip() == "same", loaded.stderr
