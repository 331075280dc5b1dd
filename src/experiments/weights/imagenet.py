"""The weights that Keras Applications publishes, by Keras' own download and cache."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from experiments.config.schema.models.applications import family_of, published_size
from experiments.data.arrays.keras_cache import keras_home, network_timeout
from experiments.models.keras_application import call_application, fresh_names
from experiments.weights.faults import WeightsError
from experiments.weights.keras_file import read_layers
from experiments.weights.preprocessing import PREPROCESSINGS
from experiments.weights.source import Weights, hash_file, read_weights

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


def read_application(architecture: str, alpha: float | None = None) -> Weights:
    """Reads the weights of any architecture of Keras, downloaded once by Keras.

    Keras itself puts them into its network, for the layers of some files are to be
    taken in their order and not by their names.

    Args:
        architecture: Name of a function of `keras.applications`.
        alpha: Share of a MobileNet's filters; `None`: all of them.

    Returns:
        Arrays by the names that layers have in a new process, the last ones included.

    Raises:
        WeightsError: They are not in Keras' cache and could not be downloaded.
    """
    size = published_size(architecture)
    with fresh_names(), _downloads_told() as download:
        network = call_application(
            architecture,
            alpha=alpha,
            weights="imagenet",
            input_shape=(size, size, 3),
        )
    return Weights(
        name=download.file,
        sha256=hash_file(Path(download.path)),
        layers=read_layers(network),
        preprocessing=PREPROCESSINGS[family_of(architecture).preprocessing],
    )


@dataclass
class _Download:
    """What Keras was asked for.

    Attributes:
        file: Its name in Keras' cache.
        address: Where it comes from.
        checksum: MD5 or SHA-256 in hexadecimal digits; empty where Keras has none.
        path: Where it lies.
    """

    file: str = ""
    address: str = ""
    checksum: str = ""
    path: str = ""

    def describe_failure(self) -> str:
        """Returns what to fetch, and where to put it."""
        kind = "MD5" if len(self.checksum) == 32 else "SHA-256"
        check = f" ({kind} {self.checksum})" if self.checksum else ""
        return (
            f"{self.file} could not be downloaded. Fetch {self.address} where there is "
            f"a network and put it into {keras_home() / 'models'}{check}."
        )


@contextmanager
def _downloads_told() -> Iterator[_Download]:
    """Follows what Keras downloads, which its own message hardly tells."""
    from keras.src.utils import file_utils

    told, plain = _Download(), file_utils.get_file

    def get_file(fname: str, origin: str, **options: Any) -> str:
        told.file, told.address = fname, origin
        told.checksum = options.get("file_hash") or ""
        told.path = str(plain(fname, origin, **options))
        return told.path

    file_utils.get_file = get_file
    try:
        with network_timeout():
            yield told
    except Exception as error:  # Keras raises a bare one without a network
        if not told.file or told.path:
            raise
        raise WeightsError(told.describe_failure()) from error
    finally:
        file_utils.get_file = plain


def _fetch(depth: int) -> Path:
    import keras
    from keras.src.applications import resnet

    file = _FILE.format(depth)
    address = f"{resnet.BASE_WEIGHTS_PATH}{file}"
    md5 = resnet.WEIGHTS_HASHES[f"resnet{depth}"][0]
    told = _Download(file=file, address=address, checksum=md5)
    try:
        with network_timeout():
            return Path(
                keras.utils.get_file(
                    file, address, cache_subdir="models", file_hash=md5
                )
            )
    except Exception as error:
        raise WeightsError(told.describe_failure()) from error
