"""Trains a model, keeps its best epoch and leaves a comparable result."""

import logging
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from experiments import job_files
from experiments.builders.cost import measure_cost
from experiments.builders.data import (
    build_dataset,
    build_pipelines,
    naming_damaged_files,
)
from experiments.builders.devices import (
    claim_devices,
    configure_framework,
    describe_choices,
)
from experiments.config.checks.doubts import find_doubts
from experiments.config.checks.memory import check_memory
from experiments.config.kinds.metric_names import TEST, name_best
from experiments.config.kinds.phases import describe_phases
from experiments.config.schema.run import RunConfig
from experiments.data.dataset import Dataset
from experiments.data.readiness.check import check_data
from experiments.fitting import record
from experiments.fitting.beginning import Beginning
from experiments.fitting.description import describe_plan, describe_result
from experiments.fitting.fitting import ExaminationError, Fitted, Fitting, load_state
from experiments.fitting.memory import MemoryGuard, fit_to_memory
from experiments.fitting.predictions import keep_predictions
from experiments.jobs.job import Job, JobResult
from experiments.jobs.made_from import origin
from experiments.jobs.made_from.kept_corrections import keep_corrections
from experiments.jobs.made_from.kept_splits import keep_splits
from experiments.jobs.runs.recorded_job import best_of_search
from experiments.jobs.showing import display
from experiments.records import stamp
from experiments.runtime.devices import Devices, free_memory
from experiments.tracking.tracker import Tracker
from experiments.trained.start import Start, find_start

if TYPE_CHECKING:
    from experiments.training.checkpoints.state import TrainingState

log = logging.getLogger(__name__)


def train(job: Job) -> JobResult:
    """Runs one training job from its config to its stored result.

    Args:
        job: The checked config and where to run.

    Returns:
        Status, objective and metrics, also recorded by the tracker.

    Raises:
        ExperimentError: Something a person can mend: data, device, divergence.
    """
    job = fit_to_memory(best_of_search(job))
    job.stop.plan = "stopping: the training has not begun, and nothing is lost"
    run, options = job.run, job.run.task.arguments()
    check_data([run])  # of a record, or on a machine of a cluster
    for doubt in find_doubts(run):
        log.warning("%s", doubt)
    claimed = claim_devices(run)
    check_memory(run, gpu_memory=_gpu_memory(claimed))
    memory = MemoryGuard(job)
    with (
        record.open_run(job) as tracker,
        memory.watch(),
        ExitStack() as naming_files,
    ):
        devices = configure_framework(run, claimed)
        record.log_devices(tracker, devices)
        memory.stage = "data"
        dataset = build_dataset(run)
        naming_files.enter_context(naming_damaged_files(dataset))
        pipelines = build_pipelines(run, dataset)
        state = load_state(job)
        start = _find_start(job, dataset, devices, state)
        _check_origin(job, dataset, tracker, state, start)
        beginning = Beginning(start, tracker) if start.weights else None
        fitting = Fitting(
            job=job,
            dataset=dataset,
            pipelines=pipelines,
            devices=devices,
            tracker=tracker,
            images=start.images,
            begin=beginning,
        )
        memory.stage = "network"
        from experiments.models.freezing import describe_frozen

        model = fitting.build_model(begin=state is None)
        cost = memory.cost = measure_cost(run, model, devices)
        rows = beginning.rows if beginning else {}
        frozen = describe_frozen(model) | describe_phases(run)
        display.show_start(job, dataset, cost, devices, rows | frozen)
        choices = describe_choices(run, model, devices)
        record.log_datasets(tracker, dataset, run.dataset)
        keep_corrections(job, tracker)
        keep_splits(job, dataset, tracker)
        tracker.describe(describe_plan(job, dataset))
        steps = pipelines.steps_per_epoch
        record.log_start(tracker, dataset, cost, choices, steps, fitting.images)
        if run.tracking.system_metrics:
            tracker.watch_system(devices.gpus)
        if options["picture_grid"]:
            record.log_picture_grid(tracker, dataset, pipelines.train_from(0))
        memory.stage = "step"
        fitted = fitting.run(model, state)
        reason = _read_verdict(fitted)  # before a model is used that has no numbers
        job.stop.plan = _describe_rest(run)
        model, metrics = fitted.model, fitted.metrics
        if options["evaluate_test"] and pipelines.test is not None:
            metrics |= _evaluate(model, pipelines.test, prefix=TEST)
        from experiments.training.checkpoints.state import digest

        state_sha256 = digest(model)
        keep_predictions(fitting, model, state=state_sha256)
        if run.tracking.log_model == "best":
            record.log_model(tracker, model, dataset, pipelines.validation, metrics)
        record.log_result(tracker, metrics)
        told = describe_result(
            job, dataset, metrics, epochs=fitted.epochs, end=fitted.end
        )
        tracker.describe(told)
        record.log_end(tracker, fitted.end, reason)
    result = JobResult(
        name=job.name,
        status="FINISHED",
        objective=metrics[name_best(run.trainer.monitor)],
        metrics=metrics,
        run_id=tracker.run_id,
        run_url=tracker.run_url,
        state_sha256=state_sha256,
        overrides=job.overrides,
        output_dir=str(job.output_dir),
        reason=reason,
        epochs=fitted.epochs,
        end=fitted.end,
    )
    display.show_skipped(dataset)
    display.show_unsent(tracker, run.output_dir, run.tracking.uri)
    display.show_result(run, result, in_sweep=job.place is not None)
    return result


