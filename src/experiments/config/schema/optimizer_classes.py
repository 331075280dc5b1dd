"""Schemas of the optimizers that are rarer than those of `optimizer`, and of all.

What was trained before with a file of one's own for such a class may lack some of its
keys: it had Keras' values.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from experiments.config.reading.fields import setting
from experiments.config.schema.optimizer import (
    AdamConfig,
    AdamWConfig,
    LionConfig,
    OptimizerConfig,
    RMSpropConfig,
    SGDConfig,
)
from experiments.errors import Problem


def _epsilon(before: float) -> float:
    number: float = setting(gt=0, least=1e-38, most=1e6, added=5, before=before)
    return number


def _share(before: float) -> float:
    number: float = setting(ge=0, lt=1, added=5, before=before)
    return number


@dataclass(frozen=True, kw_only=True)
class AdadeltaConfig(OptimizerConfig):
    """ADADELTA: An Adaptive Learning Rate Method (Zeiler, 2012)."""

    slots: ClassVar[int] = 2

    rho: float = _share(0.95)
    epsilon: float = _epsilon(1e-7)


@dataclass(frozen=True, kw_only=True)
class AdagradConfig(OptimizerConfig):
    """Gradients divided by the root of the sum of their squares (Duchi et al., 2011).

    Attributes:
        initial_accumulator_value: What that sum begins with.
    """

    slots: ClassVar[int] = 1

    initial_accumulator_value: float = setting(
        ge=0, least=1e-30, most=1e6, added=5, before=0.1
    )
    epsilon: float = _epsilon(1e-7)


@dataclass(frozen=True, kw_only=True)
class AdamaxConfig(OptimizerConfig):
    """Adam by the largest gradient (Kingma and Ba, 2015, section 7.1)."""

    slots: ClassVar[int] = 2

    beta_1: float = _share(0.9)
    beta_2: float = _share(0.999)
    epsilon: float = _epsilon(1e-7)


@dataclass(frozen=True, kw_only=True)
class NadamConfig(AdamaxConfig):
    """Adam with Nesterov's momentum (Dozat, 2016)."""


@dataclass(frozen=True, kw_only=True)
class FtrlConfig(OptimizerConfig):
    """Follow the regularised leader (McMahan et al., 2013), for linear models.

    Attributes:
        learning_rate_power: Of the sum of squared gradients, by which rates fall.
        initial_accumulator_value: What that sum begins with.
        l1_regularization_strength: Weights below it become 0.
        l2_regularization_strength: Penalty of squared weights.
        l2_shrinkage_regularization_strength: Likewise, in the gradient alone.
        beta: Of the paper's rates; 0 leaves it out.
    """

    slots: ClassVar[int] = 2

    learning_rate_power: float = setting(le=0, least=1e-6, added=5, before=-0.5)
    initial_accumulator_value: float = setting(
        ge=0, least=1e-30, most=1e6, added=5, before=0.1
    )
    l1_regularization_strength: float = setting(
        ge=0, least=1e-30, most=1e6, added=5, before=0.0
    )
    l2_regularization_strength: float = setting(
        ge=0, least=1e-30, most=1e6, added=5, before=0.0
    )
    l2_shrinkage_regularization_strength: float = setting(
        ge=0, least=1e-30, most=1e6, added=5, before=0.0
    )
    beta: float = setting(ge=0, least=1e-30, most=1e6, added=5, before=0.0)

    def check(self) -> Iterator[Problem]:
        """Yields a problem for a decay of weights that are made anew each step."""
        yield from super().check()
        if self.weight_decay is not None:
            yield Problem(
                "weight_decay",
                "must be null: this optimizer makes the weights anew from its sums "
                f"in each step, whatever was taken off them. Received: "
                f"{self.weight_decay:g}.",
                "Type optimizer.weight_decay=null; its own keys are "
                "optimizer.l1_regularization_strength and "
                "optimizer.l2_regularization_strength.",
            )


@dataclass(frozen=True, kw_only=True)
class AdafactorConfig(OptimizerConfig):
    """Adafactor (Shazeer and Stern, 2018), without its momentum.

    Attributes:
        beta_2_decay: Power of the step by which the squares are forgotten.
        epsilon_1: Added to squared gradients.
        epsilon_2: Least size of a variable that its steps are measured by.
        clip_threshold: Largest root mean square of an update.
        relative_step: For a rate that is a plain number, which it never is here.
    """

    slots: ClassVar[int] = 1  # Keras keeps the product of the factors too

    beta_2_decay: float = setting(lt=0, least=1e-6, added=5, before=-0.8)
    epsilon_1: float = _epsilon(1e-30)
    epsilon_2: float = _epsilon(1e-3)
    clip_threshold: float = setting(gt=0, least=1e-6, most=1e6, added=5, before=1.0)
    relative_step: bool = setting(added=5, before=True)


