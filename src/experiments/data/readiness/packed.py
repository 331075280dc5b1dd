"""What keeps another library's data from being unpacked."""

from experiments.config.code.extras import check_packages
from experiments.config.schema.datasets.dataset import TFDSConfig, UnpackedConfig
from experiments.data.files.place.whereabouts import require_folder
from experiments.data.readiness.folders import Look, as_problem
from experiments.errors import DataError


def look_at_packed(dataset: UnpackedConfig) -> Look:
    """Looks for the library and the folder; the rest is seen when the library reads it.

    Args:
        dataset: Its config.
    """
    look = Look(list(check_packages(dataset.needed_packages)))
    try:
        if not (isinstance(dataset, TFDSConfig) and dataset.download):
            require_folder(dataset.path)
    except DataError as error:
        look.problems.append(as_problem(error))
    return look
