"""What Hydra writes of a config beside its jobs: `.hydra/` and `multirun.yaml`."""

import importlib
from pathlib import Path
from typing import Any

import hydra.core.utils
from omegaconf import OmegaConf

from experiments.redaction import redact_data

_SWEEPER = "hydra._internal.core_plugins.basic_sweeper"
_save = hydra.core.utils._save_config


def hide_secrets() -> None:
    """Lets Hydra write no secrets beside a job, in this process and from now on."""
    hydra.core.utils._save_config = _save_hidden


def hide_secrets_of_sweep() -> None:
    """Lets Hydra's own sweeper, when plugins have been found, write no secrets."""
    # By its name: looking for plugins makes a second module of it.
    sweeper: Any = importlib.import_module(_SWEEPER)
    sweeper.OmegaConf = _Saver


class _Saver:
    """Stands for `OmegaConf`, of which the sweeper uses nothing but `save`."""

    @staticmethod
    def save(config: Any, file: Path) -> None:
        OmegaConf.save(_without_secrets(config), file)


def _save_hidden(cfg: Any, filename: str, output_dir: Path) -> None:
    _save(_without_secrets(cfg), filename, output_dir)


def _without_secrets(config: Any) -> Any:
    """Returns a config as it was written, with its interpolations."""
    plain = OmegaConf.to_container(config, resolve=False, enum_to_str=True)
    shown = redact_data(plain)
    return config if shown == plain else OmegaConf.create(shown)
