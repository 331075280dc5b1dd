"""Trainings that begin with weights of before, over their whole life."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest

from experiments.api.training import train
from experiments.builders.data import build_dataset
from experiments.command.composing.composed import Config, compose
from experiments.errors import ConfigError, ExperimentError
from experiments.evaluation.table import read_predictions
from experiments.runtime.devices import Devices
from experiments.tracking.spool.spool import Spool
from experiments.trained.finding import find_trained
from experiments.trained.start import Start, find_start
from experiments.trained.trained import open_trained
from experiments.weights.faults import WeightsError
from experiments.weights.preprocessing import PREPROCESSINGS
from experiments.weights.source import Weights, read_weights
from tests.models.conftest import build_option, randomize_weights
from tests.weights.torch_writer import name_as_torch, save

pytestmark = [
    pytest.mark.usefixtures("eager"),
    pytest.mark.filterwarnings("ignore:.*does not apply to tf.data functions"),
]
NETWORK = ["depth=null", "blocks=[1]", "block=basic", "width=8", "stem=imagenet"]
WORDS = [
    "model=resnet",
    *(f"model.{word}" for word in NETWORK),
    "dataset=synthetic_small",
    "dataset.image_size=16",
    "gpu=cpu",
    "trainer.epochs=2",
    "trainer.batch_size=8",
    "trainer.max_steps_per_epoch=2",
    "schedule.warmup_epochs=0",
]
CPU = Devices(())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("weights")


@pytest.fixture(scope="module")
def file(folder: Path) -> Path:
    """Of a network with the stem and the blocks of WORDS, for 1,000 classes."""
    network = build_option("resnet", *NETWORK, image=(16, 16, 3), classes=1000)
    randomize_weights(network)
    save(folder / "tiny.pth", name_as_torch(network))
    return folder / "tiny.pth"


def configure(folder: Path, *words: str) -> Config:
    return compose([*WORDS, f"output_dir={folder / 'outputs'}", *words])


@pytest.fixture(scope="module")
def trained(folder: Path, file: Path) -> Any:
    """A training that was stopped after its first step and went on without the file."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    kept = file.read_bytes()
    words = [f"model.weights={file}"]
    stopped = train(configure(folder, *words, "trainer.max_steps=1"), quiet=True)
    assert stopped.status == "KILLED"
    file.unlink()
    result = train(configure(folder, *words), quiet=True)
    file.write_bytes(kept)
    tf.config.run_functions_eagerly(False)
    return result


def test_job_goes_on_without_the_file_and_says_what_it_began_with(
    trained: Any, folder: Path, file: Path
) -> None:
    assert trained.status == "FINISHED"
    artifacts = Spool(Path(trained.output_dir)).artifacts
    table = json.loads((artifacts / "weights/loaded.json").read_text())["arrays"]
    states = {row["layer"]: row["state"] for row in table}
    assert states.pop("predictions") == "skipped"
    assert set(states.values()) == {"loaded"}
    (kernel,) = [r for r in table if (r["layer"], r["variable"]) == HEAD]
    assert (kernel["shape"], kernel["file_shape"]) == ([8, 10], [8, 1000])
    origin = json.loads(Path(trained.output_dir, "origin.json").read_text())
    assert origin["weights"] == {
        "name": "tiny.pth",
        "sha256": read_weights(file).sha256,
    }
    known = PREPROCESSINGS["torch"]
    assert origin["prepared"] == {"mean": [*known.mean], "std": [*known.std]}
    image = json.loads((artifacts / "data/fingerprint.json").read_text())["image"]
    assert (image["mean"], image["std"]) == ([*known.mean], [*known.std])


HEAD = ("predictions", "kernel")


def test_finished_run_is_opened_without_the_file(
    trained: Any, folder: Path, file: Path
) -> None:
    config = configure(folder)
    kept = read_predictions(Path(trained.output_dir, "predictions", "test.parquet"))
    test = build_dataset(config.run).test
    hidden = file.rename(folder / "elsewhere.pth")
    try:
        found = find_trained(trained.output_dir, config.run)
        with open_trained(found, config.run) as opened:
            outputs = opened.model.predict(test.images, verbose=0)  # type: ignore[union-attr]
    finally:
        hidden.rename(file)
    np.testing.assert_allclose(outputs, kept.outputs, atol=1e-4)


