"""What a result was made from: code, packages and data, to see what changed since."""

import hashlib
import importlib.util
import logging
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments import job_files
from experiments.config.kinds.paths import list_paths
from experiments.config.kinds.weights import is_weights_file
from experiments.config.schema.run import RunConfig
from experiments.counts import name_some
from experiments.errors import ExperimentError
from experiments.records import RecordError, leads_inside, read_record, write_record
from experiments.tracking.spool.origin_record import Origin, upgrade_origin

if TYPE_CHECKING:
    from experiments.data.dataset import Dataset

_PARTS = ("code", "packages", "data")
_PACKAGES = ("experiments", "keras", "tensorflow", "jax", "numpy")
_IMAGES = "the data set's images"
_WEIGHTS = "the weights that it begins with"

log = logging.getLogger(__name__)


def describe_origin(run: RunConfig, dataset: "Dataset | None" = None) -> dict[str, Any]:
    """Returns hashes and versions of all that a result depends on beside its config.

    Args:
        run: Names the packages whose code may take part.
        dataset: The data; `None` before it is loaded.
    """
    weights = _describe_weights(run)
    origin: dict[str, Any] = {
        **({} if weights is None else {"weights": weights}),
        "code": {
            name: digest
            for package in run.allowed_targets
            for name, digest in _hash_sources(package.partition(".")[0])
        },
        "packages": {name: found for name in _PACKAGES if (found := _version(name))},
    }
    if dataset is not None:
        content = dataset.fingerprint.as_dict()
        origin["data"] = {key: content[key] for key in ("content", "split")}
        if dataset.files:
            origin["files"] = {"target": run.dataset._target_, **dataset.files}
    return origin


def list_file_changes_since(former: Mapping[str, Any], run: RunConfig) -> list[str]:
    """Returns what changed in the folder of images since a job read it, a phrase each.

    Args:
        former: What the job was started from; without `files` nothing is known.
        run: The job's config, which may name another copy of a known data set.
    """
    files = former.get("files")
    if not files:
        return []
    same_kind = files["target"] == run.dataset._target_
    path = dict(list_paths(run)).get("dataset.path") if same_kind else None
    if path is None and (run.run_id or run.from_search):
        path = files["path"]  # whoever typed that wants what a record says
    if path is None:
        # A record that came from elsewhere does not say where to look.
        return []
    if not all(leads_inside(Path(path), name) for name in files["splits"].values()):
        log.warning("The images are not compared: a split lies outside of %s.", path)
        return []
    from experiments.data.files.inventory import describe_files_now, list_file_changes

    return list_file_changes(files, describe_files_now(files, path))


def check_origin(folder: Path, now: Mapping[str, Any], *, strict: bool) -> None:
    """Tells what changed since the job in `folder` was started, and remembers it.

    Args:
        folder: Of a job that is about to be continued.
        now: What it would go on with.
        strict: Refuse to continue when anything changed.

    Raises:
        ExperimentError: With `strict`.
    """
    changes = list_changes(read_origin(folder) or now, now)
    if changes and strict:
        raise ExperimentError(
            f"resume.strict=true: {'; '.join(changes)} changed since {folder} was "
            "started. Undo that, allow it with resume.strict=false, or start anew with "
            "fresh=true."
        )
    if changes:
        log.warning("Changed since this job was started: %s.", "; ".join(changes))
    write_origin(folder, now)


def read_origin(folder: Path) -> dict[str, Any] | None:
    """Returns what the job in `folder` was started from; `None` when it is unknown."""
    try:
        path = folder / job_files.ORIGIN
        return dict(read_record(path, Origin, upgrade=upgrade_origin))
    except FileNotFoundError:
        return None
    except RecordError as error:
        log.warning("%s. What has changed since is unknown.", error)
        return None


def write_origin(folder: Path, origin: Mapping[str, Any]) -> None:
    """Keeps an origin beside the job's result."""
    write_record(folder / job_files.ORIGIN, origin, indent=1)


def list_changes(former: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Returns what differs between two origins, a phrase each; parts both have."""
    parts = [part for part in (*_PARTS, "weights") if part in former]
    phrases = [
        phrase
        for part in parts
        if part in now
        for phrase in _compare(part, former[part], now[part])
    ]
    files = _compare_files(former.get("files"), now.get("files"))
    if not files:
        return phrases
    return [phrase for phrase in phrases if phrase != _IMAGES] + [
        f"{_IMAGES} ({'; '.join(files)})"
    ]


def _compare_files(
    former: Mapping[str, Any] | None, now: Mapping[str, Any] | None
) -> list[str]:
    if not former or not now:
        return []
    from experiments.data.files.inventory import list_file_changes

    return list_file_changes(former, now)


def _compare(
    part: str, former: Mapping[str, Any], now: Mapping[str, Any]
) -> Iterator[str]:
    if part == "weights":
        yield from [_WEIGHTS] if former["sha256"] != now["sha256"] else []
        return
    names = sorted(former.keys() | now.keys())
    changed = [name for name in names if former.get(name) != now.get(name)]
    if not changed:
        return
    if part == "packages":
        yield from (
            f"{name} {former.get(name, 'absent')} -> {now.get(name, 'absent')}"
            for name in changed
        )
    elif part == "data":
        yield _IMAGES if "content" in changed else "the data set's split"
    else:
        yield name_some(changed, noun="file")


def _describe_weights(run: RunConfig) -> dict[str, str] | None:
    """Returns name and hash of the file that a network begins with, if it is here."""
    path = getattr(run.model, "weights", None)
    if path is None or not (is_weights_file(path) and Path(path).is_file()):
        return None
    with Path(path).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"name": Path(path).name, "sha256": digest}


def _hash_sources(package: str) -> Iterator[tuple[str, str]]:
    """Yields the source files of a package and their hashes, unless it is installed."""
    spec = importlib.util.find_spec(package)
    for location in spec.submodule_search_locations or () if spec else ():
        root = Path(location)
        if "site-packages" in root.parts:
            continue  # its version tells
        for path in sorted(root.rglob("*.py")):
            digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
            yield str(Path(package, path.relative_to(root))), digest


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
