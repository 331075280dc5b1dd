"""The phases of a training: one after the other, each with its layers and its rate."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from experiments.config.kinds.freezing import NONE, check_freeze, write_freeze
from experiments.config.schema.models.model import ModelConfig, ResNetConfig, ViTConfig
from experiments.config.schema.phase import PhaseConfig
from experiments.config.schema.schedule import ScheduleConfig
from experiments.counts import count_of
from experiments.errors import ConfigError, Problem

if TYPE_CHECKING:
    from experiments.config.schema.run import RunConfig

KEY = "trainer.phases"


@dataclass(frozen=True, kw_only=True)
class Phase:
    """Epochs that are trained in one way.

    Attributes:
        begin: Epochs before it.
        epochs: Its own; the schedule has this length.
        freeze: As `model.freeze`.
        lr: Peak rate, as `optimizer.lr`.
        key: Of the config, where `freeze` stands.
    """

    begin: int
    epochs: int
    freeze: str | list[str]
    lr: float
    key: str

    @property
    def end(self) -> int:
        """Epochs up to its last one."""
        return self.begin + self.epochs


def list_phases(run: "RunConfig") -> list[Phase]:
    """Returns the phases of a checked config; one of all epochs where it names none."""
    model, trainer = run.model, run.trainer
    freeze = model.freeze if isinstance(model, ModelConfig) else NONE
    given = trainer.phases or [_WHOLE]
    phases: list[Phase] = []
    for number, phase in enumerate(given):
        begin = phases[-1].end if phases else 0
        own = phase.freeze is not None
        phases.append(
            Phase(
                begin=begin,
                epochs=phase.epochs or trainer.epochs - begin,
                freeze=freeze if phase.freeze is None else phase.freeze,
                lr=phase.lr or run.optimizer.lr * (phase.lr_factor or 1.0),
                key=f"{KEY}[{number}].freeze" if own else "model.freeze",
            )
        )
        if phases[-1].end >= trainer.epochs:
            break  # the training ends before the others, which is doubted elsewhere
    return phases


def find_rate_phase(run: "RunConfig") -> tuple[int, float]:
    """Returns the number of the phase that `optimizer.lr` is for, and a factor.

    The last one whose rate is a multiple of it, which the factor is: most learns there.

    Raises:
        ConfigError: Each phase has a rate of its own.
    """
    given = (run.trainer.phases or [_WHOLE])[: len(list_phases(run))]
    for number, phase in reversed(list(enumerate(given))):
        if phase.lr is None:
            return number, phase.lr_factor or 1.0
    reason = "give each phase an lr of its own, so that optimizer.lr counts in none."
    hint = "Give the last one an lr_factor in its place, or nothing."
    raise ConfigError([Problem(KEY, reason, hint)])


def describe_phases(run: "RunConfig") -> dict[str, str]:
    """Returns what is done one after the other, title -> text; nothing without it."""
    if run.trainer.phases is None:
        return {}
    told = [
        f"{count_of(min(phase.end, run.trainer.epochs) - phase.begin, 'epoch')} with "
        f"freeze={write_freeze(phase.freeze)} at {phase.lr:.3g}"
        for phase in list_phases(run)
    ]
    return {"phases": ", then ".join(told)}


def list_borders(phases: "Sequence[Mapping[str, Any]] | None") -> list[int]:
    """Returns after which epochs another phase begins.

    Args:
        phases: As a record has them.
    """
    lengths = [int(phase.get("epochs") or 0) for phase in phases or []]
    return list(itertools.accumulate(lengths[:-1]))


def check_phases(run: "RunConfig") -> Iterator[Problem]:
    """Yields what is wrong with phases beside the rest of a config."""
    given = run.trainer.phases
    if given is None:
        return
    for number, phase in enumerate(given):
        if phase.freeze is not None and isinstance(run.model, ResNetConfig | ViTConfig):
            stages = run.model.list_stages()
            yield from check_freeze(phase.freeze, stages, key=f"{KEY}[{number}].freeze")
    problems = [*_check_lengths(run, given)]
    yield from problems
    if not problems:
        yield from _check_warmup(run)


def count_unreached(run: "RunConfig") -> int:
    """Returns how many phases begin after the last epoch."""
    return len(run.trainer.phases or [_WHOLE]) - len(list_phases(run))


_WHOLE = PhaseConfig(epochs=None, freeze=None, lr=None, lr_factor=None)


def _check_lengths(run: "RunConfig", given: list[PhaseConfig]) -> Iterator[Problem]:
    for number, phase in enumerate(given[:-1]):
        if phase.epochs is None:
            reason = "must be given: only the last phase may take all that are left."
            key = f"{KEY}[{number}].epochs"
            yield Problem(key, reason, "Such as {epochs: 2, freeze: all}.")
            return
    total, epochs = sum(phase.epochs or 0 for phase in given), run.trainer.epochs
    if given[-1].epochs is not None and total < epochs:
        yield Problem(
            KEY,
            f"have {count_of(total, 'epoch')} together, fewer than trainer.epochs="
            f"{epochs}.",
            f"Type trainer.epochs={total}, or leave out the epochs of the last phase: "
            "it takes all that are left.",
        )


def _check_warmup(run: "RunConfig") -> Iterator[Problem]:
    """Each phase is warmed up, and has to be longer than that."""
    schedule = run.schedule
    warmup = schedule.warmup_epochs if isinstance(schedule, ScheduleConfig) else 0
    for number, phase in enumerate(list_phases(run)):
        if warmup and warmup >= phase.epochs:
            yield Problem(
                "schedule.warmup_epochs",
                f"must be less than the {count_of(phase.epochs, 'epoch')} of "
                f"{KEY}[{number}], for each phase is warmed up. Received: {warmup:g}.",
                f"Type schedule.warmup_epochs={phase.epochs / 4:g}, or make the phase "
                "longer.",
            )
            return
