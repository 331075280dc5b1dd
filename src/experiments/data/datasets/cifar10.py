"""CIFAR-10: 60,000 colour pictures of ten kinds of things, 32 x 32."""

from typing import Any, Unpack

from experiments.data.arrays.archive import Archive, ArchiveOptions, load_archive
from experiments.data.dataset import Dataset

_CLASSES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)


def load_cifar10(**options: Unpack[ArchiveOptions]) -> Dataset:
    """Loads CIFAR-10; see `ArchiveOptions` for the arguments.

    Reference:
        Krizhevsky (2009), Learning Multiple Layers of Features from Tiny Images.
    """
    archive = Archive(
        name="cifar10",
        class_names=_CLASSES,
        image_shape=(32, 32, 3),
        wanted="cifar-10-python.tar.gz",
        # The second is the name that Keras gives to the same file.
        cached=("cifar-10-python.tar.gz", "cifar-10-batches-py-target_archive"),
        download=_download,
    )
    return load_archive(archive, **options)


def _download() -> Any:
    import keras

    return keras.datasets.cifar10.load_data()
