"""Values with which hardly anything can be learnt: each may be meant, and is asked."""

import itertools
import math
from collections.abc import Iterator

from experiments.config.kinds.freezing import NONE, write_freeze
from experiments.config.kinds.phases import count_unreached, list_phases
from experiments.config.schema.augment import InceptionCropConfig
from experiments.config.schema.callbacks import EarlyStoppingConfig
from experiments.config.schema.models.model import (
    KerasApplicationConfig,
    ModelConfig,
    ResNetConfig,
    ViTConfig,
)
from experiments.config.schema.optimizer import (
    AdamConfig,
    OptimizerConfig,
    RMSpropConfig,
    SGDConfig,
)
from experiments.config.schema.optimizer_classes import (
    FtrlConfig,
    MuonConfig,
    ScheduleFreeAdamWConfig,
)
from experiments.config.schema.run import RunConfig
from experiments.config.schema.schedule import (
    RestartsConfig,
    ScheduleConfig,
    StepConfig,
)
from experiments.counts import agree, count_of

# Added to a weight of 0.05, a smaller step is lost in float32.
_LEAST_RATE = 1e-9
_MOST_RATE = 10.0
_MOST_EPSILON = 10.0
_MOST_SHARE = 0.9
_CLOSE = 0.01  # of a training


def find_doubts(run: RunConfig) -> Iterator[str]:
    """Yields a sentence for each value that is probably a mistake.

    Args:
        run: A checked config.
    """
    rate = _scale_rate(run)
    yield from _doubt_frozen(run)
    yield from _doubt_phases(run)
    yield from _doubt_rate(run, rate)
    yield from _doubt_optimizer(run.optimizer, rate)
    yield from _doubt_fit_of_optimizer(run)
    yield from _doubt_regularisation(run)
    yield from _doubt_early_stopping(run)
    yield from _doubt_steps(run)


def _doubt_frozen(run: RunConfig) -> Iterator[str]:
    """Frozen random numbers are what weights of before are measured against."""
    model = run.model
    if isinstance(model, ModelConfig) and not model.weights:
        frozen = [p for p in list_phases(run) if p.freeze != NONE]
        for phase in frozen[:1]:
            yield (
                f"{phase.key}={write_freeze(phase.freeze)} keeps random numbers, for "
                "model.weights=null. Begin with weights: model.weights=imagenet, "
                "run:last or a file."
            )


def _doubt_phases(run: RunConfig) -> Iterator[str]:
    if unreached := count_unreached(run):
        yield (
            f"trainer.epochs={run.trainer.epochs} ends before "
            f"{count_of(unreached, 'phase')} of trainer.phases: train longer, or type "
            "trainer.phases=null."
        )


def _doubt_steps(run: RunConfig) -> Iterator[str]:
    """A rate that never drops is constant; one may be stopped before it drops."""
    schedule, trainer = run.schedule, run.trainer
    is_cut = trainer.max_steps_per_epoch or trainer.overfit_batches
    if isinstance(schedule, RestartsConfig) and not is_cut:
        ends = schedule.ends(trainer.epochs)
        if not math.isclose(ends[-1], trainer.epochs, rel_tol=_CLOSE):
            last = f"trainer.epochs={ends[-1]:g}"
            also = f" or {ends[-2]:g}" if len(ends) > 1 else ""
            yield (
                f"trainer.epochs={trainer.epochs} ends inside a cosine of "
                f"schedule=cosine_restarts, at a rate that has not fallen. Usual: "
                f"{last}{also}, by which one has ended."
            )
    if not isinstance(schedule, StepConfig) or is_cut:
        return
    drops = schedule.milestones or [schedule.every_epochs or 0.0]
    key = "milestones" if schedule.milestones else "every_epochs"
    if drops[0] >= trainer.epochs:
        yield (
            f"schedule.{key}={drops[0]:g} is not reached in trainer.epochs="
            f"{trainer.epochs}: the rate never drops."
        )
        return
    reached = [0.0, *(drop for drop in drops if drop < trainer.epochs)]
    longest = max(end - start for start, end in itertools.pairwise(reached))
    for name, callback in run.callbacks.items():
        if isinstance(callback, EarlyStoppingConfig):
            patience = callback.patience
            if patience + callback.start_from_epoch < longest:
                yield (
                    f"callbacks.{name}.patience={patience} may end training before the "
                    f"rate drops, after {longest:g} "
                    f"{agree(longest, 'epoch', 'epochs')}. Leave it out by callbacks="
                    "full_length, or raise it."
                )


def _doubt_early_stopping(run: RunConfig) -> Iterator[str]:
    for name, callback in run.callbacks.items():
        if not isinstance(callback, EarlyStoppingConfig):
            continue
        if "accuracy" in callback.monitor and callback.min_delta >= 1:
            yield (
                f"callbacks.{name}.min_delta={callback.min_delta:g} is more than "
                f"{callback.monitor} can gain: training stops when patience ends. "
                "Usual: 0 to 0.01."
            )


