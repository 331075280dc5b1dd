"""Finds the files that stopped a pipeline: TensorFlow's error names none."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from experiments.counts import count_of
from experiments.data.files.scanning.scan import scan_files
from experiments.data.split import ArraySplit, SkippedFile, Split
from experiments.errors import DataError

_LISTED = 5


@contextmanager
def naming_damaged_files(*splits: Split) -> Iterator[None]:
    """Turns a failure to read or decode an image into an error that names its file.

    Everything that draws images of files is inside of one: they were verified by their
    ends only, or have changed since.

    Args:
        splits: Whose files may be read within the block.

    Raises:
        DataError: Files turned out to be damaged.
    """
    import tensorflow as tf

    errors = tf.errors
    try:
        yield
    except (
        errors.InvalidArgumentError,
        errors.NotFoundError,
        errors.PermissionDeniedError,
        errors.FailedPreconditionError,
        errors.DataLossError,
        errors.UnknownError,
    ) as error:
        damaged = [file for split in splits for file in find_damaged_files(split)]
        if not damaged:
            raise
        shown = "; ".join(f"{file.path} {file.reason}" for file in damaged[:_LISTED])
        raise DataError(
            f"{count_of(len(damaged), 'image file')} cannot be used: {shown}. Mend "
            "what is damaged, or leave it out with dataset.verify=full "
            "dataset.on_corrupt=skip."
        ) from error


def find_damaged_files(
    split: Split, *, threads: int | None = None
) -> tuple[SkippedFile, ...]:
    """Decodes every file of a split again and returns those that fail.

    Args:
        split: The split; one in memory has no files.
        threads: Files decoded at once; `None` for one per CPU core.
    """
    if isinstance(split, ArraySplit):
        return ()
    # Absolute names stay what they are when joined to a root.
    files = scan_files(
        Path(),
        split.paths,
        verify="decodable",
        max_pixels=split.max_pixels,
        threads=threads,
    )
    return tuple(SkippedFile(file.name, file.fault) for file in files if file.fault)
