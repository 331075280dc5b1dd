"""The page that `python run.py --help` prints.

Hydra's own page asks each of its folders anew for every group, 0.3 s for those of this
project, and lists its plugins among them.
"""

from hydra._internal.config_repository import IConfigRepository
from hydra.core.object_type import ObjectType
from omegaconf import DictConfig, OmegaConf

_TEMPLATE = """\
Trains, tracks and compares Keras image classifiers from composed configs.

== Choose a file of a folder in conf/: group=file ==
{groups}

== Change a value: group.key=value ==
{config}
== Examples ==
python run.py model=resnet18 optimizer.lr=1e-3        one run
python run.py -m model=resnet18,resnet50 seed=0,1     every combination
python run.py experiment=cifar10_resnet18             a whole experiment
python run.py --cfg job model=resnet18                show what would run
make ui                                               compare runs in MLflow
python run.py --hydra-help                            flags, such as --config-dir
"""


def describe_usage(config: DictConfig, folders: IConfigRepository) -> str:
    """Returns the help page.

    Args:
        config: What the command line composes to.
        folders: Where its files are, the groups' among them.
    """
    groups = folders.get_group_options("", ObjectType.GROUP)
    lines = [
        f"{group}: {', '.join(folders.get_group_options(group))}"
        for group in groups
        if group != "hydra" and folders.get_group_options(group)
    ]
    return _TEMPLATE.format(groups="\n".join(lines), config=OmegaConf.to_yaml(config))