def _scale_rate(run: RunConfig) -> float:
    """Returns the rate with which the weights are changed at the peak."""
    reference = run.trainer.reference_batch_size
    scale = 1.0 if reference is None else run.trainer.batch_size / reference
    return run.optimizer.lr * scale


def _doubt_rate(run: RunConfig, rate: float) -> Iterator[str]:
    name = f"optimizer.lr={run.optimizer.lr:g}"
    if run.trainer.reference_batch_size is not None:
        name += f", {rate:g} by trainer.reference_batch_size,"
    usual = "Usual: 1e-5 to 1."
    if rate < _LEAST_RATE:
        yield f"{name} hardly changes a weight: nothing will be learnt. {usual}"
    elif rate > _MOST_RATE:
        yield f"{name} will throw the weights about: training diverges. {usual}"


def _doubt_optimizer(optimizer: OptimizerConfig, rate: float) -> Iterator[str]:
    decay = optimizer.weight_decay or 0
    if rate * decay >= 1:
        yield (
            f"optimizer.weight_decay={decay:g} times a rate of {rate:g} leaves nothing "
            f"of a weight: each step multiplies it by {1 - rate * decay:g}. "
            "Usual: 1e-4 to 0.5."
        )
    if isinstance(optimizer, SGDConfig | RMSpropConfig) and optimizer.momentum == 1:
        yield (
            "optimizer.momentum=1 forgets no gradient: the weights run ever faster. "
            "Usual: 0.9."
        )
    if (
        isinstance(optimizer, AdamConfig | RMSpropConfig)
        and optimizer.epsilon > _MOST_EPSILON
    ):
        yield (
            f"optimizer.epsilon={optimizer.epsilon:g} outweighs the gradients: "
            "nothing will be learnt. Usual: 1e-8 to 1."
        )
    clips = {
        name: getattr(optimizer, name)
        for name in ("clip_norm", "global_clip_norm", "clip_value")
    }
    for name, clip in clips.items():
        is_small = clip is not None and rate * clip < _LEAST_RATE
        if is_small and isinstance(optimizer, SGDConfig):
            yield (
                f"optimizer.{name}={clip:g} leaves nothing of the gradients: nothing "
                "will be learnt. Usual: 0.1 to 10."
            )


def _doubt_fit_of_optimizer(run: RunConfig) -> Iterator[str]:
    """Some optimizers are made for another schedule or another kind of network."""
    name, schedule = run.optimizer._target_.rpartition(".")[2], run.schedule
    is_constant = type(schedule) is ScheduleConfig
    if isinstance(run.optimizer, ScheduleFreeAdamWConfig) and not is_constant:
        yield (
            f"{name} averages in place of lowering the rate, which "
            f"{schedule._target_.rpartition('.')[2]} does too. Usual: "
            "schedule=constant."
        )
    is_level = type(schedule) is ScheduleConfig and not schedule.warmup_epochs
    if isinstance(run.optimizer, FtrlConfig) and not is_level:
        yield (
            f"{name} makes each weight anew by the rate of the step: where that falls "
            "to a tenth of what it was, so do all weights. Usual: schedule=constant, "
            "without a warm-up."
        )
    if isinstance(run.optimizer, MuonConfig) and isinstance(run.model, ResNetConfig):
        yield (
            f"{name} is Keras' rule for matrices: of this network that is the last "
            "layer, and Adam updates the rest. Usual: optimizer=adamw."
        )


def _doubt_regularisation(run: RunConfig) -> Iterator[str]:
    smoothing = run.trainer.label_smoothing
    if smoothing > _MOST_SHARE:
        yield (
            f"trainer.label_smoothing={smoothing:g} makes all classes nearly equal. "
            "Usual: 0 to 0.2."
        )
    if run.trainer.sampling == run.loss.class_weight == "balanced":
        yield (
            "trainer.sampling=balanced and loss.class_weight=balanced each make the "
            "classes equal: together small ones count more than large ones. Usual: one "
            "of the two."
        )
    model, ours = run.model, ResNetConfig | KerasApplicationConfig | ViTConfig
    if isinstance(model, ours) and model.dropout > _MOST_SHARE:
        yield (
            f"model.dropout={model.dropout:g} drops nearly all features. "
            "Usual: 0 to 0.5."
        )
    for name, augment in run.augment.items():
        if isinstance(augment, InceptionCropConfig) and augment.area[1] < 1e-2:
            yield (
                f"augment.{name}.area={augment.area} cuts out less than a hundredth of "
                "an image. Usual: [0.08, 1]."
            )
