"""Keras' own folder of downloaded data sets, and the download itself."""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from experiments.errors import DataError

# Keras sets none: behind a silent firewall a download would hang for minutes.
_TIMEOUT_SECONDS = 20.0
_refused: ContextVar[bool] = ContextVar("downloads_refused", default=False)


def keras_home() -> Path:
    """Returns the folder of Keras' cache: `$KERAS_HOME`, or `~/.keras`."""
    return Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser()


def datasets_folder() -> Path:
    """Returns the folder into which Keras downloads data sets."""
    return keras_home() / "datasets"


def download(name: str, load: Callable[[], Any], wanted: str) -> Any:
    """Calls one of Keras' loaders, which downloads into its cache.

    Args:
        name: The data set, for the message.
        load: Such as `keras.datasets.mnist.load_data`.
        wanted: What a user who has no network shall put into `datasets_folder()`.

    Raises:
        DataError: The download failed; names the file and where to put it. Or it is
            refused.
    """
    if _refused.get():
        raise DataError(f"{name} is not in Keras' cache, {datasets_folder()}.")
    try:
        with network_timeout():
            return load()
    except Exception as error:  # Keras raises plain Exception for a failed download
        raise DataError(
            f"{name} is neither in Keras' cache nor could it be downloaded: put "
            f"{wanted} into {datasets_folder()}, or set dataset.path to a local copy."
        ) from error


@contextmanager
def refusing_downloads() -> Iterator[None]:
    """Takes a data set for absent that is not on this machine yet."""
    token = _refused.set(True)
    try:
        yield
    finally:
        _refused.reset(token)


@contextmanager
def network_timeout() -> Iterator[None]:
    """Lets a download of Keras' fail where nothing answers."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_TIMEOUT_SECONDS)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
