"""What is done with a run is done with networks of other architectures too."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

# The smallest images whose last maps have more than one place.
SIZES = {
    "EfficientNetV2B0": 64,
    "ConvNeXtTiny": 64,
    "MobileNetV3Small": 64,
    "DenseNet121": 64,
    "InceptionResNetV2": 111,
}
STOPPED = 75  # the exit code of who is to be called again


def find_one(folder: Path, pattern: str) -> Path:
    (path,) = folder.glob(pattern)
    return path


@pytest.mark.parametrize("architecture", SIZES)
def test_it_is_trained_resumed_exported_explained_and_searched(
    run_command: Any, tmp_path: Path, architecture: str
) -> None:
    size = SIZES[architecture]

    def run(*words: str, code: int = 0) -> Any:
        done = run_command(*words, "tracking=off", timeout=1800)
        assert done.returncode == code, done.stdout + done.stderr
        return done

    training = (
        "model=keras_application",
        f"model.architecture={architecture}",
        "dataset=synthetic_small",
        f"dataset.image_size={size}",
        "dataset.images=48",
        "dataset.classes=3",
        "trainer.batch_size=8",
        "trainer.max_steps_per_epoch=2",
        "gpu=cpu",
        "task.picture_grid=false",
    )
    run(*training, "trainer.epochs=2", "trainer.max_steps=3", code=STOPPED)
    done = run(*training, "trainer.epochs=2")
    assert "held-out test" in done.stdout
    (folder,) = (tmp_path / "outputs" / "runs").iterdir()
    assert json.loads((folder / "result.json").read_text())["status"] == "FINISHED"

    run("task=export", "run_id=last", "task.calls=0")
    report = find_one(tmp_path, "outputs/runs/export*/bundle/export.json")
    files = json.loads(report.read_text())["files"]
    assert list(files) == ["saved_model", "onnx", "litert"]
    for name, one in files.items():
        assert one["parity"]["agreement"] == 1, name
        assert one["parity"]["largest_difference"] < 1e-4, name

    pixels = np.random.default_rng(1).integers(0, 256, (size, size, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    run("task=explain", "run_id=last", "input=photo.png")
    find_one(tmp_path, "outputs/runs/explain*/explanations/photo.png")

    run(
        "-m",
        "hydra/sweeper=keras_tuner",
        "hydra.sweeper.max_trials=2",
        *training,
        "trainer.epochs=1",
        "model.dropout=interval(0.0,0.5)",
    )
    trials = list(tmp_path.glob("outputs/sweeps/*/*/result.json"))
    ends = [json.loads(trial.read_text())["status"] for trial in trials]
    assert ends == ["FINISHED"] * 2
