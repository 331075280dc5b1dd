"""Sends what the tracker lacks of the runs; imports no framework."""

from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from experiments import job_files
from experiments.command.printed import (
    describe_command,
    describe_output,
    describe_store,
)
from experiments.config.schema.tracking import check_uri
from experiments.counts import agree, count_of
from experiments.jobs.job import Job, JobResult
from experiments.tracking.sending.sync import Synced, sync_folders

_SHOWN = 10  # refused records


def sync(job: Job) -> JobResult:
    """Sends what the store lacks of all runs and sweeps below `output_dir`.

    Args:
        job: Says the folder, the store and, with `task.uri`, another address.

    Returns:
        A result that is FAILED, with exit code 1, when something is still unsent or
        the store could not be asked.
    """
    destination = job.run.destination()
    root = destination.output_dir
    uri = job.run.task.arguments()["uri"]
    rows = list(sync_folders(destination, uri=uri))
    for row in rows:
        _update_result(row)
    _show(rows, root)
    _show_refusals(rows, root)
    _show_foreign(rows, root)
    sent, unsent = sum(row.sent for row in rows), sum(row.unsent for row in rows)
    unasked = sum(not (row.asked or row.meant_for) for row in rows)
    reason = None
    if unsent:
        reason = (
            f"{count_of(unsent, 'record')} {agree(unsent, 'is', 'are')} still unsent"
        )
    elif unasked:
        reason = f"{unasked} of the folders could not be compared with their store"
    return JobResult(
        name=job.name,
        status="FAILED" if reason else "FINISHED",
        metrics={
            "sent": float(sent),
            "unsent": float(unsent),
            "refused": float(sum(row.refused for row in rows)),
        },
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
    shown = [row for row in rows if row.unsent or not row.meant_for]
    if not shown:
        print(f"Everything below {root} is sent.")
        return
    cells = [("folder", "sent", "unsent", "reason")]
    for row in shown:
        folder = str(row.folder.relative_to(root))
        cells.append((folder, str(row.sent), str(row.unsent), _explain(row)))
    width = max(len(folder) for folder, *_ in cells)
    # Lines are never broken, so that a folder can be copied whole.
    for folder, sent, unsent, reason in cells:
        print(f"{folder:{width}}  {sent:>5}  {unsent:>6}  {reason}".rstrip())


def _explain(row: Synced) -> str:
    if row.meant_for is not None:
        return f"meant for {_show_address(row.meant_for)}"
    refused = f"{row.refused} refused" if row.refused else ""
    sent_before = "sent before, not compared" if not (row.asked or row.unsent) else ""
    return "; ".join(part for part in (refused, sent_before, row.reason) if part)


def _show_refusals(rows: Sequence[Synced], root: Path) -> None:
    """Names the records that were left behind, and why."""
    refusals = [
        f"  {row.folder.relative_to(root)}: {reason}"
        for row in rows
        for reason in row.refusals
    ]
    if not refusals:
        return
    print(
        f"\n{count_of(len(refusals), 'record')} refused; the others are not affected:"
    )
    print("\n".join(refusals[:_SHOWN]))
    if len(refusals) > _SHOWN:
        more = len(refusals) - _SHOWN
        place = f"{job_files.TRACKING}/{job_files.REFUSED}"
        print(f"  and {more} more, see {place} of each folder")


def _show_foreign(rows: Sequence[Synced], root: Path) -> None:
    """Says how to send what was meant for a store that is not the configured one."""
    folders: dict[str, int] = defaultdict(int)
    for row in rows:
        if row.meant_for is not None:
            folders[row.meant_for] += 1
    for address, count in folders.items():
        what = count_of(count, "folder")
        verb = "was" if count == 1 else "were"
        print(
            f"\n{what} {verb} meant for {_show_address(address)}, which is not the "
            "configured store: nothing of that was sent."
        )
        if list(check_uri(address)):
            print("It is no address of a server or a database.")
            continue
        words = ["task=sync", *describe_output(root)]
        print(
            "To send it there: "
            f"{describe_command(*words, *describe_store(address))}\n"
            "To send everything there: "
            f"{describe_command(*words, *describe_store(address, 'task.uri'))}"
        )


def _show_address(address: str) -> str:
    """Returns an address for the screen; one of odd characters in quotes."""
    return address if address.isprintable() and " " not in address else repr(address)
