"""What keeps a file of corrections from being applied, told before the images are read.

That an image has changed since it was decided about shows when they are.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from experiments.config.kinds.corrections import (
    KEY,
    NAME,
    Corrections,
    CorrectionsError,
    read_corrections,
)
from experiments.config.schema.datasets.dataset import (
    DatasetConfig,
    FilesConfig,
    FolderConfig,
    TableConfig,
    UnpackedConfig,
)
from experiments.data.files.folders.layout import read_structure
from experiments.data.files.place.whereabouts import require_folder
from experiments.data.files.tables.label_table import columns_of, read_label_table
from experiments.errors import DataError, Problem


def look_at_corrections(dataset: DatasetConfig) -> Iterator[Problem]:
    """Yields what is wrong with the file that `dataset.corrections` names, if any."""
    given = getattr(dataset, NAME, None)
    if given is None:
        return
    try:
        _look(dataset, read_corrections(Path(given)))
    except CorrectionsError as error:
        for fault in error.faults:
            yield Problem(KEY, f"({error.path.name}) {fault}.")
    except DataError as error:
        yield Problem(KEY, str(error).removeprefix(f"{KEY}: "))


def _look(dataset: DatasetConfig, corrections: Corrections) -> None:
    if isinstance(dataset, FolderConfig):
        try:
            root = require_folder(dataset.path)
            structure = read_structure(
                root, splits=dataset.splits, classes=dataset.classes
            )
        except DataError:  # told by the look at the folder
            return
        corrections.check(_find(root, corrections), structure.class_names)
    elif isinstance(dataset, UnpackedConfig):
        return  # what its images are called shows when they are unpacked
    elif isinstance(dataset, TableConfig):
        try:
            table = read_label_table(dataset.table, dataset.folder, columns_of(dataset))
        except DataError:  # told by the look at the table
            return
        named = {row.name: None for row in table.rows}
        corrections.check(named, table.class_names)
    elif isinstance(dataset, FilesConfig):
        root = Path(dataset.path)
        corrections.check(_find(root, corrections), _proposed(corrections))
    elif dataset.known_images is not None:
        known = _find_numbers(dataset.known_images, corrections)
        corrections.check(known, _proposed(corrections))


def _find(root: Path, corrections: Corrections) -> Mapping[str, None]:
    """Returns the samples that are files below a folder."""
    return {name: None for name in corrections.rows if (root / name).is_file()}


def _find_numbers(images: int, corrections: Corrections) -> Mapping[str, None]:
    """Returns the samples that are numbers of images."""
    return {
        name: None
        for name in corrections.rows
        if name.isdecimal() and str(int(name)) == name and int(name) < images
    }


def _proposed(corrections: Corrections) -> list[str]:
    """Returns the classes that are named, where the data alone know which there are."""
    return [row.label for row in corrections.rows.values()]
