"""What a result was made from: code, packages and data, to see what changed since."""

import hashlib
import importlib.util
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.config.schema import RunConfig
from experiments.errors import ExperimentError
from experiments.files import replace_json

if TYPE_CHECKING:
    from experiments.data.fingerprint import Fingerprint

ORIGIN_FILE = "origin.json"
_PACKAGES = ("experiments", "keras", "tensorflow", "jax", "numpy")
_SHOWN_FILES = 5

log = logging.getLogger(__name__)


def describe_origin(
    run: RunConfig, fingerprint: "Fingerprint | None" = None
) -> dict[str, Any]:
    """Returns hashes and versions of all that a result depends on beside its config.

    Args:
        run: Names the packages whose code may take part.
        fingerprint: Of the data; `None` before it is loaded.
    """
    origin: dict[str, Any] = {
        "code": {
            name: digest
            for package in run.allowed_targets
            for name, digest in _hash_sources(package.partition(".")[0])
        },
        "packages": {name: found for name in _PACKAGES if (found := _version(name))},
    }
    if fingerprint is not None:
        content = fingerprint.as_dict()
        origin["data"] = {key: content[key] for key in ("content", "split")}
    return origin


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
        return dict(json.loads((folder / ORIGIN_FILE).read_text("utf-8")))
    except (OSError, ValueError):
        return None


def write_origin(folder: Path, origin: Mapping[str, Any]) -> None:
    """Keeps an origin beside the job's result."""
    replace_json(folder / ORIGIN_FILE, origin, indent=1)


def list_changes(former: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Returns what differs between two origins, a phrase each; parts both have."""
    parts = [part for part in ("code", "packages", "data") if part in former]
    return [
        phrase
        for part in parts
        if part in now
        for phrase in _compare(part, former[part], now[part])
    ]


def _compare(
    part: str, former: Mapping[str, str], now: Mapping[str, str]
) -> Iterator[str]:
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
        what = "images" if "content" in changed else "split"
        yield f"the data set's {what}"
    else:
        yield _enumerate(changed)


def _enumerate(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN_FILES
    shown = ", ".join(names[:_SHOWN_FILES])
    return f"{shown} and {more} more files" if more > 0 else shown


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
