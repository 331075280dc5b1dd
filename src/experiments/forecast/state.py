"""What stands in the folder of a job that might be run."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from experiments import job_files
from experiments.config.schema.run import RunConfig
from experiments.counts import count_of
from experiments.errors import ExperimentError
from experiments.jobs.folder import describe_holder, is_held
from experiments.jobs.job import JobResult
from experiments.jobs.stored import stored_result
from experiments.training.checkpoints.manifest import read_manifest

Kind = Literal["finished", "failed", "running", "to continue", "new"]


@dataclass(frozen=True, kw_only=True)
class JobState:
    """What a job has come to by now.

    Attributes:
        name: What tells it from the others.
        folder: Its folder, which need not exist.
        run: Its config.
        overrides: What makes it.
        kind: `finished` and `failed` ones are not run, `running` ones cannot be.
        epochs: Those that it need not train any more.
        note: What there is to say beside, a phrase; may be empty.
    """

    name: str
    folder: Path
    run: RunConfig
    overrides: tuple[str, ...]
    kind: Kind
    epochs: int = 0
    note: str = ""

    @property
    def will_run(self) -> bool:
        """Whether the command would train it."""
        return self.kind in ("to continue", "new")

    @property
    def epochs_left(self) -> int:
        """How many epochs it would train, unless it stops early."""
        trainer = self.run.trainer
        planned = trainer.until_epoch or trainer.epochs
        return max(0, planned - self.epochs) if self.will_run else 0


def look_at(
    name: str,
    folder: Path,
    run: RunConfig,
    overrides: tuple[str, ...],
    *,
    in_sweep: bool = False,
) -> JobState:
    """Returns what a job has come to; reads its folder and changes nothing there.

    Args:
        name: What tells it from the others.
        folder: Its folder.
        run: Its config.
        overrides: What makes it.
        in_sweep: A failed job of a sweep is left alone with `sweep.retry_failed=false`.
    """

    def state(kind: Kind, note: str = "", epochs: int = 0) -> JobState:
        return JobState(
            name=name,
            folder=folder,
            run=run,
            overrides=overrides,
            kind=kind,
            note=note,
            epochs=epochs,
        )

    if is_held(folder):
        return state("running", f"held by {describe_holder(folder)}")
    stored = stored_result(folder, run, in_sweep=in_sweep)
    if stored is not None and stored.status == "FINISHED":
        return state("finished", epochs=stored.epochs)
    if stored is not None:
        return state("failed", f"{stored.reason}; sweep.retry_failed=false leaves it")
    former = JobResult.load(folder)
    has_failed = former is not None and former.status == "FAILED"
    note = f"failed before: {former.reason}" if former and has_failed else ""
    try:
        manifest = read_manifest(folder / job_files.CHECKPOINTS)
    except ExperimentError as error:
        return state("to continue", f"its checkpoints: {error}")
    records = [] if manifest is None else manifest.records()
    if not records:
        return state("new", note or ("started before" if folder.is_dir() else ""))
    last = records[0]
    steps = f" and {count_of(last.step, 'step')}" if last.step else ""
    after = f"after epoch {last.epoch}{steps}"
    return state("to continue", "; ".join(filter(None, [after, note])), last.epoch)
