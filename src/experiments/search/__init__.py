"""Searches the space of a config: oracles of Keras Tuner, launchers of Hydra."""

from typing import Any

__all__ = ["ExperimentHyperModel"]


def __getattr__(name: str) -> Any:
    """Imports the hypermodel, and with it a framework, for those who name it."""
    if name in __all__:
        from experiments.search.hypermodel import ExperimentHyperModel

        return ExperimentHyperModel
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
