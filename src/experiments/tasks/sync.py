"""Sends what runs could not send to the tracker; imports no framework."""

from collections.abc import Sequence
from pathlib import Path

from experiments.config.job import Job, JobResult
from experiments.tracking.sync import Synced, sync_folders


def sync(job: Job) -> JobResult:
    """Sends the unsent records of all runs and sweeps below `output_dir`.

    Args:
        job: Says the folder and, with `task.uri`, another address.

    Returns:
        A result that is FAILED, with exit code 1, when something is still unsent.
    """
    root = Path(job.run.output_dir).absolute()
    rows = list(sync_folders(root, uri=job.run.task.arguments()["uri"]))
    _show(rows, root)
    sent, unsent = sum(row.sent for row in rows), sum(row.unsent for row in rows)
    return JobResult(
        name=job.name,
        status="FAILED" if unsent else "FINISHED",
        metrics={"sent": float(sent), "unsent": float(unsent)},
        overrides=job.overrides,
        output_dir=str(job.output_dir),
        reason=f"{unsent} records are still unsent" if unsent else None,
        exit_code=int(bool(unsent)),
    )


def _show(rows: Sequence[Synced], root: Path) -> None:
    if not rows:
        print(f"Everything below {root} is sent.")
        return
    cells = [("folder", "sent", "unsent", "reason")]
    for row in rows:
        folder = str(row.folder.relative_to(root))
        cells.append((folder, str(row.sent), str(row.unsent), _explain(row)))
    width = max(len(folder) for folder, *_ in cells)
    # Lines are never broken, so that a folder can be copied whole.
    for folder, sent, unsent, reason in cells:
        print(f"{folder:{width}}  {sent:>5}  {unsent:>6}  {reason}".rstrip())


def _explain(row: Synced) -> str:
    refused = f"{row.refused} refused" if row.refused else ""
    return "; ".join(part for part in (refused, row.reason) if part)
