"""Writes the very batches that the project trains on to an array file."""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from experiments.builders.data import build_dataset, build_pipelines
from experiments.builders.devices import claim_devices, configure_framework
from experiments.command.plan import check_command_line

CONFIG_DIR = Path(__file__).resolve().parent.parent / "conf"


def main() -> None:
    """Composes the job as `run.py` would and draws all its epochs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("overrides", nargs="*")
    options = parser.parse_args()
    run = check_command_line(
        options.overrides, config_dir=CONFIG_DIR, config_name="config", multirun=False
    ).run
    configure_framework(run, claim_devices(run))
    dataset = build_dataset(run)
    pipelines = build_pipelines(run, dataset)
    steps = run.trainer.epochs * pipelines.steps_per_epoch
    images, labels = _draw(pipelines.train_from(0).take(steps))
    validation_images, validation_labels = _draw(pipelines.validation)
    np.savez(
        options.file,
        images=images,
        labels=labels,
        validation_images=validation_images,
        validation_labels=validation_labels,
        steps_per_epoch=pipelines.steps_per_epoch,
        mean=dataset.mean[0],
        std=dataset.std[0],
    )


def _draw(batches: Any) -> tuple[Any, Any]:
    images, labels = zip(*batches.as_numpy_iterator(), strict=True)
    return np.concatenate(images), np.concatenate(labels)


if __name__ == "__main__":
    main()
