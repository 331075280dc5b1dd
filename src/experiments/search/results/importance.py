"""How much of the objective's variance each parameter explains."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from experiments.search.results.columns import Column, collect_columns, format_value
from experiments.search.trials.trial import Trial

FEWEST_A_PARAMETER = 10  # trials; with fewer, shares are mostly chance
_FEWEST_TRIALS = 5
_SHUFFLES = 20
_ROUNDING = 1e-9
_ABSENT = -1.0


def count_needed(trials: Sequence[Trial]) -> tuple[int, int, int]:
    """Returns how many trials have an objective, their parameters, and enough trials.

    Args:
        trials: In any order.
    """
    scored = [trial for trial in trials if trial.objective is not None]
    parameters = len(collect_columns(scored))
    return len(scored), parameters, FEWEST_A_PARAMETER * parameters


def tell_importance(trials: Sequence[Trial]) -> dict[str, float]:
    """Returns what `measure_importance` does, of enough trials; else nothing."""
    scored, _, needed = count_needed(trials)
    return measure_importance(trials) if scored >= needed else {}


def measure_importance(trials: Sequence[Trial]) -> dict[str, float]:
    """Returns each parameter's share of the variance that a random forest explains.

    A forest learns the objective from the parameters; a parameter is as important as
    the forest's squared error rises when the values of this parameter are shuffled.
    Trials that stopped early count with the objective they had then.

    Args:
        trials: In any order; those without an objective are left out.

    Returns:
        Parameter -> share from 0 to 1, the largest first, with sum 1. Empty with fewer
        than 5 scored trials, with a constant objective, or when nothing explains it.
    """
    scored = [trial for trial in trials if trial.objective is not None]
    columns = collect_columns(scored)
    target = np.array([trial.objective for trial in scored], dtype=np.float64)
    if len(scored) < _FEWEST_TRIALS or not columns or target.min() == target.max():
        return {}
    target /= np.abs(target).max()  # the square of a diverged loss may overflow
    target = (target - target.mean()) / target.std()
    rises = _measure_rises([_encode(column) for column in columns], target)
    total = sum(rises)
    if total == 0.0:
        return {}
    shares = {c.name: rise / total for c, rise in zip(columns, rises, strict=True)}
    return dict(sorted(shares.items(), key=lambda share: -share[1]))


def _measure_rises(
    blocks: Sequence[NDArray[np.float64]], target: NDArray[np.float64]
) -> list[float]:
    """Returns how much the error rises when a block's rows are shuffled together.

    A fall, which is chance, counts as no rise: shares are not negative. The target has
    variance 1.
    """
    from sklearn.ensemble import RandomForestRegressor

    features = np.hstack(blocks)  # (trials, features)
    forest = RandomForestRegressor(random_state=0, n_jobs=1).fit(features, target)
    error = np.mean((forest.predict(features) - target) ** 2)
    random = np.random.default_rng(0)
    rises, end = [], 0
    for block in blocks:
        start, end = end, end + block.shape[1]
        shuffled = np.tile(features, (_SHUFFLES, 1))
        shuffled[:, start:end] = np.vstack(
            [random.permutation(block) for _ in range(_SHUFFLES)]
        )
        worse = np.mean((forest.predict(shuffled) - np.tile(target, _SHUFFLES)) ** 2)
        rise = float(worse - error)
        rises.append(rise if rise > _ROUNDING else 0.0)
    return rises


def _encode(column: Column) -> NDArray[np.float64]:
    """Returns the features of a parameter, (trials, features).

    Numbers are one feature, anything else is one-hot; a parameter that is absent in
    some trials has one more feature, which tells where.
    """
    if column.is_number:
        numbers = column.numbers(logarithmic=column.is_wide)
        features = [[_ABSENT if number is None else number for number in numbers]]
    else:
        texts = [None if v is None else format_value(v) for v in column.values]
        features = [
            [float(text == name) for text in texts] for name in column.categories
        ]
    if None in column.values:
        features.append([float(value is None) for value in column.values])
    return np.array(features, dtype=np.float64).T
