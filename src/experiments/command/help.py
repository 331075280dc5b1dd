"""The page that `--help` prints.

Hydra's own page asks each of its folders anew for every group, 0.3 s for those of this
project, and lists its plugins among them.
"""

from hydra._internal.config_repository import IConfigRepository
from hydra.core.object_type import ObjectType
from omegaconf import DictConfig, OmegaConf

from experiments.config.code.programs import name_command

_TEMPLATE = """\
Trains, tracks and compares Keras image classifiers from composed configs.

== Choose a file of a folder in conf/: group=file ==
{groups}

== Change a value: key=value of the chosen task, else group.key=value ==
{config}
== Examples ==
{examples}
"""
# What is typed behind the command -> what it does.
_EXAMPLES = {
    "model=resnet18 optimizer.lr=1e-3": "one run",
    "-m model=resnet18,resnet50 seed=0,1": "every combination",
    "experiment=cifar10_resnet18": "a whole experiment",
    "--cfg job model=resnet18": "show what would run",
    "--hydra-help": "flags, such as --config-dir",
    "init my_project": "a project with a model of your own",
    "--shell-completion install=bash": "the Tab key: also zsh, fish; see the docs",
}


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
    command = name_command()
    width = len(command) + 1 + max(map(len, _EXAMPLES))
    examples = [
        f"{command} {words}".ljust(width + 2) + what
        for words, what in _EXAMPLES.items()
    ]
    return _TEMPLATE.format(
        groups="\n".join(lines),
        config=OmegaConf.to_yaml(config),
        examples="\n".join(examples),
    )
