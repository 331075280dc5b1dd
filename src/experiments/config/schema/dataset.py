"""Schema of the `dataset` group: which images, how large, how split."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import ClassVar, Literal

from experiments.config.corrections import digest_corrections
from experiments.config.fields import OpenTarget, Target, setting
from experiments.errors import Problem

PARENT = "parent"  # as a group: the folder of a file
MOST_CLASSES = 10_000_000
MOST_FOLDS = 1000  # each is a training
_LEAST = 1e-9  # of a fraction: no data set has an image in less


@dataclass(frozen=True, kw_only=True)
class DatasetConfig(Target):
    """What other groups may ask of any data set before it is loaded."""

    @property
    def known_classes(self) -> int | None:
        """Number of classes; `None` when only the data can tell."""
        return None

    @property
    def known_size(self) -> int | None:
        """Height and width of the delivered images; `None` when unknown."""
        return None

    @property
    def known_channels(self) -> int | None:
        """Channels of the delivered images; `None` when unknown."""
        return None

    @property
    def known_images(self) -> int | None:
        """Images of all splits together; `None` when only the data can tell."""
        return None

    @property
    def known_name(self) -> str | None:
        """What people call it; `None` for the name of its file in `conf/dataset/`."""
        return None

    @property
    def known_place(self) -> str | None:
        """Folder or file of a known form that is read; `None` for any other data."""
        return None

    @property
    def known_fold(self) -> tuple[int, int] | None:
        """Which of how many folds is tested; `None` without folds."""
        return None


@dataclass(frozen=True, kw_only=True)
class CustomDatasetConfig(DatasetConfig, OpenTarget):
    """A user's own data set: its keys are those that its YAML file declares.

    Keys named `classes`, `image_size` and `channels` are believed by other groups; one
    named `path` is a path, relative to where the command is typed.
    """

    open_paths: ClassVar[tuple[str, ...]] = ("path",)

    @property
    def known_classes(self) -> int | None:
        """The integer under the key `classes`, if there is one."""
        return self._integer("classes")

    @property
    def known_size(self) -> int | None:
        """The integer under the key `image_size`, if there is one."""
        return self._integer("image_size")

    @property
    def known_channels(self) -> int | None:
        """The integer under the key `channels`, if there is one."""
        return self._integer("channels")

    @property
    def known_fold(self) -> tuple[int, int] | None:
        """The integers under the keys `fold` and `folds`, if there are both."""
        fold, folds = self._integer("fold"), self._integer("folds")
        return None if fold is None or folds is None else (fold, folds)

    def _integer(self, key: str) -> int | None:
        value = self.extra.get(key)
        return value if type(value) is int else None


@dataclass(frozen=True, kw_only=True)
class CommonDatasetConfig(DatasetConfig):
    """What every data set of this project has.

    Attributes:
        image_size: Height and width to deliver; null for the data's own.
        mean: Mean of each channel, in units of 0..1; null measures the training split.
        std: Standard deviation of each channel, in units of 0..1; null likewise.
        corrections: File of decisions about single images, as `task=audit` proposes
            them: which have another label, and which are left out; null for none.
        validation_fraction: Share of the validation split; never of the test set.
        split_seed: Decides which image goes where; independent of the run's seed.
        folds: Into how many parts all but the test split is divided, each of which is
            the test split of one job; null for no such parts.
        fold: Which one is tested, 1 to `folds`; null in a command for all of them.
        cache: Whether to keep decoded and scaled images in memory.
        decode_threads: Threads of the pipeline; null for one per CPU core.
    """

    image_size: int | None = setting(ge=4, le=4096)
    mean: list[float] | None = setting(ge=0, le=1, min_length=1)
    std: list[float] | None = setting(gt=0, le=1, least=1e-6, min_length=1)
    corrections: str | None = setting(
        path=True, stands_for=digest_corrections, added=4, before=None
    )
    validation_fraction: float = setting(gt=0, lt=1, least=_LEAST)
    split_seed: int = setting(ge=0, lt=2**32)
    folds: int | None = setting(ge=2, most=MOST_FOLDS, added=4, before=None)
    fold: int | None = setting(ge=1, most=MOST_FOLDS, added=4, before=None)
    # `memory` lets a cropping augmentation cut its windows out of scaled images.
    cache: Literal["auto", "memory", "none"] = setting(incidental=("auto", "none"))
    decode_threads: int | None = setting(ge=1, le=1024, incidental=True)

    @property
    def known_size(self) -> int | None:
        """The configured size."""
        return self.image_size

    @property
    def known_fold(self) -> tuple[int, int] | None:
        """The configured one."""
        fold, folds = self.fold, self.folds
        return None if fold is None or folds is None else (fold, folds)

    def check(self) -> Iterator[Problem]:
        """Yields contradictions between fractions, folds and channels."""
        yield from self._check_folds()
        test: float | None = getattr(self, "test_fraction", None)
        if test is not None and self.validation_fraction + test >= 1:
            yield Problem(
                "validation_fraction",
                f"and test_fraction must leave images to train on. Received: "
                f"{self.validation_fraction:g} + {test:g}.",
            )
        channels = self.known_channels
        for key, values in (("mean", self.mean), ("std", self.std)):
            if values is not None and channels is not None and len(values) != channels:
                yield Problem(
                    key,
                    f"must have one number for each of {channels} channels. "
                    f"Received: {values}.",
                    f"Type dataset.{key}=null to measure it.",
                )

    def _check_folds(self) -> Iterator[Problem]:
        if self.folds is None:
            if self.fold is not None:
                reason = f"is used with dataset.folds only. Received: {self.fold}."
                yield Problem("fold", reason, "Type dataset.folds=5.")
            return
        if self.fold is None:
            jobs = f"-m dataset.folds={self.folds}"
            reason = f"makes {self.folds} jobs, one a fold."
            yield Problem("folds", reason, f"For all: {jobs}. For one: dataset.fold=1.")
        elif self.fold > self.folds:
            reason = f"must be 1 to {self.folds}, as dataset.folds says."
            yield Problem("fold", f"{reason} Received: {self.fold}.")
        if not self.validation_fraction:
            reason = "must be above 0 with dataset.folds: no fold decides on its epoch."
            yield Problem("validation_fraction", f"{reason} Received: 0.")
        yield from self._check_fold_size(self.folds)

    def _check_fold_size(self, folds: int) -> Iterator[Problem]:
        classes, images = self.known_classes, self.known_images
        if classes is None or images is None or folds * classes <= images:
            return
        reason = f"must be at most {images // classes}: every fold needs an image of"
        told = f"{reason} each of {classes} classes. Received: {folds}."
        yield Problem("folds", told)


@dataclass(frozen=True, kw_only=True)
class DigitsConfig(CommonDatasetConfig):
    """Scikit-learn's handwritten digits.

    Attributes:
        test_fraction: Share of the test split; 0 for none.
    """

    test_fraction: float = setting(ge=0, lt=1, least=_LEAST)

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
    test_fraction: float = setting(ge=0, lt=1, least=_LEAST)

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


@dataclass(frozen=True, kw_only=True)
class FilesConfig(CommonDatasetConfig):
    """Images in one folder a class.

    Attributes:
        path: The folder.
        channels: 3, or 1 for luminance.
        classes: Number of classes to insist on; null accepts what is there.
        crop_ratio: Share of the shorter side that the central crop keeps, for
            evaluation and for training without a cropping augmentation.
        background: What is behind the transparent parts of an image: a name, or red,
            green and blue, 0 to 255.
        on_corrupt: What to do about a file that is no usable image.
        verify: `full` decodes every file once, `header` looks at its first and last
            bytes, `off` opens none and identifies files by their size alone.
        scan_cache: Folder that remembers what was verified; null for none.
        max_pixels: An image that declares more is refused before it is decoded.
    """

    image_size: int = setting(ge=4, le=4096)
    path: str = setting(path=True)
    channels: Literal[1, 3]
    classes: int | None = setting(ge=2, most=MOST_CLASSES)
    crop_ratio: float = setting(gt=0, le=1)
    background: Literal["white", "black"] | list[int] = setting(ge=0, le=255, length=3)
    on_corrupt: Literal["error", "skip"]
    verify: Literal["full", "header", "off"]
    scan_cache: str | None = setting(incidental=True, path=True)
    # It refuses images and changes none; what `on_corrupt=skip` leaves out for it
    # shows in the fingerprint of the data, as other skipped files do.
    max_pixels: int = setting(ge=1, le=2**31 - 1, incidental=True)

    @property
    def known_classes(self) -> int | None:
        """The configured number, if any."""
        return self.classes

    @property
    def known_channels(self) -> int | None:
        """The configured number."""
        return self.channels

    @property
    def known_place(self) -> str | None:
        """The folder."""
        return self.path


@dataclass(frozen=True, kw_only=True)
class FolderConfig(FilesConfig):
    """A user's class-per-folder images.

    Attributes:
        splits: Split -> its folder, relative to `path`; null tells them by their
            names, an empty mapping takes every folder for a class.
        test_fraction: Share of the test split; 0 for none. Used only when the folder
            has no split folders.
        split_by: What decides the split of a file: its `content`, so that copies stay
            together, or its `path`, so that a changed file stays where it was.
        group: What tells which files stay together: a regular expression whose one
            group finds, in a file's path, what they have in common, or `parent` for
            the folder of each; null when each file is for itself.
    """

    splits: dict[str, str] | None
    test_fraction: float = setting(ge=0, lt=1, least=_LEAST)
    split_by: Literal["content", "path"]
    group: str | None = setting(added=4, before=None)

    @property
    def known_name(self) -> str | None:
        """That of the folder: it tells one from another, as the option does not."""
        return PurePosixPath(self.path).name or None

    def check(self) -> Iterator[Problem]:
        """Yields what is wrong with the splits, or lacks the hash that they need."""
        yield from super().check()
        yield from self._check_splits()
        yield from self._check_group()
        if self.split_by == "content" and self.verify == "off":
            yield Problem(
                "split_by",
                "must be path with verify=off, which opens no file. Received: content.",
            )

    def _check_group(self) -> Iterator[Problem]:
        if self.group in (None, PARENT):
            return
        hint = f"Such as dataset.group={PARENT}, or 'dataset.group=\"person(\\d+)\"'."
        try:
            groups = re.compile(self.group).groups
        except (re.error, OverflowError, RecursionError) as error:
            reason = f"is no regular expression ({error})."
            yield Problem("group", f"{reason} Received: {self.group}.", hint)
            return
        if groups != 1:
            reason = f"must be {PARENT}, or a regular expression with one group in it."
            yield Problem("group", f"{reason} Received: {self.group}.", hint)

    def _check_splits(self) -> Iterator[Problem]:
        splits = self.splits or {}
        example = "Such as 'dataset.splits={train: Training, test: Testing}'."
        if unknown := sorted(splits.keys() - {"train", "validation", "test"}):
            reason = f"may hold train, validation and test. Received: {unknown}."
            yield Problem("splits", reason, example)
        elif splits and "train" not in splits:
            yield Problem("splits", "must name the folder to train on.", example)
        folders = [PurePosixPath(folder) for folder in splits.values()]
        if any({"/", "~", ".."} & {*f.parts} or not f.parts for f in folders):
            yield Problem("splits", "must be folders below dataset.path.", example)
        if len(set(folders)) < len(folders):
            yield Problem("splits", "must be different folders.", example)


@dataclass(frozen=True, kw_only=True)
class ImageNetConfig(FilesConfig):
    """ILSVRC2012 in its folders `train` and `val`.

    Attributes:
        classes: 1000, or less for a folder that holds only some classes.
        validation_fraction: Share of `train` to decide by, with `val` as test split;
            0 decides by `val` and leaves no test split.
    """

    # Copies of a known data set are the same one, other folders are other images.
    path: str = setting(incidental=True, path=True)
    classes: int = setting(ge=2, most=MOST_CLASSES)
    validation_fraction: float = setting(ge=0, lt=1, least=_LEAST)


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
    "experiments.data.datasets.imagenet.load_imagenet": ImageNetConfig,
}
