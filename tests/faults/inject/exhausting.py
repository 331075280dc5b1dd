"""A callback under which memory suffices for a quarter of the batch only."""

from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from experiments.fitting.memory import read_accumulate_steps

SUFFICIENT = 4


class Exhausting(keras.callbacks.Callback):
    """Raises what TensorFlow raises, until the batch is split far enough.

    Args:
        output_dir: Of the job.
        at: Step of an epoch that does not fit, from 0 on.
    """

    def __init__(self, output_dir: Path, at: int = 0) -> None:
        super().__init__()
        self._at = at
        self._steps = read_accumulate_steps(output_dir) or 1

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        if self._steps < SUFFICIENT and batch == self._at:
            raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating")
