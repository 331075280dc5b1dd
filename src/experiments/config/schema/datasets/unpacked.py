"""Schemas of data sets that other libraries keep, whose images are unpacked once."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from experiments.config.reading.fields import setting
from experiments.config.schema.datasets.files import DividedFilesConfig
from experiments.errors import Problem

_NAME = re.compile(r"[\w]+(/[\w.-]+)?(:\d+\.\d+\.\d+)?")


@dataclass(frozen=True, kw_only=True)
class UnpackedConfig(DividedFilesConfig):
    """Encoded images in another library's files.

    Attributes:
        image_column: Feature that is the image; null for the only one.
        label_column: Feature that is the class; null for the only one.
        unpacked: Folder in which each data set's images are kept as files.
    """

    image_column: str | None
    label_column: str | None
    unpacked: str = setting(incidental=True, path=True)


@dataclass(frozen=True, kw_only=True)
class HuggingFaceConfig(UnpackedConfig):
    """A folder that the library `datasets` reads without a network.

    Attributes:
        path: What `save_to_disk` left, a copy of a repository's Parquet files, or an
            image folder.
    """

    needed_packages: ClassVar[tuple[str, ...]] = ("datasets",)


@dataclass(frozen=True, kw_only=True)
class TFDSConfig(UnpackedConfig):
    """A data set of TensorFlow Datasets that was prepared as array_record.

    Attributes:
        name: As there, with version and config where wanted: `cats_vs_dogs:4.0.1`.
        path: The library's `data_dir`.
        download: Whether what is not there may be downloaded and prepared.
    """

    needed_packages: ClassVar[tuple[str, ...]] = (
        "tensorflow_datasets",
        "array_record",
    )

    name: str
    # Copies of a known data set are the same one.
    path: str = setting(incidental=True, path=True)
    download: bool = setting(incidental=True)

    @property
    def known_name(self) -> str | None:
        """What the library calls it."""
        return self.name

    def check(self) -> Iterator[Problem]:
        """Yields a problem when the name can be none."""
        yield from super().check()
        if not _NAME.fullmatch(self.name):
            reason = "must be a name such as cats_vs_dogs or cats_vs_dogs:4.0.1."
            yield Problem("name", f"{reason} Received: {self.name}.")
