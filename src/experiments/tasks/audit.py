"""Looks for what is wrong with a data set: labels, copies, leaks, odd images."""

from dataclasses import replace
from pathlib import Path

from rich.table import Table

from experiments import job_files
from experiments.audit.findings import Findings, find_all
from experiments.audit.page import build_audit_page
from experiments.audit.proposals import Proposal, list_proposals, write_proposals
from experiments.audit.summary import describe_unseen, summarise
from experiments.audit.survey import survey_dataset
from experiments.builders.data import build_dataset
from experiments.command.printed import describe_command
from experiments.config.corrections import KEY, Correction, read_corrections
from experiments.config.schema.run import RunConfig
from experiments.counts import count_of
from experiments.files import replace_bytes
from experiments.jobs.display import short_path
from experiments.jobs.job import Job, JobResult
from experiments.screen import open_console


def audit(job: Job) -> JobResult:
    """Writes `audit.html` and `corrections.csv` into the job's folder.

    Args:
        job: Names the data set and, with `run_id`, the predictions that judge its
            labels.

    Returns:
        A result that counts what was found.

    Raises:
        ExperimentError: The data set cannot be read.
    """
    decided = _read_decided(job)
    dataset = build_dataset(_tolerating(job.run))
    images = sum(map(len, dataset.splits.values()))
    print(f"Looking at {count_of(images, 'image')} of {dataset.name}.", flush=True)
    survey = survey_dataset(dataset)
    options = job.run.task.arguments()
    findings = find_all(survey, near_bits=options["near_bits"], labels=None)
    proposals = list_proposals(findings, decided)
    table = job.output_dir / job_files.CORRECTIONS
    write_proposals(table, proposals)
    command = _describe_training(job, table)
    page = job.output_dir / job_files.AUDIT_PAGE
    title = f"Audit of {dataset.name}"
    content = build_audit_page(findings, title=title, next_command=command)
    replace_bytes(page, content.encode())
    _show(findings, proposals, page=page, table=table, command=command)
    return JobResult(
        name=job.name,
        status="FINISHED",
        metrics={"proposals": float(len(proposals))},
        overrides=job.overrides,
        output_dir=str(job.output_dir),
    )


def _tolerating(run: RunConfig) -> RunConfig:
    """Returns the config with unusable files left out: they are told, as the rest."""
    if not hasattr(run.dataset, "on_corrupt"):
        return run
    return replace(run, dataset=replace(run.dataset, on_corrupt="skip"))


def _read_decided(job: Job) -> dict[str, Correction]:
    """Returns what a person has decided: it is proposed again as it is.

    The same command writes the same file again, which somebody may have edited.
    """
    given = getattr(job.run.dataset, "corrections", None)
    paths = [job.output_dir / job_files.CORRECTIONS, *([Path(given)] if given else [])]
    decided: dict[str, Correction] = {}
    for path in paths:
        if path.exists():
            decided |= read_corrections(path).rows
    return decided


def _describe_training(job: Job, table: Path) -> str:
    left = ("task=", "task.", "run_id=", f"{KEY}=")
    words = [word for word in job.overrides if not word.startswith(left)]
    return describe_command(*words, f"{KEY}={table}")


def _show(
    findings: Findings,
    proposals: list[Proposal],
    *,
    page: Path,
    table: Path,
    command: str,
) -> None:
    shown = Table(box=None, pad_edge=False)
    shown.add_column("finding")
    shown.add_column("images", justify="right")
    for row in summarise(findings):
        shown.add_row(row.finding, f"{row.count:,}")
    open_console().print(shown)
    if findings.labels is not None and (text := describe_unseen(findings.labels)):
        print(text)
    counts = [
        f"{sum(p.action == action for p in proposals):,} {action}"
        for action in ("relabel", "drop", "keep")
    ]
    print(f"\nLook at them:   {short_path(page)}")
    print(f"Edit the lines: {short_path(table)} ({', '.join(counts)})")
    print(f"Then train:     {command}")
