"""What the record of a run tells of its model, for people and for programs."""

from collections.abc import Iterator, Sequence
from typing import Any

from experiments.config.kinds.metric_names import BEST_EPOCH
from experiments.counts import count_of
from experiments.data.dataset import Dataset
from experiments.data.images.background import WHITE
from experiments.errors import ExperimentError
from experiments.promotion.card import Facts
from experiments.tracking.spool.tag_names import PREFIX
from experiments.trained.record import Record
from experiments.trained.trained import Trained
from experiments.weights.preprocessing import read_preprocessing

_SHOWN_STEPS = 8  # of an augmentation


def gather_facts(record: Record, trained: Trained, dataset: Dataset | None) -> Facts:
    """Returns what a card tells beside the scores.

    Args:
        record: Of the run.
        trained: Its model, in its framework.
        dataset: That it was trained on; `None` where it is not at hand.
    """
    return Facts(
        name=record.account.name,
        run_id=str(record.account.run_id),
        class_names=trained.class_names,
        image_shape=trained.image_shape,
        kind="logits, before a softmax"
        if trained.kind == "logits"
        else "probabilities",
        rows={
            "Network": dict(_describe_network(record, trained)),
            "Training": dict(_describe_training(record)),
            "Training data": dict(_describe_data(record, dataset)),
            "Where it comes from": dict(_describe_origin(record)),
        },
        reading=[*_describe_reading(trained)],
    )


def describe_preprocessing(trained: Trained) -> dict[str, Any]:
    """Returns how images are prepared, for programs."""
    inside = read_preprocessing(trained.model)
    return {
        "image_shape": list(trained.image_shape),
        "dtype": "uint8",
        "crop_ratio": trained.crop_ratio,
        "background": list(trained.background),
        "mean": None if inside is None else list(inside.mean),
        "std": None if inside is None else list(inside.std),
    }


def read_data_tags(record: Record) -> dict[str, str]:
    """Returns the hashes of the images that a run was given, and of their division."""
    tags, keys = record.account.tags, ("data.content", "data.split")
    return {key: tags[PREFIX + key] for key in keys if PREFIX + key in tags}


def find_epoch(record: Record) -> int:
    """Returns the epoch that the weights are of; 0 where the record does not say."""
    if record.result is not None and BEST_EPOCH in record.result.metrics:
        return int(record.result.metrics[BEST_EPOCH])
    for values in record.account.points.values():
        if BEST_EPOCH in values:
            return int(values[BEST_EPOCH])
    return 0


def check_ended(record: Record, status: str) -> None:
    """Raises where a run has not come to its end.

    Args:
        record: Of the run.
        status: In MLflow's words.

    Raises:
        ExperimentError: It has not, or was paused on purpose.
    """
    result = record.result
    told = status if result is None else result.status
    if told != "FINISHED":
        raise ExperimentError(
            f"{record.account.name} has not finished: it is {told}. The command that "
            "started it continues it; promote it then."
        )
    end = record.account.tags.get("run.end") if result is None else result.end
    if end == "paused":
        raise ExperimentError(
            f"{record.account.name} was paused by trainer.until_epoch. Train it to its "
            "end first, or promote another run."
        )


def _describe_network(record: Record, trained: Trained) -> Iterator[tuple[str, str]]:
    tags, model = record.account.tags, record.config.get("model", {})
    yield "model", tags.get("choice.model") or trained.model.name
    sizes = {
        key: model.get(key) for key in ("architecture", "blocks", "depth", "width")
    }
    told = [f"{key} {value}" for key, value in sizes.items() if value is not None]
    if told:
        yield "size", ", ".join(told)
    parameters = record.account.read_derived("parameters")
    if parameters is not None:
        flops = record.account.read_derived("flops_per_image")
        more = f"; {float(flops) / 1e9:.3g} GFLOP an image" if flops else ""
        yield "cost", f"{count_of(int(parameters), 'parameter')}{more}"
    if model.get("weights"):
        yield "begun with", str(model["weights"])


def _describe_training(record: Record) -> Iterator[tuple[str, str]]:
    trainer, tags = record.config["trainer"], record.account.tags
    epoch = find_epoch(record)
    of = f"epoch {epoch} of " if epoch else ""
    yield "epochs", f"{of}{trainer.get('epochs')}, best by {trainer.get('monitor')}"
    yield "batch", f"{trainer.get('batch_size')} images, {trainer.get('precision')}"
    optimizer = record.config.get("optimizer", {})
    name = (
        tags.get("choice.optimizer")
        or str(optimizer.get("_target_", "")).split(".")[-1]
    )
    yield "optimizer", f"{name}, lr {optimizer.get('lr')}"
    for group in ("schedule", "loss"):
        if f"choice.{group}" in tags:
            yield group, tags[f"choice.{group}"]
    names = [key for key, node in (record.config.get("augment") or {}).items() if node]
    yield "augmentation", ", ".join(names[:_SHOWN_STEPS]) or "none"
    yield "seed", str(record.config.get("seed"))


def _describe_data(
    record: Record, dataset: Dataset | None
) -> Iterator[tuple[str, str]]:
    config, tags = record.config["dataset"], record.account.tags
    if dataset is None:
        yield "data set", tags.get("choice.dataset") or str(config.get("_target_"))
    else:
        parts = [f"{len(split):,} {name}" for name, split in dataset.splits.items()]
        yield "data set", f"{dataset.name}: {', '.join(parts)} images"
    told = read_data_tags(record)
    if "data.content" in told:
        yield "fingerprint of the images", told["data.content"]
    if "data.split" in told:
        yield "fingerprint of the division", told["data.split"]
    if config.get("corrections"):
        yield "corrections", "labels were corrected by a file"


def _describe_origin(record: Record) -> Iterator[tuple[str, str]]:
    account = record.account
    yield "run", f"{account.name}, {account.run_id}"
    commit = account.tags.get("mlflow.source.git.commit")
    if commit:
        dirty = account.tags.get(f"{PREFIX}git.dirty") == "true"
        yield "code", f"commit {commit[:12]}{', changed' if dirty else ''}"
    if python := account.tags.get(f"{PREFIX}python"):
        yield "Python", python
    machine = [
        account.tags[key]
        for key in (f"{PREFIX}hardware.cpu", f"{PREFIX}hardware.gpu")
        if account.tags.get(key) not in (None, "none")
    ]
    if machine:
        yield "machine", ", ".join(machine)
    yield "trained again by", f"task=reproduce run_id={account.run_id}"


def _describe_reading(trained: Trained) -> Iterator[str]:
    inside = read_preprocessing(trained.model)
    if inside is None:
        yield "What its network needs of mean and deviation is inside."
    else:
        mean, std = (_write(values) for values in (inside.mean, inside.std))
        yield f"Mean {mean} and deviation {std} of the channels, of 0..1, are inside."
    height, width, _ = trained.image_shape
    share = "" if trained.crop_ratio == 1 else f" times {trained.crop_ratio:.4g}"
    yield (
        f"Files are read upright, cut to the largest central window{share} of "
        f"{width}:{height}, and scaled with antialiasing."
    )
    if tuple(trained.background) != tuple(WHITE):
        yield f"Behind what is transparent is the colour {list(trained.background)}."


def _write(values: Sequence[float]) -> str:
    return f"({', '.join(f'{value:.4g}' for value in values)})"
