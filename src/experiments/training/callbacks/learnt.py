"""Ends training when what it is shown is learnt by heart, and says whether it was."""

import math
from typing import Any, TypedDict

import keras

from experiments.counts import count_of
from experiments.shapes import Count, conform
from experiments.training.callbacks.abilities import Verdict
from experiments.training.metrics import read_metric


class _Memory(TypedDict):
    lowest: float | None
    epochs: Count


class Learnt(keras.callbacks.Callback):
    """Asks whether a model can learn a batch by heart: can it learn anything at all?

    It has when the training loss of an epoch, the mean over its steps as Keras logs it,
    is below `loss`. A network of `n` classes that guesses has `log(n)`; below 0.01 the
    right class of an image has a probability of 0.99 (the geometric mean over them).
    It has not when the loss is no number any more, which ends training too. Where an
    epoch's metrics have the rate, as of `lr_monitor`, the last one is told.

    Args:
        loss: What the loss must fall below.
    """

    def __init__(self, *, loss: float) -> None:
        super().__init__()
        self._goal = loss
        self._lowest: float | None = None
        self._epochs = 0
        self._rate: float | None = None  # of the last step of this process
        self._is_broken = False

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Ends training once the loss is low enough."""
        loss = read_metric(logs or {}, "loss", "callbacks.learnt")
        self._rate = (logs or {}).get("lr")
        self._epochs = epoch + 1
        self._is_broken = not math.isfinite(loss)
        if not self._is_broken:
            self._lowest = loss if self._lowest is None else min(self._lowest, loss)
        if self._is_broken or loss < self._goal:
            self.model.stop_training = True

    def get_state(self) -> dict[str, Any]:
        """Returns the lowest loss so far, ready for JSON."""
        return {"lowest": self._lowest, "epochs": self._epochs}

    def set_state(self, state: dict[str, Any]) -> None:
        """Takes up what `get_state` returned."""
        memory: _Memory = conform(state, _Memory)
        self._lowest, self._epochs = memory["lowest"], memory["epochs"]

    def judge(self) -> Verdict:
        """Says how it went."""
        steps = self.params["steps"]
        what = "this batch" if steps == 1 else f"these {steps:,} batches"
        took = count_of(self._epochs * steps, "step")
        rate = "" if self._rate is None else f", at a rate of {self._rate:.2g}"
        if self._lowest is not None and self._lowest < self._goal:
            words = (
                f"learnt {what} by heart: loss {self._lowest:.3g} after {took}{rate}"
            )
            return Verdict(passed=True, words=words)
        if self._epochs == 0:
            went = "no epoch ended"
        elif self._lowest is None:
            went = f"the loss was no number after {took}{rate}"
        else:
            went = f"the loss fell to {self._lowest:.3g} in {took}, and not below "
            went += f"{self._goal:g}"
            went += f"; then it was no number{rate}" if self._is_broken else ""
        return Verdict(
            passed=False,
            words=f"Did not learn {what} by heart: {went}. Try an optimizer.lr ten "
            "times as high and one ten times as low; where neither helps, look at the "
            "model, the loss and the labels.",
        )
