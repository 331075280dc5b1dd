"""The images that a comparison shows, where they are within reach."""

from collections.abc import Sequence
from pathlib import Path

from experiments.comparison.compared import Compared
from experiments.comparison.contrast import Draw
from experiments.data.dataset import Dataset
from experiments.data.files.scanning.scan import digest_content
from experiments.data.images.pixels import read_pixels
from experiments.data.samples import digest_samples, name_samples
from experiments.data.split import ArraySplit
from experiments.errors import ExperimentError
from experiments.pictures.thumbnail import draw_thumbnail
from experiments.records import read_bytes, resolve_inside

_MOST_BYTES = 2**28
_UNCHECKED = "off"  # of `dataset.verify`, where no digest tells the content


def reach_files(compared: Compared) -> Draw | None:
    """Returns what reads the compared images from a folder.

    No framework is imported, and no folder is looked through.

    Args:
        compared: Its tables say where their images are, or the data set of the run.

    Returns:
        `None` where they are in no folder, or it is not here.
    """
    if compared.contrast is None:
        return None
    group = compared.contrast.first
    settings = group.members[0].settings
    facts = compared.verdicts.tables[group.letter][0].facts
    own = settings.get("dataset.path", "") if compared.data is None else ""
    root = Path(str(facts.get("folder") or own))
    if not (root.is_absolute() and root.is_dir()):
        return None
    checked = settings.get("dataset.verify") != _UNCHECKED

    def draw(wanted: Sequence[tuple[str, str]]) -> list[bytes | None]:
        return [_read(root, *each, checked=checked) for each in wanted]

    return draw


def reach_arrays(dataset: Dataset) -> Draw:
    """Returns what takes the images of a data set in memory, whose folds differ."""
    splits = [s for s in dataset.splits.values() if isinstance(s, ArraySplit)]

    def draw(wanted: Sequence[tuple[str, str]]) -> list[bytes | None]:
        rows = {
            name: (split, row)
            for split in splits
            for row, name in enumerate(name_samples(split))
        }
        return [_take(rows.get(name), digest) for name, digest in wanted]

    return draw


def _read(root: Path, name: str, digest: str, *, checked: bool) -> bytes | None:
    """Returns an image of a folder; `None` where it is gone or another one now."""
    try:
        content = read_bytes(resolve_inside(root, name), limit=_MOST_BYTES)
        if checked and digest_content(content) != digest:
            return None
        return draw_thumbnail(read_pixels(content))
    except (ExperimentError, OSError, ValueError):
        return None


def _take(place: tuple[ArraySplit, int] | None, digest: str) -> bytes | None:
    if place is None:
        return None
    split, row = place
    one = ArraySplit(split.images[row : row + 1], split.labels[row : row + 1])
    if digest_samples(one) != [digest]:
        return None
    return draw_thumbnail(split.images[row])
