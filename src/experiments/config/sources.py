"""The config files as Hydra reads them."""

import copy
import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hydra._internal.config_repository import ConfigRepository


@contextmanager
def each_file_once() -> Iterator[None]:
    """Lets Hydra read each config file once within the block, or as a decorator.

    What was checked is then what runs, for all jobs of a sweep, whoever edits the files
    meanwhile; and reading them is two fifths of composing a job.
    """
    from hydra._internal.config_repository import ConfigRepository

    read: dict[tuple[str, ...], Any] = {}
    plain = ConfigRepository.load_config

    @functools.wraps(plain)
    def load_config(self: "ConfigRepository", config_path: str) -> Any:
        key = (config_path, *(source.path for source in self.sources))
        if key not in read:
            read[key] = plain(self, config_path)
        return copy.deepcopy(read[key])  # a composition changes what it is given

    ConfigRepository.load_config = load_config  # type: ignore[method-assign]
    try:
        yield
    finally:
        ConfigRepository.load_config = plain  # type: ignore[method-assign]
