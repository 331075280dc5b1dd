import errno
import logging
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from experiments.config.kinds.objective import Objective
from experiments.disk_space import NoRoomError
from experiments.errors import ExperimentError, Preempted
from experiments.interruption import StopRequest
from experiments.training.callbacks import checkpoint as checkpoint_module
from experiments.training.callbacks.checkpoint import Checkpoint
from experiments.training.checkpoints.manifest import read_manifest
from experiments.training.checkpoints.state import Position, TrainingState
from experiments.training.checkpoints.store import CheckpointStore, load_last
from experiments.training.loop.fit import fit

Model = Callable[..., Any]


def capture(epoch: int, step: int = 0) -> Callable[[], TrainingState]:
    arrays = {"model/00000/w": np.full(3, epoch, "float32")}
    return lambda: TrainingState(arrays=arrays, position=Position(epoch, step))


def play(callback: Checkpoint, values: list[float]) -> None:
    """Plays epochs that end with these values; the last one ends the training."""
    for epoch, value in enumerate(values, start=1):
        callback.end_epoch(
            epoch,
            {"val_accuracy": value},
            capture(epoch),
            is_last=epoch == len(values),
        )


def place(folder: Path) -> tuple[int, int]:
    state = load_last(folder)
    assert state is not None
    return state.position.epoch, state.position.step


@pytest.fixture
def build(output_dir: Path) -> Iterator[Callable[..., Checkpoint]]:
    built = []

    def build(**options: Any) -> Checkpoint:
        defaults = {"output_dir": output_dir, "monitor": "val_accuracy", "mode": "max"}
        built.append(Checkpoint(**{**defaults, **options}))
        return built[-1]

    yield build
    for callback in built:
        callback.close()


@pytest.mark.parametrize(
    ("every_epochs", "values", "last", "best"),
    [
        (1, [0.1, 0.9, 0.2], [3, 2], 2),
        (2, [0.5, 0.1, 0.1, 0.1, 0.1], [5, 4], 1),
        (100, [0.1, 0.9, 0.2, 0.3], [4, 2], 2),
    ],
)
def test_due_epochs_the_best_and_the_final_one_are_saved(
    every_epochs: int, values: list[float], last: list[int], best: int, build: Any
) -> None:
    callback = build(every_epochs=every_epochs)

    play(callback, values)
    callback.close()

    manifest = read_manifest(callback.folder)
    assert manifest is not None
    assert manifest.best is not None
    assert [record.epoch for record in manifest.last] == last
    assert manifest.best.epoch == best


