import dataclasses
from pathlib import Path
from typing import Any

import keras
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from experiments.training.callbacks.checkpoint import Checkpoint
from experiments.training.callbacks.monitors import LearningRateMonitor
from experiments.training.callbacks.tensorboard import TensorBoard
from experiments.training.checkpoints.store import load_last
from experiments.training.loop.fit import fit


def test_each_epochs_metrics_are_written(
    dense_model: Any, batches: Any, output_dir: Path
) -> None:
    fit(
        dense_model(keras.optimizers.SGD(0.1)),
        train_from=batches(4).skip,
        validation=batches(1),
        epochs=2,
        steps_per_epoch=2,
        callbacks={
            "lr_monitor": LearningRateMonitor(),
            "tensorboard": TensorBoard(output_dir=output_dir, histogram_freq=1),
        },
    )

    folder = output_dir / "tensorboard"
    train = EventAccumulator(str(folder / "train")).Reload()
    validation = EventAccumulator(str(folder / "validation")).Reload()
    assert {"epoch_loss", "epoch_accuracy", "epoch_lr"} <= set(train.Tags()["tensors"])
    assert [event.step for event in train.Tensors("epoch_loss")] == [0, 1]
    assert "epoch_accuracy" in validation.Tags()["tensors"]


def test_continued_training_goes_on_in_the_same_folder(
    dense_model: Any, batches: Any, output_dir: Path
) -> None:
    state = None
    for epochs in (2, 4):
        checkpoint = Checkpoint(output_dir=output_dir, monitor="loss", mode="min")
        fit(
            dense_model(keras.optimizers.SGD(0.1)),
            train_from=batches(8).skip,
            validation=None,
            epochs=epochs,
            steps_per_epoch=2,
            callbacks={
                "checkpoint": checkpoint,
                "tensorboard": TensorBoard(output_dir=output_dir),
            },
            state=state and dataclasses.replace(state, finished=False),
        )
        state = load_last(checkpoint.folder)

    train = EventAccumulator(str(output_dir / "tensorboard" / "train")).Reload()
    assert [event.step for event in train.Tensors("epoch_loss")] == [0, 1, 2, 3]


def test_no_batch_hook_makes_the_host_wait(output_dir: Path) -> None:
    callback = TensorBoard(output_dir=output_dir)

    assert keras.callbacks.Callback.on_train_batch_end in {
        type(callback).on_train_batch_end
    }
