"""The data set of a config, and the batches that feed a training."""

import functools
import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from experiments.config.code.targets import instantiate
from experiments.config.schema.augment import RepeatedConfig
from experiments.config.schema.datasets.dataset import CommonDatasetConfig
from experiments.config.schema.run import RunConfig
from experiments.data.augment.repeated_augmentation import RepeatedAugmentation
from experiments.data.augment.until import Until
from experiments.data.dataset import Dataset, Split
from experiments.errors import DataError


@dataclass(frozen=True)
class Pipelines:
    """The `tf.data` datasets of a run, each of (uint8 (B, H, W, C), int32 (B,)).

    The labels of training are float32 (B, classes) where an augmentation mixes them,
    and all labels uint8 (B, classes) where an image may have several.

    Attributes:
        train_from: Returns the training batches from a step on, over all epochs.
        validation: One pass over the validation images.
        test: One pass over the test images; `None` without any.
        steps_per_epoch: Training steps of one epoch.
    """

    train_from: Callable[[int], Any]
    validation: Any
    test: Any | None
    steps_per_epoch: int


def build_dataset(run: RunConfig) -> Dataset:
    """Loads and checks the data set, or the fraction of it that is trained on.

    Raises:
        DataError: It is absent, damaged or smaller than one batch.
    """
    from experiments.data.subset import take_fraction

    config = run.dataset
    dataset: Dataset = instantiate(config, key="dataset", allowed=run.allowed_targets)
    if dataset.has_several_labels != config.has_several_labels:
        meant = "true" if dataset.has_several_labels else "false, or leave it out"
        raise DataError(
            f"{dataset.name} has labels of another kind than its config says: write "
            f"several_labels: {meant}."
        )
    if not isinstance(config, CommonDatasetConfig) or config.fraction == 1:
        return dataset
    return take_fraction(
        dataset,
        config.fraction,
        seed=config.fraction_seed,
        measure_mean=config.mean is None,
        measure_std=config.std is None,
    )


def build_augmentation(run: RunConfig, steps: int) -> list[Any]:
    """Builds what is done to training images, in the order of the config.

    Args:
        run: The checked config.
        steps: Of an epoch of the training.
    """
    built = []
    for name, config in run.augment.items():
        augment = instantiate(
            config, key=f"augment.{name}", allowed=run.allowed_targets
        )
        if isinstance(augment, RepeatedAugmentation):
            continue
        without = getattr(config, "off_last_epochs", 0)
        if augment is not None and without:
            augment = Until(augment, max(run.trainer.epochs - without, 0) * steps)
        if augment is not None:
            built.append(augment)
    return built


def count_repeats(run: RunConfig) -> int:
    """Returns how often an image comes in a row in training."""
    repeated = (c for c in run.augment.values() if isinstance(c, RepeatedConfig))
    return math.prod(config.repeats for config in repeated)


def build_pipelines(run: RunConfig, dataset: Dataset) -> Pipelines:
    """Builds the datasets that feed training, validation and the test."""
    from experiments.data.pipeline.pipeline import build_pipeline, steps_per_epoch

    trainer = run.trainer
    common: dict[str, Any] = {
        "image_shape": dataset.image_shape,
        "batch_size": trainer.batch_size,
        "seed": run.seed,
        "cache": dataset.cache,
        "parallelism": dataset.decode_threads,
    }

    def evaluate(split: Split) -> Any:
        return build_pipeline(
            split, shuffle=False, epochs=1, drop_remainder=False, **common
        )

    steps = steps_per_epoch(dataset.train, trainer.batch_size, trainer.drop_remainder)
    limits = [trainer.max_steps_per_epoch, trainer.overfit_batches]
    steps = min([steps, *(limit for limit in limits if limit is not None)])

    # The first batch is drawn for the record before training begins with it.
    @functools.lru_cache(maxsize=1)
    def train_from(step: int) -> Any:
        repeated = trainer.overfit_batches
        batches = build_pipeline(
            dataset.train,
            shuffle=True,
            epochs=None,
            start_step=step if repeated is None else 0,
            drop_remainder=trainer.drop_remainder,
            augment=build_augmentation(run, steps),
            repeats=count_repeats(run),
            classes=dataset.num_classes,
            draw=_choose_sampling(run, dataset),
            **common,
        )
        if repeated is None:
            return batches
        return batches.take(repeated).cache().repeat().skip(step % repeated)

    return Pipelines(
        train_from=train_from,
        validation=evaluate(dataset.validation),
        test=None if dataset.test is None else evaluate(dataset.test),
        steps_per_epoch=steps,
    )


def _choose_sampling(run: RunConfig, dataset: Dataset) -> Callable[[int], Any] | None:
    """Returns what draws an epoch's images; `None` for each of them once."""
    from experiments.data.pipeline.class_sampling import POWERS, ClassSampling

    if run.trainer.sampling == "uniform":
        return None
    power = POWERS[run.trainer.sampling]
    return ClassSampling(dataset.train.labels, power, run.seed).draw_epoch


def naming_damaged_files(dataset: Dataset) -> AbstractContextManager[None]:
    """Names the file where an image of the data set fails to decode, see `damage`."""
    from experiments.data.pipeline import damage

    return damage.naming_damaged_files(*dataset.splits.values())
