"""What differs from Keras Tuner's own oracles, beside what the proposer shows."""

from typing import Any

import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor

from experiments.command.sweeping.job_count import count_grid_values
from experiments.config.search.space import Space
from experiments.search.oracle.hyperparameters import declare
from experiments.search.oracle.oracles import build_oracle


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:Predicted variances smaller than 0")
def test_the_process_of_the_bayesian_oracle_predicts_as_scikit_learns(
    settings: Any, space_of: Any
) -> None:
    space: Space = space_of("lr=tag(log,interval(1e-5,1e-1))", "size=16,32,64")
    oracle = build_oracle(
        settings(oracle="bayesian"), declare(space, None), starts_with_default=False
    )
    generator = np.random.default_rng(0)
    points, scores = generator.uniform(size=(9, 2)), generator.normal(size=9)
    oracle.gpr.fit(points, scores)
    assert oracle.gpr.normalize_y
    where = np.concatenate([points, generator.uniform(size=(50, 2))])
    for point in (where[:1], where[-1:], where):
        got = oracle.gpr.predict(point, return_std=True)
        expected = GaussianProcessRegressor.predict(oracle.gpr, point, return_std=True)
        np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    "values",
    [
        "a,b,c",
        "range(1,9,3)",
        "int(interval(1,50))",
        "range(0,1,0.25)",
        "interval(0,1)",
        "tag(log,interval(1e-5,1e-2))",
    ],
)
def test_a_grid_is_counted_as_keras_tuner_goes_through_it(
    space_of: Any, values: str
) -> None:
    space: Space = space_of(f"a={values}")
    (declared,) = declare(space, None).space
    assert count_grid_values(space.parameters[0]) == len(list(declared.values))
