"""What a run's page in MLflow says of it: a sentence, a table, two pictures."""

from collections.abc import Mapping

from experiments.config.kinds.metric_names import (
    BEST_EPOCH,
    TEST,
    is_final,
    name_best,
    name_of_epoch,
)
from experiments.counts import count_of
from experiments.data.dataset import Dataset
from experiments.jobs.job import End, Job
from experiments.tracking.spool.notes import (
    join_parts,
    write_picture,
    write_plain,
    write_table,
)

CURVES = "learning_curves.png"
IMAGES = "data/training_images.png"

_KINDS = {"": "training", "val_": "validation", TEST: "held-out test"}


def describe_plan(job: Job, dataset: Dataset) -> str:
    """Returns the description of a run that has no results yet.

    Args:
        job: The job.
        dataset: What it trains on.
    """
    trainer = job.run.trainer
    plan = (
        f"**{write_plain(job.name)}**: up to {count_of(trainer.epochs, 'epoch')}, "
        f"{count_of(trainer.batch_size, 'image')} a step, seed {job.run.seed}. Scores "
        "and curves stand here once it has ended as it should."
    )
    return join_parts([plan, _describe_data(dataset), *_pictures(job)[1:]])


def describe_failure(job: Job, reason: str) -> str:
    """Returns the description of a run that has failed.

    Args:
        job: The job.
        reason: Why, in one line.
    """
    what = write_plain(reason.rstrip("."))
    again = "The same command tries it again, from its last checkpoint if it left one."
    return f"**{write_plain(job.name)}** failed: {what}. {again}"


def describe_result(
    job: Job,
    dataset: Dataset,
    metrics: Mapping[str, float],
    *,
    epochs: int,
    end: End,
) -> str:
    """Returns the description of a run that is over.

    Args:
        job: The job.
        dataset: What it was trained on.
        metrics: Final scores, `best_*` of the best epoch and `test_*`.
        epochs: Completed ones.
        end: How it ended.
    """
    monitor = job.run.trainer.monitor
    value = metrics[name_best(monitor)]
    sentence = (
        f"**{write_plain(job.name)}** reached its best `{monitor}`, **{value:.4f}**, "
        f"in epoch {metrics[BEST_EPOCH]:.0f} of {epochs}{_say_end(job, epochs, end)}."
    )
    table = _tabulate(metrics)
    return join_parts([sentence, table, *_pictures(job), _describe_data(dataset)])


def _say_end(job: Job, epochs: int, end: End) -> str:
    planned = job.run.trainer.epochs
    if end == "pruned":
        return f", where it was pruned; {planned} were planned"
    if end == "paused":
        return f", where it was paused; {planned} are planned"
    return f" and stopped early; {planned} were planned" if epochs < planned else ""


def _tabulate(metrics: Mapping[str, float]) -> str:
    """Returns loss and metrics of the best epoch, a column for each split."""
    columns: dict[str, dict[str, float]] = {kind: {} for kind in _KINDS}
    for name, value in metrics.items():
        if is_final(name) and name != BEST_EPOCH:
            plain = name_of_epoch(name)
            kind = next(k for k in ("val_", TEST, "") if plain.startswith(k))
            columns[kind][plain.removeprefix(kind)] = value
    shown = {kind: scores for kind, scores in columns.items() if scores}
    names = dict.fromkeys(name for scores in shown.values() for name in scores)
    rows = [["", *(_KINDS[kind] for kind in shown)]]
    for name in names:
        cells = [scores.get(name) for scores in shown.values()]
        rows.append([name, *("" if c is None else f"{c:.4f}" for c in cells)])
    return write_table(rows)


def _describe_data(dataset: Dataset) -> str:
    height, width, channels = dataset.image_shape
    counts = ", ".join(f"{len(part):,} {name}" for name, part in dataset.splits.items())
    return (
        f"Data: **{write_plain(dataset.name)}**, {counts} images of "
        f"{height} x {width} x {channels} in {dataset.num_classes} classes."
    )


def _pictures(job: Job) -> list[str]:
    curves = write_picture(CURVES, "Loss and accuracy over the epochs")
    images = write_picture(IMAGES, "Training images as the network sees them")
    return [curves, images] if job.run.task.arguments()["picture_grid"] else [curves]
