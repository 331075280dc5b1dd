"""Hydra finds the sweeper, and importing it at every start costs nothing."""

import subprocess
import sys

from hydra.core.plugins import Plugins
from hydra.plugins.sweeper import Sweeper

from experiments.config.search.schema import TARGET


def test_hydra_discovers_the_sweeper() -> None:
    found = Plugins.instance().discover(Sweeper)
    assert TARGET in {f"{cls.__module__}.{cls.__name__}" for cls in found}


def test_importing_the_sweeper_imports_nothing_heavy() -> None:
    """Hydra imports it for every command, `--help` included."""
    code = (
        "import sys, hydra_plugins.experiments_keras_tuner.sweeper\n"
        "heavy = {'keras', 'keras_tuner', 'tensorflow', 'mlflow', 'numpy'}\n"
        "print(sorted(heavy & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
