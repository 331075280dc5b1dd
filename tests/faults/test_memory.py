"""Exhausted memory: the real command replaces its process until a step fits."""

import json
from collections.abc import Callable

import pytest

from tests.faults.conftest import Command, read_runs

pytestmark = pytest.mark.slow
EXHAUSTING = (
    "allowed_targets=[experiments,keras.optimizers,keras.callbacks,exhausting]",
    "+callbacks.exhausting._target_=exhausting.Exhausting",
    "trainer.batch_size=8",
    "trainer.epochs=2",
    "schedule.warmup_epochs=1",
)


@pytest.mark.parametrize(("at", "recorded"), [(0, "4"), (2, "1")])
def test_a_batch_is_split_in_fresh_processes_until_it_fits(
    job: Callable[..., Command], at: int, recorded: str
) -> None:
    """After the first step a parameter has its value for ever; the tag tells more."""
    command = job(
        *EXHAUSTING, f"+callbacks.exhausting.at={at}", "trainer.oom=accumulate"
    )
    done = command.finish()
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("Out of memory with 8 images at a time") == 1
    assert done.stderr.count("Out of memory with 4 images at a time") == 1
    found = json.loads((command.job_folder / "accumulate.json").read_text())
    assert found["accumulate_steps"] == 4
    (run,) = read_runs(command.folder)
    assert run["status"] == "FINISHED"
    assert run["tags"]["resumed.count"] == "2"
    assert run["params"]["trainer.accumulate_steps"] == recorded
    assert run["tags"]["changed.trainer.accumulate_steps"] == "1 -> 2 -> 4"
    assert [step for step, _ in run["points"]["val_loss"]] == [1, 2]


def test_without_it_the_error_says_what_to_do(job: Callable[..., Command]) -> None:
    done = job(*EXHAUSTING).finish()
    assert done.returncode == 1
    assert "Lower trainer.batch_size=8" in done.stderr
    assert "trainer.oom=accumulate" in done.stderr
    assert "Traceback" not in done.stderr
