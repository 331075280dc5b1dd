"""What a run writes into the tracker: all that is needed to trust and repeat it."""

import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from experiments import job_files
from experiments.builders.model import Images
from experiments.config.kinds.metric_names import BEST_EPOCH
from experiments.config.schema.datasets.dataset import DatasetConfig
from experiments.config.schema.run import RunConfig
from experiments.data.dataset import Dataset
from experiments.errors import Preempted, RestartNeeded, summarise_error
from experiments.fitting.description import CURVES, IMAGES, describe_failure
from experiments.jobs.job import End, Job
from experiments.runtime.devices import Devices
from experiments.tracking.account import DERIVED
from experiments.tracking.spool.flatten import as_param, flatten_config
from experiments.tracking.spool.inputs import Context, DatasetInput
from experiments.tracking.spool.tag_names import PREFIX
from experiments.tracking.surroundings.environment import describe_environment
from experiments.tracking.tracker import Tracker, open_tracker

if TYPE_CHECKING:
    from experiments.models.cost import Cost

_ORDER = {field.name: place for place, field in enumerate(fields(RunConfig))}
_CONTEXTS: Mapping[str, Context] = {
    "train": "training",
    "validation": "validation",
    "test": "test",
}
log = logging.getLogger(__name__)
_LINK = re.compile(r"\$\{([\w.]+)\}")


@contextmanager
def open_run(job: Job) -> Iterator[Tracker]:
    """Opens the tracked run of a job, records its origin and closes it truthfully.

    Args:
        job: The job.

    Yields:
        The tracker; the run ends as FINISHED, FAILED or KILLED with the block.
    """
    tracker = open_tracker(
        destination=job.run.destination(),
        drain_seconds=job.run.tracking.drain_seconds,
        folder=job.output_dir,
        run_name=job.name,
        parent_dir=job.sweep_dir,
        tags=_tags(job),
    )
    try:
        _log_origin(tracker, job)
        yield tracker
    except RestartNeeded as restart:
        _keep_log(tracker, job)
        # A fresh process goes on with other settings, which will be the run's.
        tracker.finish("KILLED", summarise_error(restart), settled=False)
        raise
    except (KeyboardInterrupt, Preempted) as stop:
        _keep_log(tracker, job)
        tracker.finish("KILLED", summarise_error(stop))
        raise
    except BaseException as error:  # SystemExit too
        reason = summarise_error(error)
        log.info("The run failed: %s", reason)
        tracker.describe(describe_failure(job, reason))
        _keep_log(tracker, job)
        tracker.finish("FAILED", reason)
        raise
    _keep_log(tracker, job)
    tracker.finish("FINISHED")


def _keep_log(tracker: Tracker, job: Job) -> None:
    """Records the job's log as it is by now; a link is somebody else's file."""
    path = job.output_dir / job_files.LOG
    if path.is_file() and not path.is_symlink():
        tracker.log_file(path)


def log_devices(tracker: Tracker, devices: Devices) -> None:
    """Records what computes, and why it is not what was wished for.

    Args:
        tracker: The run.
        devices: As the framework has confirmed them, not as they were claimed.
    """
    tags = {"device": devices.kind}
    if devices.note or tracker.resumed:  # then an earlier process may have left one
        tags["device.note"] = devices.note or "none"
    tracker.set_tags(tags)


def log_start(
    tracker: Tracker,
    dataset: Dataset,
    cost: "Cost",
    choices: Mapping[str, bool],
    steps_per_epoch: int,
    images: Images | None = None,
) -> None:
    """Records what the data and the model turned out to be, and begins to send.

    Not earlier: by now the framework is imported, which mlflow must not be beside it.

    Args:
        tracker: The run.
        dataset: What is trained on.
        cost: Of the model.
        choices: What `auto` became, by its key.
        steps_per_epoch: Of the training.
        images: What the model was built for, where that is not the data set's.
    """
    tracker.start()
    facts = {**asdict(cost), "steps_per_epoch": steps_per_epoch, **choices}
    tracker.set_tags({DERIVED + name: as_param(fact) for name, fact in facts.items()})
    fingerprint = dataset.fingerprint.as_dict()
    digests = ("content", "split")
    tracker.set_tags({f"{PREFIX}data.{name}": fingerprint[name] for name in digests})
    classes = {"classes": list(dataset.class_names)}
    # With these the model can be built again where the images are not.
    names = {"shape": "image_shape", "mean": "mean", "std": "std"}
    known = images or dataset
    image = {key: list(getattr(known, name)) for key, name in names.items()}
    content = {**fingerprint, **classes, "image": image}
    tracker.log_dict(content, "data/fingerprint.json")
    if dataset.findings:
        tracker.log_dict(dict(dataset.findings), "data/findings.json")
    if dataset.skipped_files:
        skipped = {file.path: file.reason for file in dataset.skipped_files}
        tracker.log_dict(skipped, "data/skipped_files.json")


