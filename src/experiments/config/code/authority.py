"""Which names a config may have called: the project's components, and a user's own.

The rule is asked twice, by the same function. When a config is checked it gets what is
written in it, and nothing is imported for that. When something is about to be built it
gets the name by which Python knows the object that was found, see `targets`: a path
that begins in an allowed package may lead out of it.
"""

import sys
from collections.abc import Collection, Sequence

from experiments.config.formats.history import name_target
from experiments.config.reading.convert import nearest
from experiments.config.schema.augment import AUGMENTS
from experiments.config.schema.callbacks import CALLBACKS
from experiments.config.schema.datasets.dataset import DATASETS
from experiments.config.schema.loss import LOSSES
from experiments.config.schema.models.model import MODELS
from experiments.config.schema.optimizer_classes import OPTIMIZERS
from experiments.config.schema.schedule import SCHEDULES
from experiments.config.schema.task import TASKS
from experiments.errors import Problem

_PROJECT = "experiments"
_TASKS = f"{_PROJECT}.tasks"  # holds nothing else
_LAUNCHERS = "hydra_plugins.hydra_{0}_launcher.{0}_launcher."
# Takes the place of each of them in a plain sweep.
SIDE_BY_SIDE = "hydra_plugins.experiments_sweep.launcher.SideBySideLauncher"
# Key -> what of the project and of Hydra may be named there. Nothing else of either is
# there to be called by a config: both hold functions that write, delete and run.
COMPONENTS: dict[str, Collection[str]] = {
    "task": TASKS,
    "model": MODELS,
    "dataset": DATASETS,
    "augment": AUGMENTS,
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
    "loss": LOSSES,
    "callbacks": CALLBACKS,
    "hydra.sweeper": (
        "hydra._internal.core_plugins.basic_sweeper.BasicSweeper",
        "hydra_plugins.experiments_grid.sweeper.GridSweeper",
        "hydra_plugins.experiments_keras_tuner.sweeper.KerasTunerSweeper",
    ),
    "hydra.launcher": (
        "hydra._internal.core_plugins.basic_launcher.BasicLauncher",
        f"{_LAUNCHERS.format('joblib')}JoblibLauncher",
        f"{_LAUNCHERS.format('submitit')}LocalLauncher",
        f"{_LAUNCHERS.format('submitit')}SlurmLauncher",
        f"{_LAUNCHERS.format('ray')}RayLauncher",
        SIDE_BY_SIDE,
    ),
    "hydra.callbacks": (
        "hydra.experimental.callback.Callback",
        "hydra.experimental.callbacks.LogJobReturnCallback",
        "hydra.experimental.callbacks.PickleJobInfoCallback",
    ),
}
# Those of Keras that write to or remove what an argument names, or send to it.
_REACHING = (
    "BackupAndRestore",
    "CSVLogger",
    "ModelCheckpoint",
    "OrbaxCheckpoint",
    "RemoteMonitor",
    "TensorBoard",
)


def covers(allowed: Sequence[str], name: str) -> bool:
    """Tells whether a dotted path is allowed or lies in what is."""
    return any(name == part or name.startswith(f"{part}.") for part in allowed)


def check_allowed(allowed: Sequence[str]) -> Problem | None:
    """Returns why no config could be run: nothing of the project may be built.

    Args:
        allowed: `allowed_targets`.
    """
    if any(covers([_PROJECT], name) for name in allowed):
        return None
    reason = f"must name {_PROJECT} too, whose components this configuration uses."
    received = f"[{', '.join(allowed)}]"
    hint = f"To allow it: {describe_allowing(_PROJECT, allowed)}"
    return Problem("allowed_targets", f"{reason} Received: {received}.", hint)


def check_name(
    name: str, allowed: Sequence[str], *, key: str, recorded: bool = False
) -> Problem | None:
    """Returns why a config may not have something called; `None` where it may.

    Args:
        name: Dotted path of a class or function.
        allowed: `allowed_targets`.
        key: Config key of the node that names it, such as `callbacks.stop`.
        recorded: The config is the record of a run, or made of somebody's folder, which
            grants itself nothing.
    """
    known = components_at(key)
    field = f"{key}._target_" if key else "_target_"
    is_known = name in known or _is_task(name, key)
    if is_known and (key.startswith("hydra.") or covers(allowed, name)):
        return None
    if not covers(allowed, name):
        reason = f"must begin with one of {', '.join(allowed)}. Received: {name!r}."
        return Problem(field, reason, _how_to_allow(name, allowed))
    if covers([_PROJECT], name):
        components = ", ".join(sorted(known))
        reason = f"must be one of the project's components: {components}."
        reason = f"{reason} Received: {name!r}."
        return Problem(field, reason, _tell_move(name) or nearest(name, [*known]))
    parts = name.split(".")
    if len(parts) < 2 or not all(_is_plain(part) for part in parts):
        reason = "must be the dotted path of a class or function of a module."
        return Problem(field, f"{reason} Received: {name!r}.")
    reaches = parts[0] == "keras" and parts[-1] in _REACHING
    if recorded and reaches and name not in allowed:
        reason = f"may not be {name!r} unasked, which writes or sends where it is told"
        hint = f"If that is wanted: {describe_allowing(name, allowed)}"
        return Problem(field, f"{reason}.", hint)
    return None


def _tell_move(name: str) -> str:
    """Returns where a target of an earlier release is now; empty where it stayed."""
    now = name_target(name)
    return "" if now == name else f"It has moved: write {now}."


def components_at(key: str) -> Collection[str]:
    """Returns what of the project and of Hydra a key may name."""
    group, _, rest = key.partition(".")
    if group == "hydra":
        group = ".".join(key.split(".")[:2])
        rest = key.removeprefix(group).removeprefix(".")
    is_mapping = group.rpartition(".")[2] in ("augment", "callbacks")
    if is_mapping and rest and "." not in rest:
        return COMPONENTS[group]
    if not is_mapping and not rest:
        return COMPONENTS.get(group, ())
    own = (name for name in COMPONENTS if not name.startswith("hydra."))
    return {target for name in own for target in COMPONENTS[name]}  # further inside


def _is_task(name: str, key: str) -> bool:
    """Tells whether a name is that of a task: a module's function of the same name.

    So a task without keys of its own needs no dataclass.
    """
    module, _, function = name.rpartition(".")
    return key == "task" and module == f"{_TASKS}.{function}"


def describe_allowing(package: str, allowed: Sequence[str]) -> str:
    """Returns the override that allows one more package, to be typed in a shell."""
    return f"allowed_targets='[{','.join([*allowed, package])}]'"


def _how_to_allow(name: str, allowed: Sequence[str]) -> str:
    root = name.partition(".")[0]
    if root in sys.stdlib_module_names:
        return "Python's own modules build no component: name a function of yours."
    # Of a package that is allowed in part, one more part.
    in_part = any(part.startswith(f"{root}.") for part in allowed)
    package = name.rpartition(".")[0] if in_part else root
    if not package or not all(_is_plain(part) for part in package.split(".")):
        return ""
    return f"To build your own, add its package: {describe_allowing(package, allowed)}."


def _is_plain(part: str) -> bool:
    """Tells whether a part of a path is a name that somebody gave."""
    return part.isidentifier() and not part.startswith("__")
