"""Judges a model of several labels an image by a whole split at once.

A mean average precision ranks all images of a split: no sum over its batches gives it,
and Keras' `AUC(curve="PR")` comes near it in steps. So `model.evaluate` of a known
split is replaced, in the model alone: the network goes over the images once, as before,
and the scores are computed of all that it said.
"""

from collections.abc import Sequence
from typing import Any

import keras

from experiments.data.label_arrays import Labels
from experiments.evaluation.several_labels.scores import measure_held_out


def judge_whole_splits(model: Any, splits: Sequence[tuple[Any, Labels]]) -> None:
    """Lets a model judge known batches as a whole, and all others as Keras does.

    Args:
        model: A compiled `keras.Model` of logits `(B, K)`.
        splits: Batches of one pass over a split, in its order, and the labels of all of
            its images, uint8 `(N, K)`.
    """
    plain = model.evaluate

    def evaluate(
        x: Any = None,
        *args: Any,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
        **options: Any,
    ) -> Any:
        labels = next((labels for batches, labels in splits if batches is x), None)
        if labels is None:
            return plain(
                x,
                *args,
                steps=steps,
                callbacks=callbacks,
                return_dict=return_dict,
                **options,
            )
        if isinstance(callbacks, list):
            callbacks = keras.callbacks.CallbackList(callbacks, model=model)
        watch = [] if callbacks is None else [_TestHooks(callbacks)]
        model.stop_evaluating = False
        outputs = model.predict(x, steps=steps, callbacks=watch, verbose=0)
        scores = measure_held_out(labels[: len(outputs)], outputs)
        if callbacks is not None:
            callbacks.on_test_end(scores)
        return scores if return_dict else list(scores.values())

    model.evaluate = evaluate


class _TestHooks(keras.callbacks.Callback):
    """Tells callbacks of a validation what they are used to hear of one.

    Args:
        callbacks: A `keras.callbacks.CallbackList`.
    """

    def __init__(self, callbacks: Any) -> None:
        super().__init__()
        self._callbacks = callbacks

    def on_predict_begin(self, logs: Any = None) -> None:
        """Begins the validation."""
        self._callbacks.on_test_begin()

    def on_predict_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Begins a step, and ends the validation after it where that was asked for."""
        self._callbacks.on_test_batch_begin(batch)
        if self.model.stop_evaluating:
            self.model.stop_predicting = True

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        """Ends a step."""
        self._callbacks.on_test_batch_end(batch, {})
