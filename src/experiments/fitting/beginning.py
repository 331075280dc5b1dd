"""Begins a network with weights of before, and tells what became of each."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from experiments.config.kinds.weights import IMAGENET_VARIANT
from experiments.tracking.tracker import Tracker
from experiments.trained.start import Start

if TYPE_CHECKING:
    from experiments.weights.fit import Table

TABLE = "weights/loaded.json"


class Beginning:
    """Gives a network its first weights, and records what became of each.

    A second network of the same job, after a loss that was no number, begins likewise.

    Args:
        start: Has weights.
        tracker: The run.
    """

    def __init__(self, start: Start, tracker: Tracker) -> None:
        self._start = start
        self._tracker = tracker
        self._table: Table | None = None

    def __call__(self, network: Any) -> None:
        """Begins a network; called by `build_model`."""
        weights, first = self._start.weights, self._table is None
        self._table = self._start.put_into(network)
        if weights is not None and first:
            self._tracker.set_tags(
                {"weights.name": weights.name, "weights.sha256": weights.sha256}
            )
            self._tracker.log_dict({"arrays": self._table.as_dict()}, TABLE)

    @property
    def rows(self) -> dict[str, str]:
        """What a person sees of it: title -> text; nothing before there is one."""
        if self._table is None or self._start.weights is None:
            return {}
        told = f"{self._start.weights.name}: {self._table.describe()}"
        if self._start.weights.variant == IMAGENET_VARIANT:
            told += f"; of model.variant={IMAGENET_VARIANT}"
        images = self._start.images
        how = "by the mean and deviation of the data set, as typed"
        if images is not None:
            mean, std = map(_write, (images.mean, images.std))
            how = f"of 0 to 1, less {mean}, divided by {std}, inside the model"
        return {"weights": told, "images": how}


def _write(channels: Sequence[float]) -> str:
    return ", ".join(f"{value:.3g}" for value in channels)
