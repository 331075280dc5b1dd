"""Schema of `hydra.sweeper` when Keras Tuner's oracles drive the sweep."""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from omegaconf import DictConfig, OmegaConf

from experiments.config.kinds.objective import Objective
from experiments.config.reading.convert import convert
from experiments.config.reading.fields import setting
from experiments.config.schema.trainer import MOST_EPOCHS, MOST_MINUTES
from experiments.errors import ConfigError, Problem

TARGET = "hydra_plugins.experiments_keras_tuner.sweeper.KerasTunerSweeper"
KEY = "hydra.sweeper"
# All trials are read again at each proposal.
MOST_TRIALS = 100_000
_REFERENCE = re.compile(r"\$\{([\w.]+)\}")


@dataclass(frozen=True, kw_only=True)
class BayesianConfig:
    """Keys of the Bayesian oracle.

    Attributes:
        initial_points: Random trials before the first model of the objective; null
            for twice the parameters, a third of `max_trials` at most.
        alpha: Variance of the noise that is expected of the objective.
        beta: How much the unknown attracts: standard deviations of the bound.
    """

    initial_points: int | None = setting(ge=1, most=MOST_TRIALS)
    alpha: float = setting(gt=0, least=1e-30, most=1e30)
    beta: float = setting(ge=0, most=1e6)


@dataclass(frozen=True, kw_only=True)
class HyperbandConfig:
    """Keys of Hyperband.

    Attributes:
        max_epochs: Epochs of a trial that survives every round.
        factor: Of so many trials one survives, with so many times the epochs.
        iterations: How often all brackets are gone through.
    """

    max_epochs: int = setting(ge=1, most=MOST_EPOCHS)
    factor: int = setting(ge=2, most=1000)
    iterations: int = setting(ge=1, most=1000)


@dataclass(frozen=True, kw_only=True)
class SearchConfig:
    """How a space is searched.

    Attributes:
        oracle: What proposes the next trial.
        objective: What is compared: a metric of the best epoch.
        max_trials: Ends the search; null for as many as the oracle itself plans.
        seed: Of the proposals; training has a seed of its own.
        start_from_current: Whether trial 0 is the config as it is, if it lies in the
            space.
        params: Key -> values in the grammar of overrides; null leaves out what a
            preset would search.
        when: Key -> condition under which it is searched, such as `optimizer=sgd`;
            null for none.
        bayesian: Keys of the Bayesian oracle.
        hyperband: Keys of Hyperband.
        repeats: Seeds that each proposal is trained with; the mean is compared.
        n_jobs: Trials at a time; null for one on the basic launcher and otherwise as
            many as the machine has cores.
        max_retries: How often a trial that was killed, hung or raised is tried again.
        trial_minutes: Ends a trial that takes longer; null for never.
        silent_minutes: Ends a trial that takes no step for so long; null for never.
        on_failure: Whether the search goes on after a failed trial.
        keep_top: Trials that keep their weights.
        max_disk_gb: Removes weights of further trials above it; null for no limit.
        isolation: `process` runs trials in a process that may die without harm,
            `none` where the launcher runs them.
        trials_per_process: After so many a fresh process is started.
        trials_per_gpu: How many trials at a time share a GPU with `gpu=auto`.
    """

    _target_: str
    oracle: Literal["random", "bayesian", "hyperband", "grid"]
    objective: Objective
    max_trials: int | None = setting(ge=1, most=MOST_TRIALS, incidental=True)
    seed: int = setting(ge=0, lt=2**31)
    start_from_current: bool
    # They are the space, which counts as a whole.
    params: dict[str, str | int | float | bool] = setting(
        incidental=True, unbounded="values of keys that have bounds of their own"
    )
    when: dict[str, str] | None = setting(incidental=True)
    bayesian: BayesianConfig
    hyperband: HyperbandConfig
    repeats: int = setting(ge=1, most=1000)
    n_jobs: int | None = setting(ge=1, most=1024, incidental=True)
    max_retries: int = setting(ge=0, most=1000, incidental=True)
    trial_minutes: float | None = setting(
        gt=0, least=1e-6, most=MOST_MINUTES, incidental=True
    )
    silent_minutes: float | None = setting(
        gt=0, least=1e-6, most=MOST_MINUTES, incidental=True
    )
    on_failure: Literal["continue", "stop"] = setting(incidental=True)
    keep_top: int = setting(ge=0, most=MOST_TRIALS, incidental=True)
    max_disk_gb: float | None = setting(gt=0, most=1e9, incidental=True)
    isolation: Literal["process", "none"] = setting(incidental=True)
    trials_per_process: int = setting(ge=1, most=MOST_TRIALS, incidental=True)
    trials_per_gpu: int = setting(ge=1, most=1024, incidental=True)

    def check(self) -> Iterator[Problem]:
        """Yields what is wrong between the keys."""
        if self.oracle in ("random", "bayesian") and self.max_trials is None:
            hint = "Set it: hydra.sweeper.max_trials=20"
            reason = f"must not be null with oracle={self.oracle}, which has no end."
            yield Problem("max_trials", reason, hint)
        if self.oracle == "hyperband" and self.hyperband.max_epochs < 2:
            reason = "must be at least 2, so that a trial can be promoted."
            received = f"Received: {self.hyperband.max_epochs}."
            yield Problem("hyperband.max_epochs", f"{reason} {received}")
        if self.oracle == "hyperband" and self.repeats > 1:
            reason = "must be 1 with oracle=hyperband, which continues its trials."
            yield Problem("repeats", f"{reason} Received: {self.repeats}.")


