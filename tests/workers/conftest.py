"""What Hydra gives a sweeper, for whoever starts jobs."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.types import HydraContext, RunMode
from omegaconf import DictConfig

from experiments.workers.hydra_jobs import HydraSweep

CONFIG = """
x: 1
hydra:
  run: {dir: run}
  sweep: {dir: FOLDER, subdir: "${hydra.job.num}"}
  output_subdir: null
"""


@pytest.fixture
def make_sweep(tmp_path: Path) -> Iterator[Callable[..., HydraSweep]]:
    """Makes what Hydra gives a sweeper, for a config with one key."""
    text = CONFIG.replace("FOLDER", str(tmp_path / "sweep"))
    (tmp_path / "config.yaml").write_text(text)
    with initialize_config_dir(str(tmp_path), version_base="1.3"):
        from hydra._internal.callbacks import Callbacks

        hydra = GlobalHydra.instance().hydra
        assert hydra is not None
        context = HydraContext(hydra.config_loader, Callbacks())

        def make(*overrides: str) -> HydraSweep:
            config = hydra.compose_config(
                "config", list(overrides), run_mode=RunMode.MULTIRUN
            )
            return HydraSweep(
                context=context, task=no_task, config=config, arguments=()
            )

        yield make


def no_task(config: DictConfig) -> float:
    raise AssertionError("the launcher calls what it was given")
