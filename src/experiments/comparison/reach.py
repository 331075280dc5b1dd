"""What shows the images of a comparison: a folder, or the archive of their data set."""

from collections.abc import Sequence

from experiments.comparison.compared import Compared
from experiments.comparison.contrast import Draw
from experiments.comparison.images import reach_arrays, reach_files
from experiments.config.schema.datasets.dataset import CommonDatasetConfig
from experiments.data.arrays.keras_cache import refusing_downloads
from experiments.errors import ExperimentError


def reach_images(
    compared: Compared,
    *,
    allowed_targets: Sequence[str],
    output_dir: str,
    only_own: bool = False,
) -> Draw | None:
    """Returns what shows the compared images; `None` where they are out of reach.

    No framework is imported for images of a folder, nor for those of the data sets that
    come with this package, and nothing is downloaded.

    Args:
        compared: Its tables say where their images are, or the data set of the run.
        allowed_targets: Packages whose members the record of a run may name.
        output_dir: Of this process.
        only_own: Whether a data set that is somebody's own code is left alone, for
            nobody knows how long that takes.
    """
    found = compared.contrast
    if found is None:
        return None
    draw, folder = reach_files(compared), found.first.members[0].folder
    if draw is not None or folder is None or compared.data is not None:
        return draw
    from experiments.builders.data import build_dataset
    from experiments.trained.record import read_folder
    from experiments.trained.settled import settle_config

    try:
        config = settle_config(
            read_folder(folder), allowed_targets=allowed_targets, output_dir=output_dir
        )
        if only_own and not isinstance(config.dataset, CommonDatasetConfig):
            return None
        with refusing_downloads():
            return reach_arrays(build_dataset(config))
    except ExperimentError:  # they are gone: a table stands in their place
        return None
