"""Fashion-MNIST: 70,000 pictures of clothes, 28 x 28, greyscale."""

from typing import Any, Unpack

from experiments.data.arrays.archive import Archive, ArchiveOptions, load_archive
from experiments.data.dataset import Dataset

_CLASSES = (
    "T-shirt/top",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)


def load_fashion_mnist(**options: Unpack[ArchiveOptions]) -> Dataset:
    """Loads Fashion-MNIST; see `ArchiveOptions` for the arguments.

    Reference:
        Xiao, Rasul and Vollgraf (2017), Fashion-MNIST, arXiv:1708.07747.
    """
    archive = Archive(
        name="fashion_mnist",
        class_names=_CLASSES,
        image_shape=(28, 28, 1),
        wanted="a folder fashion-mnist with the four published .gz files",
        cached=(),  # four files that may come one by one: Keras knows which it lacks
        download=_download,
    )
    return load_archive(archive, **options)


def _download() -> Any:
    import keras

    return keras.datasets.fashion_mnist.load_data()