def test_network_begins_with_a_run_as_it_was_and_prepares_images_alike(
    trained: Any, folder: Path
) -> None:
    config = configure(folder, f"model.weights=run:{trained.output_dir}")
    start = find_start(config.run, build_dataset(config.run), CPU)
    found = find_trained(trained.output_dir, config.run)
    with open_trained(found, config.run) as opened:
        network = build_option("resnet", *NETWORK, image=(16, 16, 3), classes=10)
        assert start.put_into(network).share == 1
        for ours, theirs in zip(network.weights, opened.model.weights, strict=True):
            np.testing.assert_array_equal(ours, theirs)
    assert start.images is not None
    assert start.images.mean == pytest.approx(PREPROCESSINGS["torch"].mean)
    assert start.describe()["weights"] == {
        "name": opened.name,
        "sha256": trained.state_sha256,
    }


def test_without_weights_a_training_begins_as_it_always_did(folder: Path) -> None:
    run = configure(folder).run
    assert find_start(run, build_dataset(run), CPU) == Start()
    own = replace(run, model=SimpleNamespace())  # type: ignore[arg-type]
    assert find_start(own, build_dataset(run), CPU) == Start()


def test_preprocessing_may_be_chosen(folder: Path, file: Path) -> None:
    for words, chosen in (
        (("model.preprocessing=tf",), "tf"),
        ((f"model.weights={file}",), "torch"),
        ((f"model.weights={file}", "model.preprocessing=none"), "none"),
        ((f"model.weights={file}", "model.preprocessing=dataset"), None),
    ):
        run = configure(folder, *words).run
        start = find_start(run, build_dataset(run), CPU)
        if chosen is None:
            assert start.images is None
        else:
            known = PREPROCESSINGS[chosen]
            assert start.images is not None
            assert (start.images.mean, start.images.std) == (known.mean, known.std)


def test_mean_that_was_typed_must_be_the_weights_own(folder: Path, file: Path) -> None:
    typed = ["dataset.mean=[0.5,0.5,0.5]", "dataset.std=[0.229,0.224,0.225]"]
    run = configure(folder, f"model.weights={file}", *typed).run
    dataset = build_dataset(run)
    with pytest.raises(ConfigError) as caught:
        find_start(run, dataset, CPU, typed=typed)
    assert (
        "dataset.mean contradicts how the model prepares its images, mean "
        "[0.485, 0.456, 0.406]. Received: [0.5, 0.5, 0.5]. Leave dataset.mean out, or "
        "type model.preprocessing=dataset." in str(caught.value)
    )
    # What stands in a file of conf/ gives way.
    assert find_start(run, dataset, CPU, typed=typed[1:]).images is not None


def test_weights_that_tell_no_preprocessing_ask_for_it(folder: Path) -> None:
    network = build_option("resnet", *NETWORK, image=(16, 16, 3), classes=10)
    path = folder / "own.weights.h5"
    network.save_weights(path)
    run = configure(folder, f"model.weights={path}").run
    dataset = build_dataset(run)
    with pytest.raises(ConfigError, match=r"model.preprocessing must be typed"):
        find_start(run, dataset, CPU)
    run = configure(folder, f"model.weights={path}", "model.preprocessing=caffe").run
    weights = find_start(run, dataset, CPU).weights
    assert weights is not None
    assert weights.preprocessing == PREPROCESSINGS["caffe"]


def test_weights_whose_shapes_would_fit_another_variant_are_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = configure(folder, "model.variant=v1", "model.weights=a.pth").run
    made = Weights(name="a.pth", sha256="", layers={}, variant="v1_5")
    monkeypatch.setattr("experiments.weights.source.read_weights", lambda path: made)
    with pytest.raises(ConfigError, match=r"Type model.variant=v1_5"):
        find_start(run, build_dataset(run), CPU)


def test_misfit_names_the_file() -> None:
    inputs = keras.Input((4,))
    network = keras.Model(inputs, keras.layers.Dense(2, name="last")(inputs))
    layers = {"other": {"kernel": np.zeros((4, 2))}}
    start = Start(weights=Weights(name="a.pth", sha256="", layers=layers))
    with pytest.raises(WeightsError, match=r"a.pth does not fit the network"):
        start.put_into(network)
    with pytest.raises(ValueError, match="no weights to begin with"):
        Start().put_into(network)


def test_run_that_may_be_another_one_tomorrow_is_refused_inside_of_a_job(
    folder: Path,
) -> None:
    run = configure(folder, "model.weights=run:last").run
    with pytest.raises(ExperimentError, match="must name a run by its id or folder"):
        find_start(run, build_dataset(run), CPU)
