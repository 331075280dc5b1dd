"""Names of trained models that are no runs: a registered version, or a file."""

from pathlib import PurePath

_REGISTERED = "models:/"
_FILE = ".keras"


def is_registered(name: str) -> bool:
    """Tells whether a name is MLflow's of a registered model: `models:/digits@best`."""
    return name.startswith(_REGISTERED)


def is_model_file(name: str) -> bool:
    """Tells whether a name is that of a Keras file."""
    return PurePath(name).suffix == _FILE


def names_model(name: str) -> bool:
    """Tells whether a name means a model, and no run."""
    return is_registered(name) or is_model_file(name)
