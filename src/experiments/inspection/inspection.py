"""All that is to be seen before a training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from experiments.data.dataset import Dataset
from experiments.inspection.balance import Balance
from experiments.inspection.batch import Batch
from experiments.inspection.rates import Rates
from experiments.inspection.sizes import Sizes
from experiments.models.cost import LayerCost


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """What was found.

    Attributes:
        title: Of what.
        rows: Heading -> sentence, what is said on the screen too.
        doubts: What is probably a mistake, a sentence each.
        dataset: The data.
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
    rates: Rates
    batch: Batch
    shown: int
    balance: Balance
    sizes: Sizes | None
    layers: Sequence[LayerCost]
    config: str
    command: str