def is_search(sweeper: Mapping[str, Any] | DictConfig) -> bool:
    """Tells whether a `hydra.sweeper` node is one of a search."""
    return str(sweeper.get("_target_")) == TARGET


def read_search(sweeper: DictConfig) -> SearchConfig:
    """Checks a `hydra.sweeper` node.

    Raises:
        ConfigError: All that is wrong in it.
    """
    problems: list[Problem] = []
    plain = _without_nulls(OmegaConf.to_container(sweeper, resolve=True))
    search: SearchConfig | None = convert(
        plain, SearchConfig, key=KEY, problems=problems
    )
    if problems or search is None:
        raise ConfigError([_at_its_source(p, sweeper) for p in problems], "The search")
    return search


def _without_nulls(sweeper: Any) -> Any:
    """Returns a node without parameters set to null: what a preset would search."""
    params, when = sweeper.get("params"), sweeper.get("when")
    if not isinstance(params, dict):
        return sweeper
    left_out = {key for key, value in params.items() if value is None}
    kept = {key: value for key, value in params.items() if key not in left_out}
    if isinstance(when, dict):
        when = {key: text for key, text in when.items() if key not in left_out}
    return {**sweeper, "params": kept, "when": when}


def _at_its_source(problem: Problem, sweeper: DictConfig) -> Problem:
    """Returns a problem with the key that its value was taken from, `${trainer.x}`."""
    node: Any = OmegaConf.to_container(sweeper, resolve=False)
    for name in problem.key.removeprefix(f"{KEY}.").split("."):
        node = node.get(name) if isinstance(node, dict) else None
    source = _REFERENCE.fullmatch(node) if isinstance(node, str) else None
    return problem if source is None else replace(problem, key=source[1])


def choose_n_jobs(search: SearchConfig, launcher: str) -> int:
    """Returns how many trials run at a time.

    Args:
        search: The search.
        launcher: Target of Hydra's launcher; the basic one runs one job at a time.

    Raises:
        ConfigError: The basic launcher is to run several.
    """
    if launcher.endswith("basic_launcher.BasicLauncher"):
        if search.n_jobs not in (None, 1):
            reason = f"must be 1 with the basic launcher. Received: {search.n_jobs}."
            hint = "Add hydra/launcher=joblib, or one of a cluster."
            raise ConfigError([Problem(f"{KEY}.n_jobs", reason, hint)], "The search")
        return 1
    return search.n_jobs or os.cpu_count() or 1
