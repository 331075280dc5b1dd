"""What stands beside a job of Hydra, read from the files."""

import importlib
from pathlib import Path

import hydra.core.utils
import pytest
import yaml
from omegaconf import OmegaConf

from experiments.command.hydra_node.files import hide_secrets, hide_secrets_of_sweep

CONFIG = {
    "tags": {"token": "Kx7qCanary92", "from": "${oc.env:TOKEN}"},
    "seed": 1,
    "copy": "${seed}",
    "empty": None,
}


@pytest.mark.parametrize("sweep", [True, False])
def test_config_is_written_as_it_was_without_its_secrets(
    tmp_path: Path, sweep: bool
) -> None:
    config = OmegaConf.create(CONFIG)
    hide_secrets()
    hide_secrets_of_sweep()
    if sweep:
        module = importlib.import_module("hydra._internal.core_plugins.basic_sweeper")
        module.OmegaConf.save(config, tmp_path / "a.yaml")
    else:
        hydra.core.utils._save_config(config, "a.yaml", tmp_path)
    shown = {**CONFIG, "tags": {"token": "***", "from": "${oc.env:TOKEN}"}}
    text = (tmp_path / "a.yaml").read_text()
    assert yaml.safe_load(text) == shown
    assert list(yaml.safe_load(text)) == list(CONFIG)
    assert config.tags.token == "Kx7qCanary92"
