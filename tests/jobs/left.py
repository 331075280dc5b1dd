"""Folders as jobs leave them, without training anything."""

import itertools
import json
from pathlib import Path
from typing import Any

from experiments import job_files
from experiments.jobs.job import JobResult
from experiments.records import stamp, write_record
from experiments.training.checkpoints.manifest import (
    Manifest,
    Record,
    write_manifest,
)

_BEGIN = 1_700_000_000_000  # milliseconds; each entry is made a second later
_times = itertools.count(_BEGIN, 1000)
_ids = itertools.count(1)
STATE = "epoch-0001-step-000000-0123456789abcdef.safetensors"


def write_journal(folder: Path, *entries: tuple[str, dict[str, Any]]) -> None:
    """Adds entries to the journal of a folder."""
    path = folder / job_files.TRACKING / job_files.JOURNAL
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        for kind, content in entries:
            line = {"kind": kind, "time": next(_times), "content": content}
            file.write(json.dumps(stamp(line)) + "\n")


def session(name: str, experiment: str, tags: dict[str, str]) -> dict[str, Any]:
    """The content of the entry that says what a run is."""
    target = {
        "uri": None,
        "experiment": experiment,
        "ui_url": None,
        "server_timeout": 5,
    }
    return {
        "job_id": f"job-{next(_ids)}",
        "resumed": 0,
        "name": name,
        "tags": tags,
        "parent": None,
        "target": target,
    }


def leave_run(
    folder: Path,
    *,
    name: str = "a run",
    score: float | None = 0.5,
    status: Any = "FINISHED",
    end: Any = "complete",
    experiment: str = "default",
    run_id: str | None = None,
    tracked: bool = True,
    stored: str | None = None,
    **tags: str,
) -> str:
    """Leaves a job that ended, with a checkpoint; returns its id.

    Args:
        folder: Of the job.
        name: Of its run.
        score: Its best `val_accuracy`.
        status: Of its result; `None` for a job that was killed.
        end: Likewise.
        experiment: Of MLflow.
        run_id: Its id there.
        tracked: Whether it has records for MLflow.
        stored: Its model, `sent` or `unsent`; `None` for none.
        tags: Of the run; `model` and `dataset` are its choices.
    """
    folder.mkdir(parents=True)
    run_id = run_id or f"{next(_ids):032x}"
    (folder / job_files.LOCK).touch()
    choices = {
        f"choice.{k}" if k in ("model", "dataset") else k: v for k, v in tags.items()
    }
    if tracked:
        write_journal(folder, ("session", session(name, experiment, choices)))
        place = {"name": "model", "step": 1, "folder": "models/0"}
        if stored is not None:
            write_journal(folder, ("model", place))
        sent = {"sent": {run_id: 2 if stored == "sent" else 1}}
        write_record(folder / "tracking" / "run.json", {"runs": {"embedded": run_id}})
        write_record(folder / "tracking" / "sent.json", sent)
    leave_state(folder, score)
    if status is not None:
        JobResult(
            name=name,
            status=status,
            end=end,
            objective=score,
            metrics={} if score is None else {"best_val_accuracy": score},
            run_id=run_id if tracked else None,
            output_dir=str(folder),
            epochs=1,
        ).save()
    return run_id


def leave_state(folder: Path, value: float | None, size: int = 1000) -> None:
    """Leaves a checkpoint that counts."""
    place = folder / job_files.CHECKPOINTS
    place.mkdir()
    (place / STATE).write_bytes(b"x" * size)
    record = Record(epoch=1, step=0, file=STATE, sha256="0" * 64, value=value)
    manifest = Manifest(monitor="val_accuracy", mode="max", best=record, last=(record,))
    write_manifest(place, manifest)


def leave_parent(folder: Path, kind: str, **tags: str) -> None:
    """Leaves a sweep or a search that has ended."""
    folder.mkdir(parents=True)
    (folder / job_files.LOCK).touch()
    opening = session(f"the {kind}", "default", {"run.kind": kind, **tags})
    metrics = {"step": 0, "values": {"best_val_accuracy": 0.75}}
    end = {"status": "FINISHED", "reason": None}
    entries = (("session", opening), ("metrics", metrics), ("end", end))
    write_journal(folder, *entries)
    run_id = f"{next(_ids):032x}"
    write_record(folder / "tracking" / "run.json", {"runs": {"embedded": run_id}})
