"""Callbacks that every contender carries alike; none of them waits for a step."""

import json
import os
import time
from pathlib import Path
from typing import Any

import keras

EPOCHS_FILE = "epochs.json"


class ExitAfterFirstStep(keras.callbacks.Callback):
    """Ends the process at the end of the first step, without any tidying up."""

    def on_train_batch_end(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        """Ends the process; the step's logs are on the host by now."""
        os._exit(0)


class EpochClock(keras.callbacks.Callback):
    """Writes when each epoch began and what its losses were to `epochs.json`.

    Args:
        output_dir: Where to write.
    """

    def __init__(self, *, output_dir: Path) -> None:
        super().__init__()
        self._path = Path(output_dir, EPOCHS_FILE)
        self.marks: list[tuple[float, float]] = []
        self.losses: list[dict[str, float]] = []

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Takes the time: what came since the last call is the epoch before."""
        self._mark()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Keeps the losses."""
        found = {n: float(v) for n, v in (logs or {}).items() if n.endswith("loss")}
        self.losses.append(found)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Takes the time for the last epoch and writes the file."""
        self._mark()
        content = {"marks": self.marks, "losses": self.losses}
        self._path.write_text(json.dumps(content))

    def _mark(self) -> None:
        self.marks.append((time.perf_counter(), time.process_time()))
