"""Some steps of a job, trained in a process of their own and thrown away.

`plan=measure` asks for it where no job of before tells the time. What is trained is the
job itself, with its own data and network, for two short epochs: the first one compiles,
the second one is timed.
"""

import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from experiments import job_files
from experiments.config.code.programs import command_words
from experiments.config.schema.run import RunConfig
from experiments.errors import make_printable
from experiments.forecast.past import Past, list_past
from experiments.jobs.job import PROCESS_VARIABLE
from experiments.records import read_record

_STEPS = 8
_EPOCHS = 2
_REPLACED = ("fresh", "name", "output_dir", "plan", "sweep", "tags", "tracking")
_FINGERPRINT = f"{job_files.TRACKING}/{job_files.ARTIFACTS}/data/fingerprint.json"


def measure(job: Sequence[str], run: RunConfig, flags: Sequence[str]) -> Past | None:
    """Returns what a job takes, judged by some steps; `None` when they fail.

    Args:
        job: Its overrides.
        run: Its config.
        flags: Where configs come from, as typed.
    """
    with tempfile.TemporaryDirectory(prefix="plan-") as folder:
        words = [*flags, *shorten(job, run), f"output_dir={folder}"]
        done = subprocess.run(
            [*command_words(), *words],
            env={k: v for k, v in os.environ.items() if k != PROCESS_VARIABLE},
            capture_output=True,
            text=True,
        )
        found = list_past(Path(folder))
        if done.returncode or not found:
            lines = (done.stderr or done.stdout).strip().splitlines()
            reason = lines[-1] if lines else f"it ended with {done.returncode}"
            reason = make_printable(reason)
            print(f"Its steps could not be measured: {reason}", file=sys.stderr)
            return None
        (fingerprint,) = Path(folder).glob(f"runs/*/{_FINGERPRINT}")
        counts = read_record(fingerprint, dict[str, Any])["counts"]
        return lengthen(found[0], run, {name: sum(n) for name, n in counts.items()})


def shorten(job: Sequence[str], run: RunConfig) -> list[str]:
    """Returns the overrides of the same job with two short epochs.

    Args:
        job: Its overrides.
        run: Its config.
    """
    trainer = run.trainer
    kept = [word for word in job if _top(word) not in _REPLACED]
    warms_up = hasattr(run.schedule, "warmup_epochs")
    warmup = ["schedule.warmup_epochs=0"] if warms_up else []
    return [
        *kept,
        *warmup,
        f"trainer.epochs={_EPOCHS}",
        f"trainer.max_steps_per_epoch={_limit(_STEPS, trainer.max_steps_per_epoch)}",
        f"trainer.max_validation_steps={_limit(_STEPS, trainer.max_validation_steps)}",
        "trainer.until_epoch=null",
        "trainer.max_steps=null",
        "trainer.max_minutes=null",
        "tracking=sqlite",
        f"tracking.log_model={run.tracking.log_model}",
    ]


def lengthen(past: Past, run: RunConfig, images: Mapping[str, int]) -> Past:
    """Returns what whole epochs would have taken.

    Args:
        past: What the short ones took.
        run: The config of the whole job.
        images: How many each split has.
    """
    trainer, batch = run.trainer, run.trainer.batch_size
    divide = math.floor if trainer.drop_remainder else math.ceil
    steps = _limit(divide(images["train"] / batch), trainer.max_steps_per_epoch)
    steps = _limit(steps, trainer.overfit_batches)
    checks = math.ceil(images.get("validation", 0) / batch)
    checks = _limit(checks, trainer.max_validation_steps)
    rest = max(0.0, past.epoch_seconds - past.train_seconds)
    train_seconds = past.train_seconds * steps / max(1, min(steps, _STEPS))
    # What is saved at an epoch's end does not grow with it: rather too much than less.
    rest = rest * checks / max(1, min(checks, _STEPS))
    return replace(
        past, train_seconds=train_seconds, epoch_seconds=train_seconds + rest
    )


def _limit(steps: int, limit: int | None) -> int:
    return steps if limit is None else min(steps, limit)


def _top(word: str) -> str:
    return word.lstrip("+~").partition("=")[0].partition(".")[0]
