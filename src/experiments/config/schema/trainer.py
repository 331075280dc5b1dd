"""Schema of the `trainer` group: how long and in which way to train."""

from dataclasses import dataclass
from typing import Literal

from experiments.config.kinds.objective import Mode, Objective, settle
from experiments.config.reading.fields import setting
from experiments.config.schema.phase import MOST_PHASES, PhaseConfig

Precision = Literal["float32", "mixed_bfloat16", "mixed_float16"]
# Nobody trains as long: each epoch is a line of a record, an order and a checkpoint.
MOST_EPOCHS = 1_000_000
MOST_STEPS = 10**12
MOST_IMAGES_A_BATCH = 10_000_000
MOST_MINUTES = 5_256_000  # ten years
Progress = Literal["auto", "rich", "plain", "off"]


@dataclass(frozen=True, kw_only=True)
class TrainerConfig:
    """Lengths, arithmetic and display of training.

    Attributes:
        epochs: Passes over the training images.
        batch_size: Images a step, over all devices together. A step is one update of
            the weights, here and everywhere.
        accumulate_steps: Micro-batches that the gradients of a step are added up over:
            less memory for the same step; batch norm sees a micro-batch.
        oom: What to do when the memory does not suffice: `error`, or `accumulate` to
            double `accumulate_steps` in a fresh process.
        reference_batch_size: Batch that `optimizer.lr` is meant for: the rate is
            multiplied by `batch_size / reference_batch_size`; null leaves it alone.
        max_steps_per_epoch: Ends each epoch early; null trains on everything.
        max_validation_steps: Ends each validation early; null validates everything.
        max_steps: Ends the run, resumably, after so many steps over its whole life;
            null trains all epochs.
        max_minutes: Ends the run, resumably, after so many minutes of this process.
        until_epoch: Ends the run for now after so many of its epochs, with a result;
            with a larger value, or null for all of them, it goes on.
        overfit_batches: Train on the first so many batches again and again, to see
            whether the model can learn at all; null trains on everything.
        phases: What is trained one after the other, each phase compiled anew with a
            fresh optimizer and a schedule of its own length; null for one of all
            epochs.
        drop_remainder: Leave out the last, smaller batch of an epoch.
        sampling: How often an epoch shows each class: as it occurs, in proportion to
            the square root of its images, or as often as any other. The epoch stays as
            long as it is.
        precision: Arithmetic of the layers; weights stay float32.
        jit: Compile the step with XLA; `auto` decides by device.
        deterministic: Demand operations that give the same bits every time.
        onednn: Use oneDNN's kernels on a CPU; read before TensorFlow is imported.
        threads: CPU threads of TensorFlow's pools; null leaves it to TensorFlow.
        compilation_cache: Keep what JAX compiles for later processes of this machine.
        fused_batch_norm: Train batch norms with fewer passes over their maps.
        lowered_convolutions: Compute convolutions over small maps as one product of
            matrices on a CPU.
        fused_optimizer: Update each variable by one operation where TensorFlow has it.
        steps_per_execution: Steps between two returns to Python; divides the steps
            of an epoch.
        label_smoothing: Share of a label spread evenly over all classes, in the
            training loss alone.
        on_nan: What to do when the loss is no longer finite: `stop` fails the run,
            `rollback` goes back to the last checkpoint with a lower learning rate.
        max_rollbacks: How often to go back before the run fails.
        rollback_factor: What the learning rate is multiplied by each time.
        monitor: Metric that decides which epoch is best.
        monitor_mode: Whether a larger or a smaller value is better; `auto` leaves it
            to the name.
        progress: Display while training; `auto` is rich on a terminal, else plain.
    """

    epochs: int = setting(ge=1, most=MOST_EPOCHS)
    batch_size: int = setting(ge=1, most=MOST_IMAGES_A_BATCH)
    accumulate_steps: int = setting(ge=1, most=MOST_IMAGES_A_BATCH)
    oom: Literal["error", "accumulate"] = setting(incidental=True)
    reference_batch_size: int | None = setting(ge=1, most=MOST_IMAGES_A_BATCH)
    max_steps_per_epoch: int | None = setting(ge=1, most=MOST_STEPS)
    max_validation_steps: int | None = setting(ge=1, most=MOST_STEPS)
    max_steps: int | None = setting(ge=1, most=MOST_STEPS, incidental=True)
    max_minutes: float | None = setting(gt=0, most=MOST_MINUTES, incidental=True)
    until_epoch: int | None = setting(ge=1, most=MOST_EPOCHS, incidental=True)
    overfit_batches: int | None = setting(ge=1, most=MOST_STEPS)
    phases: list[PhaseConfig] | None = setting(
        added=5, before=None, min_length=1, max_length=MOST_PHASES
    )
    drop_remainder: bool
    sampling: Literal["uniform", "square_root", "balanced"] = setting(
        added=5, before="uniform"
    )
    precision: Precision
    jit: Literal["auto", True, False]
    deterministic: bool
    onednn: Literal["auto", True, False]
    threads: int | None = setting(ge=1, le=1024)
    compilation_cache: bool = setting(incidental=True)
    fused_batch_norm: bool
    lowered_convolutions: bool
    fused_optimizer: bool
    steps_per_execution: int = setting(ge=1, most=10_000)
    label_smoothing: float = setting(ge=0, lt=1)
    on_nan: Literal["stop", "rollback"] = setting(incidental=True)
    max_rollbacks: int = setting(ge=1, most=1000, incidental=True)
    rollback_factor: float = setting(gt=0, lt=1, least=1e-6, incidental=True)
    monitor: str
    monitor_mode: Mode
    progress: Progress = setting(incidental=True)

    def __post_init__(self) -> None:
        # Typed or left to the name: the same job.
        settled = settle(self.monitor, self.monitor_mode)
        object.__setattr__(self, "monitor_mode", settled)

    @property
    def objective(self) -> Objective:
        """What decides which epoch is best."""
        return Objective(self.monitor, self.monitor_mode)
