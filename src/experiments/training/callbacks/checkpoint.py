"""When a training is saved; the disk is waited for by a thread of its own."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import keras

from experiments import job_files
from experiments.config.kinds.objective import Mode, Objective
from experiments.disk_space import DiskSpace, is_full
from experiments.heartbeat import beat
from experiments.training.checkpoints.state import (
    TrainingState,
    average_weights,
    restore_variables,
)
from experiments.training.checkpoints.state_file import NotFiniteError
from experiments.training.checkpoints.store import CheckpointStore, load_best
from experiments.training.metrics import read_metric

log = logging.getLogger(__name__)

_ASK_AGAIN_SECONDS = 5.0


class Checkpoint(keras.callbacks.Callback):
    """Keeps the best and the last states of a training, complete at every moment.

    `fit` calls it when every other callback has seen the end of an epoch, so that
    what these remember is saved too. Training waits only for the copy in memory.

    A state that has no room on the disk is not begun; its thread waits until there is
    some, and training with it when the next state is due, so that no epoch that could
    be the best is lost. A disk that refuses for another reason costs a warning and is
    asked again at the next occasion.

    Args:
        output_dir: Folder of the run; files go to `<output_dir>/checkpoints`.
        monitor: Metric that decides which epoch is best.
        mode: Whether a larger or a smaller value is better; `auto` leaves it to the
            name.
        every_epochs: How often the last state is saved; the best one always is.
        every_minutes: How often it is saved inside an epoch too; `None` for never.
        keep: How many of the last states to keep.
        space: What may be taken of the disk; `None` for what it has.

    Attributes:
        objective: Decides which epoch is best.
    """

    def __init__(
        self,
        *,
        output_dir: Path,
        monitor: str,
        mode: Mode = "auto",
        every_epochs: int = 1,
        every_minutes: float | None = None,
        keep: int = 2,
        space: DiskSpace | None = None,
    ) -> None:
        super().__init__()
        self.objective = Objective(monitor, mode)
        self._every_epochs = every_epochs
        self._every_seconds = None if every_minutes is None else 60 * every_minutes
        self._store = CheckpointStore(
            output_dir / job_files.CHECKPOINTS, self.objective, keep=keep
        )
        self._writer = ThreadPoolExecutor(1, "checkpoint")
        self._writing: Future[bool] | None = None
        self._saved_at = time.monotonic()
        self._space = space or DiskSpace(folder=output_dir)
        self._gives_up: Callable[[], bool] = lambda: False
        self._enter_phase: Callable[[int], None] = lambda number: None
        self._abandoned = threading.Event()
        self._has_room = True

    @property
    def folder(self) -> Path:
        """Where the states are."""
        return self._store.folder

    def give_up_when(self, asked: Callable[[], bool]) -> None:
        """Takes what tells whether training is to stop, and room not waited for."""
        self._gives_up = asked

    def compile_by(self, enter_phase: Callable[[int], None]) -> None:
        """Takes what compiles the model for the phase in which a state was saved."""
        self._enter_phase = enter_phase

    def end_epoch(
        self,
        epoch: int,
        metrics: Mapping[str, float],
        capture: Callable[[], TrainingState],
        *,
        is_last: bool,
    ) -> None:
        """Saves the state if it is the best one, the last one or due.

        Args:
            epoch: Completed epochs.
            metrics: Of the epoch.
            capture: Copies the state.
            is_last: Training ends with this epoch.

        Raises:
            ExperimentError: The monitored metric does not exist.
        """
        key = "callbacks.checkpoint.monitor"
        value = read_metric(metrics, self.objective.name, key)
        self.wait()
        is_due = epoch % self._every_epochs == 0 or is_last
        if is_due or self._store.is_best(value):
            self._submit(capture(), value)

    def end_step(self, capture: Callable[[], TrainingState]) -> None:
        """Saves the state inside an epoch when so many minutes have passed."""
        if self._every_seconds is None:
            return
        if time.monotonic() - self._saved_at >= self._every_seconds:
            self.wait()
            self._submit(capture(), None)

    def save_now(self, state: TrainingState) -> bool:
        """Saves a state and waits for it; tells whether it is on disk."""
        self.wait()
        return self._save(state, None)

    def wait(self) -> None:
        """Waits until nothing is being written."""
        writing, self._writing = self._writing, None
        if writing is not None:
            writing.result()

    def settle(self) -> bool:
        """Waits for the last state; tells whether there was room for it."""
        self.wait()
        return self._has_room

    def close(self) -> None:
        """Waits for the last state; `fit` calls it however training ended."""
        try:
            self.wait()
        except BaseException:
            self._abandoned.set()
            raise
        finally:
            self._writer.shutdown()

    def load_best(self, model: Any) -> int:
        """Loads the best state into `model` and returns its epoch, from 1 on."""
        state = load_best(self.folder)
        self._enter_phase(state.phase)
        restore_variables(model, state.arrays)
        average_weights(model)
        return state.position.epoch

    def _submit(self, state: TrainingState, value: float | None) -> None:
        self._saved_at = time.monotonic()
        self._writing = self._writer.submit(self._save, state, value)

    def _save(self, state: TrainingState, value: float | None) -> bool:
        """Saves a state as soon as there is room for it; tells whether it is saved."""
        waits = False
        while (problem := self._try_to_save(state, value)) is not None:
            self._has_room = not (isinstance(problem, OSError) and is_full(problem))
            if self._has_room or self._gives_up() or self._abandoned.is_set():
                self._tell(state, problem, "Training goes on" if self._has_room else "")
                return False
            if not waits:
                self._tell(state, problem, "Training waits until there is room")
            waits = True
            beat()  # whoever makes room decides how long, not the training
            self._abandoned.wait(_ASK_AGAIN_SECONDS)
        self._has_room = True
        if waits:
            log.warning("There is room again: the state is saved, training goes on.")
        return True

    def _try_to_save(
        self, state: TrainingState, value: float | None
    ) -> OSError | NotFiniteError | None:
        """Saves a state; returns why that is not possible now."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._space.require(state.size, self.folder)
            self._store.save(state, value=value)
        except (OSError, NotFiniteError) as error:
            return error
        return None

    def _tell(self, state: TrainingState, problem: Exception, then: str) -> None:
        former = self._describe_former()
        log.warning(
            "The state after epoch %d, step %d is not saved: %s. %s.",
            state.position.epoch,
            state.position.step,
            problem,
            f"{then}; {former}" if then else f"{former[0].upper()}{former[1:]}",
        )

    def _describe_former(self) -> str:
        last = self._store.manifest.last
        if not last:
            return "there is no earlier one"
        return f"the last good one is after epoch {last[0].epoch}, step {last[0].step}"
