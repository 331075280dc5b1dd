"""A callback under which memory suffices for a quarter of the batch only."""

from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from experiments.tasks.memory import read_accumulate_steps

SUFFICIENT = 4


class Exhausting(keras.callbacks.Callback):
    """Raises what TensorFlow raises, until the batch is split far enough."""

    def __init__(self, output_dir: Path) -> None:
        super().__init__()
        self._steps = read_accumulate_steps(output_dir) or 1

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        if self._steps < SUFFICIENT and batch == 2:
            raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating")
