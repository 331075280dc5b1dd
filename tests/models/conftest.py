from pathlib import Path

import keras
import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from experiments.config.convert import convert
from experiments.config.model import ResNetConfig
from experiments.errors import ConfigError
from experiments.models.resnet import build_resnet

CONF = Path(__file__).parents[2] / "conf"


def compose_resnet(option, *overrides):
    """Returns the typed config of `model=option` with `model.`-less overrides."""
    with initialize_config_dir(str(CONF), version_base=None):
        config = compose(f"model/{option}", [f"model.{o}" for o in overrides])
    plain = OmegaConf.to_container(config.model, resolve=True)
    problems = []
    result = convert(plain, ResNetConfig, key="model", problems=problems)
    if problems:
        raise ConfigError(problems)
    return result


def build_option(option, *overrides, image=(32, 32, 3), classes=10):
    """Builds the network of `model=option` as the command line would."""
    arguments = compose_resnet(option, *overrides).arguments()
    return build_resnet(input_shape=image, num_classes=classes, **arguments)


@pytest.fixture(autouse=True)
def fresh_session():
    keras.utils.clear_session()
    keras.utils.set_random_seed(0)
