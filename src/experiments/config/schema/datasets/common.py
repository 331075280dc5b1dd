"""What all data sets have in common, and what other groups may ask of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from experiments.config.kinds.corrections import digest_corrections
from experiments.config.reading.fields import OpenTarget, Target, setting
from experiments.errors import Problem

MOST_CLASSES = 10_000_000
MOST_FOLDS = 1000  # each is a training
LEAST = 1e-9  # of a fraction: no data set has an image in less


@dataclass(frozen=True, kw_only=True)
class DatasetConfig(Target):
    """What other groups may ask of any data set before it is loaded."""

    # Of an extra: without them it cannot be read.
    needed_packages: ClassVar[tuple[str, ...]] = ()

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

    @property
    def has_weights(self) -> bool:
        """Whether images count differently in the loss of a training."""
        return False

    @property
    def has_several_labels(self) -> bool:
        """Whether an image may have several classes, or none."""
        return False


@dataclass(frozen=True, kw_only=True)
class CustomDatasetConfig(DatasetConfig, OpenTarget):
    """A user's own data set: its keys are those that its YAML file declares.

    Keys named `classes`, `image_size` and `channels` are believed by other groups; one
    named `path` is a path, relative to where the command is typed. With
    `several_labels: true` its labels must be 0 and 1 for each class.
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

    @property
    def has_several_labels(self) -> bool:
        """What the key `several_labels` says, if there is one."""
        return self.extra.get("several_labels") is True

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
        fraction: Share of each class's training images that is trained on.
        fraction_seed: Decides which images these are.
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
    validation_fraction: float = setting(gt=0, lt=1, least=LEAST)
    split_seed: int = setting(ge=0, lt=2**32)
    fraction: float = setting(gt=0, le=1, least=LEAST, added=5, before=1.0)
    fraction_seed: int = setting(ge=0, lt=2**32, added=5, before=0)
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

    def arguments(self) -> dict[str, Any]:
        """Returns what loads the data set; a fraction is taken of what it gives."""
        values = super().arguments()
        del values["fraction"], values["fraction_seed"]
        return values

    def check(self) -> Iterator[Problem]:
        """Yields contradictions between fractions, folds and channels."""
        yield from self._check_folds()
        if self.fraction == 1 and self.fraction_seed:
            reason = "is used with dataset.fraction below 1 only."
            told = f"{reason} Received: {self.fraction_seed}."
            yield Problem("fraction_seed", told, "Such as dataset.fraction=0.1.")
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
