"""Schema of the `callbacks` group: a mapping of names to callbacks, or null."""

from dataclasses import dataclass
from typing import ClassVar

from experiments.config.kinds.objective import Mode, settle
from experiments.config.reading.fields import OpenTarget, Target, setting
from experiments.config.schema.trainer import (
    MOST_EPOCHS,
    MOST_IMAGES_A_BATCH,
    MOST_MINUTES,
)


@dataclass(frozen=True, kw_only=True)
class CallbackConfig(Target):
    """A callback without keys."""


@dataclass(frozen=True, kw_only=True)
class ObserverConfig(CallbackConfig):
    """A callback that only watches: with it or without it, a job is the same job."""

    incidental: ClassVar[bool] = True


@dataclass(frozen=True, kw_only=True)
class MonitorConfig(CallbackConfig):
    """A callback that compares the values of a metric.

    Attributes:
        monitor: The metric.
        mode: Whether a larger or a smaller value is better; `auto` leaves it to the
            name.
    """

    monitor: str
    mode: Mode

    def __post_init__(self) -> None:
        # Typed or left to the name: the same job.
        object.__setattr__(self, "mode", settle(self.monitor, self.mode))


@dataclass(frozen=True, kw_only=True)
class TimingConfig(ObserverConfig):
    """Seconds an epoch and images a second."""

    batch_size: int = setting(ge=1, most=MOST_IMAGES_A_BATCH)


@dataclass(frozen=True, kw_only=True)
class CheckpointConfig(MonitorConfig):
    """The best and the last weights, optimizer state included.

    Attributes:
        every_epochs: How often the last state is saved; the best and the final one
            always are.
        every_minutes: How often it is saved inside an epoch too; null for never.
        keep: How many of the last states to keep.
    """

    every_epochs: int = setting(ge=1, most=MOST_EPOCHS, incidental=True)
    every_minutes: float | None = setting(
        gt=0, least=1e-6, most=MOST_MINUTES, incidental=True
    )
    keep: int = setting(ge=1, most=MOST_EPOCHS, incidental=True)


@dataclass(frozen=True, kw_only=True)
class EarlyStoppingConfig(MonitorConfig):
    """Ends training when a metric no longer improves.

    Attributes:
        patience: Epochs without improvement that are allowed.
        min_delta: Smallest change that counts as an improvement.
        start_from_epoch: Epochs that are not judged at all.
    """

    patience: int = setting(ge=1, most=MOST_EPOCHS)
    min_delta: float = setting(ge=0, most=1e30)
    start_from_epoch: int = setting(ge=0, most=MOST_EPOCHS)


@dataclass(frozen=True, kw_only=True)
class PlateauConfig(MonitorConfig):
    """Lowers the learning rate when a metric no longer improves.

    Attributes:
        factor: What the rate is multiplied by each time.
        patience: Epochs without improvement that are allowed.
        min_delta: Smallest change that counts as an improvement.
        min_factor: Smallest fraction of the scheduled rate.
    """

    factor: float = setting(gt=0, lt=1, least=1e-30)
    patience: int = setting(ge=1, most=MOST_EPOCHS)
    min_delta: float = setting(ge=0, most=1e30)
    min_factor: float = setting(gt=0, lt=1)


@dataclass(frozen=True, kw_only=True)
class MedianPrunerConfig(MonitorConfig):
    """Ends a trial that does worse than half of its siblings.

    Attributes:
        warmup_epochs: Epochs that are not judged.
        min_siblings: Fewest other trials that make a median.
    """

    warmup_epochs: int = setting(ge=0, most=MOST_EPOCHS)
    min_siblings: int = setting(ge=1, most=1_000_000)


@dataclass(frozen=True, kw_only=True)
class SuccessiveHalvingPrunerConfig(MonitorConfig):
    """Ends a trial that is not among the best 1/factor at a rung.

    Attributes:
        min_epochs: The first rung; each next one is `factor` times as far.
        factor: One in so many goes on from a rung.
    """

    min_epochs: int = setting(ge=1, most=MOST_EPOCHS)
    factor: int = setting(ge=2, most=1000)


@dataclass(frozen=True, kw_only=True)
class LearntConfig(CallbackConfig):
    """Ends training when what it is shown is learnt by heart; fails when it is not.

    Attributes:
        loss: What the training loss of an epoch must fall below.
    """

    loss: float = setting(gt=0, least=1e-30, most=1e30)


@dataclass(frozen=True, kw_only=True)
class TensorBoardConfig(ObserverConfig):
    """Event files for TensorBoard.

    Attributes:
        histogram_freq: Epochs between two histograms of the weights; 0 for none.
    """

    histogram_freq: int = setting(ge=0, most=MOST_EPOCHS)


@dataclass(frozen=True, kw_only=True)
class CustomCallbackConfig(CallbackConfig, OpenTarget):
    """A callback of one's own: its keys are those that its YAML file declares."""


_MODULE = "experiments.training.callbacks"
CALLBACKS: dict[str, type] = {
    f"{_MODULE}.timing.Timing": TimingConfig,
    f"{_MODULE}.monitors.LearningRateMonitor": ObserverConfig,
    f"{_MODULE}.monitors.TerminateOnNaN": ObserverConfig,
    f"{_MODULE}.checkpoint.Checkpoint": CheckpointConfig,
    f"{_MODULE}.tensorboard.TensorBoard": TensorBoardConfig,
    f"{_MODULE}.early_stopping.EarlyStopping": EarlyStoppingConfig,
    f"{_MODULE}.learnt.Learnt": LearntConfig,
    f"{_MODULE}.plateau.ReduceOnPlateau": PlateauConfig,
    f"{_MODULE}.pruning.MedianPruner": MedianPrunerConfig,
    f"{_MODULE}.pruning.SuccessiveHalvingPruner": SuccessiveHalvingPrunerConfig,
}
