"""Trains, tracks and compares Keras image classifiers from composed configs.

What a script or a notebook needs is here and documented in docs/python.md. Nothing of
it is imported before it is named.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from experiments.version import __version__

if TYPE_CHECKING:
    from experiments.api.components import (
        Augment,
        BestKeeper,
        ClosingCallback,
        CropAugment,
        Schedule,
        StatefulCallback,
    )
    from experiments.api.parts import build_dataset, build_model, build_pipelines
    from experiments.api.run import Run, load_run
    from experiments.api.training import train
    from experiments.builders.data import Pipelines
    from experiments.command.composing.composed import Config, check, compose
    from experiments.data.dataset import Dataset
    from experiments.data.split import ArraySplit, FileSplit
    from experiments.errors import ConfigError, ExperimentError, Preempted, Problem
    from experiments.jobs.job import JobResult
    from experiments.search.hypermodel import ExperimentHyperModel
    from experiments.training.checkpoints.listing import Checkpoint

# Name -> module below this one.
_PLACES = {
    "ArraySplit": "data.split",
    "Augment": "api.components",
    "BestKeeper": "api.components",
    "Checkpoint": "training.checkpoints.listing",
    "ClosingCallback": "api.components",
    "Config": "command.composing.composed",
    "ConfigError": "errors",
    "CropAugment": "api.components",
    "Dataset": "data.dataset",
    "ExperimentError": "errors",
    "ExperimentHyperModel": "search.hypermodel",
    "FileSplit": "data.split",
    "JobResult": "jobs.job",
    "Pipelines": "builders.data",
    "Preempted": "errors",
    "Problem": "errors",
    "Run": "api.run",
    "Schedule": "api.components",
    "StatefulCallback": "api.components",
    "build_dataset": "api.parts",
    "build_model": "api.parts",
    "build_pipelines": "api.parts",
    "check": "command.composing.composed",
    "compose": "command.composing.composed",
    "load_run": "api.run",
    "train": "api.training",
}
__all__ = [  # written out: readers of the code see no other
    "ArraySplit",
    "Augment",
    "BestKeeper",
    "Checkpoint",
    "ClosingCallback",
    "Config",
    "ConfigError",
    "CropAugment",
    "Dataset",
    "ExperimentError",
    "ExperimentHyperModel",
    "FileSplit",
    "JobResult",
    "Pipelines",
    "Preempted",
    "Problem",
    "Run",
    "Schedule",
    "StatefulCallback",
    "__version__",
    "build_dataset",
    "build_model",
    "build_pipelines",
    "check",
    "compose",
    "load_run",
    "train",
]


def __getattr__(name: str) -> Any:
    """Imports what is named, and what that needs, at its first use."""
    place = _PLACES.get(name)
    if place is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from experiments.randomness import keeping_randomness

    with keeping_randomness():
        found = globals()[name] = getattr(import_module(f"{__name__}.{place}"), name)
    return found


def __dir__() -> list[str]:
    """Returns the public names, for completion."""
    return sorted({*globals(), *__all__})
