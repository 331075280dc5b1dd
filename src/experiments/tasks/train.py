"""Trains a model, keeps its best epoch and leaves a comparable result."""

from collections.abc import Mapping
from typing import Any

from experiments import build
from experiments.build import Pipelines
from experiments.config.job import Job, JobResult
from experiments.tasks import record, report
from experiments.tracking.tracker import Tracker


def train(job: Job) -> JobResult:
    """Runs one training job from its config to its stored result.

    Args:
        job: The checked config and where to run.

    Returns:
        Status, objective and metrics, also recorded by the tracker.

    Raises:
        ExperimentError: Something a person can mend: data, device, divergence.
    """
    run, options = job.run, job.run.task.arguments()
    devices = build.claim_devices(run)
    with record.open_run(job, devices) as tracker:
        build.configure_framework(run, devices)
        dataset = build.build_dataset(run)
        pipelines = build.build_pipelines(run, dataset)
        model = build.build_model(
            run, dataset, steps_per_epoch=pipelines.steps_per_epoch, devices=devices
        )
        cost = build.measure_cost(run, model, devices)
        report.show_start(job, dataset, cost, devices)
        record.log_start(tracker, dataset, cost, model, pipelines.steps_per_epoch)
        if options["picture_grid"]:
            record.log_picture_grid(tracker, dataset, pipelines.train)
        with build.naming_damaged_files(dataset):
            metrics = _fit(job, model, pipelines, tracker)
        if options["evaluate_test"] and pipelines.test is not None:
            metrics |= _evaluate(model, pipelines.test, prefix="test_")
        record.log_result(tracker, metrics)
        if run.tracking.log_model == "best":
            record.log_model(tracker, model, dataset, pipelines.validation, metrics)
    result = JobResult(
        name=job.name,
        status="FINISHED",
        objective=metrics[f"best_{run.trainer.monitor}"],
        metrics=metrics,
        run_id=tracker.run_id,
        run_url=tracker.run_url,
        overrides=job.overrides,
        output_dir=str(job.output_dir),
    )
    report.show_skipped(dataset)
    report.show_result(run, result)
    return result


def _fit(
    job: Job, model: Any, pipelines: Pipelines, tracker: Tracker
) -> dict[str, float]:
    """Trains `model`, leaves the best epoch's weights in it and returns its scores."""
    from experiments.training.callbacks import EpochLogger
    from experiments.training.fit import fit
    from experiments.training.progress import ProgressDisplay

    trainer = job.run.trainer
    callbacks = build.build_callbacks(job.run, {"output_dir": job.output_dir})
    display = ProgressDisplay(
        mode=trainer.progress,
        epochs=trainer.epochs,
        steps_per_epoch=pipelines.steps_per_epoch,
        batch_size=trainer.batch_size,
    )
    history = fit(
        model,
        train=pipelines.train,
        validation=pipelines.validation,
        epochs=trainer.epochs,
        steps_per_epoch=pipelines.steps_per_epoch,
        validation_steps=trainer.max_validation_steps,
        callbacks=[
            *callbacks.values(),
            EpochLogger(record.epoch_logger(tracker)),
            display,
        ],
    )
    best = history.best_epoch(trainer.monitor, trainer.monitor_mode)
    record.log_learning_curves(tracker, history.epochs, best)
    last = history.initial_epoch + len(history.epochs)
    report.show_end(last=last, planned=trainer.epochs, best=best)
    epoch = _restore(callbacks, model, best=best, last=last)
    scores = history.metrics_of(epoch)
    return {"best_epoch": float(epoch)} | {
        f"best_{name}": value
        for name, value in scores.items()
        if name.endswith(("loss", "accuracy")) or name == trainer.monitor
    }


def _restore(callbacks: Mapping[str, Any], model: Any, *, best: int, last: int) -> int:
    """Loads the best epoch's weights and returns the epoch that `model` now holds."""
    for callback in callbacks.values():
        load_best = getattr(callback, "load_best", None)
        if load_best is not None and best != last:
            return int(load_best(model).epoch)
    return last


def _evaluate(model: Any, batches: Any, *, prefix: str) -> dict[str, float]:
    """Returns the loss and metrics over one pass."""
    scores = model.evaluate(batches, verbose=0, return_dict=True)
    return {f"{prefix}{name}": float(value) for name, value in scores.items()}
