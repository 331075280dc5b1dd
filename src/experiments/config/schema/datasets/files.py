"""Schemas of the data sets that are image files."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from experiments.config.reading.fields import setting
from experiments.config.schema.datasets.common import (
    LEAST,
    MOST_CLASSES,
    CommonDatasetConfig,
)
from experiments.errors import Problem

PARENT = "parent"  # as a group: the folder of a file


@dataclass(frozen=True, kw_only=True)
class FilesConfig(CommonDatasetConfig):
    """Images in files below a folder.

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
class DividedFilesConfig(FilesConfig):
    """Files that are divided as a person wishes, where nothing has divided them.

    Attributes:
        test_fraction: Share of the test split; 0 for none. Used only when the data
            have no splits of their own.
        split: What decides where there is choice: the `hash` of each file alone, so
            that added files move no others; `group`, the same of what stays together;
            or `stratified`, by which each class has its very share in every split.
        split_by: What decides the split of a file: its `content`, so that copies stay
            together, or its `path`, so that a changed file stays where it was.
        group: What tells which files stay together: a regular expression whose one
            group finds, in a file's path, what they have in common, or `parent` for
            the folder of each; null when each file is for itself.
    """

    test_fraction: float = setting(ge=0, lt=1, least=LEAST)
    split: Literal["hash", "stratified", "group"] = setting(added=5, before="hash")
    split_by: Literal["content", "path"]
    group: str | None = setting(added=4, before=None)

    @property
    def known_name(self) -> str | None:
        """That of the folder: it tells one from another, as the option does not."""
        return PurePosixPath(self.path).name or None

    @property
    def has_groups(self) -> bool:
        """Whether something tells which files stay together."""
        return self.group is not None

    def check(self) -> Iterator[Problem]:
        """Yields what is wrong with the group, or lacks the hash that is needed."""
        yield from super().check()
        yield from self._check_group()
        if self.split == "group" and not self.has_groups:
            hint = f"Such as dataset.group={PARENT}."
            yield Problem("split", "needs dataset.group. Received: group.", hint)
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


@dataclass(frozen=True, kw_only=True)
class FolderConfig(DividedFilesConfig):
    """A user's images, one folder a class.

    Attributes:
        splits: Split -> its folder, relative to `path`; null tells them by their
            names, an empty mapping takes every folder for a class.
    """

    splits: dict[str, str] | None

    def check(self) -> Iterator[Problem]:
        """Yields what is wrong with the splits too."""
        yield from super().check()
        yield from self._check_splits()

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
    validation_fraction: float = setting(ge=0, lt=1, least=LEAST)