@dataclass(frozen=True, kw_only=True)
class LambConfig(AdamaxConfig):
    """LAMB as published (You et al., 2020), see `training.optimizers.lamb`."""


@dataclass(frozen=True, kw_only=True)
class MuonConfig(OptimizerConfig):
    """Orthogonalised momentum (Jordan, 2024; Liu et al., 2025) for matrices.

    Attributes:
        exclude_layers: Regular expressions; variables whose path one of them is found
            in are updated by Adam though they are matrices.
        exclude_embeddings: Likewise variables with `embedding` in their path.
        momentum: Of the matrices.
        nesterov: Look ahead by it.
        ns_steps: Newton-Schulz iterations that make an update orthogonal.
        muon_a: Coefficient of that iteration; `muon_b` and `muon_c` likewise.
        rms_rate: Root mean square of an update, in units of the rate; null leaves it
            as it comes.
        adam_lr_ratio: Rate of what Adam updates, in units of `lr`.
        adam_beta_1: Adam's.
        adam_beta_2: Adam's.
        adam_weight_decay: In place of `weight_decay` for what Adam updates.
        epsilon: Adam's.
    """

    slots: ClassVar[int] = 1

    exclude_layers: list[str] | None = setting(max_length=1000, added=5, before=None)
    exclude_embeddings: bool = setting(added=5, before=True)
    momentum: float = setting(ge=0, le=1, added=5, before=0.95)
    nesterov: bool = setting(added=5, before=True)
    ns_steps: int = setting(ge=1, most=100, added=5, before=5)
    muon_a: float = setting(most=1e3, added=5, before=3.4445)
    muon_b: float = setting(most=1e3, added=5, before=-4.7750)
    muon_c: float = setting(most=1e3, added=5, before=2.0315)
    rms_rate: float | None = setting(gt=0, least=1e-6, most=1e6, added=5, before=0.2)
    adam_lr_ratio: float = setting(gt=0, least=1e-6, most=1e6, added=5, before=1.0)
    adam_beta_1: float = _share(0.9)
    adam_beta_2: float = _share(0.999)
    adam_weight_decay: float | None = setting(
        ge=0, least=1e-30, most=1e6, added=5, before=0.004
    )
    epsilon: float = _epsilon(1e-7)


@dataclass(frozen=True, kw_only=True)
class ScheduleFreeAdamWConfig(OptimizerConfig):
    """Adam on weights between an iterate and its average (Defazio et al., 2024).

    Attributes:
        beta_1: How near to the average the weights are that gradients are taken at.
        beta_2: Adam's.
        epsilon: Adam's.
    """

    slots: ClassVar[int] = 2

    beta_1: float = setting(gt=0, lt=1)
    beta_2: float = setting(ge=0, lt=1)
    epsilon: float = setting(gt=0, least=1e-38, most=1e6)

    def check(self) -> Iterator[Problem]:
        """Yields a problem for an average of what is averaged."""
        yield from super().check()
        if self.ema_momentum is not None:
            yield Problem(
                "ema_momentum",
                "must be null: this optimizer keeps an average itself, which "
                "validation and the final model use. Received: "
                f"{self.ema_momentum:g}.",
                "Type optimizer.ema_momentum=null.",
            )


_OWN = "experiments.training.optimizers"
OPTIMIZERS: dict[str, type] = {
    "keras.optimizers.Adam": AdamConfig,
    "keras.optimizers.AdamW": AdamWConfig,
    "keras.optimizers.SGD": SGDConfig,
    "keras.optimizers.RMSprop": RMSpropConfig,
    "keras.optimizers.Lion": LionConfig,
    "keras.optimizers.Adadelta": AdadeltaConfig,
    "keras.optimizers.Adagrad": AdagradConfig,
    "keras.optimizers.Adamax": AdamaxConfig,
    "keras.optimizers.Nadam": NadamConfig,
    "keras.optimizers.Ftrl": FtrlConfig,
    "keras.optimizers.Adafactor": AdafactorConfig,
    "keras.optimizers.Muon": MuonConfig,
    f"{_OWN}.lamb.Lamb": LambConfig,
    f"{_OWN}.schedule_free.ScheduleFreeAdamW": ScheduleFreeAdamWConfig,
}