def _read_verdict(fitted: Fitted) -> str | None:
    """Returns why a training ended, or how one went that was a test.

    Raises:
        ExaminationError: Not as it should.
    """
    if fitted.verdict is None:
        return fitted.reason
    if not fitted.verdict.passed:
        raise ExaminationError(fitted.verdict.words)
    return fitted.verdict.words


def _describe_rest(run: RunConfig) -> str:
    """Returns what a stop means after the training."""
    if (run.callbacks or {}).get("checkpoint") is None:
        return "stopping: the training is over but not saved, without a checkpoint"
    return "stopping: the training is over and saved, the same command does the rest"


def _gpu_memory(devices: Devices) -> Callable[[], int | None] | None:
    """Returns what tells the memory of a claimed GPU; `None` without one."""
    return (lambda: free_memory(devices)) if devices.gpus else None


def _find_start(
    job: Job, dataset: Dataset, devices: Devices, state: "TrainingState | None"
) -> Start:
    """Returns what the network begins with; a job that goes on needs no file of it."""
    former = None if state is None else origin.read_origin(job.output_dir)
    return find_start(job.run, dataset, devices, typed=job.overrides, former=former)


def _check_origin(
    job: Job,
    dataset: Dataset,
    tracker: Tracker,
    state: "TrainingState | None",
    start: Start,
) -> None:
    """Records what the job is made from; tells what changed since it was started."""
    former = origin.read_origin(job.output_dir) or {} if state is not None else {}
    kept = {key: former[key] for key in ("weights",) if key in former}
    now = kept | origin.describe_origin(job.run, dataset) | start.describe()
    if state is not None:
        display.show_continuation(state.position.epoch, state.position.step)
        origin.check_origin(job.output_dir, now, strict=job.run.resume.strict)
    else:
        origin.write_origin(job.output_dir, now)
    tracker.log_dict(stamp(now), job_files.ORIGIN)


def _evaluate(model: Any, batches: Any, *, prefix: str) -> dict[str, float]:
    """Returns the loss and metrics over one pass."""
    from experiments.training.callbacks.heartbeat import Heartbeat

    scores = model.evaluate(
        batches, callbacks=[Heartbeat()], verbose=0, return_dict=True
    )
    return {f"{prefix}{name}": float(value) for name, value in scores.items()}
