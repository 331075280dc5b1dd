"""Schema of the `dataset` group: which images, how large, how split.

What lies in files is in `dataset_files`; here are the images that are read at once.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from experiments.config.reading.fields import setting
from experiments.config.schema.datasets.common import (
    LEAST,
    MOST_CLASSES,
    MOST_FOLDS,
    CommonDatasetConfig,
    CustomDatasetConfig,
    DatasetConfig,
)
from experiments.config.schema.datasets.files import (
    PARENT,
    FilesConfig,
    FolderConfig,
    ImageNetConfig,
)
from experiments.config.schema.datasets.table import TableConfig
from experiments.config.schema.datasets.unpacked import (
    HuggingFaceConfig,
    TFDSConfig,
    UnpackedConfig,
)
from experiments.errors import Problem

__all__ = [
    "DATASETS",
    "MOST_FOLDS",
    "PARENT",
    "ArchiveConfig",
    "CommonDatasetConfig",
    "CustomDatasetConfig",
    "DatasetConfig",
    "DigitsConfig",
    "FilesConfig",
    "FolderConfig",
    "HuggingFaceConfig",
    "ImageNetConfig",
    "SyntheticConfig",
    "TFDSConfig",
    "TableConfig",
    "UnpackedConfig",
]


@dataclass(frozen=True, kw_only=True)
class DigitsConfig(CommonDatasetConfig):
    """Scikit-learn's handwritten digits.

    Attributes:
        test_fraction: Share of the test split; 0 for none.
    """

    test_fraction: float = setting(ge=0, lt=1, least=LEAST)

    @property
    def known_classes(self) -> int | None:
        """Ten digits."""
        return 10

    @property
    def known_size(self) -> int | None:
        """The configured size, or the data's own."""
        return self.image_size or 8

    @property
    def known_channels(self) -> int | None:
        """Greyscale."""
        return 1

    @property
    def known_images(self) -> int | None:
        """Those of scikit-learn."""
        return 1797


@dataclass(frozen=True, kw_only=True)
class SyntheticConfig(CommonDatasetConfig):
    """Made-up images that are easily told apart.

    Attributes:
        images: How many, over all splits.
        classes: How many classes.
        channels: 1 or 3.
        seed: Decides the images.
        test_fraction: Share of the test split; 0 for none.
    """

    image_size: int = setting(ge=4, le=4096)
    images: int = setting(ge=6, most=10**10)
    classes: int = setting(ge=2, most=MOST_CLASSES)
    channels: Literal[1, 3]
    seed: int = setting(ge=0, lt=2**32)
    test_fraction: float = setting(ge=0, lt=1, least=LEAST)

    @property
    def known_classes(self) -> int | None:
        """The configured number."""
        return self.classes

    @property
    def known_channels(self) -> int | None:
        """The configured number."""
        return self.channels

    @property
    def known_images(self) -> int | None:
        """The configured number."""
        return self.images

    def check(self) -> Iterator[Problem]:
        """Yields a problem when some split would lack a class."""
        yield from super().check()
        fractions = [self.validation_fraction, self.test_fraction]
        smallest = min(fraction for fraction in fractions if fraction)
        if self.images // self.classes * smallest < 1:
            yield Problem(
                "images",
                f"must give each of {self.classes} classes at least one image in a "
                f"split of {smallest:g}. Received: {self.images}.",
                f"Type dataset.images={_round_up(self.classes / smallest)} or more.",
            )


@dataclass(frozen=True, kw_only=True)
class ArchiveConfig(CommonDatasetConfig):
    """A published data set that Keras downloads; its test set stays as published.

    Attributes:
        path: Local copy to read instead; null for Keras' cache, or its download.
    """

    path: str | None = setting(incidental=True, path=True)

    @property
    def known_classes(self) -> int | None:
        """CIFAR-100 has 100 classes, the others ten."""
        return 100 if self._target_.endswith(".load_cifar100") else 10

    @property
    def known_size(self) -> int | None:
        """The configured size, or the data's own."""
        return self.image_size or (32 if self._is_cifar else 28)

    @property
    def known_channels(self) -> int | None:
        """CIFAR is in colour."""
        return 3 if self._is_cifar else 1

    @property
    def known_images(self) -> int | None:
        """As published; a copy of one's own may hold fewer, and is not told by it."""
        published = 60_000 if self._is_cifar else 70_000
        return published if self.path is None else None

    @property
    def known_place(self) -> str | None:
        """The local copy, if there is one."""
        return self.path

    @property
    def _is_cifar(self) -> bool:
        return ".cifar" in self._target_


def _round_up(number: float) -> int:
    return -int(-number // 1)


DATASETS: dict[str, type] = {
    "experiments.data.datasets.digits.load_digits": DigitsConfig,
    "experiments.data.datasets.synthetic.make_synthetic": SyntheticConfig,
    "experiments.data.datasets.mnist.load_mnist": ArchiveConfig,
    "experiments.data.datasets.fashion_mnist.load_fashion_mnist": ArchiveConfig,
    "experiments.data.datasets.cifar10.load_cifar10": ArchiveConfig,
    "experiments.data.datasets.cifar100.load_cifar100": ArchiveConfig,
    "experiments.data.datasets.folder.load_folder": FolderConfig,
    "experiments.data.datasets.table.load_table": TableConfig,
    "experiments.data.datasets.huggingface.load_huggingface": HuggingFaceConfig,
    "experiments.data.datasets.tfds.load_tfds": TFDSConfig,
    "experiments.data.datasets.imagenet.load_imagenet": ImageNetConfig,
}
