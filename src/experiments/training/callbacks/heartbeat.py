"""A sign of life at each batch that a model is asked about outside of a training."""

from typing import Any

import keras

from experiments.heartbeat import beat


class Heartbeat(keras.callbacks.Callback):
    """Tells that an evaluation or a prediction goes on, as `Supervisor` does."""

    def on_test_batch_begin(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        """Gives the sign."""
        beat()

    def on_predict_batch_begin(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        """Likewise."""
        beat()
