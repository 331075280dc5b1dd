"""Finds the files that stopped a pipeline: TensorFlow's error names none."""

from pathlib import Path

from experiments.data.scan import scan_files
from experiments.data.split import ArraySplit, SkippedFile, Split


def find_damaged_files(
    split: Split, *, threads: int | None = None
) -> tuple[SkippedFile, ...]:
    """Decodes every file of a split again and returns those that fail.

    For the moment after decoding failed in the middle of training: the file was
    verified by its header only, or it has changed since.

    Args:
        split: The split; one in memory has no files.
        threads: Files decoded at once; `None` for one per CPU core.
    """
    if isinstance(split, ArraySplit):
        return ()
    # Absolute names stay what they are when joined to a root.
    files = scan_files(Path(), split.paths, verify="full", threads=threads)
    return tuple(SkippedFile(file.name, file.fault) for file in files if file.fault)
