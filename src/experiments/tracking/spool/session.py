"""What a process writes into the journal when it opens a run, first or again."""

import getpass
import os
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from experiments.config.kinds.destination import Destination
from experiments.redaction import redact, redact_data
from experiments.tracking.spool.journal import SESSION, Entry
from experiments.tracking.spool.place import describe_place
from experiments.tracking.spool.process import process_tags
from experiments.tracking.spool.spool import Spool

_TAG_LENGTH = 5000  # of 8,000 bytes that MLflow accepts; letters may take two


def describe_session(
    entries: Sequence[Entry],
    spool: Spool,
    *,
    run_name: str,
    tags: Mapping[str, object],
    parent_dir: Path | None,
    destination: Destination,
) -> dict[str, Any]:
    """Returns the content of a `session` entry.

    Args:
        entries: The journal so far.
        spool: The run's records.
        run_name: Name that people read.
        tags: Of the run.
        parent_dir: Folder of the sweep that the run belongs to.
        destination: Where records go.
    """
    former = [entry for entry in entries if entry.kind == SESSION]
    place = describe_place(spool.job_folder, spool.output_dir)
    own = {**_source_tags(), **process_tags(), **place, **_resumed_tags(former)}
    parent = None
    if parent_dir is not None:
        parent = os.path.relpath(parent_dir.absolute(), spool.job_folder)
    return {
        "job_id": former[0].content["job_id"] if former else uuid.uuid4().hex,
        "resumed": len(former),
        "name": redact(run_name),
        "tags": as_tags({**tags, **own}),
        "parent": parent,
        "target": redact_data(_describe_target(destination)),
    }


def _describe_target(destination: Destination) -> dict[str, Any]:
    """Returns what a journal says of a destination; its folder may be moved."""
    names = ("uri", "experiment", "ui_url", "server_timeout")
    return {name: getattr(destination, name) for name in names}


def as_tags(tags: Mapping[str, object]) -> dict[str, str]:
    """Returns tags as texts that MLflow takes; a long one is cut and says so."""
    return {key: _cut(str(value)) for key, value in redact_data(tags).items()}


def _cut(text: str) -> str:
    return text if len(text) <= _TAG_LENGTH else f"{text[:_TAG_LENGTH]} ... (cut)"


def _resumed_tags(former: Sequence[Entry]) -> dict[str, str]:
    """Returns how often and when a run was continued, this time included."""
    if not former:
        return {}
    seconds = [*(entry.time / 1000 for entry in former[1:]), time.time()]
    times = [time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(s)) for s in seconds]
    kept = times[-_TAG_LENGTH // 21 :]  # the last ones, when there are hundreds
    return {"resumed.count": str(len(former)), "resumed.times": ",".join(kept)}


def _source_tags() -> dict[str, str]:
    """Returns what MLflow's pages show as the user and the source of a run."""
    tags = {"mlflow.source.name": sys.argv[0], "mlflow.source.type": "LOCAL"}
    try:
        tags["mlflow.user"] = getpass.getuser()
    except (KeyError, OSError):  # a container without a user database
        tags["mlflow.user"] = "unknown"
    return tags
