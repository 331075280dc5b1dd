"""Trains by each option of `conf/` on one backend: at once, and with an interruption.

The cases come from the files and the schema, so that a new file or key is one more
case. Run as a script it is a process of one backend that trains a list of cases:

    python -m tests.training.backend_matrix jax FOLDER CASE...
"""

import dataclasses
import json
import math
import sys
import types
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import yaml

from experiments.config.schema.optimizer import OptimizerConfig
from experiments.config.schema.optimizer_classes import OPTIMIZERS
from experiments.config.schema.trainer import TrainerConfig

CONF = Path(__file__).resolve().parents[2] / "conf"
# A step of each kind: two epochs of two steps on sixteen images, interrupted inside
# the second one. The rate is large enough for a wrong step to show.
BASE = (
    "model=resnet",
    "model.depth=null",
    "model.blocks=[1]",
    "model.block=basic",
    "model.width=8",
    "dataset=synthetic_small",
    "dataset.image_size=8",
    "dataset.images=48",
    "dataset.classes=3",
    "schedule.warmup_epochs=1",
    "trainer.epochs=2",
    "trainer.batch_size=8",
    "trainer.max_steps_per_epoch=2",
    "trainer.progress=off",
    "tracking=off",
    "gpu=cpu",
    "task.picture_grid=false",
)
# Other values of the trainer's keys that have no obvious one.
VALUES: dict[str, list[str]] = {
    "epochs": ["epochs=3"],
    "batch_size": ["batch_size=4"],
    "accumulate_steps": ["accumulate_steps=2"],
    "reference_batch_size": ["reference_batch_size=16"],
    "max_steps_per_epoch": ["max_steps_per_epoch=null"],
    "max_validation_steps": ["max_validation_steps=1"],
    "max_steps": ["max_steps=null"],
    "max_minutes": ["max_minutes=60"],
    "until_epoch": ["until_epoch=2"],
    "overfit_batches": ["overfit_batches=2"],
    "drop_remainder": ["drop_remainder=false", "max_steps_per_epoch=null"],
    "threads": ["threads=1"],
    "steps_per_execution": ["steps_per_execution=2"],
    "label_smoothing": ["label_smoothing=0"],
    "max_rollbacks": ["max_rollbacks=1"],
    "rollback_factor": ["rollback_factor=0.1"],
    "phases": ["phases=[{epochs: 1, freeze: conv1}, {}]"],
    "monitor": ["monitor=val_loss", "monitor_mode=min"],
    "monitor_mode": ["monitor=val_loss", "monitor_mode=min"],
}
OPTIMIZER_VALUES = {
    "lr": "0.02",
    "weight_decay": "0.1",
    "clip_norm": "0.1",
    "global_clip_norm": "0.1",
    "clip_value": "0.01",
    "ema_momentum": "0.5",
    "layer_decay": "0.5",
    "stem_lr_factor": "0.1",
    "lr_factors": "{conv1: 0.5}",
}

# A rate that never changes.
LEVEL = ("schedule=constant", "schedule.warmup_epochs=0")

# All refinements of a network that draw nothing: draws differ between backends.
REFINED = (
    "blocks=[1,1]",
    "block=bottleneck",
    "groups=2",
    "width_per_group=4",
    "squeeze_excitation=4",
    "average_shortcut=true",
    "anti_aliasing=branch",
)

# Options whose own code, or Keras' below it, depends on the backend, in one case.
TOGETHER = "those that depend on the backend"
_DEPENDENT = (
    "optimizer.ema_momentum",
    "trainer.accumulate_steps=2",
    "loss.class_weight",
    "callbacks=plateau",
    "model refined",
)
# What a process cannot change once it has imported a framework.
ALONE = ("trainer.onednn=false", "trainer.deterministic", "trainer.threads")


def list_cases() -> dict[str, list[str]]:
    """Returns the overrides of each case by its name."""
    cases = {"default": list[str]()}
    for group in ("optimizer", "schedule", "loss", "augment"):
        for name in _stems(group):
            cases[f"{group}={name}"] = [f"{group}={name}"]
            if name == "one_cycle":  # has its own
                cases[f"{group}={name}"].append("schedule.warmup_epochs=0")
            if name == "ftrl":  # multiplies its weights, and their rounding, by it
                cases[f"{group}={name}"] += LEVEL
    cases["loss.class_weight"] = ["loss.class_weight={class_1: 3.0}"]
    for name in _stems("callbacks"):
        if name in _default_callbacks():
            cases[f"callbacks.{name}=null"] = [f"callbacks.{name}=null"]
        elif name != "default":
            cases[f"callbacks={name}"] = [f"callbacks=[default,{name}]"]
            cases[f"callbacks={name}"] += _eager_callback(name)
    for key, value in OPTIMIZER_VALUES.items():
        cases[f"optimizer.{key}"] = [f"optimizer.{key}={value}"]
    for name, key in _optimizer_switches():
        cases[f"optimizer={name} {key}"] = [
            f"optimizer={name}",
            f"optimizer.{key}=true",
            *(LEVEL if name == "ftrl" else ("optimizer.weight_decay=0.1",)),
        ]
    for field in dataclasses.fields(TrainerConfig):
        for overrides in _other_values(field):
            name = f"trainer.{overrides[0]}"
            cases[name] = [f"trainer.{override}" for override in overrides]
            if field.name == "precision":
                cases[name].append("gpu=auto")  # which no check knows to be the CPU
            if field.name == "phases":  # each is longer than its warm-up
                cases[name].append("schedule.warmup_epochs=0")
    cases["model refined"] = [f"model.{override}" for override in REFINED]
    cases[TOGETHER] = [override for name in _DEPENDENT for override in cases[name]]
    return cases


