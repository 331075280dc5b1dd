"""Single parts of an experiment, built as its jobs build them."""

from typing import Any, overload

from experiments.builders import data as builders
from experiments.builders import model as models
from experiments.builders.data import Pipelines
from experiments.builders.devices import prepared_framework
from experiments.command.composing.composed import Config
from experiments.data import dataset as datasets
from experiments.data.dataset import Dataset
from experiments.trained.start import find_start


@overload
def build_dataset(config: Config, /) -> Dataset: ...
@overload
def build_dataset(**parts: Any) -> Dataset: ...
def build_dataset(config: Config | None = None, /, **parts: Any) -> Dataset:
    """Loads the data set of a config, or makes one of arrays or files of your own.

    Args:
        config: What `compose` returned.
        **parts: Instead of it: `name`, `class_names`, `image_shape`, `train`,
            `validation` and what else `experiments.data.dataset.build_dataset` takes; a
            split is an `ArraySplit` or a `FileSplit`.

    Returns:
        The data set, checked, with mean, deviation and fingerprint.

    Raises:
        DataError: It is absent, damaged or inconsistent.

    Example:
        >>> import experiments
        >>> digits = experiments.build_dataset(experiments.compose())
        >>> digits.num_classes, digits.image_shape, len(digits.train)
        (10, (10, 10, 1), 1258)
        >>> import numpy
        >>> images = numpy.random.RandomState(0).randint(0, 256, (20, 8, 8, 3))
        >>> split = experiments.ArraySplit(images.astype("uint8"), numpy.arange(20) % 2)
        >>> experiments.build_dataset(
        ...     name="noise", class_names=["even", "odd"], image_shape=(8, 8, 3),
        ...     train=split, validation=split,
        ... ).fingerprint.counts
        {'train': [10, 10], 'validation': [10, 10]}
    """
    if config is None:
        return datasets.build_dataset(**parts)
    if parts:
        raise TypeError(
            "build_dataset() takes a config or the parts of a data set, not both. "
            f"Received beside a config: {', '.join(sorted(parts))}."
        )
    return builders.build_dataset(config.run)


def build_pipelines(config: Config, dataset: Dataset | None = None) -> Pipelines:
    """Builds the `tf.data` pipelines of a config, in the order of its seed.

    Args:
        config: What `compose` returned.
        dataset: What `build_dataset` returned; `None` loads the config's.

    Returns:
        `train_from(step)`, `validation` and `test`, each of (images, labels), and
        `steps_per_epoch`.

    Raises:
        DataError: The data are absent or damaged.

    Example:
        >>> import experiments
        >>> pipelines = experiments.build_pipelines(experiments.compose())
        >>> images, labels = next(iter(pipelines.train_from(0)))
        >>> images.shape, images.dtype.name, labels.shape
        (TensorShape([16, 10, 10, 1]), 'uint8', TensorShape([16]))
    """
    with prepared_framework(config.run):
        return builders.build_pipelines(config.run, dataset or build_dataset(config))


def build_model(config: Config, dataset: Dataset | None = None) -> Any:
    """Builds and compiles the model of a config, as its training begins.

    It has the weights of its seed, or those that `model.weights` names.

    Args:
        config: What `compose` returned.
        dataset: Says the shape of the images, the classes and the normalisation;
            `None` loads the config's.

    Returns:
        A compiled `keras.Model` of uint8 images (B, H, W, C) -> (B, classes).

    Raises:
        ConfigError: The network does not fit the data or the devices.
        DeviceError: The config asks for devices that this process does not have.

    Example:
        >>> import experiments
        >>> config = experiments.compose(["model=resnet20_cifar"])
        >>> model = experiments.build_model(config)
        >>> model.input_shape, model.output_shape
        ((None, 10, 10, 1), (None, 10))
    """
    with prepared_framework(config.run) as devices:
        data = dataset or build_dataset(config)
        steps = builders.build_pipelines(config.run, data).steps_per_epoch
        start = find_start(config.run, data, devices)
        return models.build_model(
            config.run,
            start.images or data,
            steps_per_epoch=steps,
            devices=devices,
            begin=start.begin,
        )
