"""What an epoch costs more through the project than in a bare `model.fit`."""

import argparse
import functools
import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from measure import (
    BENCHMARKS,
    RUN,
    Contender,
    Sample,
    compare,
    run_in_turn,
    run_process,
)
from results import describe_machine, store

GOAL = 1.02
# Relative, in every epoch: two graphs round differently, and training spreads that.
LOSS_TOLERANCE = 2e-3
BARE = "bare model.fit"
STOPWATCH = (
    "allowed_targets=[experiments,keras.optimizers,keras.callbacks,stopwatch]",
    "+callbacks.stopwatch._target_=stopwatch.EpochClock",
)
# Work before and after all epochs; off only to keep the benchmark short.
WITHOUT_ENDS = (
    "tracking.log_model=none",
    "task.evaluate_test=false",
    "task.picture_grid=false",
)

# What the bare fit has written out by hand; a changed default must not touch one side.
SETTINGS = (
    "gpu=cpu",
    "seed=0",
    "augment=none",
    "optimizer.lr=1e-4",
    "schedule.warmup_epochs=1",
    "schedule.warmup_start=0",
    "trainer.jit=false",
    "trainer.label_smoothing=0.1",
    "trainer.steps_per_execution=1",
    "trainer.progress=plain",
)

# By contender: of each round, of each epoch.
Losses = dict[str, list[list[dict[str, float]]]]


def main() -> int:
    """Measures, checks that all contenders learn the same, and stores."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--depth", type=int, default=18, choices=(18, 34, 50, 101))
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--image-size", type=int, default=10)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--epochs", type=int, default=3, help="the first is left out")
    parser.add_argument("--steps", type=int, help="an epoch; default: all images")
    options = parser.parse_args()
    result = {**describe_machine(), "settings": vars(options), "comparisons": {}}
    losses: Losses = {}
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder, "batches.npz")
        export(data, options)
        contenders = list_contenders(data, options)
        read = functools.partial(read_epochs, losses=losses)
        samples = run_in_turn(
            contenders, rounds=options.rounds, warm_up=False, read=read
        )
    comparison = compare(contenders, samples)
    comparison["losses"] = compare_losses(losses)
    comparison["valid"] &= comparison["losses"]["equal"]
    result["comparisons"]["an epoch after the first"] = comparison
    return store("overhead", result)


def list_overrides(options: argparse.Namespace) -> list[str]:
    """Returns the overrides that make the default job this small one."""
    return [
        *SETTINGS,
        f"model=resnet{options.depth}",
        f"model.width={options.width}",
        f"dataset.image_size={options.image_size}",
        f"trainer.batch_size={options.batch_size}",
        f"trainer.epochs={options.epochs}",
        f"trainer.max_steps_per_epoch={options.steps or 'null'}",
    ]


def export(data: Path, options: argparse.Namespace) -> None:
    """Writes the project's batches for the bare contender."""
    script = BENCHMARKS / "export_batches.py"
    command = [str(script), str(data), *list_overrides(options)]
    run_process(Contender(name="export", command=command), data.parent)


def list_contenders(data: Path, options: argparse.Namespace) -> list[Contender]:
    """Returns the project, with and without checkpoints, between the bare loops."""
    bare = [
        str(BENCHMARKS / "bare_fit.py"),
        str(data),
        f"--depth={options.depth}",
        f"--width={options.width}",
        f"--batch-size={options.batch_size}",
        f"--epochs={options.epochs}",
    ]
    project = [str(RUN), *STOPWATCH, *list_overrides(options), *WITHOUT_ENDS]
    unsaved = [*project, "callbacks.checkpoint=null"]
    return [
        Contender(name="run.py, everything on", command=project, goal=GOAL),
        Contender(name=BARE, command=bare, control=True),
        Contender(name="run.py without checkpoints", command=unsaved, goal=GOAL),
        Contender(name="the same model.fit again", command=bare, control=True),
    ]


def read_epochs(
    contender: Contender, folder: Path, process: Sample, *, losses: Losses
) -> Sample:
    """Returns the mean epoch after the first, everything between two begins counted."""
    (path,) = folder.rglob("epochs.json")
    content: Mapping[str, Any] = json.loads(path.read_text())
    marks = content["marks"][1:]
    losses.setdefault(contender.name, []).append(content["losses"])
    wall, cpu = (
        (end - begin) / (len(marks) - 1)
        for begin, end in zip(marks[0], marks[-1], strict=True)
    )
    return Sample(wall, cpu)


def compare_losses(losses: Losses) -> dict[str, Any]:
    """Returns each contender's losses, and the largest difference to the bare fit."""
    (expected, *_) = losses[BARE]
    differences = [
        abs(found[name] / wanted[name] - 1)
        for rounds in losses.values()
        for epochs in rounds
        for found, wanted in zip(epochs, expected, strict=True)
        for name in wanted
    ]
    return {
        "largest_difference": float(f"{max(differences):.2g}"),
        "tolerance": LOSS_TOLERANCE,
        "equal": max(differences) <= LOSS_TOLERANCE,
        "first_round": {name: rounds[0] for name, rounds in losses.items()},
    }


if __name__ == "__main__":
    sys.exit(main())
