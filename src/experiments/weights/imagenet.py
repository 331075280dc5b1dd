"""The weights that Keras Applications publishes, by Keras' own download and cache."""

from dataclasses import replace
from pathlib import Path

from experiments.data.arrays.keras_cache import keras_home, network_timeout
from experiments.weights.faults import WeightsError
from experiments.weights.preprocessing import PREPROCESSINGS
from experiments.weights.source import Weights, read_weights

_FILE = "resnet{}_weights_tf_dim_ordering_tf_kernels.h5"  # with its last layer


def read_imagenet(depth: int) -> Weights:
    """Reads the weights of a ResNet `v1`, downloaded once by Keras.

    Args:
        depth: 50, 101 or 152.

    Raises:
        WeightsError: They are not in Keras' cache and could not be downloaded.
    """
    weights = read_weights(_fetch(depth))
    return replace(weights, preprocessing=PREPROCESSINGS["caffe"], variant="v1")


def _fetch(depth: int) -> Path:
    import keras
    from keras.src.applications import resnet

    file = _FILE.format(depth)
    address = f"{resnet.BASE_WEIGHTS_PATH}{file}"
    md5 = resnet.WEIGHTS_HASHES[f"resnet{depth}"][0]
    folder = keras_home() / "models"
    try:
        with network_timeout():
            return Path(
                keras.utils.get_file(
                    file, address, cache_subdir="models", file_hash=md5
                )
            )
    except Exception as error:  # Keras raises a bare one without a network
        raise WeightsError(
            f"{file} could not be downloaded. Fetch {address} where there is a network "
            f"and put it into {folder} (MD5 {md5})."
        ) from error
