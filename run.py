#!/usr/bin/env python
"""Trains, searches and evaluates experiments: `python run.py --help`."""

import sys
from pathlib import Path

import hydra
from omegaconf import DictConfig

from experiments import jobs, launch


@hydra.main(version_base="1.3", config_path="conf", config_name="config")
def run(config: DictConfig) -> float:
    """Runs one job; Hydra calls this once, or once for each job of a sweep."""
    return jobs.run_job(config)


if __name__ == "__main__":
    sys.exit(launch.main(run, config_dir=Path(__file__).resolve().parent / "conf"))
