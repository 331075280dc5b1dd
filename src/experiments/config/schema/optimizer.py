"""Schema of the `optimizer` group: Keras' classes, with `lr` as the key."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from experiments.config.reading.fields import OpenTarget, Target, setting
from experiments.errors import Problem


@dataclass(frozen=True, kw_only=True)
class OptimizerConfig(Target):
    """What every Keras optimizer takes.

    Attributes:
        lr: Peak learning rate; a schedule shapes it over the epochs.
        weight_decay: Decoupled decay a step in units of the learning rate: each
            step multiplies a decayed weight by `1 - lr * weight_decay`.
        decay_norm_and_bias: Decay biases and normalisation scales and offsets too.
        clip_norm: Largest L2 norm of the gradient of one variable.
        global_clip_norm: Largest L2 norm of all gradients together.
        clip_value: Largest magnitude of an element of a gradient.
        ema_momentum: Momentum of a moving average of the weights, which validation and
            the final model use; null keeps none.
        layer_decay: What a stage has of the rate of the one behind it; the head has
            the whole rate. null and 1 give all layers the same.
        stem_lr_factor: What the first stage has of the rate; those between it and the
            head have powers of it, evenly apart.
        lr_factors: Stage, `head` or pattern of layer names -> what its rate is
            multiplied by; of several that name a layer the last one counts.
    """

    # So many values are kept of each weight at least, the moving average left out.
    slots: ClassVar[int] = 0

    lr: float = setting(gt=0, least=1e-30, most=1e6)
    weight_decay: float | None = setting(ge=0, least=1e-30, most=1e6)
    decay_norm_and_bias: bool
    clip_norm: float | None = setting(gt=0, least=1e-30, most=1e30)
    global_clip_norm: float | None = setting(gt=0, least=1e-30, most=1e30)
    clip_value: float | None = setting(gt=0, least=1e-30, most=1e30)
    ema_momentum: float | None = setting(gt=0, lt=1)
    layer_decay: float | None = setting(gt=0, le=1, least=1e-3, added=5, before=None)
    stem_lr_factor: float | None = setting(
        gt=0, le=1, least=1e-30, added=6, before=None
    )
    lr_factors: dict[str, float] | None = setting(
        gt=0, least=1e-30, most=1e6, added=5, before=None
    )

    def arguments(self) -> dict[str, Any]:
        """Returns the keyword arguments of the optimizer."""
        values = super().arguments()
        for key in ("layer_decay", "stem_lr_factor", "lr_factors"):
            del values[key]
        return values

    def check(self) -> Iterator[Problem]:
        """Yields a problem where one thing is asked for in two ways."""
        kinds = ("clip_norm", "global_clip_norm", "clip_value")
        chosen = [kind for kind in kinds if getattr(self, kind) is not None]
        if len(chosen) > 1:
            yield Problem(
                chosen[1],
                f"cannot be combined with {chosen[0]}: Keras clips one way at a time.",
                "Set all but one of them to null.",
            )
        if self.stem_lr_factor is not None and self.layer_decay is not None:
            yield Problem(
                "stem_lr_factor",
                f"cannot be combined with layer_decay={self.layer_decay:g}: both say "
                "what stages have of the rate.",
                "Set one of them to null.",
            )


@dataclass(frozen=True, kw_only=True)
class AdamConfig(OptimizerConfig):
    """Adam: A Method for Stochastic Optimization (Kingma and Ba, 2015)."""

    slots: ClassVar[int] = 2

    beta_1: float = setting(ge=0, lt=1)
    beta_2: float = setting(ge=0, lt=1)
    epsilon: float = setting(gt=0, least=1e-30, most=1e6)
    amsgrad: bool


@dataclass(frozen=True, kw_only=True)
class AdamWConfig(AdamConfig):
    """Adam with decoupled weight decay, which Keras' AdamW insists on."""

    weight_decay: float = setting(ge=0, least=1e-30, most=1e6)


@dataclass(frozen=True, kw_only=True)
class SGDConfig(OptimizerConfig):
    """Stochastic gradient descent with momentum."""

    momentum: float = setting(ge=0, le=1)
    nesterov: bool


@dataclass(frozen=True, kw_only=True)
class RMSpropConfig(OptimizerConfig):
    """Gradients divided by a running root mean square."""

    slots: ClassVar[int] = 1

    rho: float = setting(ge=0, lt=1)
    momentum: float = setting(ge=0, le=1)
    epsilon: float = setting(gt=0, least=1e-30, most=1e6)
    centered: bool


@dataclass(frozen=True, kw_only=True)
class LionConfig(OptimizerConfig):
    """Sign of an interpolated momentum (Chen et al., 2023)."""

    slots: ClassVar[int] = 1

    beta_1: float = setting(gt=0, le=1)
    beta_2: float = setting(ge=0, lt=1)


@dataclass(frozen=True, kw_only=True)
class OtherOptimizerConfig(OptimizerConfig, OpenTarget):
    """Any other optimizer: its own keys are those that its YAML file declares."""

    def check(self) -> Iterator[Problem]:
        """Yields a problem too for Keras' accumulation, by which a part is a step."""
        yield from super().check()
        if self.extra.get("gradient_accumulation_steps") is not None:
            yield Problem(
                "gradient_accumulation_steps",
                "must be left out: the schedule and the averages would move with each "
                "part of a batch.",
                "Set trainer.accumulate_steps.",
            )