def test_long_epoch_is_saved_inside_too(
    build: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    monkeypatch.setattr(checkpoint_module.time, "monotonic", lambda: now)
    callback = build(every_minutes=10)

    places = []
    for now, step in ((0.0, 1), (599.0, 2), (600.0, 3), (1199.0, 4), (1300.0, 5)):  # noqa: B007
        callback.end_step(capture(0, step))
        callback.wait()
        places.append(load_last(callback.folder) and place(callback.folder))

    assert places == [None, None, (0, 3), (0, 3), (0, 5)]


def test_nothing_is_saved_inside_an_epoch_without_minutes(build: Any) -> None:
    callback = build()

    callback.end_step(capture(0, 1))
    callback.wait()

    assert load_last(callback.folder) is None


def test_training_waits_for_the_copy_only(
    build: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = threading.Event()
    save = CheckpointStore.save

    def save_slowly(self: Any, *arguments: Any, **options: Any) -> None:
        assert disk.wait(60)
        save(self, *arguments, **options)

    monkeypatch.setattr(CheckpointStore, "save", save_slowly)
    callback = build()

    play(callback, [0.5])
    assert load_last(callback.folder) is None
    disk.set()
    callback.close()

    assert place(callback.folder) == (1, 0)


def test_asked_for_state_is_on_disk_at_once(build: Any) -> None:
    callback = build()
    play(callback, [0.5])

    assert callback.save_now(capture(1, 3)())

    assert place(callback.folder) == (1, 3)


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.EIO])
def test_disk_that_refuses_costs_a_warning_and_is_asked_again(
    number: int, build: Any, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    callback = build()
    play(callback, [0.5])
    callback.wait()

    def refuse(*_: Any) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", refuse)
        assert not callback.save_now(capture(2)())

    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "The state after epoch 2, step 0 is not saved" in record.message
    assert os.strerror(number) in record.message
    assert "the last good one is after epoch 1, step 0" in record.message
    assert place(callback.folder) == (1, 0)
    assert callback.save_now(capture(3)())
    assert place(callback.folder) == (3, 0)


def test_folder_that_cannot_be_made_costs_no_training(
    build: Any, output_dir: Path, caplog: Any
) -> None:
    output_dir.write_text("a file in its place")

    callback = build()
    play(callback, [0.5])
    callback.wait()

    assert "there is no earlier one" in caplog.text


def test_state_that_is_not_finite_is_not_saved(build: Any, caplog: Any) -> None:
    callback = build()
    play(callback, [0.5])
    arrays = {"model/00000/w": np.array([np.nan], "float32")}

    assert not callback.save_now(TrainingState(arrays=arrays, position=Position(2)))

    assert "model/00000/w is not finite" in caplog.text
    assert place(callback.folder) == (1, 0)


def test_mistake_of_ours_is_not_taken_for_a_full_disk(
    build: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Any, *_: Any, **__: Any) -> None:
        raise TypeError("a mistake")

    callback = build()
    with monkeypatch.context() as patch:
        patch.setattr(CheckpointStore, "save", fail)
        play(callback, [0.5])
        with pytest.raises(TypeError, match="a mistake"):
            callback.wait()


def test_missing_metric_is_named_beside_those_that_exist(build: Any) -> None:
    with pytest.raises(ExperimentError, match=r"one of val_accuracy. Received: 'val_f"):
        play(build(monitor="val_f1"), [0.5])


def test_best_state_is_loaded_into_a_fresh_model(
    dense_model: Model, batches: Any, build: Any
) -> None:
    callback = build(monitor="val_loss", mode="min")
    model = dense_model(keras.optimizers.Adam(0.01))
    history = fit(
        model,
        train_from=batches(6).skip,
        validation=batches(1),
        epochs=2,
        steps_per_epoch=3,
        callbacks={"checkpoint": callback},
    )

    fresh = dense_model(keras.optimizers.Adam(0.01))
    epoch = build(monitor="val_loss", mode="min").load_best(fresh)

    assert epoch == history.best_epoch(Objective("val_loss", "min")) == 2
    assert int(fresh.optimizer.iterations) == 6
    pairs = zip(
        (*fresh.variables, *fresh.optimizer.variables),
        (*model.variables, *model.optimizer.variables),
        strict=True,
    )
    for ours, theirs in pairs:
        np.testing.assert_array_equal(ours, theirs)


def test_state_of_another_model_is_refused(
    dense_model: Model, batches: Any, build: Any
) -> None:
    callback = build(monitor="val_loss", mode="min")
    fit(
        dense_model(keras.optimizers.Adam(0.01)),
        train_from=batches(1).skip,
        validation=batches(1),
        epochs=1,
        steps_per_epoch=1,
        callbacks={"checkpoint": callback},
    )

    for other in (
        dense_model(keras.optimizers.SGD(0.01)),
        dense_model(keras.optimizers.Adam(0.01), num_classes=4),
    ):
        with pytest.raises(ExperimentError, match="one of another model"):
            callback.load_best(other)


class Room:
    """Stands for what may be taken of a disk: nothing, until somebody makes room."""

    def __init__(self) -> None:
        self.is_there = threading.Event()
        self.asked = threading.Event()

    def require(self, needed: int, place: Path) -> None:
        self.asked.set()
        if not self.is_there.is_set():
            raise NoRoomError(f"{needed} bytes are needed")


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> Room:
    monkeypatch.setattr(checkpoint_module, "_ASK_AGAIN_SECONDS", 0.01)
    return Room()


def test_state_without_room_is_not_begun_and_waits_for_it(
    build: Any, room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    callback = build(space=room)

    callback.end_epoch(1, {"val_accuracy": 0.5}, capture(1), is_last=False)
    assert room.asked.wait(60)
    assert not list(callback.folder.glob("*.safetensors"))
    room.is_there.set()
    assert callback.settle()

    assert place(callback.folder) == (1, 0)
    first, second = caplog.messages
    assert first == (
        "The state after epoch 1, step 0 is not saved: 12 bytes are needed. Training "
        "waits until there is room; there is no earlier one."
    )
    assert second == "There is room again: the state is saved, training goes on."


def test_training_waits_with_the_next_state_so_that_no_best_one_is_lost(
    build: Any, room: Room
) -> None:
    callback = build(space=room)
    second = threading.Event()

    def train() -> None:
        callback.end_epoch(1, {"val_accuracy": 0.9}, capture(1), is_last=False)
        callback.end_epoch(2, {"val_accuracy": 0.1}, capture(2), is_last=True)
        second.set()

    thread = threading.Thread(target=train)
    thread.start()
    assert room.asked.wait(60)
    assert not second.wait(0.2)
    room.is_there.set()
    thread.join(60)
    callback.close()

    manifest = read_manifest(callback.folder)
    assert manifest is not None
    assert manifest.best is not None
    assert manifest.best.epoch == 1


def test_who_is_asked_to_stop_waits_for_no_room(
    build: Any, room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    callback = build(space=room)
    callback.give_up_when(lambda: True)

    assert not callback.save_now(capture(3)())
    assert not callback.settle()

    assert caplog.messages == [
        "The state after epoch 3, step 0 is not saved: 12 bytes are needed. There is "
        "no earlier one."
    ]


def test_full_disk_is_waited_for_whoever_has_noticed(
    build: Any, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.is_there.set()
    save, failures = CheckpointStore.save, iter([errno.ENOSPC, errno.EDQUOT])

    def refuse_twice(self: Any, *arguments: Any, **options: Any) -> None:
        if number := next(failures, 0):
            raise OSError(number, os.strerror(number))
        save(self, *arguments, **options)

    monkeypatch.setattr(CheckpointStore, "save", refuse_twice)
    callback = build(space=room)

    assert callback.save_now(capture(1)())
    assert place(callback.folder) == (1, 0)


def test_training_whose_last_state_has_no_room_is_not_over_when_it_is_stopped(
    dense_model: Model, batches: Any, build: Any, room: Room, output_dir: Path
) -> None:
    """Its result would be that of an epoch which may not be the best."""
    stop = StopRequest()

    def ask_when_full() -> None:
        assert room.asked.wait(60)
        stop.request("SIGTERM")

    asker = threading.Thread(target=ask_when_full)
    given: dict[str, Any] = {
        "train_from": batches(2).repeat().skip,
        "validation": batches(1),
        "epochs": 1,
        "steps_per_epoch": 2,
    }
    full = build(monitor="val_loss", mode="min", space=room)
    asker.start()
    with pytest.raises(Preempted, match="SIGTERM"):
        fit(
            dense_model(keras.optimizers.Adam(0.01)),
            callbacks={"checkpoint": full},
            stop=stop,
            **given,
        )
    asker.join()
    assert load_last(output_dir / "checkpoints") is None
    room.is_there.set()
    callback = build(monitor="val_loss", mode="min", space=room)
    model = dense_model(keras.optimizers.Adam(0.01))
    assert fit(model, callbacks={"checkpoint": callback}, **given).ended
    assert place(callback.folder) == (1, 0)
