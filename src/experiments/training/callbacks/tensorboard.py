"""TensorBoard's event files, once an epoch."""

from pathlib import Path
from typing import Any

import keras

_no_hook = keras.callbacks.Callback


class TensorBoard(keras.callbacks.TensorBoard):
    """Keras' callback without its work at each step.

    Metrics of each epoch, those of other callbacks included, and histograms of the
    weights go to `<output_dir>/tensorboard`. The step's graph and profiles need
    Keras' own class: `_target_: keras.callbacks.TensorBoard`.

    Args:
        output_dir: Folder of the run.
        histogram_freq: Epochs between two histograms of the weights; 0 for none.
    """

    # Keras' hooks would make JAX wait for each step, and are not needed here.
    on_train_batch_begin: Any = _no_hook.on_train_batch_begin
    on_train_batch_end: Any = _no_hook.on_train_batch_end
    on_test_batch_begin: Any = _no_hook.on_test_batch_begin

    def __init__(self, *, output_dir: Path, histogram_freq: int = 0) -> None:
        super().__init__(
            log_dir=str(output_dir / "tensorboard"),
            histogram_freq=histogram_freq,
            write_graph=False,
            profile_batch=0,
        )
