"""What is done with a run is done with networks of other architectures too."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.models.test_keras_application import read_state

pytestmark = [pytest.mark.slow, pytest.mark.timeout(7200)]

# The smallest images whose last maps have more than one place.
SIZES = {
    "EfficientNetV2B0": 64,
    "ConvNeXtTiny": 64,
    "MobileNetV3Small": 64,
    "DenseNet121": 64,
    "InceptionResNetV2": 111,
}
TRANSFORMER = (
    "model=vit",
    "model.width=16",
    "model.depth=2",
    "model.heads=2",
    "model.pooling=average",
    "model.stochastic_depth=0.5",
)
no_jax = pytest.mark.skipif(
    importlib.util.find_spec("jax") is None, reason="JAX is an optional extra"
)
STOPPED = 75  # the exit code of who is to be called again


def find_one(folder: Path, pattern: str) -> Path:
    (path,) = folder.glob(pattern)
    return path


@pytest.mark.parametrize("architecture", SIZES)
def test_it_is_trained_resumed_exported_explained_and_searched(
    run_command: Any, tmp_path: Path, architecture: str
) -> None:
    network = ("model=keras_application", f"model.architecture={architecture}")
    do_everything(run_command, tmp_path, network, SIZES[architecture])


@pytest.mark.parametrize("backend", ["tensorflow", pytest.param("jax", marks=no_jax)])
def test_so_is_a_vision_transformer(
    run_command: Any, tmp_path: Path, backend: str
) -> None:
    do_everything(run_command, tmp_path, (*TRANSFORMER, f"backend={backend}"), 8)


def do_everything(
    run_command: Any, folder: Path, network: tuple[str, ...], size: int
) -> None:
    """Trains a network whole and in parts, exports, explains and searches it."""

    def run(*words: str, code: int = 0) -> Any:
        cold = "backend=jax" in network  # the warm one has imported TensorFlow
        done = run_command(*words, "tracking=off", timeout=3600, cold=cold)
        assert done.returncode == code, done.stdout + done.stderr
        return done

    training = (
        *network,
        "dataset=synthetic_small",
        f"dataset.image_size={size}",
        "dataset.images=24",
        "dataset.classes=3",
        "trainer.epochs=2",
        "trainer.batch_size=4",
        "trainer.max_steps_per_epoch=2",
        "gpu=cpu",
        "task.picture_grid=false",
    )
    whole = folder / "whole"
    run(*training, f"output_dir={whole}")
    run(*training, "trainer.max_steps=3", code=STOPPED)
    done = run(*training)
    assert "held-out test" in done.stdout
    expected, found = read_state(whole), read_state(folder / "outputs")
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array, err_msg=name)
    result = find_one(folder, "outputs/runs/*/result.json")
    assert json.loads(result.read_text())["status"] == "FINISHED"

    run("task=export", "run_id=last", "task.calls=0")
    report = find_one(folder, "outputs/runs/export*/bundle/export.json")
    files = json.loads(report.read_text())["files"]
    assert list(files) == ["saved_model", "onnx", "litert"]
    for name, one in files.items():
        assert one["parity"]["agreement"] == 1, name
        assert one["parity"]["largest_difference"] < 1e-4, name

    pixels = np.random.default_rng(1).integers(0, 256, (size, size, 3), np.uint8)
    Image.fromarray(pixels).save(folder / "photo.png")
    run("task=explain", "run_id=last", "input=photo.png")
    find_one(folder, "outputs/runs/explain*/explanations/photo.png")

    run(
        "-m",
        "hydra/sweeper=keras_tuner",
        "hydra.sweeper.max_trials=2",
        *training,
        "model.dropout=interval(0.0,0.5)",
    )
    trials = list(folder.glob("outputs/sweeps/*/*/result.json"))
    ends = [json.loads(trial.read_text())["status"] for trial in trials]
    assert ends == ["FINISHED"] * 2
