"""The command `experiments`, which a wheel brings: what `run.py` is in a checkout."""

from omegaconf import DictConfig

from experiments import launch
from experiments.jobs import running as jobs
from experiments.shipped import find_shipped


def run(config: DictConfig) -> float:
    """Runs one job; Hydra calls this once, or once for each job of a sweep."""
    return jobs.run_job(config)


def main() -> int:
    """Does what the command line says and returns the exit code."""
    return launch.main(run, config_path=str(find_shipped("conf")))
