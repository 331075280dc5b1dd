"""Keras Tuner's oracles, made safe to drive by hand and to replay.

What differs from Keras Tuner 1.4.8, and why:

- They write no files: the search keeps a journal of its own and replays it.
- Trial 0 is the config as it is, where it lies in the space.
- A failed trial counts as worse than every other, with a finite value; Keras Tuner
  leaves it out, so that its Bayesian oracle proposes the same region again and its
  Hyperband waits for ever for a round that can't be filled.
- The search goes on after any number of failures in a row.
- What is random in a trial depends on its number alone, so that a resumed search goes
  on as an uninterrupted one, and trials in parallel as trials in turn.
- The Bayesian oracle begins with fewer random points (Keras Tuner: three a parameter,
  more than many budgets), never repeats a trial and proposes three times as fast.
- The grid does not wait for a trial to end before it proposes the next.
- Of a trial that has ended they keep values and score, and no copy of the whole space.
"""

import warnings
from collections.abc import Mapping
from typing import Any, Literal

import keras_tuner
import numpy as np
from keras_tuner import oracles
from scipy.linalg import solve_triangular
from sklearn.gaussian_process import GaussianProcessRegressor
from threadpoolctl import threadpool_limits

from experiments.config.kinds.objective import Objective
from experiments.config.search.schema import SearchConfig

# Worse than any score and still a number that can be sorted.
_WORST = 1e300
# Keras Tuner adds one for each value that it draws, collisions included.
_SEEDS_A_TRIAL = 10_007


class _Driven:
    """What the oracles have in common; comes before Keras Tuner's class.

    Args:
        starts_with_default: Whether trial 0 has the default of each parameter.
        **options: Of Keras Tuner's oracle.
    """

    recalled: Mapping[str, Any] | None
    """What the next answer was in an earlier process; computed anew when absent."""
    trials: dict[str, Any]
    seed: int
    objective: Any
    hyperparameters: Any
    _tried_so_far: set[str]

    def __init__(self, *, starts_with_default: bool, **options: Any) -> None:
        self._starts_with_default = starts_with_default
        self.recalled: Mapping[str, Any] | None = None
        super().__init__(**options)
        self.verbose = 0

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Returns the next values, or that there are none now or any more."""
        self._seed_state = self.seed + _SEEDS_A_TRIAL * len(self.trials)
        return super().populate_space(trial_id)  # type: ignore[misc]

    def save(self) -> None:
        """Does nothing: the journal of the search is the record."""

    def _save_trial(self, trial: Any) -> None:
        """Likewise."""

    def _check_consecutive_failures(self) -> None:
        """Does nothing: `on_failure` decides whether the search ends."""

    def score_trial(self, trial: Any) -> None:
        """Scores a trial, a failed one as worse than any other."""
        if trial.message is None:
            super().score_trial(trial)  # type: ignore[misc]
        else:
            objective = Objective(self.objective.name, self.objective.direction)
            trial.score = -objective.sign * _WORST
            trial.best_step = 0

    def end_trial(self, trial: Any) -> None:
        """Ends a trial and drops what no later proposal looks at."""
        super().end_trial(trial)  # type: ignore[misc]
        trial.metrics = None
        own, shared = trial.hyperparameters, self.hyperparameters
        own._space, own._hps = shared._space, shared._hps

    def _random_values(self) -> dict[str, Any] | None:
        """Draws values that were not tried; the first ones are the defaults."""
        if self._starts_with_default and not self.trials:
            space = self.hyperparameters.copy()
            space.values = {}
            for parameter in space.space:
                if space.is_active(parameter):
                    space.values[parameter.name] = parameter.default
            return dict(space.values)
        return super()._random_values()  # type: ignore[misc]


class RandomOracle(_Driven, oracles.RandomSearchOracle):
    """Draws every trial at random."""


class HyperbandOracle(_Driven, oracles.HyperbandOracle):
    """Gives many trials few epochs and the best of them more.

    Reference:
        Li et al., Hyperband, 2018, arXiv:1603.06560; brackets as in Keras Tuner.
    """


class GridOracle(_Driven, oracles.GridSearchOracle):
    """Proposes every combination in order, the last parameter fastest."""

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Returns the next combination."""
        response: dict[str, Any] = super().populate_space(trial_id)
        if response["values"] is not None:
            # Keras Tuner looks for the next one only after a trial has ended.
            self._populate_next.append(trial_id)
        return response


