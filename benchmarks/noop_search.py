"""A search or sweep of jobs that do nothing or sleep; run by `search.py`.

python noop_search.py FIGURES_FILE [overrides]
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import psutil
from hydra._internal.utils import create_config_search_path, get_args_parser
from omegaconf import DictConfig

from experiments.command.composing.loader import open_hydra
from experiments.search import trial_jobs
from experiments.workers import hydra_jobs

FIGURES = Path(sys.argv.pop(1))
CONF = Path(__file__).resolve().parents[1] / "conf"
SHORTEST, LONGEST = 0.4, 4.0  # seconds of trials that sleep: 1 to 10
launched: list[float] = []
memory: list[int] = []


def run(config: DictConfig) -> float:
    """Does nothing, or sleeps as long as its number says; notes the memory."""
    memory.append(psutil.Process().memory_info().rss)
    if config.name == "sleep":
        share = config.seed % 10 / 9
        time.sleep(SHORTEST + share * (LONGEST - SHORTEST))
    return float(config.seed % 7)


def watch_launches() -> None:
    """Notes how long Hydra composes and launches each trial."""
    inner = hydra_jobs.HydraLaunch.__call__

    def launch(self: Any, overrides: Any, number: int) -> Any:
        begin = time.perf_counter()
        try:
            return inner(self, overrides, number)
        finally:
            launched.append(time.perf_counter() - begin)

    hydra_jobs.HydraLaunch.__call__ = launch  # type: ignore[method-assign]


if __name__ == "__main__":
    trial_jobs.import_keras_tuner(light=True)
    from experiments.search import entry

    whole: list[float] = []
    search = entry.run_search

    def timed(sweep: Any) -> Any:
        """Runs the search and notes how long it takes."""
        begin = time.perf_counter()
        try:
            return search(sweep)
        finally:
            whole.append(time.perf_counter() - begin)

    entry.run_search = timed
    # Trials that do nothing claim no device, and Keras has been imported already.
    trial_jobs.claim_here = lambda sweep: None
    watch_launches()
    overrides = [*get_args_parser().parse_args().overrides, "hydra.mode=MULTIRUN"]
    with open_hydra(create_config_search_path(str(CONF))) as hydra:  # as a command does
        hydra.multirun("config", run, overrides)
    figures = {"whole": sum(whole), "launched": launched, "memory": memory}
    FIGURES.write_text(json.dumps(figures))
