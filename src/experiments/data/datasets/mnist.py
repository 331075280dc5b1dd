"""MNIST: 70,000 handwritten digits, 28 x 28, greyscale."""

from typing import Any, Unpack

from experiments.data.arrays.archive import Archive, ArchiveOptions, load_archive
from experiments.data.dataset import Dataset


def load_mnist(**options: Unpack[ArchiveOptions]) -> Dataset:
    """Loads MNIST; see `ArchiveOptions` for the arguments.

    Reference:
        LeCun, Bottou, Bengio and Haffner (1998), Gradient-based learning applied to
        document recognition.
    """
    archive = Archive(
        name="mnist",
        class_names=tuple("0123456789"),
        image_shape=(28, 28, 1),
        wanted="mnist.npz",
        cached=("mnist.npz",),
        download=_download,
    )
    return load_archive(archive, **options)


def _download() -> Any:
    import keras

    return keras.datasets.mnist.load_data()
