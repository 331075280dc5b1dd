"""Trains from wherever a job stopped to its best epoch, back and slower after a NaN."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from experiments import job_files
from experiments.builders.callbacks import build_callbacks
from experiments.builders.data import Pipelines
from experiments.builders.model import Images, build_model, compile_phase
from experiments.config.kinds.metric_names import BEST_EPOCH, is_score, name_best
from experiments.config.kinds.phases import list_phases
from experiments.config.schema.loss import name_differences
from experiments.data.dataset import Dataset
from experiments.data.label_arrays import Labels
from experiments.errors import ExperimentError
from experiments.fitting import record
from experiments.fitting.advice import advise
from experiments.jobs.job import End, Job
from experiments.jobs.showing import display
from experiments.records import read_record, write_record
from experiments.runtime.devices import Devices
from experiments.shapes import Count
from experiments.tracking.store.runs.histories import SiblingHistories
from experiments.tracking.tracker import Tracker
from experiments.training.callbacks.abilities import (
    Verdict,
    find_keeper,
    find_objective,
    find_pruned,
    find_verdict,
)

if TYPE_CHECKING:
    from experiments.training.checkpoints.state import TrainingState
    from experiments.training.loop.fit import History
    from experiments.training.loop.phases import Phases
    from experiments.training.loop.spending import Spending
    from experiments.training.loop.supervisor import Limits

log = logging.getLogger(__name__)


class ExaminationError(ExperimentError):
    """A training that was a test has not passed it."""

    failure = "config"  # the same again at a second attempt


class _Rollbacks(TypedDict):
    count: Count


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """What a training left.

    Attributes:
        model: Holds the best epoch's weights.
        metrics: That epoch's scores.
        epochs: Completed epochs.
        end: How it ended.
        reason: Why it was pruned.
        verdict: How it went, of a training that is a test and is over.
    """

    model: Any
    metrics: dict[str, float]
    epochs: int
    end: End
    reason: str | None = None
    verdict: Verdict | None = None


@dataclass(frozen=True, kw_only=True)
class Fitting:
    """A job's training, which may take several models.

    Attributes:
        job: The job.
        dataset: Its data.
        pipelines: Its batches.
        devices: What it runs on.
        tracker: Its run.
        images: What the model is built for, where it prepares its images in another
            way than the data set's.
        begin: Gives a network other weights than those of its seed, see `build_model`.
    """

    job: Job
    dataset: Dataset
    pipelines: Pipelines
    devices: Devices
    tracker: Tracker
    images: Images | None = None
    begin: Callable[[Any], object] | None = None

    def build_model(self, *, begin: bool = True) -> Any:
        """Builds the model; its learning rate is lower after each rollback.

        Args:
            begin: A saved state will not replace its weights.
        """
        run = self.job.run
        model = build_model(
            run,
            self.images or self.dataset,
            steps_per_epoch=self.pipelines.steps_per_epoch,
            devices=self.devices,
            lr_factor=self._lr_factor,
            begin=self.begin if begin else None,
        )
        if self.dataset.has_several_labels:
            from experiments.fitting.whole_split import judge_whole_splits

            judge_whole_splits(model, self._list_held_out())
        return model

    def _list_held_out(self) -> list[tuple[Any, Labels]]:
        """Returns the batches of each held-out split, and its labels."""
        found = [(self.pipelines.validation, self.dataset.validation.labels)]
        if self.pipelines.test is not None and self.dataset.test is not None:
            found.append((self.pipelines.test, self.dataset.test.labels))
        return found

    def run(self, model: Any, state: "TrainingState | None") -> Fitted:
        """Trains `model`, or after a divergence its successors.

        Args:
            model: What `build_model` returned.
            state: Where an earlier process stopped.

        Raises:
            DivergedError: The loss is not finite, and no rollback is left.
        """
        from experiments.training.callbacks.monitors import DivergedError

        while True:
            try:
                return self._fit(model, state)
            except DivergedError as error:
                if not self._may_roll_back():
                    raise
                self._note_rollback(error)
                state = load_state(self.job)
                model = self.build_model(begin=state is None)

    def _phases(self, model: Any) -> "Phases":
        """Returns the phases of the training of a model."""
        from experiments.training.loop.phases import Phases

        run = self.job.run

        def compile_for(number: int) -> None:
            compile_phase(
                run,
                model,
                number,
                dataset=self.images or self.dataset,
                steps_per_epoch=self.pipelines.steps_per_epoch,
                devices=self.devices,
                lr_factor=self._lr_factor,
            )

        ends = [phase.end for phase in list_phases(run)]
        return Phases(ends=ends, compile_for=compile_for)

    @property
    def _lr_factor(self) -> float:
        factor = self.job.run.trainer.rollback_factor
        return float(factor ** read_rollbacks(self._folder))

    @property
    def _folder(self) -> Path:
        return self.job.output_dir

    def _may_roll_back(self) -> bool:
        trainer = self.job.run.trainer
        left = trainer.max_rollbacks - read_rollbacks(self._folder)
        return trainer.on_nan == "rollback" and left > 0

    def _note_rollback(self, error: Exception) -> None:
        count = read_rollbacks(self._folder) + 1
        write_record(self._folder / job_files.ROLLBACKS, {"count": count})
        factor = self.job.run.trainer.rollback_factor**count
        # The rate of each epoch is a metric; optimizer.lr stays what was asked for.
        self.tracker.set_tags({"rollbacks": count, "rollbacks.lr_factor": factor})
        log.warning(
            "%s Rollback %d: back to the last checkpoint, with %g times the rate.",
            error,
            count,
            factor,
        )

    def _fit(self, model: Any, state: "TrainingState | None") -> Fitted:
        from experiments.training.loop.fit import fit
        from experiments.training.loop.spending import Spending

        trainer = self.job.run.trainer
        callbacks = build_callbacks(
            self.job.run,
            {
                "output_dir": self.job.output_dir,
                "siblings": self._siblings(),
                "space": self.job.run.disk_space(),
            },
        )
        spending = Spending()
        history = fit(
            model,
            train_from=self.pipelines.train_from,
            validation=self.pipelines.validation,
            epochs=trainer.epochs,
            steps_per_epoch=self.pipelines.steps_per_epoch,
            validation_steps=trainer.max_validation_steps,
            callbacks={**callbacks, **self._observers(spending)},
            state=state,
            stop=self.job.stop,
            limits=self._limits(),
            spending=spending,
            phases=self._phases(model),
        )
        return self._keep_best(model, callbacks, history)

    def _siblings(self) -> Callable[[str], SiblingHistories] | None:
        """Returns what reads a metric of the sweep's other jobs, for pruners."""
        run, parent_dir = self.job.run, self.job.sweep_dir
        if parent_dir is None:
            return None
        return lambda metric: SiblingHistories(
            self.job.output_dir,
            parent_dir,
            destination=run.destination(),
            metric=metric,
        )

    def _limits(self) -> "Limits":
        from experiments.training.loop.supervisor import Limits

        trainer = self.job.run.trainer
        return Limits(
            max_steps=trainer.max_steps,
            max_minutes=trainer.max_minutes,
            until_epoch=trainer.until_epoch,
        )

    def _observers(self, spending: "Spending") -> dict[str, Any]:
        """Returns the callbacks that are always there, after those of the config."""
        from experiments.training.callbacks.monitors import EpochLogger, FirstStep
        from experiments.training.callbacks.progress import ProgressDisplay

        trainer = self.job.run.trainer
        display = ProgressDisplay(
            mode=trainer.progress,
            epochs=trainer.epochs,
            steps_per_epoch=self.pipelines.steps_per_epoch,
            batch_size=trainer.batch_size,
            sweep_left=None if self.job.place is None else self.job.place.seconds_left,
        )
        logger = EpochLogger(self._epoch_logger(spending))
        first = FirstStep(self.tracker.settle_params)
        return {"(tracker)": logger, "(first step)": first, "(display)": display}

    def _epoch_logger(
        self, spending: "Spending"
    ) -> Callable[[int, dict[str, float]], None]:
        """Returns what records an epoch, and where its time went."""
        monitor = self.job.run.trainer.monitor
        record_epoch = record.epoch_logger(self.tracker, monitor)
        run = self.job.run

        def log_epoch(epoch: int, metrics: dict[str, float]) -> None:
            spent = spending.end_epoch()
            shares = {f"time/{name}": share for name, share in spent.shares().items()}
            record_epoch(epoch, metrics | shares)
            place = self.job.sweep_dir
            advise(run, self.dataset, spent, epoch=epoch, sweep_dir=place)

        return log_epoch

    def _keep_best(
        self, model: Any, callbacks: Mapping[str, Any], history: "History"
    ) -> Fitted:
        """Leaves the best epoch's weights in `model`."""
        trainer = self.job.run.trainer
        best = history.best_epoch(trainer.objective)
        keeper = find_keeper(callbacks)
        if (kept := find_objective(keeper)) is not None:
            # The weights that there are: callbacks.checkpoint may have its own monitor.
            best = history.best_epoch(kept)
        borders = [phase.end for phase in list_phases(self.job.run)[:-1]]
        loss = self.job.run.loss
        record.log_learning_curves(
            self.tracker,
            history.epochs,
            best,
            trainer.label_smoothing,
            name_differences(
                loss._target_,
                loss.class_weight,
                image_weights=self.job.run.dataset.has_weights,
            ),
            borders,
        )
        last = len(history.epochs)
        pruned = find_pruned(callbacks)
        end: End = "pruned" if pruned else "complete" if history.ended else "paused"
        verdict = find_verdict(callbacks) if end == "complete" else None
        if verdict is None:
            display.show_end(last=last, planned=trainer.epochs, best=best, end=end)
        epoch = last
        if keeper is not None and best != last:
            epoch = int(keeper.load_best(model))
        scores = history.metrics_of(epoch)
        metrics = {BEST_EPOCH: float(epoch)} | {
            name_best(name): value
            for name, value in scores.items()
            if is_score(name) or name == trainer.monitor
        }
        return Fitted(
            model=model,
            metrics=metrics,
            epochs=last,
            end=end,
            reason=pruned,
            verdict=verdict,
        )


def load_state(job: Job) -> "TrainingState | None":
    """Returns where an earlier process stopped; `None` when the job is new."""
    from experiments.training.checkpoints.store import load_last

    return load_last(job.output_dir / job_files.CHECKPOINTS)


def read_rollbacks(folder: Path) -> int:
    """Returns how often a job went back to a checkpoint so far."""
    path = folder / job_files.ROLLBACKS
    advice = "Start anew in another folder: fresh=true"
    try:
        return int(read_record(path, _Rollbacks, advice=advice)["count"])
    except FileNotFoundError:
        return 0