def log_datasets(tracker: Tracker, dataset: Dataset, config: DatasetConfig) -> None:
    """Records the splits as MLflow's own data sets, each with its digest and source.

    Args:
        tracker: The run.
        dataset: What is trained on.
        config: Says where it comes from.
    """
    folder = getattr(config, "path", None)
    parts, counts = dataset.fingerprint.parts, dataset.fingerprint.counts
    tracker.log_datasets(
        [
            DatasetInput(
                name=dataset.name,
                digest=parts[split],
                context=context,
                folder=folder,
                code=config._target_,
                profile={
                    "images": sum(counts[split]),
                    "classes": dataset.num_classes,
                    "image": list(dataset.image_shape),
                },
            )
            for split, context in _CONTEXTS.items()
            if split in parts
        ]
    )


def log_picture_grid(tracker: Tracker, dataset: Dataset, batches: Any) -> None:
    """Records a grid of training images as the network will see them.

    Args:
        tracker: The run.
        dataset: Says the class names.
        batches: The training pipeline; its first batch is drawn.
    """
    from experiments.pictures.image_grid import draw_grid

    images, labels, *_ = next(iter(batches.take(1).as_numpy_iterator()))
    figure = draw_grid(images, labels, dataset.class_names)
    tracker.log_figure(figure, IMAGES)


def epoch_logger(
    tracker: Tracker, monitor: str
) -> Callable[[int, dict[str, float]], None]:
    """Returns a function that records all of an epoch's metrics in one request.

    Args:
        tracker: The run.
        monitor: The metric that comes first: MLflow's own comparison opens with it.
    """

    def log(epoch: int, metrics: dict[str, float]) -> None:
        first = {monitor: metrics[monitor]} if monitor in metrics else {}
        tracker.log_metrics(first | metrics, step=epoch)

    return log


def log_learning_curves(
    tracker: Tracker,
    epochs: list[dict[str, float]],
    best_epoch: int,
    label_smoothing: float,
    loss: Sequence[str],
    borders: Sequence[int] = (),
) -> None:
    """Records a picture of loss and accuracy over the epochs, phases told apart."""
    from experiments.pictures.learning_curves import draw_learning_curves

    figure = draw_learning_curves(
        epochs,
        best_epoch=best_epoch,
        label_smoothing=label_smoothing,
        borders=borders,
        loss=loss,
    )
    tracker.log_figure(figure, CURVES)


def log_result(tracker: Tracker, metrics: Mapping[str, float]) -> None:
    """Records the final scores, at the epoch they belong to, and on its model."""
    tracker.log_metrics(metrics, step=int(metrics[BEST_EPOCH]), of_model=True)


def log_end(tracker: Tracker, end: End, reason: str | None) -> None:
    """Records whether a run had all of its epochs, and why it was pruned."""
    tracker.set_tags({"run.end": end} | ({"run.end_reason": reason} if reason else {}))


def log_model(
    tracker: Tracker,
    model: Any,
    dataset: Dataset,
    batches: Any,
    metrics: Mapping[str, float],
) -> None:
    """Records the model with its class names, ready for `mlflow.keras.load_model`.

    Args:
        tracker: The run.
        model: Holds the weights of the epoch that `metrics` belongs to.
        dataset: Says the class names.
        batches: A pipeline; some images of its first batch show the input.
        metrics: Final scores.
    """
    images, _ = next(iter(batches.take(1).as_numpy_iterator()))
    tracker.log_model(
        model,
        example=images[:2],
        metadata={"class_names": list(dataset.class_names), "dataset": dataset.name},
        step=int(metrics[BEST_EPOCH]),
    )


def _log_origin(tracker: Tracker, job: Job) -> None:
    """Records the config, the code, the packages and the machine."""
    tracker.plan_params(_list_settings(job))
    tracker.log_dict(job.resolved, "config/config.yaml")
    tracker.log_dict({"overrides": list(job.overrides)}, "config/overrides.yaml")
    tracker.log_dict(job.choices, "config/choices.yaml")
    if tracker.enabled:
        environment = describe_environment()
        tracker.set_tags(environment.tags())
        tracker.log_dict(environment.as_dict(), "environment.yaml")
        if environment.code.diff:
            tracker.log_text(environment.code.diff, "code.diff")


def _list_settings(job: Job) -> dict[str, str]:
    """Returns what a person can set, and what differs between jobs once only.

    MLflow compares runs by the first parameters that differ: neither targets, which
    follow from a choice, nor keys that follow others are among them.
    """
    values = flatten_config(job.resolved)
    following = {
        key
        for key, text in job.links.items()
        if (link := _LINK.fullmatch(text)) and values.get(link[1]) == values.get(key)
    }
    choices = _list_choices(job)  # which say more than that a group is empty
    own = {
        key: value
        for key, value in values.items()
        if key not in {*following, *choices} and key.rpartition(".")[2] != "_target_"
    }
    return {**choices, **own}


def _tags(job: Job) -> dict[str, object]:
    """Returns what a person looks for, in the order in which MLflow's pages show it."""
    choices = {f"choice.{key}": option for key, option in _list_choices(job).items()}
    return {**choices, **job.run.tags, "seed": job.run.seed}


def _list_choices(job: Job) -> dict[str, str]:
    """Returns group -> option, in the order of the config."""
    groups = sorted(job.choices, key=lambda group: _ORDER.get(group, len(_ORDER)))
    return {group: job.choices[group] for group in groups}
