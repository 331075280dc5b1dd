"""What the tests of a search share: spaces, settings and made-up trials."""

from collections.abc import Callable
from typing import Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from experiments.config.kinds.objective import Objective
from experiments.config.search.schema import (
    TARGET,
    BayesianConfig,
    HyperbandConfig,
    SearchConfig,
)
from experiments.config.search.space import Space, parse_space
from tests.workers.conftest import make_sweep as make_sweep

DEFAULTS: dict[str, Any] = {
    "_target_": TARGET,
    "oracle": "random",
    "objective": Objective("val_accuracy", "max"),
    "max_trials": 10,
    "seed": 0,
    "start_from_current": True,
    "params": {},
    "when": {},
    "bayesian": BayesianConfig(initial_points=None, alpha=1e-4, beta=2.6),
    "hyperband": HyperbandConfig(max_epochs=6, factor=3, iterations=1),
    "repeats": 1,
    "n_jobs": None,
    "max_retries": 0,
    "trial_minutes": None,
    "silent_minutes": None,
    "on_failure": "continue",
    "keep_top": 3,
    "max_disk_gb": None,
    "isolation": "none",
    "trials_per_process": 10,
    "trials_per_gpu": 1,
}


@pytest.fixture
def settings() -> Callable[..., SearchConfig]:
    """Makes a search; keywords replace its defaults."""
    return lambda **changed: SearchConfig(**{**DEFAULTS, **changed})


@pytest.fixture
def space_of() -> Callable[..., Space]:
    """Makes a space of overrides with several values."""

    def make(*typed: str, **when: str) -> Space:
        parse = OverridesParser.create().parse_overrides
        return parse_space({}, when, parse(list(typed)), parse)

    return make
