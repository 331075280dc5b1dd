#!/usr/bin/env python
"""Trains, searches and evaluates experiments: `python run.py --help`."""

import sys

try:
    from omegaconf import DictConfig

    from experiments import launch
    from experiments.jobs import running as jobs
except ModuleNotFoundError as error:
    if (error.name or "").startswith("experiments."):
        raise
    sys.exit(
        f"{sys.executable} lacks the package {error.name}. `make run` installs all "
        "into .venv; this makes it the present one: source .venv/bin/activate"
    )


def run(config: DictConfig) -> float:
    """Runs one job; Hydra calls this once, or once for each job of a sweep."""
    return jobs.run_job(config)


if __name__ == "__main__":
    # As `@hydra.main(config_path=...)` would, but what runs is what was checked.
    sys.exit(launch.main(run, config_path="conf", config_name="config"))