def list_processes(names: Iterable[str]) -> list[list[str]]:
    """Returns cases by the process they can share with others."""
    shared, alone = list[str](), list[list[str]]()
    for name in names:
        if name.startswith(ALONE):
            alone.append([name])
        else:
            shared.append(name)
    return [*([shared] if shared else []), *alone]


def _default_callbacks() -> list[str]:
    content = yaml.safe_load((CONF / "callbacks" / "default.yaml").read_text())
    return list(content["defaults"])


def _stems(group: str) -> list[str]:
    return sorted(path.stem for path in (CONF / group).glob("*.yaml"))


def _eager_callback(name: str) -> list[str]:
    """Lets a callback do in two epochs what it is for."""
    if name == "plateau":
        return ["callbacks.plateau.patience=1", "callbacks.plateau.min_delta=1"]
    if name == "tensorboard":
        return ["callbacks.tensorboard.histogram_freq=1"]
    if name == "learnt":  # in the second epoch; else the job fails
        return ["callbacks.learnt.loss=1.2", "optimizer.lr=0.02"]
    return []


def _optimizer_switches() -> Iterator[tuple[str, str]]:
    """Yields each optimizer with each of its own keys that is true or false."""
    for name in _stems("optimizer"):
        content = yaml.safe_load((CONF / "optimizer" / f"{name}.yaml").read_text())
        if "_target_" not in content:
            continue  # another one's values
        schema = OPTIMIZERS.get(content["_target_"], OptimizerConfig)
        for field in dataclasses.fields(schema):
            if field.type is bool:
                yield name, field.name


def _other_values(field: dataclasses.Field[Any]) -> list[list[str]]:
    """Returns overrides for each value of a key of the trainer beside its default.

    Raises:
        KeyError: `VALUES` must tell one.
    """
    if field.name in VALUES:
        return [VALUES[field.name]]
    members = (
        get_args(field.type)
        if get_origin(field.type) in (Union, types.UnionType, Literal)
        else (field.type,)
    )
    if members == (bool,):
        members = (True, False)
    elif get_origin(field.type) is not Literal:
        raise KeyError(f"VALUES[{field.name!r}]")
    default = yaml.safe_load((CONF / "trainer" / "default.yaml").read_text())
    others = [member for member in members if member != default[field.name]]
    return [[f"{field.name}={json.dumps(member).strip(chr(34))}"] for member in others]


def train_cases(backend: str, folder: Path, names: list[str]) -> None:
    """Trains cases and prints a line of JSON for each."""
    from experiments.fitting import fitting
    from experiments.runtime import framework

    _start_alike(fitting)
    # Half precision is refused on a CPU for its speed alone.
    framework._check_precision = lambda *given: None
    cases = list_cases()
    for number, name in enumerate(names):
        report: dict[str, Any] = {"case": name, "problem": None}
        try:
            report |= _train_twice(backend, folder / str(number), cases[name])
        except Exception as error:
            report["problem"] = f"{type(error).__name__}: {error}"
        print(json.dumps(report), flush=True)


def _train_twice(backend: str, folder: Path, overrides: list[str]) -> dict[str, Any]:
    from experiments.command.plan import check_command_line
    from experiments.config.validation import resolve
    from experiments.errors import Preempted
    from experiments.jobs.job import Job
    from experiments.tasks.train import train

    typed = [*BASE, f"output_dir={folder}", f"backend={backend}", *overrides]
    resolved = resolve(check_command_line(typed, config_dir=CONF).config)
    whole = Job(resolved=resolved, output_dir=folder / "whole", name="whole")
    again = replace(whole, output_dir=folder / "again")
    for job in (whole, again):
        job.output_dir.mkdir(parents=True)
    result = train(whole)
    # Inside the second epoch, where two steps are not one call of XLA.
    stop = 2 if whole.run.trainer.steps_per_execution > 1 else 3
    stopped = False
    try:
        train(again.with_values({"trainer.max_steps": stop}))
    except Preempted:
        stopped = True
    other = train(again)
    return {
        "stopped": stopped,
        "same_state": result.state_sha256 == other.state_sha256,
        "same_metrics": result.metrics == other.metrics,
        "metrics": result.metrics,
        "folder": str(whole.output_dir),
    }


def _start_alike(fitting: Any) -> None:
    """Lets models start from the same weights on each backend, whose draws differ."""
    plain = fitting.build_model

    def build_model(*given: Any, **named: Any) -> Any:
        import numpy as np

        from experiments.training.optimizers.schedule_free import averages_by_itself

        model = plain(*given, **named)
        draw = np.random.default_rng(0)
        for variable in model.weights:  # a phase may have frozen some
            if len(variable.shape) > 1:
                scale = math.sqrt(2 / math.prod(variable.shape[:-1]))
                variable.assign(scale * draw.normal(size=variable.shape))
        if averages_by_itself(model.optimizer):  # its iterates begin with the weights
            weights = model.trainable_variables
            pairs = zip(model.optimizer.iterates, weights, strict=True)
            for iterate, variable in pairs:
                iterate.assign(np.array(variable))  # JAX would share its memory
        return model

    fitting.build_model = build_model


if __name__ == "__main__":
    train_cases(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
