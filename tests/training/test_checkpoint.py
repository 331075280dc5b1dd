import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from experiments.errors import ExperimentError
from experiments.training.checkpoint import Checkpoint, load_checkpoint
from experiments.training.fit import fit
from experiments.training.manifest import read_manifest

Model = Callable[..., Any]


def play(callback: Checkpoint, model: Any, values: list[float]) -> None:
    """Plays epochs that end with these values; the first weight tells the epoch."""
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, value in enumerate(values):
        model.layers[0].kernel.assign(np.full((4, 8), epoch + 1, "float32"))
        callback.on_epoch_end(epoch, {"val_accuracy": value})
    callback.on_train_end()


def first_weight(model: Any) -> float:
    return float(model.get_weights()[0][0, 0])


@pytest.fixture
def model(dense_model: Model) -> Any:
    model = dense_model(keras.optimizers.Adam(0.01))
    model.optimizer.build(model.trainable_variables)  # as the first step does
    return model


@pytest.mark.parametrize(
    ("mode", "values", "best"),
    [
        ("max", [0.1, 0.5, 0.3], 2),
        ("min", [0.5, 0.1, 0.3], 2),
        ("max", [0.5, 0.5, 0.5], 1),
        ("max", [float("nan"), 0.2, float("inf")], 2),
        ("max", [0.1, 0.2, 0.3], 3),
    ],
)
def test_best_and_last_epoch_are_kept(
    mode: Any, values: list[float], best: int, model: Any, output_dir: Path
) -> None:
    callback = Checkpoint(output_dir=output_dir, monitor="val_accuracy", mode=mode)

    play(callback, model, values)

    record = callback.load_best(model)
    assert (record.epoch, first_weight(model)) == (best, best)
    assert record.metrics == {"val_accuracy": values[best - 1]}
    last = load_checkpoint(callback.folder, model, which="last")
    assert (last.epoch, first_weight(model)) == (3, 3)


def test_only_named_files_remain(model: Any, output_dir: Path) -> None:
    callback = Checkpoint(output_dir=output_dir, monitor="val_accuracy", mode="max")

    play(callback, model, [0.1, 0.9, 0.2, 0.3])

    assert sorted(path.name for path in callback.folder.iterdir()) == [
        "epoch-0002.weights.h5",
        "epoch-0004.weights.h5",
        "manifest.json",
    ]


def test_best_epoch_that_is_the_last_is_written_once(
    model: Any, output_dir: Path
) -> None:
    callback = Checkpoint(output_dir=output_dir, monitor="val_accuracy", mode="max")

    play(callback, model, [0.1, 0.2])

    manifest = read_manifest(callback.folder)
    assert manifest.best == manifest.last
    assert len(list(callback.folder.glob("*.h5"))) == 1


def test_rare_saves_still_keep_the_best_and_the_final_state(
    model: Any, output_dir: Path
) -> None:
    callback = Checkpoint(
        output_dir=output_dir, monitor="val_accuracy", mode="max", every_epochs=100
    )

    play(callback, model, [0.1, 0.9, 0.2, 0.3])

    manifest = read_manifest(callback.folder)
    assert manifest.best is not None
    assert manifest.last is not None
    assert (manifest.best.epoch, manifest.last.epoch) == (2, 4)


def test_optimizer_state_is_restored_into_a_fresh_model(
    dense_model: Model, batches: Any, output_dir: Path
) -> None:
    callback = Checkpoint(output_dir=output_dir, monitor="val_loss", mode="min")
    model = dense_model(keras.optimizers.Adam(0.01))
    fit(
        model,
        train=batches(6),
        validation=batches(1),
        epochs=2,
        steps_per_epoch=3,
        callbacks=[callback],
    )

    fresh = dense_model(keras.optimizers.Adam(0.01))
    load_checkpoint(callback.folder, fresh, which="last")

    assert int(fresh.optimizer.iterations) == 6
    for ours, theirs in zip(
        fresh.optimizer.variables, model.optimizer.variables, strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)
    for ours, theirs in zip(fresh.weights, model.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_weights_load_into_a_model_without_an_optimizer(
    model: Any, dense_model: Model, output_dir: Path
) -> None:
    callback = Checkpoint(output_dir=output_dir, monitor="val_accuracy", mode="max")
    play(callback, model, [0.1])
    uncompiled = dense_model()

    callback.load_best(uncompiled)

    assert first_weight(uncompiled) == 1


def test_crash_while_writing_leaves_the_previous_state_valid(
    model: Any, output_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    callback = Checkpoint(output_dir=output_dir, monitor="val_accuracy", mode="max")
    play(callback, model, [0.5])

    def save_half(path: Path, **_: Any) -> None:
        Path(path).write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(model, "save_weights", save_half)
    with pytest.raises(OSError, match="disk full"):
        callback.on_epoch_end(1, {"val_accuracy": 0.9})
    model.layers[0].kernel.assign(np.zeros((4, 8), "float32"))

    assert callback.load_best(model).epoch == 1
    assert first_weight(model) == 1


def test_crash_before_the_manifest_leaves_the_previous_state_valid(
    model: Any, output_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    callback = Checkpoint(output_dir=output_dir, monitor="val_accuracy", mode="max")
    play(callback, model, [0.5])

    monkeypatch.setattr(json, "dumps", _interrupt)
    with pytest.raises(KeyboardInterrupt):
        callback.on_epoch_end(1, {"val_accuracy": 0.9})

    assert callback.load_best(model).epoch == 1


def _interrupt(*_: Any, **__: Any) -> str:
    raise KeyboardInterrupt


@pytest.mark.parametrize("damage", ["truncate", "delete"])
def test_damaged_file_is_refused(damage: str, model: Any, output_dir: Path) -> None:
    callback = Checkpoint(output_dir=output_dir, monitor="val_accuracy", mode="max")
    play(callback, model, [0.5])
    path = callback.folder / "epoch-0001.weights.h5"
    path.write_bytes(path.read_bytes()[:-1]) if damage == "truncate" else path.unlink()

    with pytest.raises(ExperimentError, match=r"epoch-0001.weights.h5 must be there"):
        callback.load_best(model)


def test_missing_metric_is_named_beside_those_that_exist(
    model: Any, output_dir: Path
) -> None:
    callback = Checkpoint(output_dir=output_dir, monitor="val_f1", mode="max")

    with pytest.raises(ExperimentError, match=r"one of val_accuracy. Received: 'val_f"):
        play(callback, model, [0.5])


def test_no_finite_metric_means_no_best_state(model: Any, output_dir: Path) -> None:
    callback = Checkpoint(output_dir=output_dir, monitor="val_accuracy", mode="max")
    play(callback, model, [float("nan")])

    with pytest.raises(ExperimentError, match="no best state"):
        callback.load_best(model)


def test_folder_without_a_manifest_is_refused(model: Any, tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match="no state was saved"):
        load_checkpoint(tmp_path, model, which="last")
