"""Which jobs of a plain sweep keep their checkpoints: the best ones."""

from pathlib import Path
from types import TracebackType

from experiments.command.plan import Plan
from experiments.counts import count_of
from experiments.jobs.folder import is_held, list_job_folders
from experiments.jobs.job import JobResult
from experiments.sweeps.table import sort_results
from experiments.workers.weights import find_weights, remove_weights


class BestWeights:
    """Removes the checkpoints of jobs that have finished and are not among the best.

    A context, at whose end it says how many that were. Metrics and results stay. A job
    that has failed, was stopped or pauses keeps its state, for it goes on from there.

    Args:
        plan: The checked command line; does nothing without `sweep.keep_top`.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._finished: dict[Path, JobResult] = {}
        self._removed = 0

    def __enter__(self) -> "BestWeights":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._removed:
            print(
                f"The checkpoints of {count_of(self._removed, 'job')} were removed: "
                f"sweep.keep_top={self._plan.run.sweep.keep_top} keeps those of the "
                "best."
            )

    def look(self) -> None:
        """Looks at all jobs, those that an earlier process ran included."""
        keep_top = self._plan.run.sweep.keep_top
        if keep_top is None:
            return
        for folder in self._folders():
            if folder not in self._finished:
                self._note(folder)
        objective = self._plan.run.trainer.objective
        ranked = sort_results(list(self._finished.values()), objective)
        for result in ranked[keep_top:]:
            self._remove(Path(result.output_dir))

    def _folders(self) -> list[Path]:
        planned = [self._plan.folder / name for name in self._plan.job_folders]
        return planned or list_job_folders(self._plan.folder)

    def _note(self, folder: Path) -> None:
        result = JobResult.load(folder)
        is_over = result is not None and result.status == "FINISHED"
        if result is not None and is_over and result.end != "paused":
            self._finished[folder] = result

    def _remove(self, job_folder: Path) -> None:
        folder = find_weights(job_folder)
        if folder.is_dir() and not is_held(job_folder):
            self._removed += remove_weights(folder, within=self._plan.folder)
