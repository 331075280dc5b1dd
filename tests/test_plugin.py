"""Hydra finds the sweeper, and importing it at every start costs nothing."""

import subprocess
import sys

import pytest
from hydra.core.plugins import Plugins
from hydra.plugins.sweeper import Sweeper

from experiments.command.sweeping.pairs import GRID_SWEEPER
from experiments.config.search.schema import TARGET

LAUNCHER = "hydra_plugins.experiments_sweep.launcher"


@pytest.mark.parametrize("target", [TARGET, GRID_SWEEPER])
def test_hydra_discovers_the_sweeper(target: str) -> None:
    found = Plugins.instance().discover(Sweeper)
    assert target in {f"{cls.__module__}.{cls.__name__}" for cls in found}


@pytest.mark.parametrize(
    "module",
    [TARGET.rpartition(".")[0], GRID_SWEEPER.rpartition(".")[0], LAUNCHER],
)
def test_importing_a_plugin_imports_nothing_heavy(module: str) -> None:
    """Hydra imports it for every command, `--help` included."""
    code = (
        f"import sys, {module}\n"
        "heavy = {'keras', 'keras_tuner', 'tensorflow', 'mlflow', 'numpy'}\n"
        "print(sorted(heavy & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