class _Process(GaussianProcessRegressor):
    """A Gaussian process that is asked for thousands of points, one at a time."""

    def predict(
        self, points: Any, return_std: bool = False, return_cov: bool = False
    ) -> Any:
        """Returns mean and deviation as scikit-learn does, without its checks.

        They take several times as long as the prediction. Anything else than mean and
        deviation is left to scikit-learn.

        Args:
            points: Finite floats of shape (points, parameters).
            return_std: Return the deviation too.
            return_cov: Return the covariance.

        Reference:
            Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006,
            algorithm 2.1.
        """
        if return_cov or not return_std:
            return super().predict(points, return_std, return_cov)
        covariance = self.kernel_(points, self.X_train_)
        mean = self._y_train_mean + self._y_train_std * (covariance @ self.alpha_)
        explained = solve_triangular(
            self.L_, covariance.T, lower=True, check_finite=False
        )
        variance = self.kernel_.diag(points)
        variance -= np.einsum("ij,ij->j", explained, explained)
        return mean, self._y_train_std * np.sqrt(np.maximum(variance, 0.0))


class BayesianOracle(_Driven, oracles.BayesianOptimizationOracle):
    """Models the objective by a Gaussian process and takes its best lower bound."""

    def _make_gpr(self) -> _Process:
        return _Process(**super()._make_gpr().get_params(deep=False))

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Returns the next point, a random one where the process repeats itself."""
        if self.recalled is not None:  # a Gaussian process takes seconds to fit
            return {"status": "RUNNING", "values": dict(self.recalled)}
        self._random_state = np.random.RandomState(self.seed + len(self.trials))
        # On matrices of some dozen rows threads wait for each other.
        with warnings.catch_warnings(), threadpool_limits(1):
            # Few points and flat objectives: the bounds are then a guess, as they are.
            warnings.simplefilter("ignore")
            response: dict[str, Any] = super().populate_space(trial_id)
        values = response["values"]
        if values is not None and self._duplicate(values):
            return self._random_populate_space()
        return response

    def _vectorize_trials(self) -> tuple[Any, Any]:
        """Returns points and scores; a failure is as bad as the worst trial so far."""
        points, scores = super()._vectorize_trials()
        failed = np.abs(scores) >= _WORST
        if failed.any():
            usable = scores[~failed]
            worst = usable.max() + usable.std() if usable.size else 0.0
            scores = np.where(failed, worst, scores)
        return points, scores


def build_oracle(
    search: SearchConfig, hyperparameters: Any, *, starts_with_default: bool
) -> Any:
    """Returns the oracle that a config names.

    Args:
        search: The config.
        hyperparameters: What `declare` returned.
        starts_with_default: Whether trial 0 is the config as it is.
    """
    objective = search.objective
    common: dict[str, Any] = {
        "objective": keras_tuner.Objective(objective.name, objective.direction),
        "hyperparameters": hyperparameters,
        "tune_new_entries": False,
        "allow_new_entries": False,
        # Keras Tuner takes 0 for a random seed.
        "seed": search.seed + 1,
        "starts_with_default": starts_with_default,
    }
    if search.oracle == "hyperband":
        rounds = search.hyperband
        oracle: Any = HyperbandOracle(
            max_epochs=rounds.max_epochs,
            factor=rounds.factor,
            hyperband_iterations=rounds.iterations,
            **common,
        )
        oracle.max_trials = search.max_trials
        return oracle
    common["max_trials"] = search.max_trials
    if search.oracle == "bayesian":
        keys = search.bayesian
        points = keys.initial_points or _initial_points(search, hyperparameters)
        return BayesianOracle(
            num_initial_points=points, alpha=keys.alpha, beta=keys.beta, **common
        )
    kinds: dict[Literal["random", "grid"], Any] = {
        "random": RandomOracle,
        "grid": GridOracle,
    }
    return kinds[search.oracle](**common)


def _initial_points(search: SearchConfig, hyperparameters: Any) -> int:
    """Returns twice the parameters, a third of the budget at most, two at least."""
    wanted = 2 * len(hyperparameters.space)
    budget = search.max_trials or 3 * wanted
    return max(2, min(wanted, budget // 3))
