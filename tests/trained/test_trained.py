"""A trained model by each of its names: the same answers, classes and preprocessing."""

import logging
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments.api.run import load_run
from experiments.command.composing.composed import Config
from experiments.config.schema.run import RunConfig
from experiments.errors import ExperimentError, TrackingError
from experiments.evaluation.table import read_predictions
from experiments.jobs.job import JobResult
from experiments.trained.finding import find_trained
from experiments.trained.trained import Trained, open_trained

pytestmark = [
    pytest.mark.usefixtures("eager"),
    pytest.mark.filterwarnings("ignore:.*does not apply to tf.data functions"),
]


def _register(run: RunConfig, run_id: str) -> str:
    """Registers the model of a run as `digits`, champion; returns its version."""
    from experiments.tracking.store.client import connect

    client = connect(run.destination()).client
    (link,) = client.get_run(run_id).outputs.model_outputs
    client.create_registered_model("digits")
    model = client.get_logged_model(link.model_id)
    version = client.create_model_version(
        "digits", model.artifact_location, run_id=run_id
    )
    client.set_registered_model_alias("digits", "champion", version.version)
    return str(version.version)


@pytest.fixture(scope="module")
def version(config: Config, result: JobResult) -> str:
    return _register(config.run, str(result.run_id))


@pytest.fixture
def images(result: JobResult) -> Any:
    test = load_run(result).dataset().test
    assert test is not None
    return test.images


def _ask(name: str, run: RunConfig, images: Any) -> tuple[Trained, Any]:
    with open_trained(find_trained(name, run), run) as trained:
        return trained, trained.model.predict(images, verbose=0)


def test_run_gives_what_its_training_kept(
    config: Config, result: JobResult, images: Any
) -> None:
    kept = read_predictions(Path(result.output_dir, "predictions", "test.parquet"))

    trained, outputs = _ask(str(result.run_id)[:10], config.run, images)

    np.testing.assert_allclose(outputs, kept.outputs, atol=1e-5)
    assert trained.class_names == kept.class_names
    assert trained.kind == kept.kind == "logits"
    assert trained.state_sha256 == kept.facts["state_sha256"]
    assert trained.image_shape == images.shape[1:]
    assert trained.folder == Path(result.output_dir)


@pytest.mark.parametrize("name", ["models:/digits@champion", "models:/digits/{}"])
def test_registered_model_is_its_run_s(
    name: str, version: str, config: Config, result: JobResult, images: Any
) -> None:
    _, expected = _ask(result.output_dir, config.run, images)

    trained, outputs = _ask(name.format(version), config.run, images)

    np.testing.assert_allclose(outputs, expected, atol=1e-5)
    assert (trained.run_id, trained.name) == (result.run_id, result.name)
    assert trained.class_names == tuple(f"class_{number}" for number in range(10))


def test_registered_model_of_a_deleted_run_knows_its_classes(
    version: str, config: Config, result: JobResult, images: Any, tmp_path: Path
) -> None:
    assert version
    shutil.copytree(config.run.output_dir, tmp_path / "o")
    shutil.rmtree(tmp_path / "o" / "runs")
    run = replace(config.run, output_dir=str(tmp_path / "o"))
    client = _connect(run)
    client.delete_run(result.run_id)
    _, expected = _ask(result.output_dir, config.run, images)

    trained, outputs = _ask("models:/digits@champion", run, images)

    np.testing.assert_allclose(outputs, expected, atol=1e-5)
    assert trained.class_names == tuple(f"class_{number}" for number in range(10))
    assert trained.folder is None


def _connect(run: RunConfig) -> Any:
    from experiments.tracking.store.client import connect

    return connect(run.destination()).client


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("models:/digits@nobody", "nobody"),
        ("models:/digits", "by its alias or its version"),
        ("models:/digits/last", "by its alias or its version"),
        ("models:/other/3", "no registered model 'other'. There are: digits."),
        ("models:/digit/3", "Did you mean `models:/digits`?"),
        ("models:/digits@champoin", "Did you mean `models:/digits@champion`?"),
        ("models:/digits/99", "digits has no version 99: the last one is "),
    ],
)
def test_registered_model_that_is_not_there_is_told(
    name: str, words: str, version: str, config: Config
) -> None:
    assert version
    with pytest.raises(TrackingError, match=re.escape(words)):
        find_trained(name, config.run)


def test_file_is_a_model_whose_classes_are_numbers(
    config: Config, result: JobResult, images: Any, tmp_path: Path
) -> None:
    path = tmp_path / "net.keras"
    with open_trained(find_trained(result.output_dir, config.run), config.run) as one:
        one.model.save(path)
        expected = one.model.predict(images, verbose=0)

    trained, outputs = _ask(str(path), config.run, images)

    np.testing.assert_allclose(outputs, expected, atol=1e-5)
    assert (trained.name, trained.run_id, trained.config) == ("net.keras", None, None)
    assert trained.class_names == tuple(map(str, range(10)))
    assert len(trained.state_sha256) == 64


def test_groups_of_a_file_are_not_compiled_again_for_each_answer(
    config: Config, tmp_path: Path
) -> None:
    import keras
    import tensorflow as tf

    inputs = keras.Input((8, 8, 4))
    x = keras.layers.Conv2D(4, 3, groups=2)(inputs)
    x = keras.layers.GlobalAveragePooling2D()(x)
    plain = keras.Model(inputs, keras.layers.Dense(2)(x))
    plain.save(tmp_path / "groups.keras")
    images = np.random.default_rng(1).normal(size=(2, 8, 8, 4)).astype("float32")
    said: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    tf.get_logger().addHandler(handler)
    tf.config.run_functions_eagerly(False)
    try:
        found = find_trained(str(tmp_path / "groups.keras"), config.run)
        with open_trained(found, config.run) as trained:
            answers = [trained.model(images) for _ in range(6)]
            assert not said
        expected = [plain(images) for _ in range(6)]
        assert any("retracing" in line for line in said)  # of Keras alone
    finally:
        tf.get_logger().removeHandler(handler)
    np.testing.assert_allclose(answers[0], expected[0], rtol=1e-5, atol=1e-6)


def test_file_that_is_no_model_is_told(config: Config, tmp_path: Path) -> None:
    path = tmp_path / "net.keras"
    path.write_bytes(b"PK no zip at all")
    with (
        pytest.raises(ExperimentError, match=r"net\.keras cannot be read as a Keras"),
        open_trained(find_trained(str(path), config.run), config.run),
    ):
        pass


def test_file_that_is_not_there_is_told(config: Config) -> None:
    with pytest.raises(ExperimentError, match=r"no file away\.keras.*task=list"):
        find_trained("away.keras", config.run)


def test_model_that_is_no_classifier_of_images_is_told(
    config: Config, tmp_path: Path
) -> None:
    import keras

    path = tmp_path / "vector.keras"
    inputs = keras.Input((7,))
    keras.Model(inputs, keras.layers.Dense(2)(inputs)).save(path)
    with (
        pytest.raises(ExperimentError, match="no classifier of images of one size"),
        open_trained(find_trained(str(path), config.run), config.run),
    ):
        pass
