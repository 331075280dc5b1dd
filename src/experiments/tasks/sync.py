"""Sends what the tracker lacks of the runs; imports no framework."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from experiments.config.job import Job, JobResult
from experiments.tracking.sync import Synced, sync_folders


def sync(job: Job) -> JobResult:
    """Sends what the store lacks of all runs and sweeps below `output_dir`.

    Args:
        job: Says the folder and, with `task.uri`, another address.

    Returns:
        A result that is FAILED, with exit code 1, when something is still unsent or
        the store could not be asked.
    """
    root = Path(job.run.output_dir).absolute()
    rows = list(sync_folders(root, uri=job.run.task.arguments()["uri"]))
    for row in rows:
        _update_result(row)
    _show(rows, root)
    sent, unsent = sum(row.sent for row in rows), sum(row.unsent for row in rows)
    unasked = sum(not row.asked for row in rows)
    reason = None
    if unsent:
        reason = f"{unsent} records are still unsent"
    elif unasked:
        reason = f"{unasked} of the folders could not be compared with their store"
    return JobResult(
        name=job.name,
        status="FAILED" if reason else "FINISHED",
        metrics={"sent": float(sent), "unsent": float(unsent)},
        overrides=job.overrides,
        output_dir=str(job.output_dir),
        reason=reason,
        exit_code=int(reason is not None),
    )


def _update_result(row: Synced) -> None:
    """Lets a job's stored result name the run that it has now."""
    result = None if row.run_url is None else JobResult.load(row.folder)
    if result is not None and result.run_id != row.run_id:
        with suppress(OSError):
            replace(result, run_id=row.run_id, run_url=row.run_url).save()


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
    sent_before = "sent before, not compared" if not (row.asked or row.unsent) else ""
    return "; ".join(part for part in (refused, sent_before, row.reason) if part)
