"""Schema of the `callbacks` group: a mapping of names to callbacks, or null."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from experiments.config.fields import OpenTarget, Target, setting


@dataclass(frozen=True, kw_only=True)
class CallbackConfig(Target):
    """A callback without keys."""


@dataclass(frozen=True, kw_only=True)
class ObserverConfig(CallbackConfig):
    """A callback that only watches: with it or without it, a job is the same job."""

    incidental: ClassVar[bool] = True


@dataclass(frozen=True, kw_only=True)
class TimingConfig(ObserverConfig):
    """Seconds an epoch and images a second."""

    batch_size: int = setting(ge=1)


@dataclass(frozen=True, kw_only=True)
class CheckpointConfig(CallbackConfig):
    """The best and the last weights, optimizer state included.

    Attributes:
        monitor: Metric that decides which epoch is best.
        mode: Whether a larger or a smaller value is better.
        every_epochs: How often the last state is saved; the best and the final one
            always are.
        every_minutes: How often it is saved inside an epoch too; null for never.
        keep: How many of the last states to keep.
    """

    monitor: str
    mode: Literal["max", "min"]
    every_epochs: int = setting(ge=1, incidental=True)
    every_minutes: float | None = setting(gt=0, incidental=True)
    keep: int = setting(ge=1, incidental=True)


@dataclass(frozen=True, kw_only=True)
class EarlyStoppingConfig(CallbackConfig):
    """Ends training when a metric no longer improves.

    Attributes:
        monitor: Metric that has to improve.
        mode: Whether a larger or a smaller value is better.
        patience: Epochs without improvement that are allowed.
        min_delta: Smallest change that counts as an improvement.
        start_from_epoch: Epochs that are not judged at all.
    """

    monitor: str
    mode: Literal["max", "min"]
    patience: int = setting(ge=1)
    min_delta: float = setting(ge=0)
    start_from_epoch: int = setting(ge=0)


@dataclass(frozen=True, kw_only=True)
class PlateauConfig(CallbackConfig):
    """Lowers the learning rate when a metric no longer improves.

    Attributes:
        monitor: Metric that has to improve.
        mode: Whether a larger or a smaller value is better.
        factor: What the rate is multiplied by each time.
        patience: Epochs without improvement that are allowed.
        min_delta: Smallest change that counts as an improvement.
        min_factor: Smallest fraction of the scheduled rate.
    """

    monitor: str
    mode: Literal["max", "min"]
    factor: float = setting(gt=0, lt=1)
    patience: int = setting(ge=1)
    min_delta: float = setting(ge=0)
    min_factor: float = setting(gt=0, lt=1)


@dataclass(frozen=True, kw_only=True)
class MedianPrunerConfig(CallbackConfig):
    """Ends a trial that does worse than half of its siblings.

    Attributes:
        monitor: Metric to compare.
        mode: Whether a larger or a smaller value is better.
        warmup_epochs: Epochs that are not judged.
        min_siblings: Fewest other trials that make a median.
    """

    monitor: str
    mode: Literal["max", "min"]
    warmup_epochs: int = setting(ge=0)
    min_siblings: int = setting(ge=1)


@dataclass(frozen=True, kw_only=True)
class SuccessiveHalvingPrunerConfig(CallbackConfig):
    """Ends a trial that is not among the best 1/factor at a rung.

    Attributes:
        monitor: Metric to compare.
        mode: Whether a larger or a smaller value is better.
        min_epochs: The first rung; each next one is `factor` times as far.
        factor: One in so many goes on from a rung.
    """

    monitor: str
    mode: Literal["max", "min"]
    min_epochs: int = setting(ge=1)
    factor: int = setting(ge=2)


@dataclass(frozen=True, kw_only=True)
class TensorBoardConfig(ObserverConfig):
    """Event files for TensorBoard.

    Attributes:
        histogram_freq: Epochs between two histograms of the weights; 0 for none.
    """

    histogram_freq: int = setting(ge=0)


@dataclass(frozen=True, kw_only=True)
class CustomCallbackConfig(CallbackConfig, OpenTarget):
    """A callback of one's own: its keys are those that its YAML file declares."""


_MODULE = "experiments.training"
CALLBACKS: dict[str, type] = {
    f"{_MODULE}.timing.Timing": TimingConfig,
    f"{_MODULE}.callbacks.LearningRateMonitor": ObserverConfig,
    f"{_MODULE}.callbacks.TerminateOnNaN": ObserverConfig,
    f"{_MODULE}.checkpoint.Checkpoint": CheckpointConfig,
    f"{_MODULE}.tensorboard.TensorBoard": TensorBoardConfig,
    f"{_MODULE}.early_stopping.EarlyStopping": EarlyStoppingConfig,
    f"{_MODULE}.plateau.ReduceOnPlateau": PlateauConfig,
    f"{_MODULE}.pruning.MedianPruner": MedianPrunerConfig,
    f"{_MODULE}.pruning.SuccessiveHalvingPruner": SuccessiveHalvingPrunerConfig,
}
