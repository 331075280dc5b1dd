"""All that is to be seen before a training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from experiments.data.dataset import Dataset
from experiments.inspection.balance import Balance
from experiments.inspection.batch import Batch
from experiments.inspection.rates import Rates
from experiments.inspection.sizes import Sizes
from experiments.models.cost import LayerCost


class Prepared(Protocol):
    """What says how a network prepares its images."""

    @property
    def mean(self) -> tuple[float, ...]:
        """Of each channel, in units of 0..1."""

    @property
    def std(self) -> tuple[float, ...]:
        """Likewise."""


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """What was found.

    Attributes:
        title: Of what.
        rows: Heading -> sentence, what is said on the screen too.
        doubts: What is probably a mistake, a sentence each.
        dataset: The data.
        images: Says how the network prepares its images.
        rates: The learning rates.
        batch: The first batch.
        shown: How many of its images a page shows.
        balance: The classes.
        sizes: The files; `None` for images in memory.
        layers: The network.
        config: The whole config as text, without secrets.
        command: What trains it.
    """

    title: str
    rows: Mapping[str, str]
    doubts: Sequence[str]
    dataset: Dataset
    images: Prepared
    rates: Rates
    batch: Batch
    shown: int
    balance: Balance
    sizes: Sizes | None
    layers: Sequence[LayerCost]
    config: str
    command: str
