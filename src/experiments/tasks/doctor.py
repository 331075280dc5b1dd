"""Looks at everything that a training needs of this machine, a line each."""

import os
from collections.abc import Iterator
from pathlib import Path

from experiments.builders.devices import claim_devices, configure_framework
from experiments.command.printed import typed_folder
from experiments.config.schema.run import RunConfig
from experiments.counts import count_of
from experiments.doctor.finding import Finding, Level
from experiments.doctor.gpus import check_gpus
from experiments.doctor.machine import check_machine
from experiments.doctor.packages import check_packages, check_python
from experiments.doctor.store import check_store
from experiments.doctor.trial import (
    Trial,
    judge_determinism,
    judge_loss,
    train_ten_steps,
)
from experiments.jobs.children.child_command import list_flags
from experiments.jobs.job import Job, JobResult
from experiments.progress import show_progress
from experiments.tracking.surroundings.hardware import describe_hardware

_MARKS: dict[Level, str] = {"ok": "ok", "warning": "warning", "error": "ERROR"}


def doctor(job: Job) -> JobResult:
    """Prints a line for each thing, and what to do about what is wrong.

    Args:
        job: Says the device, the folder and the store that trainings would use.

    Returns:
        A result that counts warnings and errors; FAILED with an error.
    """
    levels: list[Level] = []
    environment = dict(os.environ)  # before a framework is told of devices
    for finding in _examine(job, environment):
        _show(finding)
        levels.append(finding.level)
    errors, warnings = levels.count("error"), levels.count("warning")
    failed = bool(errors)
    print(f"\n{count_of(errors, 'error')}, {count_of(warnings, 'warning')}")
    return JobResult(
        name=job.name,
        status="FAILED" if failed else "FINISHED",
        metrics={"errors": float(errors), "warnings": float(warnings)},
        overrides=job.overrides,
        output_dir=str(job.output_dir),
        reason=f"{count_of(errors, 'error')} on this machine" if failed else None,
        exit_code=int(failed),
    )


def _examine(job: Job, environment: dict[str, str]) -> Iterator[Finding]:
    run, full = job.run, job.run.task.arguments()["full"]
    yield check_python()
    yield from check_packages()
    yield from check_gpus(describe_hardware().gpus)
    yield from check_machine(Path(run.output_dir), run.disk_space())
    yield check_store(run.destination())
    first = _train(run, environment)
    yield judge_loss(first, run.backend)
    if not full:
        return
    yield judge_determinism(first, _train(run, environment))
    longer = _train(run, environment, "trainer.epochs=3")  # the first one compiles
    told = longer.rate or "not known: a training failed"
    yield Finding(level="ok", what="device", told=f"{told}, ResNet-20 at 32 pixels")
    yield _measure_decoding(run)


def _train(run: RunConfig, environment: dict[str, str], *more: str) -> Trial:
    gpu = str(run.gpu).replace(" ", "")
    words = [*list_flags(), f"gpu={gpu}", f"backend={run.backend}", *more]
    with show_progress() as show:
        show("training ten steps")
        return train_ten_steps(words, environment, typed_folder())


def _measure_decoding(run: RunConfig) -> Finding:
    from dataclasses import replace

    reader = replace(run, gpu="cpu", backend="tensorflow")
    configure_framework(reader, claim_devices(reader))
    from experiments.doctor.speed import check_decoding

    return check_decoding()


def _show(finding: Finding) -> None:
    print(f"{_MARKS[finding.level]:8} {finding.what:12} {finding.told}", flush=True)
    if finding.advice:
        print(f"{'':9}{'':12} {finding.advice}")
