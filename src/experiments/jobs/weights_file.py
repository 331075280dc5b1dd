"""Whether the file is there that a job's network begins with."""

from pathlib import Path

from experiments import job_files
from experiments.config.kinds.weights import has_known_suffix, is_weights_file
from experiments.config.schema.run import RunConfig
from experiments.counts import name_some
from experiments.errors import ConfigError, Problem

_KEY = "model.weights"
_SHOWN = 3  # files that are there instead


def check_weights(run: RunConfig, folder: Path) -> None:
    """Refuses a job whose weights are not there; one that goes on needs them no more.

    Args:
        run: Its config.
        folder: Its folder.

    Raises:
        ConfigError: Its file is no file.
    """
    typed = getattr(run.model, "weights", None)
    if typed is None or run.from_search is not None:
        return
    if not is_weights_file(typed) or Path(typed).is_file():
        return
    if (folder / job_files.CHECKPOINTS / job_files.MANIFEST).is_file():
        return
    path = Path(typed)
    what = "is a folder" if path.is_dir() else "is not there"
    reason = f"must name a file of weights, and {path.name} {what}. Received: {typed}."
    raise ConfigError([Problem(_KEY, reason, _suggest(path))])


def _suggest(path: Path) -> str:
    folder = path if path.is_dir() else path.parent
    if not folder.is_dir():
        return f"There is no folder {folder}."
    names = sorted(p.name for p in folder.iterdir() if has_known_suffix(p.name))
    if not names:
        return f"{folder} holds no weights."
    return f"There: {name_some(names, _SHOWN)}."
